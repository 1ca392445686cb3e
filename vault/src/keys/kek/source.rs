//! Where a key-encryption key comes from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use super::environment::Variable;
use super::pkcs11::{self, TokenKey, TokenUri};
use super::shares::{Count, Locked, ShareFiles};
use super::{Kek, KekError, file};

/// Where the key-encryption key comes from. Written as [`FromStr`] reads it; never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `custodians:3`: each of so many brings a share while the vault waits, see [`unlock`](super::unlock).
    Custodians(Count),
    /// `env:NAME`: an environment variable with 32 bytes in base64.
    Environment(Variable),
    /// `file:PATH`: a file with 32 bytes in base64, for its owner only.
    File(PathBuf),
    /// `pkcs11:token=LABEL;object=LABEL?module-path=PATH&pin-source=file:PATH`: a key in a token (RFC 7512).
    Pkcs11(TokenUri),
    /// `shares:PATH,PATH`: one file with a share for each custodian.
    Shares(ShareFiles),
}

/// What a source gives at once.
#[derive(Debug)]
pub enum Opened {
    /// The key.
    Kek(Kek),
    /// A lock that opens when the custodians have brought their shares.
    Locked(Locked),
}

impl Source {
    /// The key of a vault that has keys: nothing is made.
    ///
    /// Blocks while a token works: [`unlock::wait`](super::unlock::wait) sees to that.
    ///
    /// # Errors
    /// [`KekError`]
    pub fn open(&self) -> Result<Opened, KekError> {
        let kek = match self {
            Self::Custodians(count) => return Ok(Opened::Locked(Locked::new(*count))),
            Self::Environment(variable) => variable.key()?,
            Self::File(path) => Kek::load(path)?,
            Self::Pkcs11(uri) => Kek::from_token(TokenKey::open(uri)?),
            Self::Shares(files) => files.join()?,
        };
        Ok(Opened::Kek(kek))
    }

    /// The key of a vault that has no keys yet: a key file that is missing is made.
    ///
    /// Blocks as [`open`](Self::open) does.
    ///
    /// # Errors
    /// [`KekError`]
    pub fn open_new(&self) -> Result<Opened, KekError> {
        match self {
            Self::File(path) => Ok(Opened::Kek(Kek::load_or_create(path)?)),
            _ => self.open(),
        }
    }

    /// Makes a new key where there is none: a file, an AES key in a token, or a share in each file. What is there is
    /// never written over.
    ///
    /// Blocks while a token works.
    ///
    /// # Errors
    /// [`KekError`]; [`KekError::MakeShares`], [`KekError::MakeVariable`] where nothing can be written to.
    pub fn create(&self) -> Result<(), KekError> {
        match self {
            Self::Custodians(_) => Err(KekError::MakeShares),
            Self::Environment(_) => Err(KekError::MakeVariable),
            Self::File(path) => Ok(file::create(path)?),
            Self::Pkcs11(uri) => Ok(pkcs11::create_in_token(uri)?),
            Self::Shares(files) => Ok(files.create()?),
        }
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.split_once(':') {
            Some(("custodians", count)) => Ok(Self::Custodians(count.parse()?)),
            Some(("env", name)) => Ok(Self::Environment(name.parse()?)),
            Some(("file", path)) => Ok(Self::File(parse_path(path)?)),
            Some(("pkcs11", _)) => Ok(Self::Pkcs11(text.parse()?)),
            Some(("shares", paths)) => {
                let paths: Result<_, _> = paths.split(',').map(parse_path).collect();
                Ok(Self::Shares(ShareFiles::new(paths?)?))
            }
            _ => Err(SourceError::Unknown),
        }
    }
}

pub(super) fn parse_path(text: &str) -> Result<PathBuf, SourceError> {
    if text.is_empty() { Err(SourceError::NoPath) } else { Ok(text.into()) }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custodians(count) => write!(formatter, "custodians:{count}"),
            Self::Environment(variable) => write!(formatter, "env:{variable}"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Pkcs11(uri) => uri.fmt(formatter),
            Self::Shares(files) => write!(formatter, "shares:{files}"),
        }
    }
}

/// Why a text says no source of a key-encryption key. The operator's to put right. None repeats the text: it may be a
/// secret that was put there by mistake.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// No percent-encoded UTF-8.
    #[error("in a pkcs11: address, % takes two hexadecimal digits, and they make UTF-8")]
    Encoding,
    /// A label is empty or does not fit into a token.
    #[error("{attribute} in a pkcs11: address is a label of 1 to {longest} bytes")]
    Label {
        /// `token` or `object`.
        attribute: &'static str,
        /// How long it may be.
        longest: usize,
    },
    /// A part of a PKCS#11 address is missing.
    #[error("a pkcs11: address needs {0}, as in {EXAMPLE}")]
    Lacks(&'static str),
    /// A path is empty.
    #[error("a path is missing")]
    NoPath,
    /// The address carries a PIN.
    #[error(
        "a PIN does not belong into settings; write it to a file (chmod 600) and name that: pin-source=file:PATH"
    )]
    PinInSettings,
    /// The PIN is to come from somewhere else.
    #[error("pin-source in a pkcs11: address is file:PATH or env:NAME")]
    PinSource,
    /// A part is there twice.
    #[error("{0} is twice in the pkcs11: address")]
    Repeated(&'static str),
    /// One file for two shares.
    #[error("two shares are in one file; each custodian has one's own")]
    SameFile,
    /// Not so many custodians.
    #[error("a key has {least} to {most} shares", least = Count::LEAST, most = Count::MOST)]
    ShareCount,
    /// No source has this form.
    #[error(
        "a key-encryption key comes from file:PATH, env:NAME, shares:PATH,PATH, custodians:N or pkcs11:… ({EXAMPLE})"
    )]
    Unknown,
    /// The address names something that is not looked at, and so might be thought to hold.
    #[error(
        "a pkcs11: address has only token, object, type=secret-key, module-path and pin-source, as in {EXAMPLE}"
    )]
    UnknownAttribute,
    /// No name of a variable.
    #[error("the name of an environment variable has letters, digits and _ and begins with no digit")]
    Variable,
}

const EXAMPLE: &str = "pkcs11:token=cards;object=kek?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/cardseal/pin";
