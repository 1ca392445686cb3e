//! Public keys as JWK and JWKS (RFC 7517), and what a key must be before a card is sealed to it.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use thiserror::Error;

use crate::plain::{FromPlain, Plain, Wrong};

/// A JWK Set (RFC 7517 section 5), as it came: its keys are not checked yet.
#[derive(Clone, Debug, Default, Serialize)]
pub struct KeySet {
    /// The keys, the one to seal to first.
    pub keys: Vec<Jwk>,
}

impl FromPlain for KeySet {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        Ok(Self { keys: plain.members()?.required("keys")? })
    }
}

impl KeySet {
    /// The first key a card may be sealed to. Other keys are passed over, as RFC 7517 section 5 asks.
    ///
    /// # Errors
    /// Why the first key was refused, or [`Unusable::Empty`] when the set has none.
    pub fn sealing_key(&self) -> Result<PublicKey, Unusable> {
        let mut refused = Unusable::Empty;
        for jwk in &self.keys {
            match PublicKey::try_from(jwk) {
                Ok(key) => return Ok(key),
                Err(reason) if refused == Unusable::Empty => refused = reason,
                Err(_) => {}
            }
        }
        Err(refused)
    }
}

/// One JSON Web Key with the members that an RSA sealing key has (RFC 7517 section 4, RFC 7518 section 6.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Key type, `RSA`.
    pub kty: String,
    /// Algorithm, `RSA-OAEP-256`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Public key use, `enc`.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub key_use: Option<String>,
    /// Key id; at cardseal's vault the RFC 7638 thumbprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Modulus, big-endian, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Public exponent, big-endian, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

impl FromPlain for Jwk {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        let mut members = plain.members()?;
        Ok(Self {
            kty: members.optional("kty")?.unwrap_or_default(),
            alg: members.optional("alg")?,
            key_use: members.optional("use")?,
            kid: members.optional("kid")?,
            n: members.optional("n")?,
            e: members.optional("e")?,
        })
    }
}

impl Jwk {
    /// A key to publish: RSA-OAEP-256, for encryption.
    #[must_use]
    pub fn rsa_oaep_256(kid: &str, modulus: &[u8], exponent: &[u8]) -> Self {
        Self {
            kty: "RSA".into(),
            alg: Some("RSA-OAEP-256".into()),
            key_use: Some("enc".into()),
            kid: Some(kid.into()),
            n: Some(encode(modulus)),
            e: Some(encode(exponent)),
        }
    }
}

/// What the SHA-256 of an RSA key's thumbprint is taken over (RFC 7638 section 3.2): its required members in
/// lexicographic order, without white space.
#[must_use]
pub fn thumbprint_input(modulus: &[u8], exponent: &[u8]) -> String {
    ["{\"e\":\"", &encode(exponent), "\",\"kty\":\"RSA\",\"n\":\"", &encode(modulus), "\"}"].concat()
}

/// An RSA key that a card may be sealed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    kid: String,
    modulus: Vec<u8>,
}

/// Why a key is not one to seal to. The vault's operator's fault; a key fetched later may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unusable {
    /// The set has no key.
    #[error("the key set is empty")]
    Empty,
    /// `kty` is not `RSA`.
    #[error("kty is not RSA")]
    KeyType,
    /// `alg` is missing or not `RSA-OAEP-256`.
    #[error("alg is not RSA-OAEP-256")]
    Algorithm,
    /// `use` is there and not `enc`.
    #[error("use is not enc")]
    Use,
    /// `kid` is missing, empty or over [`MAX_KID_BYTES`] long.
    #[error("kid is missing or too long")]
    KeyId,
    /// `n` is not the base64url of an odd number of 2048 to 4096 bits without leading zeros.
    #[error("the modulus does not have 2048 to 4096 bits")]
    Modulus,
    /// `e` is not 65537.
    #[error("the exponent is not 65537")]
    Exponent,
}

/// Most bytes a key id may have; it travels in the header of every seal.
pub const MAX_KID_BYTES: usize = 256;

impl PublicKey {
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

impl TryFrom<&Jwk> for PublicKey {
    type Error = Unusable;

    fn try_from(jwk: &Jwk) -> Result<Self, Unusable> {
        if jwk.kty != "RSA" {
            return Err(Unusable::KeyType);
        }
        if jwk.alg.as_deref() != Some("RSA-OAEP-256") {
            return Err(Unusable::Algorithm);
        }
        if !matches!(jwk.key_use.as_deref(), None | Some("enc")) {
            return Err(Unusable::Use);
        }
        let kid = jwk
            .kid
            .as_deref()
            .filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()))
            .ok_or(Unusable::KeyId)?;
        let modulus = jwk.n.as_deref().and_then(decode).filter(|n| is_modulus(n)).ok_or(Unusable::Modulus)?;
        if jwk.e.as_deref().and_then(decode).as_deref() != Some(&EXPONENT) {
            return Err(Unusable::Exponent);
        }
        Ok(Self { kid: kid.into(), modulus })
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

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}
