//! Every key of the vault, and everything that is encrypted, opened or hashed with one.
//!
//! ```text
//! KEK           outside the database                 wraps all the others
//! ├ data        AES-256-GCM                          numbers, expiry, names, security codes at rest
//! ├ fingerprint HMAC-SHA-256                         the same card of one merchant, told apart from others
//! ├ sealing     RSA-2048 for live and for test,      opens what browsers seal
//! │             published as JWKS
//! ├ signing     ECDSA P-256                          vouches for what browsers seal to
//! ├ access      HMAC-SHA-256                         who may do what: merchants, origins, API keys
//! └ audit       HMAC-SHA-256                         the chain of the audit
//! ```
//!
//! Security codes are under a key besides that is not among them ([`code`]).
//!
//! Each is parsed once. What is encrypted names its key's version, and each purpose has a [`Ring`] of keys with times:
//! a new key waits until every process knows it, and then takes over everywhere at the same moment.

pub mod aad;
pub mod code;
pub mod data;
pub mod fingerprint;
pub mod gcm;
pub mod kek;
pub mod mac;
pub mod ring;
pub mod sealing;
pub mod signing;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::digest;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::merchant::Mode;
use crate::store::{KeyRecord, Purpose, Store, StoreError, WrappedKey};
use crate::time::Timestamp;

use data::DataKey;
use fingerprint::FingerprintKey;
use kek::{Kek, KekError, Source, unlock};
use mac::MacKey;
use ring::{Held, Ring, State};
use sealing::SealingKey;
use signing::SigningKey;

/// How long a new key waits: every process looks for new keys several times within it.
pub const ACTIVATION_DELAY: Duration = Duration::from_secs(60);

/// The keys of a running vault, as far as this process knows them.
#[derive(Debug)]
pub struct Keys {
    kek: Kek,
    rings: RwLock<Arc<Rings>>,
}

/// The keys at some moment.
#[derive(Debug)]
pub struct Rings {
    /// Vouch for merchants and their keys.
    pub access: Ring<MacKey>,
    /// Chains the audit.
    pub audit: Ring<MacKey>,
    /// Encrypt cards at rest.
    pub data: Ring<DataKey>,
    /// Tell cards apart.
    pub fingerprint: Ring<FingerprintKey>,
    /// Open seals.
    pub sealing: SealingRings,
    /// Vouch for what browsers seal to.
    pub signing: Ring<SigningKey>,
}

/// The keys that open seals: live merchants have others than test merchants, so that a seal for one mode is none in the
/// other.
#[derive(Debug)]
pub struct SealingRings {
    /// For pages of live merchants.
    pub live: Ring<SealingKey>,
    /// For pages of test merchants.
    pub test: Ring<SealingKey>,
}

impl SealingRings {
    /// Those for merchants of a mode.
    #[must_use]
    pub const fn of(&self, mode: Mode) -> &Ring<SealingKey> {
        match mode {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }

    /// Both, live first.
    #[must_use]
    pub const fn each(&self) -> [(Mode, &Ring<SealingKey>); 2] {
        [(Mode::Live, &self.live), (Mode::Test, &self.test)]
    }
}

impl Keys {
    /// Takes the keys out of the store, or makes them when the store is new. Where custodians bring the key-encryption
    /// key, it waits for them at a socket in the folder `door` and says so to `out`.
    ///
    /// # Errors
    /// [`KeysError`]: the operator's fault but for [`KeysError::Store`].
    pub async fn open(
        source: &Source,
        door: &Path,
        store: &Store,
        now: Timestamp,
        out: &mut (impl Write + Send),
    ) -> Result<Self, KeysError> {
        let mut records = store.keys().await?;
        let wrapped: Vec<_> = records.iter().filter_map(KeyRecord::wrapped_key).collect();
        let kek = unlock::wait(door, source, &wrapped, out).await?;
        if records.is_empty() {
            let keys = Purpose::ALL
                .into_iter()
                .map(|purpose| generate(&kek, purpose, FIRST_VERSION))
                .collect::<Result<Vec<_>, _>>()?;
            // Another process may be starting on the same store: whoever is first has made the keys of both.
            store.add_keys(&keys, now, now).await?;
            records = store.keys().await?;
        }
        let rings = Rings::read(&kek, &records, None)?;
        Ok(Self { kek, rings: RwLock::new(Arc::new(rings)) })
    }

    /// What they are wrapped with.
    #[must_use]
    pub const fn kek(&self) -> &Kek {
        &self.kek
    }

