//! Which vendor a failure is about, and what of its words may be shown.

use super::Profile;
use crate::plain::{FromPlain, Plain, Wrong};

/// The vendor behind a failure: what the merchant tells its support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// Which vendor.
    pub name: Profile,
    /// The HTTP status of its answer, when there was one.
    pub status: Option<u16>,
    /// Its own code for what went wrong.
    pub code: Option<String>,
    /// The name of the call in its log.
    pub correlation_id: Option<String>,
}

impl FromPlain for Vendor {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            name: members.required("name"),
            status: members.optional("status"),
            code: members.optional("code").and_then(identifier),
            correlation_id: members.optional("correlation_id").and_then(identifier),
        })
    }
}

/// A vendor's name for something, if it is one: up to 64 printable characters without spaces, and no card number. The
/// last group of a UUID may be twelve digits; no number that is issued today has fewer than thirteen.
pub(super) fn identifier(text: String) -> Option<String> {
    let printable = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    (printable && longest_number(&text, &[]) < 13).then_some(text)
}

/// A vendor's sentence, if it may be shown: up to 512 printable ASCII characters that hold no card number, spaces and
/// hyphens within it or not.
#[cfg(feature = "seal")]
pub(super) fn sentence(text: String) -> Option<String> {
    let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let printable = (1..=512).contains(&text.len()) && text.bytes().all(printable);
    (printable && longest_number(&text, b" -") < 12).then_some(text)
}

/// The most digits in a row, with any of `separators` among them.
fn longest_number(text: &str, separators: &[u8]) -> usize {
    let (mut longest, mut run) = (0, 0);
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            run += 1;
            longest = longest.max(run);
        } else if separators.iter().all(|separator| *separator != byte) {
            run = 0;
        }
    }
    longest
}
