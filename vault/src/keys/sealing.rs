//! The sealing key: browsers seal to its public half, and its private half never leaves this process.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
    PublicKeyComponents,
};
use aws_lc_rs::signature::KeyPair as _;
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::Compact;
use cardseal::seal::jwk::{Jwk, thumbprint_input};
use zeroize::Zeroizing;

use super::Sha256Digest;
use super::gcm::{self, Gcm, KEY_BYTES, Unopened};

/// An RSA key for RSA-OAEP-256 (RFC 7518 section 4.3), parsed once.
#[derive(Debug)]
pub struct SealingKey {
    private: OaepPrivateDecryptingKey,
    kid: String,
    jwk: Jwk,
}

impl SealingKey {
    /// A new RSA-2048 key as PKCS#8 (RFC 5208), to be wrapped and stored; `None` if none could be made.
    #[must_use]
    pub fn generate_pkcs8() -> Option<Zeroizing<Vec<u8>>> {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).ok()?;
        Some(Zeroizing::new(key.as_der().ok()?.as_ref().to_vec()))
    }

    /// Reads a key of 2048 bits or more; `None` if it is none.
    #[must_use]
    pub fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(pkcs8).ok()?;
        let public: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
        let private = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?).ok()?;
        let thumbprint = Sha256Digest::of(thumbprint_input(&public.n, &public.e).as_bytes());
        let kid = Base64UrlUnpadded::encode_string(thumbprint.as_bytes());
        let jwk = Jwk::rsa_oaep_256(&kid, &public.n, &public.e);
        Some(Self { private, kid, jwk })
    }

    /// Its name in the header of a seal: the RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its public half, to be published.
    #[must_use]
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Opens a seal whose header names this key. Takes the time of an RSA operation.
    ///
    /// Where the content key does not unwrap, the content is tried with a random one (RFC 7516 section 11.5), so that
    /// neither the answer nor the work tells whether it was the key or the content.
    ///
    /// # Errors
    /// [`Unopened`], for every reason there is.
    pub fn open(&self, seal: &Compact<'_>) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let mut cek = gcm::random_key();
        if let Ok(unwrapped) = self.unwrap(seal.encrypted_key())
            && unwrapped.len() == KEY_BYTES
        {
            cek.copy_from_slice(&unwrapped);
        }
        Gcm::new(&*cek).ok_or(Unopened)?.open(seal.iv(), seal.aad(), seal.ciphertext(), seal.tag())
    }

    /// Decrypts RSA-OAEP with SHA-256, MGF1 with SHA-256 and no label (RFC 8017 section 7.1.2).
    ///
    /// # Errors
    /// [`Unopened`]. Must not be told apart from a failure later on.
    pub fn unwrap(&self, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let mut buffer = Zeroizing::new(vec![0; self.private.min_output_size()]);
        let length = match self.private.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted, &mut buffer, None) {
            Ok(plaintext) => plaintext.len(),
            Err(_) => return Err(Unopened),
        };
        buffer.truncate(length);
        Ok(buffer)
    }
}
