//! The signing key: with it the vault vouches for what browsers seal to, for pages that its public half was given to.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::jwk::Jwk;
use serde_json::json;
use zeroize::Zeroizing;

use super::Sha256Digest;

/// A P-256 key for ES256 (RFC 7518 section 3.4), parsed once. It signs key sets and nothing else.
#[derive(Debug)]
pub struct SigningKey {
    pair: EcdsaKeyPair,
    jwk: Jwk,
    /// The protected header of its signatures, as it is signed.
    protected: String,
}

/// What kind of thing is signed (RFC 7515 section 4.1.9): for a page to see that it is this.
pub const TYPE: &str = "vnd.cardseal.keys+jws";

impl SigningKey {
    /// A new key as PKCS#8 (RFC 5208), to be wrapped and stored; `None` if none could be made.
    #[must_use]
    pub fn generate_pkcs8() -> Option<Zeroizing<Vec<u8>>> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok()?;
        Some(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Reads a key; `None` if it is none.
    #[must_use]
    pub fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
        // An uncompressed point (SEC 1 section 2.3.3).
        let [4, coordinates @ ..] = pair.public_key().as_ref() else { return None };
        let (x, y) = coordinates.split_at_checked(COORDINATE_BYTES)?;
        let (x, y) = (encode(x), encode(y));
        // In lexicographic order, without white space (RFC 7638 section 3).
        let required = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = encode(Sha256Digest::of(required.as_bytes()).as_bytes());
        let public = json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y });
        let header = json!({ "alg": "ES256", "typ": TYPE, "jwk": public });
        let jwk = Jwk {
            kty: "EC".into(),
            alg: Some("ES256".into()),
            key_use: Some("sig".into()),
            kid: Some(kid),
            crv: Some("P-256".into()),
            x: Some(x),
            y: Some(y),
            ..Jwk::default()
        };
        Some(Self { pair, jwk, protected: encode(header.to_string().as_bytes()) })
    }

    /// Its public half, to be given to merchants. Its `kid` is the RFC 7638 thumbprint.
    #[must_use]
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Signs an encoded payload (RFC 7515 section 5.1): the encoded header, which has the public key in it, and the encoded
    /// signature. `None` if no random number could be had.
    #[must_use]
    pub fn sign(&self, payload: &str) -> Option<(&str, String)> {
        let input = [&*self.protected, payload].join(".");
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).ok()?;
        Some((&self.protected, encode(signature.as_ref())))
    }
}

const COORDINATE_BYTES: usize = 32;

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
