use core::fmt;

use zeroize::Zeroizing;

use super::digits::{self, Sort};
use super::{Entry, Reason};

/// The name on a card, in any script.
#[derive(Clone, Eq, PartialEq)]
pub struct Holder(Zeroizing<String>);

impl Holder {
    /// The most bytes of UTF-8 a name has. A magnetic stripe holds 26 characters (ISO/IEC 7813), but people
    /// type the name as they write it; 256 is what Thales's token service takes, the narrowest of those a
    /// card is passed on to.
    pub const MAX_BYTES: usize = 256;
    /// The fewest characters a name has (ISO/IEC 7813).
    pub const MIN_CHARS: usize = 2;

    /// Reads a name: outer spaces are dropped, inner ones made single, invisible marks removed.
    ///
    /// A control character is [`Reason::UnexpectedCharacter`], more than [`MAX_BYTES`](Self::MAX_BYTES) is
    /// [`Reason::TooLong`]. A name with as many digits as a card number, or of nothing but digits, is
    /// [`Reason::IsCardNumber`].
    pub fn parse(text: &str) -> Entry<Self> {
        // Nothing below makes the text longer, so the buffer never grows and leaves no copy behind.
        let mut name = Zeroizing::new(String::with_capacity(text.len()));
        let mut space = false;
        for c in text.trim().chars() {
            if c.is_control() {
                return Entry::Invalid(Reason::UnexpectedCharacter);
            }
            if c.is_whitespace() {
                space = !name.is_empty();
            } else if !is_dropped(c) {
                if space {
                    name.push(' ');
                    space = false;
                }
                name.push(c);
            }
        }
        if is_card_number(&name) {
            return Entry::Invalid(Reason::IsCardNumber);
        }
        if name.len() > Self::MAX_BYTES {
            return Entry::Invalid(Reason::TooLong);
        }
        if name.chars().count() < Self::MIN_CHARS {
            return Entry::Incomplete;
        }
        Entry::Valid(Self(name))
    }

    /// The name as it is to be sent.
    pub fn expose(&self) -> &str {
        // EXPOSE: the one way to the clear name; every caller says what it needs it for.
        &self.0
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// Invisible marks but for the joiners, with which Persian and Indic names are written.
fn is_dropped(c: char) -> bool {
    matches!(digits::sort(c), Sort::Invisible) && !matches!(c, '\u{200C}' | '\u{200D}')
}

/// Whether a name has the digits of a card number, or digits only.
fn is_card_number(name: &str) -> bool {
    let (mut digits, mut others) = (0_usize, 0_usize);
    for c in name.chars() {
        match digits::sort(c) {
            Sort::Digit(_) => digits += 1,
            Sort::Space | Sort::Dash | Sort::Invisible => {}
            Sort::Other => others += 1,
        }
    }
    // The shortest number there is has 12 digits (Maestro). Whether they pass Luhn is not asked: a number
    // with one digit mistyped is as telling, and one with an expiry after it too. Nobody's name has twelve
    // digits.
    digits >= 12 || (digits > 0 && others == 0)
}