    /// The keys that this process knows now.
    #[must_use]
    pub fn rings(&self) -> Arc<Rings> {
        Arc::clone(&self.rings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Learns what keys other processes have made or destroyed.
    ///
    /// # Errors
    /// [`KeysError`]; then the keys stay as they are.
    pub async fn refresh(&self, store: &Store) -> Result<(), KeysError> {
        let records = store.keys().await?;
        let rings = Rings::read(&self.kek, &records, Some(&self.rings()))?;
        *self.rings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rings);
        Ok(())
    }

    /// Makes the next key of a purpose, which takes over at `active_from`, and tells its version.
    ///
    /// Of several processes that do so at once, one makes it.
    ///
    /// # Errors
    /// [`KeysError`]
    pub async fn rotate(
        &self,
        store: &Store,
        purpose: Purpose,
        now: Timestamp,
        active_from: Timestamp,
    ) -> Result<u32, KeysError> {
        let records = store.keys().await?;
        let newest = records.iter().filter(|key| key.purpose == purpose).map(|key| key.version).max();
        let version = newest.map_or(FIRST_VERSION, |newest| newest + 1);
        let key = generate(&self.kek, purpose, version)?;
        store.add_keys(&[key], now, active_from).await?;
        self.refresh(store).await?;
        Ok(version)
    }
}

impl Rings {
    fn read(kek: &Kek, records: &[KeyRecord], known: Option<&Self>) -> Result<Self, KeysError> {
        let sealing = |mode| {
            let known = known.map(|known| known.sealing.of(mode));
            ring(kek, records, Purpose::Sealing(mode), known, |_, key| SealingKey::from_pkcs8(key))
        };
        Ok(Self {
            access: ring(kek, records, Purpose::Access, known.map(|known| &known.access), MacKey::new)?,
            audit: ring(kek, records, Purpose::Audit, known.map(|known| &known.audit), MacKey::new)?,
            data: ring(kek, records, Purpose::Data, known.map(|known| &known.data), DataKey::new)?,
            fingerprint: ring(
                kek,
                records,
                Purpose::Fingerprint,
                known.map(|known| &known.fingerprint),
                FingerprintKey::new,
            )?,
            sealing: SealingRings { live: sealing(Mode::Live)?, test: sealing(Mode::Test)? },
            signing: ring(kek, records, Purpose::Signing, known.map(|known| &known.signing), |_, key| {
                SigningKey::from_pkcs8(key)
            })?,
        })
    }

    /// The sealing key of this name for a mode, if seals to it still open: it is active, or was until `decrypt_only` ago.
    #[must_use]
    pub fn opens(
        &self,
        mode: Mode,
        kid: &str,
        now: Timestamp,
        decrypt_only: Duration,
    ) -> Option<Arc<SealingKey>> {
        let ring = self.sealing.of(mode);
        let held = ring.iter().find(|held| held.key.kid() == kid)?;
        let opens = match ring.state(held, now) {
            State::Pending | State::Active => true,
            State::DecryptOnly { since } => now.since(since) <= decrypt_only,
            State::Destroyed => false,
        };
        opens.then(|| Arc::clone(&held.key))
    }
}

/// One purpose's keys; those known already are not parsed again.
fn ring<K>(
    kek: &Kek,
    records: &[KeyRecord],
    purpose: Purpose,
    known: Option<&Ring<K>>,
    parse: impl Fn(u32, &[u8]) -> Option<K>,
) -> Result<Ring<K>, KeysError> {
    let mut keys = Vec::new();
    for record in records.iter().filter(|record| record.purpose == purpose) {
        let Some(wrapped) = &record.wrapped else { continue };
        let key = match known.and_then(|ring| ring.version(record.version)) {
            Some(held) => Arc::clone(&held.key),
            None => {
                let wrapped = WrappedKey { purpose, version: record.version, wrapped: wrapped.clone() };
                let bytes = kek.unwrap(&wrapped)?;
                Arc::new(parse(record.version, &bytes).ok_or(KeysError::Damaged)?)
            }
        };
        let KeyRecord { version, created_at, active_from, .. } = *record;
        keys.push(Held { version, created_at, active_from, key });
    }
    if keys.is_empty() { Err(KeysError::Missing) } else { Ok(Ring::new(keys)) }
}

fn generate(kek: &Kek, purpose: Purpose, version: u32) -> Result<WrappedKey, KeysError> {
    let key = match purpose {
        Purpose::Sealing(_) => SealingKey::generate_pkcs8().ok_or(KeysError::Generate)?,
        Purpose::Signing => SigningKey::generate_pkcs8().ok_or(KeysError::Generate)?,
        Purpose::Access | Purpose::Audit | Purpose::Data | Purpose::Fingerprint => {
            Zeroizing::new(gcm::random_key().to_vec())
        }
    };
    Ok(kek.wrap(purpose, version, &key)?)
}

const FIRST_VERSION: u32 = 1;

/// Why a vault has no keys. The operator's to put right unless it says otherwise.
#[derive(Debug, Error)]
pub enum KeysError {
    /// A key opened to something that is no key. The database was tampered with, or this is a bug.
    #[error("a key in the database is damaged; restore the database from a backup")]
    Damaged,
    /// No RSA or P-256 key could be made. Trying again may help.
    #[error("making a key failed; try again")]
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
}

/// A SHA-256 digest (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut digest = [0; 32];
        digest.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        Self(digest)
    }

    /// One that was made before; `None` for any other number of bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
