//! Keys that make rows of the database ones that only the vault can write: those of the audit, and those that say who may do
//! what.

use std::fmt;

use aws_lc_rs::hmac;

use super::aad::Aad;
use super::gcm::KEY_BYTES;
use super::ring::Ring;

/// A key of HMAC-SHA-256 (RFC 2104).
pub struct MacKey {
    version: u32,
    key: hmac::Key,
}

/// Bytes of a MAC.
pub const MAC_BYTES: usize = 32;

/// A MAC as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mac {
    /// The version of its key.
    pub key_version: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl MacKey {
    /// Takes a key of 32 bytes; `None` for any other length.
    #[must_use]
    pub fn new(version: u32, key: &[u8]) -> Option<Self> {
        (key.len() == KEY_BYTES).then(|| Self { version, key: hmac::Key::new(hmac::HMAC_SHA256, key) })
    }

    /// Which of the keys it is.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The MAC of fields and of the key's version.
    #[must_use]
    pub fn mac(&self, fields: Aad) -> Mac {
        Mac { key_version: self.version, bytes: self.sign(&fields.version(self.version)).into() }
    }

    /// The MAC of a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(hmac::sign(&self.key, message).as_ref());
        mac
    }

    /// Whether a MAC is the message's, in a time that does not tell how far it fits.
    #[must_use]
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.key, message, mac).is_ok()
    }
}

impl Ring<MacKey> {
    /// Whether a MAC is one of these keys' for the fields.
    #[must_use]
    pub fn is_genuine(&self, fields: Aad, mac: &Mac) -> bool {
        let held = self.version(mac.key_version);
        held.is_some_and(|held| held.key.verify(&fields.version(mac.key_version), &mac.bytes))
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MacKey").field("version", &self.version).finish_non_exhaustive()
    }
}
