//! The key-encryption key: wraps the vault's other keys, and is kept apart from the database that they are in
//! (PCI DSS 3.6.1.2).
//!
//! ```text
//! file:PATH            32 bytes in base64, 0600                   made when the vault is new
//! env:NAME             32 bytes in base64
//! pkcs11:token=…       an AES-256 key that never leaves its token
//! shares:PATH,PATH     one file for each custodian                 split knowledge (PCI DSS 3.7.6)
//! custodians:N         each brings a share to the vault, which stays locked until it has all
//! ```
//!
//! [`Source`] says which; [`unlock::wait`] gives the [`Kek`], whichever it is.

pub mod environment;
pub mod file;
pub mod pkcs11;
pub mod shares;
mod source;
pub mod unlock;

use std::sync::Arc;

use aws_lc_rs::rand;
use base64ct::{Base64, Encoding};
use thiserror::Error;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task;
use zeroize::Zeroizing;

use super::aad::Aad;
use super::gcm::{Gcm, KEY_BYTES, Unopened};
use crate::store::{Purpose, WrappedKey};

use environment::EnvironmentError;
use file::FileError;
use pkcs11::{TokenError, TokenKey};
use shares::SharesError;
use unlock::UnlockError;

pub use source::{Opened, Source, SourceError};

/// Wraps the vault's other keys. A clone is the same key.
#[derive(Clone, Debug)]
pub struct Kek(Holder);

/// Who has the key.
#[derive(Clone, Debug)]
enum Holder {
    Process(Arc<Gcm>),
    Token(Arc<TokenKey>),
}

impl Kek {
    #[expect(clippy::expect_used, reason = "any 32 bytes are a key of AES-256")]
    fn from_key(key: &[u8; KEY_BYTES]) -> Self {
        Self(Holder::Process(Arc::new(Gcm::new(key).expect("32 bytes"))))
    }

    fn from_token(key: TokenKey) -> Self {
        Self(Holder::Token(Arc::new(key)))
    }

    /// Encrypts a key, bound to what it is for and its version: nonce, ciphertext and tag of AES-256-GCM.
    ///
    /// Takes as long as a token does; tokio's other tasks go on meanwhile.
    ///
    /// # Errors
    /// [`KekError::Token`]
    pub fn wrap(&self, purpose: Purpose, version: u32, key: &[u8]) -> Result<WrappedKey, KekError> {
        let aad = aad(purpose, version);
        let wrapped = match &self.0 {
            Holder::Process(gcm) => gcm.encrypt(&aad, key),
            Holder::Token(token) => while_others_go_on(|| token.encrypt(&aad, key))?,
        };
        Ok(WrappedKey { purpose, version, wrapped })
    }

    /// Decrypts a key.
    ///
    /// Takes as long as a token does; tokio's other tasks go on meanwhile.
    ///
    /// # Errors
    /// [`KekError::Unopened`], [`KekError::Token`]
    pub fn unwrap(&self, key: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, KekError> {
        let aad = aad(key.purpose, key.version);
        let opened = match &self.0 {
            Holder::Process(gcm) => gcm.decrypt(&aad, &key.wrapped),
            Holder::Token(token) => while_others_go_on(|| token.decrypt(&aad, &key.wrapped))?,
        };
        opened.map_err(|Unopened| KekError::Unopened { purpose: key.purpose, version: key.version })
    }

    /// The same keys, wrapped by `new` instead: all of them, or none and the reason.
    ///
    /// Takes as long as a token does; tokio's other tasks go on meanwhile.
    ///
    /// # Errors
    /// [`KekError::Unopened`], [`KekError::Token`]
    pub fn rewrap(&self, new: &Self, keys: &[WrappedKey]) -> Result<Vec<WrappedKey>, KekError> {
        keys.iter().map(|key| new.wrap(key.purpose, key.version, &self.unwrap(key)?)).collect()
    }
}

fn aad(purpose: Purpose, version: u32) -> Vec<u8> {
    Aad::new("wrapped key").field(purpose.as_str()).version(version)
}

/// Does what blocks. On a thread that tokio runs tasks on, those are handed to another one first; a runtime that has
/// but one thread stands still.
fn while_others_go_on<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => task::block_in_place(work),
        _ => work(),
    }
}

/// Why the key-encryption key cannot be had or used. The operator's to put right; each says how. Trying again helps
/// only where a token failed ([`TokenError::Failed`]).
#[derive(Debug, Error)]
pub enum KekError {
    /// The variable is not there or holds something else.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A file with a secret cannot be had, or not safely.
    #[error(transparent)]
    File(#[from] FileError),
    /// Shares are made in files, from which the custodians take them.
    #[error("the shares that custodians bring are made in files, one for each: shares:PATH,PATH")]
    MakeShares,
    /// A process cannot set a variable for another.
    #[error("no variable can be set for you; a key for it comes from: head -c 32 /dev/urandom | base64")]
    MakeVariable,
    /// The shares do not fit together.
    #[error(transparent)]
    Shares(#[from] SharesError),
    /// The token does not give the key's use.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The custodians cannot bring their shares.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// It is not the one this key was wrapped with; or the database was changed.
    #[error(
        "the key-encryption key does not open this database's keys (the {purpose} key {version}); start the \
         vault with the key-encryption key that belongs to this database", purpose = .purpose.as_str()
    )]
    Unopened {
        /// What the wrapped key is for.
        purpose: Purpose,
        /// Its version.
        version: u32,
    },
}

/// 32 bytes out of their base64 (RFC 4648 section 4, with padding), and white space after it.
fn decode_key(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let length = Base64::decode(text.trim_end(), &mut *key).ok()?.len();
    (length == KEY_BYTES).then_some(key)
}

#[expect(clippy::expect_used, reason = "AWS-LC ends the process rather than give no random bytes")]
fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::fill(&mut *bytes).expect("random bytes");
    bytes
}

fn encode_key(key: &[u8; KEY_BYTES]) -> Zeroizing<String> {
    Zeroizing::new(Base64::encode_string(key))
}
