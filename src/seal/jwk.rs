//! Public keys as JWK and JWKS (RFC 7517), and what a key must be before a card is sealed to it.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use thiserror::Error;

#[cfg(feature = "seal")]
use super::ecdh::P256Key;
#[cfg(feature = "seal")]
use super::rsa_key::RsaKey;
use crate::plain::{FromPlain, Plain, Wrong};

/// A JWK Set (RFC 7517 section 5), as it came: its keys are not checked yet.
#[derive(Clone, Debug, Default, Serialize)]
pub struct KeySet {
    /// The keys, the one to seal to first.
    pub keys: Vec<Jwk>,
}

impl FromPlain for KeySet {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self { keys: members.required("keys") })
    }
}

#[cfg(feature = "seal")]
impl KeySet {
    /// The first key a card may be sealed to under this algorithm, real or not as `live` says. Other keys are passed over,
    /// as RFC 7517 section 5 asks.
    ///
    /// # Errors
    /// Why the first key was refused, or [`Unusable::Empty`] when the set has none.
    pub fn sealing_key(&self, algorithm: Algorithm, live: bool) -> Result<PublicKey, Unusable> {
        let mut refused = Unusable::Empty;
        for jwk in self.keys.iter().filter(|jwk| jwk.livemode != Some(!live)) {
            let reason = match PublicKey::try_from(jwk) {
                Ok(key) if key.algorithm() == algorithm => return Ok(key),
                Ok(_) => Unusable::Algorithm,
                Err(reason) => reason,
            };
            if refused == Unusable::Empty {
                refused = reason;
            }
        }
        Err(refused)
    }
}

/// One JSON Web Key with the members that a sealing key has (RFC 7517 section 4, RFC 7518 sections 6.2.1 and 6.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Key type, `RSA` or `EC`.
    pub kty: String,
    /// Algorithm, `RSA-OAEP-256` or `ECDH-ES`.
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
    /// Curve, `P-256`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The point's first coordinate, big-endian, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Its second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Whether it is for real cards, where a set has keys for both: cardseal's own member, as RFC 7517 section 4 allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub livemode: Option<bool>,
}

impl FromPlain for Jwk {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            kty: members.optional("kty").unwrap_or_default(),
            alg: members.optional("alg"),
            key_use: members.optional("use"),
            kid: members.optional("kid"),
            n: members.optional("n"),
            e: members.optional("e"),
            crv: members.optional("crv"),
            x: members.optional("x"),
            y: members.optional("y"),
            livemode: members.optional("livemode"),
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
            ..Self::default()
        }
    }

    /// The key's id, if the key may be used under this algorithm.
    pub(super) fn kid_for(&self, algorithm: Algorithm) -> Result<String, Unusable> {
        if self.alg.as_deref() != Some(algorithm.name()) {
            return Err(Unusable::Algorithm);
        }
        if !matches!(self.key_use.as_deref(), None | Some("enc")) {
            return Err(Unusable::Use);
        }
        let kid = self.kid.as_ref().filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()));
        kid.cloned().ok_or(Unusable::KeyId)
    }
}

/// What the SHA-256 of an RSA key's thumbprint is taken over (RFC 7638 section 3.2): its required members in
/// lexicographic order, without white space.
#[must_use]
pub fn thumbprint_input(modulus: &[u8], exponent: &[u8]) -> String {
    ["{\"e\":\"", &encode(exponent), "\",\"kty\":\"RSA\",\"n\":\"", &encode(modulus), "\"}"].concat()
}

/// A key that a card may be sealed to. Its kind says under which profile.
#[cfg(feature = "seal")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// For the `rsa` profile.
    Rsa(RsaKey),
    /// For the `ecdh` profile.
    P256(P256Key),
}

#[cfg(feature = "seal")]
impl PublicKey {
    /// The key's id, which goes into the seal's header.
    #[must_use]
    pub fn kid(&self) -> &str {
        match self {
            Self::Rsa(key) => key.kid(),
            Self::P256(key) => key.kid(),
        }
    }

    /// How a key is agreed on with it.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::RsaOaep256,
            Self::P256(_) => Algorithm::EcdhEs,
        }
    }
}

#[cfg(feature = "seal")]
impl TryFrom<&Jwk> for PublicKey {
    type Error = Unusable;

    fn try_from(jwk: &Jwk) -> Result<Self, Unusable> {
        match &*jwk.kty {
            "RSA" => RsaKey::try_from(jwk).map(Self::Rsa),
            "EC" => P256Key::try_from(jwk).map(Self::P256),
            _ => Err(Unusable::KeyType),
        }
    }
}

/// How the content key comes to the recipient (RFC 7518 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// It is wrapped under an RSA key: the `rsa` profile.
    RsaOaep256,
    /// It is agreed on with a P-256 key: the `ecdh` profile.
    EcdhEs,
}

impl Algorithm {
    /// Its name in `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::EcdhEs => "ECDH-ES",
        }
    }
}

/// Why a key is not one to seal to. The vault's operator's fault; a key fetched later may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unusable {
    /// The set has no key, or only keys for the other mode.
    Empty,
    /// `kty` is neither `RSA` nor `EC`.
    KeyType,
    /// `alg` is missing, not that of the key's type, or not the one that is needed.
    Algorithm,
    /// `use` is there and not `enc`.
    Use,
    /// `kid` is missing, empty or over [`MAX_KID_BYTES`] long.
    KeyId,
    /// `n` is not the base64url of an odd number of 2048 to 4096 bits without leading zeros.
    Modulus,
    /// `e` is not 65537.
    Exponent,
    /// `crv` is not `P-256`.
    Curve,
    /// `x` and `y` are not the base64url of 32 bytes each, or not a point on the curve.
    Point,
}

impl Unusable {
    /// What is wrong, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Empty => "the key set has none for this public key",
            Self::KeyType => "kty is neither RSA nor EC",
            Self::Algorithm => {
                "alg is not the one that cards are sealed under: RSA-OAEP-256 with RSA, ECDH-ES with EC"
            }
            Self::Use => "use is not enc",
            Self::KeyId => "kid is missing or too long",
            Self::Modulus => "the modulus does not have 2048 to 4096 bits",
            Self::Exponent => "the exponent is not 65537",
            Self::Curve => "crv is not P-256",
            Self::Point => "x and y are no point on the curve",
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

/// Most bytes a key id may have; it travels in the header of every seal.
pub const MAX_KID_BYTES: usize = 256;

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
