//! A secret in an environment variable.
//!
//! It stays in the process's environment, where its user can read it (`/proc/PID/environ`) for as long as the process
//! runs: a file or a token keeps a key better.

use std::env::{self, VarError};
use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use zeroize::Zeroizing;

use super::{Kek, SourceError, decode_key};

/// The name of an environment variable: letters, digits and `_`, not beginning with a digit (POSIX.1-2017 section 8.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable(String);

impl FromStr for Variable {
    type Err = SourceError;

    fn from_str(name: &str) -> Result<Self, SourceError> {
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_';
        if name.is_empty()
            || name.starts_with(|letter: char| letter.is_ascii_digit())
            || !name.bytes().all(fits)
        {
            return Err(SourceError::Variable);
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Variable {
    /// Its text, as it is now.
    pub(super) fn read(&self) -> Result<Zeroizing<String>, EnvironmentError> {
        match env::var(&self.0) {
            Ok(text) => Ok(Zeroizing::new(text)),
            Err(VarError::NotPresent) => Err(EnvironmentError::Missing(self.clone())),
            Err(VarError::NotUnicode(_)) => Err(EnvironmentError::NotText(self.clone())),
        }
    }

    /// The key that it holds: 32 bytes in base64.
    pub(super) fn key(&self) -> Result<Kek, EnvironmentError> {
        let key = decode_key(&self.read()?).ok_or_else(|| EnvironmentError::Malformed(self.clone()))?;
        Ok(Kek::from_key(&key))
    }
}

/// Why an environment variable gives no secret; never with its value. The operator's to put right.
#[derive(Debug, Error)]
pub enum EnvironmentError {
    /// It holds something else.
    #[error(
        "the environment variable {0} does not hold 32 bytes in base64; set it to the key that belongs to this \
         database (a new vault's comes from: head -c 32 /dev/urandom | base64)"
    )]
    Malformed(Variable),
    /// It is not there.
    #[error("the environment variable {0} is not set; set it where the vault is started")]
    Missing(Variable),
    /// It holds bytes that are no text.
    #[error("the environment variable {0} does not hold UTF-8 text; set it anew")]
    NotText(Variable),
}
