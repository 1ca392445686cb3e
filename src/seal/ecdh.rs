//! Sealing under the `ecdh` profile: a key agreed on with the recipient's, by a key pair that lives for one seal (RFC 7518
//! section 4.6, direct key agreement).

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdh::diffie_hellman;
use p256::elliptic_curve::point::DecompressPoint;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::elliptic_curve::subtle::Choice;
use p256::{AffinePoint, SecretKey};
use rand_core::{OsRng, RngCore};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::jwe::{self, CEK_BYTES, ENC};
use super::jwk::{Algorithm, Jwk, Unusable};
use super::{Plaintext, SealError};
use crate::plain::Json;

/// A P-256 key that a card may be sealed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct P256Key {
    kid: String,
    point: p256::PublicKey,
}

impl TryFrom<&Jwk> for P256Key {
    type Error = Unusable;

    fn try_from(jwk: &Jwk) -> Result<Self, Unusable> {
        if jwk.kty != "EC" {
            return Err(Unusable::KeyType);
        }
        let kid = jwk.kid_for(Algorithm::EcdhEs)?;
        if jwk.crv.as_deref() != Some(CURVE) {
            return Err(Unusable::Curve);
        }
        let (x, y) = coordinate(&jwk.x).zip(coordinate(&jwk.y)).ok_or(Unusable::Point)?;
        // The point of the curve that has this x and a y as odd as this one, if there is one; it is the key if its y is this
        // one. So the curve's equation, and the other forms that a point is written in, are left out of the wasm.
        let point = AffinePoint::decompress(&x.into(), Choice::from(y[31] & 1)).into_option();
        let point = point.filter(|point| point.to_encoded_point(false).y().is_some_and(|of| **of == y));
        // The point at infinity has no coordinates.
        let point = point.and_then(|point| p256::PublicKey::from_affine(point).ok());
        Ok(Self { kid, point: point.ok_or(Unusable::Point)? })
    }
}

impl P256Key {
    /// The key's id, which goes into the seal's header.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Seals under a key that is agreed on anew.
    pub(super) fn seal(&self, content: Plaintext) -> Result<String, SealError> {
        let ephemeral = ephemeral()?;
        let secret = diffie_hellman(ephemeral.to_nonzero_scalar(), self.point.as_affine());
        let mut cek = Zeroizing::new([0; CEK_BYTES]);
        let info = OtherInfo { algorithm: ENC, party_u: "", party_v: "", bits: 8 * CEK_BYTES };
        info.derive(secret.raw_secret_bytes(), &mut *cek)?;
        let header = self.header(&ephemeral.public_key());
        // The agreed key is the content key, so none travels.
        content.encrypt(&header, &[], &cek)
    }

    fn header(&self, ephemeral: &p256::PublicKey) -> String {
        let point = ephemeral.to_encoded_point(false);
        let text = |coordinate: Option<&_>| coordinate.map(|bytes: &p256::FieldBytes| encode(bytes));
        let (x, y) = (text(point.x()), text(point.y()));
        let epk = [
            ("kty", Some(Json::Text("EC"))),
            ("crv", Some(Json::Text(CURVE))),
            ("x", x.as_deref().map(Json::Text)),
            ("y", y.as_deref().map(Json::Text)),
        ];
        jwe::header(Algorithm::EcdhEs, &self.kid, Some(Json::Object(&epk)))
    }
}

const CURVE: &str = "P-256";

/// 32 bytes, leading zeros and all (RFC 7518 section 6.2.1.2).
fn coordinate(text: &Option<String>) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let length = Base64UrlUnpadded::decode(text.as_deref()?, &mut bytes).ok()?.len();
    (length == bytes.len()).then_some(bytes)
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// A fresh key. Random bytes are taken as they are or not at all, so that every key is as likely (NIST SP 800-56A revision
/// 3, section 5.6.1.2.2); one in four billion is not.
fn ephemeral() -> Result<SecretKey, SealError> {
    loop {
        let mut bytes = Zeroizing::new([0; 32]);
        OsRng.try_fill_bytes(&mut *bytes).map_err(|_| SealError::Random)?;
        if let Ok(key) = SecretKey::from_slice(&*bytes) {
            return Ok(key);
        }
    }
}

/// What a derived key is for (RFC 7518 section 4.6.2).
struct OtherInfo<'a> {
    algorithm: &'a str,
    party_u: &'a str,
    party_v: &'a str,
    bits: usize,
}

impl OtherInfo<'_> {
    /// The Concat KDF (NIST SP 800-56A section 5.8.1) with SHA-256.
    fn derive(&self, secret: &[u8], key: &mut [u8]) -> Result<(), SealError> {
        let mut info = Vec::new();
        for field in [self.algorithm, self.party_u, self.party_v] {
            info.extend_from_slice(&(field.len() as u32).to_be_bytes());
            info.extend_from_slice(field.as_bytes());
        }
        info.extend_from_slice(&(self.bits as u32).to_be_bytes());
        concat_kdf::derive_key_into::<Sha256>(secret, &info, key).map_err(|_| SealError::Key)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// RFC 7518 appendix C.
    #[test]
    fn a_key_is_derived_as_in_the_rfc() {
        let secret = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163,
            218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let info = OtherInfo { algorithm: "A128GCM", party_u: "Alice", party_v: "Bob", bits: 128 };
        let mut key = [0; 16];
        info.derive(&secret, &mut key).unwrap();
        assert_eq!(encode(&key), "VqqN6vgjbSBcIijNcacQGg");
    }
}
