//! Opening what browsers seal for Thales, and sealing what Thales sends back: a JWE in compact form (RFC 7516), with exactly the header that its documents show.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, UnparsedPublicKey, agree};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

/// Why a JWE is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It has not five parts of base64url.
    #[error("no JWE in compact form")]
    Form,
    /// Its header is not the one that the documents show.
    #[error("the header is not as documented")]
    Header,
    /// It names another key.
    #[error("the kid is unknown")]
    Key,
    /// It does not open.
    #[error("it does not open")]
    Sealed,
}

/// An RSA key for `RSA-OAEP-256` with `A256GCM`.
#[derive(Debug)]
pub struct RsaKey {
    kid: String,
    pkcs8: Vec<u8>,
    private: OaepPrivateDecryptingKey,
}

impl RsaKey {
    /// A new one of 2048 bits, under a name that vendor and client have agreed on.
    ///
    /// # Errors
    /// When none could be made.
    pub fn generate(kid: &str) -> anyhow::Result<Self> {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048)?;
        let pkcs8 = key.as_der()?.as_ref().to_vec();
        Ok(Self { kid: kid.into(), pkcs8, private: OaepPrivateDecryptingKey::new(key)? })
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private key, PKCS#8 DER.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The certificate that is given to clients, PEM.
    ///
    /// # Errors
    /// When it could not be made.
    pub fn certificate(&self, name: &str) -> anyhow::Result<String> {
        crate::certificates::of_rsa_key(name, &self.pkcs8)
    }

    /// Seals to it.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal(&self, plaintext: &[u8]) -> anyhow::Result<String> {
        let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": self.kid });
        let protected = Base64UrlUnpadded::encode_string(header.to_string().as_bytes());
        let (mut cek, mut iv) = ([0; 32], [0; 12]);
        rand::fill(&mut cek)?;
        rand::fill(&mut iv)?;
        let public =
            OaepPublicEncryptingKey::new(PrivateDecryptingKey::from_pkcs8(&self.pkcs8)?.public_key())?;
        let mut buffer = vec![0; public.ciphertext_size()];
        let encrypted_key = public.encrypt(&OAEP_SHA256_MGF1SHA256, &cek, &mut buffer, None)?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &cek)?);
        let mut message = plaintext.to_vec();
        let (nonce, aad) = (Nonce::assume_unique_for_key(iv), Aad::from(protected.as_bytes()));
        let tag = key.seal_in_place_separate_tag(nonce, aad, &mut message)?;
        let parts = [&*encrypted_key, &iv, &message, tag.as_ref()].map(Base64UrlUnpadded::encode_string);
        Ok(format!("{protected}.{}", parts.join(".")))
    }

    /// Opens a JWE.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn open(&self, jwe: &str) -> Result<Vec<u8>, Refused> {
        let jwe = Compact::parse(jwe)?;
        let header: Value = serde_json::from_slice(&jwe.header).map_err(|_| Refused::Header)?;
        if header["kid"] != *self.kid {
            return Err(Refused::Key);
        }
        if header != json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": self.kid }) {
            return Err(Refused::Header);
        }
        let mut buffer = vec![0; self.private.min_output_size()];
        let cek = self.private.decrypt(&OAEP_SHA256_MGF1SHA256, &jwe.encrypted_key, &mut buffer, None);
        jwe.decrypt(cek.map_err(|_| Refused::Sealed)?)
    }
}

/// A P-256 key for `ECDH-ES` (RFC 7518 section 4.6, direct) with `A256GCM`.
#[derive(Debug)]
pub struct EcKey {
    private: agreement::PrivateKey,
    kid: String,
    jwk: Value,
}

/// An ephemeral key, as a header has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ephemeral {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

impl EcKey {
    /// A new one, named by its thumbprint (RFC 7638).
    ///
    /// # Errors
    /// When none could be made.
    pub fn generate() -> anyhow::Result<Self> {
        let private = agreement::PrivateKey::generate(&ECDH_P256)?;
        let public = private.compute_public_key()?;
        // 4, x, y (SEC 1 section 2.3.3).
        let point = public.as_ref();
        let [x, y] = [&point[1..33], &point[33..65]].map(Base64UrlUnpadded::encode_string);
        let thumbprint =
            digest(&SHA256, format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes());
        let kid = Base64UrlUnpadded::encode_string(thumbprint.as_ref());
        let jwk = json!({ "kty": "EC", "kid": kid, "crv": "P-256", "x": x, "y": y });
        Ok(Self { private, kid, jwk })
    }

