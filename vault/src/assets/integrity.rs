//! Digests of released files.

use std::fmt;

use aws_lc_rs::digest;
use base64ct::{Base64, Encoding};
use serde::Deserialize;
use thiserror::Error;

/// A SHA-384 digest (FIPS 180-4), written as browsers read it in the attribute `integrity` (W3C Subresource Integrity):
/// `sha384-` and base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Integrity([u8; 48]);

impl Integrity {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut digest = [0; 48];
        digest.copy_from_slice(digest::digest(&digest::SHA384, bytes).as_ref());
        Self(digest)
    }

    /// Its first 64 bits as 16 lower-case hexadecimal digits: what tells a file's versions apart in names.
    #[must_use]
    pub fn short(&self) -> String {
        self.0[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Integrity {
    type Error = NoIntegrity;

    fn try_from(text: String) -> Result<Self, NoIntegrity> {
        let mut digest = [0; 48];
        let base64 = text.strip_prefix("sha384-").ok_or(NoIntegrity)?;
        match Base64::decode(base64, &mut digest) {
            Ok(bytes) if bytes.len() == 48 => Ok(Self(digest)),
            _ => Err(NoIntegrity),
        }
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha384-{}", Base64::encode_string(&self.0))
    }
}

/// Not a digest. The fault of who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a file's integrity is sha384- and 64 characters of base64")]
pub struct NoIntegrity;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_browsers_read_it() {
        // FIPS 180-4's example of one block: "abc".
        let text = "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn";
        let integrity = Integrity::of(b"abc");
        assert_eq!(integrity.to_string(), text);
        assert_eq!(integrity.short(), "cb00753f45a35e8b");
        assert_eq!(Integrity::try_from(text.to_owned()).unwrap(), integrity);
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "sha384-", "sha384-ywB1P0Wj", "sha256-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2A"]
        {
            assert_eq!(Integrity::try_from(text.to_owned()), Err(NoIntegrity), "{text}");
        }
    }
}
