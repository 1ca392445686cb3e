//! Every key of the vault, and everything that is encrypted, opened or hashed with one.
//!
//! ```text
//! KEK          a file beside the database, 0600        wraps the three below
//! ├ data       AES-256-GCM                             numbers, expiry, names, security codes at rest
//! ├ fingerprint HMAC-SHA-256                           the same card of one merchant, told apart from others
//! └ sealing    RSA-2048, published as JWKS             opens what browsers seal
//! ```
//!
//! Each is parsed once, when the vault starts. What is encrypted names its key's version, so that keys can be replaced.

pub mod aad;
pub mod data;
pub mod fingerprint;
pub mod gcm;
pub mod kek;
pub mod sealing;

use aws_lc_rs::digest;
use thiserror::Error;

use crate::data_dir::DataDir;
use crate::store::{Purpose, Store, StoreError, WrappedKey};
use crate::time::Timestamp;

use data::DataKey;
use fingerprint::FingerprintKey;
use gcm::Unopened;
use kek::{Kek, KekError};
use sealing::SealingKey;

/// The keys of a running vault.
#[derive(Debug)]
pub struct Keys {
    /// Encrypts cards at rest.
    pub data: DataKey,
    /// Tells cards apart.
    pub fingerprint: FingerprintKey,
    /// Opens seals.
    pub sealing: SealingKey,
}

impl Keys {
    /// Takes the keys out of the store, or makes them when the store is new.
    ///
    /// # Errors
    /// [`KeysError`]: the operator's fault but for [`KeysError::Store`].
    pub async fn open(dir: &DataDir, store: &Store, now: Timestamp) -> Result<Self, KeysError> {
        let mut wrapped = store.wrapped_keys().await?;
        let kek = if wrapped.is_empty() {
            let kek = Kek::load_or_create(&dir.kek())?;
            // Another process may be starting on the same store: whoever is first has made the keys of both.
            store.add_wrapped_keys(&Self::generate(&kek)?, now).await?;
            wrapped = store.wrapped_keys().await?;
            kek
        } else {
            // A key-encryption key made now would open none of these.
            Kek::load(&dir.kek())?
        };
        let unwrap = |purpose| {
            let key = wrapped.iter().find(|key| key.purpose == purpose).ok_or(KeysError::Missing)?;
            let bytes = kek.unwrap(key).map_err(|Unopened| KeysError::WrongKek)?;
            Ok::<_, KeysError>((key.version, bytes))
        };
        let (version, bytes) = unwrap(Purpose::Data)?;
        let data = DataKey::new(version, &bytes).ok_or(KeysError::Damaged)?;
        let (version, bytes) = unwrap(Purpose::Fingerprint)?;
        let fingerprint = FingerprintKey::new(version, &bytes);
        let (_, bytes) = unwrap(Purpose::Sealing)?;
        let sealing = SealingKey::from_pkcs8(&bytes).ok_or(KeysError::Damaged)?;
        Ok(Self { data, fingerprint, sealing })
    }

    fn generate(kek: &Kek) -> Result<[WrappedKey; 3], KeysError> {
        let sealing = SealingKey::generate_pkcs8().ok_or(KeysError::Generate)?;
        Ok([
            kek.wrap(Purpose::Data, FIRST_VERSION, &*gcm::random_key()),
            kek.wrap(Purpose::Fingerprint, FIRST_VERSION, &*gcm::random_key()),
            kek.wrap(Purpose::Sealing, FIRST_VERSION, &sealing),
        ])
    }
}

const FIRST_VERSION: u32 = 1;

/// Why a vault has no keys. The operator's to put right unless it says otherwise.
#[derive(Debug, Error)]
pub enum KeysError {
    /// A key opened to something that is no key. The database was tampered with, or this is a bug.
    #[error("a key in the database is damaged; restore the database from a backup")]
    Damaged,
    /// No RSA key could be made. Trying again may help.
    #[error("making an RSA key failed; try again")]
    Generate,
    /// The key-encryption key could not be had.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// Some keys are there and some are not. The database was tampered with.
    #[error("the database lacks one of its keys; restore it from a backup")]
    Missing,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key-encryption key is not the one the keys were wrapped with.
    #[error(
        "the kek file does not open this database's keys; put back the kek file that belongs to this database"
    )]
    WrongKek,
}

/// A SHA-256 digest (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut digest = [0; 32];
        digest.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        Self(digest)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