    /// Its public half, as it is given to clients.
    #[must_use]
    pub const fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Opens a JWE.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn open(&self, jwe: &str) -> Result<Vec<u8>, Refused> {
        let jwe = Compact::parse(jwe)?;
        let mut header: Value = serde_json::from_slice(&jwe.header).map_err(|_| Refused::Header)?;
        let ephemeral = header.get_mut("epk").map(Value::take).ok_or(Refused::Header)?;
        let ephemeral: Ephemeral = serde_json::from_value(ephemeral).map_err(|_| Refused::Header)?;
        if header["kid"] != *self.kid {
            return Err(Refused::Key);
        }
        let expected = json!({ "alg": "ECDH-ES", "enc": "A256GCM", "kid": self.kid, "epk": null });
        let is_p256 = ephemeral.kty == "EC" && ephemeral.crv == "P-256";
        if header != expected || !is_p256 || !jwe.encrypted_key.is_empty() {
            return Err(Refused::Header);
        }
        let mut point = vec![4];
        for coordinate in [&ephemeral.x, &ephemeral.y] {
            let bytes = Base64UrlUnpadded::decode_vec(coordinate).map_err(|_| Refused::Header)?;
            if bytes.len() != 32 {
                return Err(Refused::Header);
            }
            point.extend(bytes);
        }
        let peer = UnparsedPublicKey::new(&ECDH_P256, point);
        agree(&self.private, peer, Refused::Sealed, |secret| jwe.decrypt(&Derivation::A256GCM.derive(secret)))
    }
}

/// Whom a derived key is for.
struct Derivation<'a> {
    algorithm: &'a [u8],
    party_u: &'a [u8],
    party_v: &'a [u8],
    bits: u32,
}

impl Derivation<'_> {
    /// A key for A256GCM, for no named parties.
    const A256GCM: Self = Self { algorithm: b"A256GCM", party_u: b"", party_v: b"", bits: 256 };

    /// The Concat KDF (NIST SP 800-56A section 5.8.1, as in RFC 7518 section 4.6.2) for keys of one digest at most.
    fn derive(&self, secret: &[u8]) -> Vec<u8> {
        let mut input = 1_u32.to_be_bytes().to_vec();
        input.extend_from_slice(secret);
        for field in [self.algorithm, self.party_u, self.party_v] {
            // A few bytes each.
            input.extend_from_slice(&(field.len() as u32).to_be_bytes());
            input.extend_from_slice(field);
        }
        input.extend_from_slice(&self.bits.to_be_bytes());
        digest(&SHA256, &input).as_ref().iter().take(self.bits as usize / 8).copied().collect()
    }
}

/// The five parts.
struct Compact<'a> {
    protected: &'a str,
    header: Vec<u8>,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl<'a> Compact<'a> {
    fn parse(jwe: &'a str) -> Result<Self, Refused> {
        let parts: Vec<_> = jwe.split('.').collect();
        let [protected, encrypted_key, iv, ciphertext, tag] = parts[..] else { return Err(Refused::Form) };
        let decode = |part| Base64UrlUnpadded::decode_vec(part).map_err(|_| Refused::Form);
        Ok(Self {
            protected,
            header: decode(protected)?,
            encrypted_key: decode(encrypted_key)?,
            iv: decode(iv)?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?,
        })
    }

    fn decrypt(&self, cek: &[u8]) -> Result<Vec<u8>, Refused> {
        let key = UnboundKey::new(&AES_256_GCM, cek).map(LessSafeKey::new).map_err(|_| Refused::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(&self.iv).map_err(|_| Refused::Sealed)?;
        if self.tag.len() != AES_256_GCM.tag_len() {
            return Err(Refused::Sealed);
        }
        let mut message = [&*self.ciphertext, &*self.tag].concat();
        let aad = Aad::from(self.protected.as_bytes());
        Ok(key.open_in_place(nonce, aad, &mut message).map_err(|_| Refused::Sealed)?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7518 appendix C.
    #[test]
    fn a_key_is_derived_as_in_the_rfc() {
        let secret = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163,
            218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let derivation = Derivation { algorithm: b"A128GCM", party_u: b"Alice", party_v: b"Bob", bits: 128 };
        assert_eq!(Base64UrlUnpadded::encode_string(&derivation.derive(&secret)), "VqqN6vgjbSBcIijNcacQGg");
    }
}
