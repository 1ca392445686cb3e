//! Sealing under the `rsa` profile.

use rand_core::{OsRng, RngCore};
use rsa::oaep::EncryptingKey;
use rsa::traits::RandomizedEncryptor;
use rsa::{BigUint, RsaPublicKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::jwe::{self, CEK_BYTES};
use super::{Algorithm, Plaintext, RsaKey, SealError};

impl RsaKey {
    /// Seals under a fresh content key.
    pub(super) fn seal(&self, content: Plaintext) -> Result<String, SealError> {
        let mut cek = Zeroizing::new([0; CEK_BYTES]);
        OsRng.try_fill_bytes(&mut *cek).map_err(|_| SealError::Random)?;
        let key = RsaPublicKey::new(
            BigUint::from_bytes_be(self.modulus()),
            BigUint::from_bytes_be(self.exponent()),
        )
        .map_err(|_| SealError::Key)?;
        let encrypted_key = EncryptingKey::<Sha256>::new(key)
            .encrypt_with_rng(&mut OsRng, &*cek)
            .map_err(|_| SealError::Key)?;
        let header = jwe::header(Algorithm::RsaOaep256, self.kid(), None);
        content.encrypt(&header, &encrypted_key, &cek)
    }
}
