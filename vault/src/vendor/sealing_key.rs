//! Vendors' public keys that browsers seal cards to.

use std::fs;
use std::path::Path;

use aws_lc_rs::agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey};
use aws_lc_rs::rand::SystemRandom;
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::RsaKey;
use cardseal::seal::jwk::{Jwk, MAX_KID_BYTES};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key;

use super::VendorError;
use crate::keys::Sha256Digest;

/// A key as browsers get it: a JWK (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SealingKey {
    /// RSA, for `RSA-OAEP-256`.
    Rsa(Jwk),
    /// P-256, for `ECDH-ES`.
    P256(EcJwk),
}

/// A key on P-256 (RFC 7518 section 6.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EcJwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    key_use: &'static str,
    kid: String,
    x: String,
    y: String,
}

/// A key on P-256 as a vendor gives it; `alg` and `use` may be missing.
#[derive(Deserialize)]
struct GivenEcJwk {
    kty: String,
    crv: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    key_use: Option<String>,
    kid: String,
    x: String,
    y: String,
}

/// One key, or a set of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Set { keys: Vec<GivenEcJwk> },
    One(GivenEcJwk),
}

impl SealingKey {
    /// The RSA key of a certificate (PEM), under the name that vendor and operator agreed on.
    ///
    /// # Errors
    /// [`VendorError`]
    pub fn from_certificate(path: &Path, kid: &str) -> Result<Self, VendorError> {
        let unusable = |why| VendorError::SealingKey { path: path.into(), why };
        let der = CertificateDer::from_pem_file(path)
            .map_err(|source| VendorError::Pem { path: path.into(), source })?;
        let (_, certificate) =
            X509Certificate::from_der(&der).map_err(|_| unusable("it is no X.509 certificate"))?;
        let Ok(public_key::PublicKey::RSA(key)) = certificate.public_key().parsed() else {
            return Err(unusable("its key is not RSA"));
        };
        // DER writes a zero before a number whose first bit is set; a JWK has none.
        let (modulus, exponent) = (without_zeros(key.modulus), without_zeros(key.exponent));
        let jwk = Jwk::rsa_oaep_256(kid, modulus, exponent);
        RsaKey::try_from(&jwk)
            .map_err(|_| unusable("it is not RSA of 2048 to 4096 bits with 65537, or its kid is too long"))?;
        Ok(Self::Rsa(jwk))
    }

    /// The keys on P-256 of a JWK Set, or the one of a JWK, in their order.
    ///
    /// # Errors
    /// [`VendorError`]; none of several keys may be unusable.
    pub fn from_jwks(path: &Path) -> Result<Vec<Self>, VendorError> {
        let unusable = |why| VendorError::SealingKey { path: path.into(), why };
        let text = fs::read_to_string(path)
            .map_err(|source| VendorError::Unreadable { path: path.into(), source })?;
        let given =
            serde_json::from_str(&text).map_err(|_| unusable("it is no JWK or JWK Set of keys on P-256"))?;
        let keys = match given {
            Given::Set { keys } => keys,
            Given::One(key) => vec![key],
        };
        if keys.is_empty() {
            return Err(unusable("the set is empty"));
        }
        keys.into_iter().map(|key| Ok(Self::P256(EcJwk::new(key).map_err(unusable)?))).collect()
    }

    /// What tells it from every other key, whatever it is called: the RFC 7638 thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> Sha256Digest {
        let input = match self {
            Self::Rsa(jwk) => {
                let member = |member: &Option<String>| member.clone().unwrap_or_default();
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, member(&jwk.e), member(&jwk.n))
            }
            Self::P256(EcJwk { x, y, .. }) => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
        };
        Sha256Digest::of(input.as_bytes())
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> &str {
        match self {
            Self::Rsa(jwk) => jwk.kid.as_deref().unwrap_or_default(),
            Self::P256(jwk) => &jwk.kid,
        }
    }
}

impl EcJwk {
    fn new(given: GivenEcJwk) -> Result<Self, &'static str> {
        let GivenEcJwk { kty, crv, alg, key_use, kid, x, y } = given;
        if kty != "EC" || crv != "P-256" {
            return Err("a key is not EC on P-256");
        }
        if !matches!(alg.as_deref(), None | Some("ECDH-ES"))
            || !matches!(key_use.as_deref(), None | Some("enc"))
        {
            return Err("a key is not for ECDH-ES");
        }
        if !(1..=MAX_KID_BYTES).contains(&kid.len()) {
            return Err("a key's kid is empty or too long");
        }
        let coordinate = |text| Base64UrlUnpadded::decode_vec(text).ok().filter(|bytes| bytes.len() == 32);
        let (Some(x_bytes), Some(y_bytes)) = (coordinate(&x), coordinate(&y)) else {
            return Err("a key's x or y is not 32 bytes in base64url");
        };
        if !is_on_p256(&[&[4], &*x_bytes, &*y_bytes].concat()) {
            return Err("a key is not a point of P-256");
        }
        Ok(Self { kty: "EC", crv: "P-256", alg: "ECDH-ES", key_use: "enc", kid, x, y })
    }
}

/// Whether this is a point that one can agree on a secret with. The secret itself is dropped.
pub(super) fn is_on_p256(point: &[u8]) -> bool {
    let Ok(private) = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()) else { return false };
    agreement::agree_ephemeral(private, UnparsedPublicKey::new(&ECDH_P256, point), (), |_| Ok(())).is_ok()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
