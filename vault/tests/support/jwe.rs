//! Seals that the widget never makes.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
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

    /// Its compact form.
    pub(crate) fn compact(&self) -> String {
        let Self { protected, encrypted_key, iv, ciphertext, tag } = self;
        let parts = [encrypted_key, iv, ciphertext, tag].map(|part| encode(part));
        format!("{protected}.{}", parts.join("."))
    }
}

/// Wraps anything as if it were a content key.
pub(crate) fn wrap(key: &PublicKey, content: &[u8], label: Option<&[u8]>) -> Vec<u8> {
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
