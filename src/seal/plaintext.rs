//! What is inside a seal, before it is one.

use std::fmt;

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64ct::{Base64UrlUnpadded, Encoding};
use rand_core::{OsRng, RngCore};
use thiserror::Error;
use zeroize::Zeroizing;

use super::PublicKey;
use super::jwe::{CEK_BYTES, IV_BYTES};
use crate::plain::{self, Json};

/// A JSON object with a card in it, in a buffer that never grows and so leaves no copy behind.
pub struct Plaintext(Zeroizing<Vec<u8>>);

/// Room for the longest: a holder's name of 256 bytes, each escaped to six, and the rest.
const MAX_BYTES: usize = 2048;

impl Plaintext {
    /// Writes the object. Members without a value are left out.
    pub(crate) fn new(members: &[(&str, Option<Json<'_>>)]) -> Self {
        let mut json = Zeroizing::new(String::with_capacity(MAX_BYTES));
        plain::write(&mut json, members);
        Self(Zeroizing::new(std::mem::take(&mut *json).into_bytes()))
    }

    /// Seals it: a JWE in compact form. Each call makes a fresh content key and vector.
    ///
    /// # Errors
    /// [`SealError`]; nothing of the card is in it.
    pub fn seal(self, key: &PublicKey) -> Result<String, SealError> {
        match key {
            PublicKey::Rsa(key) => key.seal(self),
            PublicKey::P256(key) => key.seal(self),
        }
    }

    /// Encrypts it, in its own place and under a fresh vector, and puts the five parts together.
    pub(super) fn encrypt(
        mut self,
        protected: &str,
        encrypted_key: &[u8],
        cek: &[u8; CEK_BYTES],
    ) -> Result<String, SealError> {
        let mut iv = [0; IV_BYTES];
        OsRng.try_fill_bytes(&mut iv).map_err(|_| SealError::Random)?;
        let tag = Aes256Gcm::new(cek.into())
            .encrypt_in_place_detached((&iv).into(), protected.as_bytes(), &mut self.0)
            .map_err(|_| SealError::Key)?;
        let encode = Base64UrlUnpadded::encode_string;
        Ok([protected, &encode(encrypted_key), &encode(&iv), &encode(&self.0), &encode(&tag)].join("."))
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("•••")
    }
}

/// Why a card could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// The system has no random bytes to give. Nobody's fault here; trying again may help.
    #[error("the system's random source failed")]
    Random,
    /// The key's numbers make no key. The vault operator's fault; a key fetched anew may do.
    #[error("the vault's key cannot seal")]
    Key,
}
