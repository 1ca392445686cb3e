//! Sealing under the `rsa` profile.

use base64ct::{Base64UrlUnpadded, Encoding};
use rand_core::{OsRng, RngCore};
use rsa::{BigUint, Oaep, RsaPublicKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::jwe::{self, CEK_BYTES};
use super::jwk::{Algorithm, Jwk, Unusable};
use super::{Plaintext, SealError};

/// An RSA key that a card may be sealed to: 2048 to 4096 bits, e = 65537.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaKey {
    kid: String,
    modulus: Vec<u8>,
}

impl RsaKey {
    pub(super) fn new(kid: String, jwk: &Jwk) -> Result<Self, Unusable> {
        let modulus = jwk.n.as_deref().and_then(decode).filter(|n| is_modulus(n)).ok_or(Unusable::Modulus)?;
        if jwk.e.as_deref().and_then(decode).as_deref() != Some(&EXPONENT) {
            return Err(Unusable::Exponent);
        }
        Ok(Self { kid, modulus })
    }

    /// The key's id, which goes into the seal's header.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The modulus, big-endian, 2048 to 4096 bits.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The public exponent, big-endian.
    #[must_use]
    pub const fn exponent(&self) -> &[u8] {
        &EXPONENT
    }

    /// Seals under a fresh content key.
    pub(super) fn seal(&self, content: Plaintext) -> Result<String, SealError> {
        let mut cek = Zeroizing::new([0; CEK_BYTES]);
        OsRng.try_fill_bytes(&mut *cek).map_err(|_| SealError::Random)?;
        let key = RsaPublicKey::new(BigUint::from_bytes_be(&self.modulus), BigUint::from_bytes_be(&EXPONENT))
            .map_err(|_| SealError::Key)?;
        let encrypted_key =
            key.encrypt(&mut OsRng, Oaep::new::<Sha256>(), &*cek).map_err(|_| SealError::Key)?;
        let header = jwe::header(Algorithm::RsaOaep256, &self.kid, None);
        content.encrypt(&header, &encrypted_key, &cek)
    }
}

/// 65537, big-endian and as short as can be (RFC 7518 section 2). FIPS 186-5 section A.1.1 allows it; smaller exponents
/// are what attacks on RSA want.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// 2048 to 4096 bits: whole bytes, the first one not zero and, at the lower end, its highest bit set. A product of two
/// odd primes is odd.
fn is_modulus(n: &[u8]) -> bool {
    let (Some(first), Some(last)) = (n.first(), n.last()) else { return false };
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    *first != 0 && last % 2 == 1 && (2048..=4096).contains(&bits)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}
