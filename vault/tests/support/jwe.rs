//! Seals that the widget never makes.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::PublicKey;
use serde_json::{Value, json};

/// A JWE in its parts, each to be changed.
#[derive(Clone, Debug)]
pub(crate) struct Jwe {
    /// Base64url of the header, which is what the tag authenticates.
    pub(crate) protected: String,
    pub(crate) encrypted_key: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl Jwe {
    /// Seals any text to a key.
    pub(crate) fn seal(key: &PublicKey, plaintext: &[u8]) -> Self {
        let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key.kid() });
        Self::seal_under(&header, key, plaintext)
    }

    /// The same with a header that may say something else than is done.
    pub(crate) fn seal_under(header: &Value, key: &PublicKey, plaintext: &[u8]) -> Self {
        let protected = encode(header.to_string().as_bytes());
        let cek = [7; 32];
        let mut ciphertext = plaintext.to_vec();
        let tag = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &cek).unwrap())
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key([0; 12]),
                Aad::from(&protected),
                &mut ciphertext,
            )
            .unwrap();
        let (iv, tag) = (vec![0; 12], tag.as_ref().to_vec());
        Self { encrypted_key: wrap(key, &cek, None), protected, iv, ciphertext, tag }
    }

    /// Agrees on a key with one on P-256, a JWK, as Thales D1 has it: ECDH-ES, direct (RFC 7518 section 4.6).
    pub(crate) fn agree(key: &Value, plaintext: &[u8]) -> Self {
        Self::agree_under(key, |_| {}, plaintext)
    }

    /// The same with a header that may say something else than is done.
    pub(crate) fn agree_under(key: &Value, change: impl FnOnce(&mut Value), plaintext: &[u8]) -> Self {
        let ephemeral = PrivateKey::generate(&ECDH_P256).unwrap();
        let public = ephemeral.compute_public_key().unwrap();
        let [x, y] = [1..33, 33..65].map(|part| encode(&public.as_ref()[part]));
        let epk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        let mut header = json!({ "alg": "ECDH-ES", "enc": "A256GCM", "kid": key["kid"], "epk": epk });
        change(&mut header);
        let peer = [vec![4], decode(key["x"].as_str().unwrap()), decode(key["y"].as_str().unwrap())].concat();
        let cek = agree(&ephemeral, UnparsedPublicKey::new(&ECDH_P256, peer), (), |secret| {
            // The Concat KDF's one round, for no named parties.
            let info = [&[0, 0, 0, 7][..], b"A256GCM", &[0; 8], &256_u32.to_be_bytes()].concat();
            Ok(digest(&SHA256, &[&1_u32.to_be_bytes()[..], secret, &info].concat()))
        });
        let protected = encode(header.to_string().as_bytes());
        let mut ciphertext = plaintext.to_vec();
        let tag = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, cek.unwrap().as_ref()).unwrap())
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key([0; 12]),
                Aad::from(&protected),
                &mut ciphertext,
            )
            .unwrap();
        let (iv, tag) = (vec![0; 12], tag.as_ref().to_vec());
        Self { encrypted_key: Vec::new(), protected, iv, ciphertext, tag }
    }

    /// Its compact form.
    pub(crate) fn compact(&self) -> String {
        let Self { protected, encrypted_key, iv, ciphertext, tag } = self;
        let parts = [encrypted_key, iv, ciphertext, tag].map(|part| encode(part));
        format!("{protected}.{}", parts.join("."))
    }
}

/// Wraps anything as if it were a content key.
pub(crate) fn wrap(key: &PublicKey, content: &[u8], label: Option<&[u8]>) -> Vec<u8> {
    let PublicKey::Rsa(key) = key else { panic!("no RSA key") };
    let public = PublicKeyComponents { n: key.modulus(), e: key.exponent() };
    let public: PublicEncryptingKey = public.try_into().unwrap();
    let mut wrapped = vec![0; key.modulus().len()];
    let key = OaepPublicEncryptingKey::new(public).unwrap();
    key.encrypt(&OAEP_SHA256_MGF1SHA256, content, &mut wrapped, label).unwrap().to_vec()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap()
}
