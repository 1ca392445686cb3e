//! Sealing under the `rsa` profile.

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64ct::{Base64UrlUnpadded, Encoding};
use rand_core::{OsRng, RngCore};
use rsa::{BigUint, Oaep, RsaPublicKey};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::Envelope;
use super::PublicKey;
use super::jwe::{self, CEK_BYTES, IV_BYTES};

/// Seals a card to a vault's key: the JWE in compact form. Each call makes a fresh content key and vector.
///
/// # Errors
/// [`SealError`]; nothing of the card is in it.
pub fn seal(key: &PublicKey, envelope: &Envelope) -> Result<String, SealError> {
    let mut content = envelope.to_json();
    let protected = jwe::protected(key.kid());

    let mut cek = Zeroizing::new([0; CEK_BYTES]);
    let mut iv = [0; IV_BYTES];
    OsRng.try_fill_bytes(&mut *cek).map_err(|_| SealError::Random)?;
    OsRng.try_fill_bytes(&mut iv).map_err(|_| SealError::Random)?;

    let rsa =
        RsaPublicKey::new(BigUint::from_bytes_be(key.modulus()), BigUint::from_bytes_be(key.exponent()))
            .map_err(|_| SealError::Key)?;
    let encrypted_key = rsa.encrypt(&mut OsRng, Oaep::new::<Sha256>(), &*cek).map_err(|_| SealError::Key)?;
    let tag = Aes256Gcm::new((&*cek).into())
        .encrypt_in_place_detached((&iv).into(), protected.as_bytes(), &mut content)
        .map_err(|_| SealError::Key)?;

    let encode = Base64UrlUnpadded::encode_string;
    Ok([&*protected, &encode(&encrypted_key), &encode(&iv), &encode(&content), &encode(&tag)].join("."))
}

/// Why a card could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// The system has no random bytes to give. Nobody's fault here; trying again may help.
    #[error("the system's random source failed")]
    Random,
    /// The key's numbers make no RSA key. The vault operator's fault; a key fetched anew may do.
    #[error("the vault's key cannot seal")]
    Key,
}
