//! The merchant's public key, the one a checkout page may hold.

use std::fmt;

use thiserror::Error;

/// A merchant's public key: `pkey_test_…` for test cards, `pkey_…` for real ones.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pkey(String);

/// Why a text is no public key. The merchant's fault; the same text will be refused again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PkeyError {
    /// It is a secret key, which must never reach a browser.
    Secret,
    /// It is neither.
    Malformed,
}

impl PkeyError {
    /// What is wrong, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Secret => {
                "this is a secret key (skey_…); a page takes the public key (pkey_…), and a secret key that was in a page must be revoked"
            }
            Self::Malformed => {
                "a public key begins with pkey_ and goes on with lower-case letters and digits"
            }
        }
    }
}

impl fmt::Display for PkeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

impl Pkey {
    /// Reads `pkey_` or `pkey_test_` and 1 to 64 lower-case letters and digits.
    ///
    /// # Errors
    /// [`PkeyError`]
    pub fn parse(text: &str) -> Result<Self, PkeyError> {
        if text.starts_with("skey_") {
            return Err(PkeyError::Secret);
        }
        let rest = text.strip_prefix("pkey_").ok_or(PkeyError::Malformed)?;
        let id = rest.strip_prefix("test_").unwrap_or(rest);
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if (1..=64).contains(&id.len()) && id.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(PkeyError::Malformed)
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for real cards and real money.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.0.starts_with("pkey_test_")
    }
}

impl fmt::Debug for Pkey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
