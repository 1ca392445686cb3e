//! The RSA key that a card may be sealed to.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::jwk::{Algorithm, Jwk, Unusable};

/// An RSA key that a card may be sealed to: 2048 to 4096 bits, e = 65537.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaKey {
    kid: String,
    modulus: Vec<u8>,
}

impl TryFrom<&Jwk> for RsaKey {
    type Error = Unusable;

    fn try_from(jwk: &Jwk) -> Result<Self, Unusable> {
        if jwk.kty != "RSA" {
            return Err(Unusable::KeyType);
        }
        let kid = jwk.kid_for(Algorithm::RsaOaep256)?;
        let modulus = jwk.n.as_deref().and_then(decode).filter(|n| is_modulus(n)).ok_or(Unusable::Modulus)?;
        if jwk.e.as_deref().and_then(decode).as_deref() != Some(&EXPONENT) {
            return Err(Unusable::Exponent);
        }
        Ok(Self { kid, modulus })
    }
}

impl RsaKey {
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
