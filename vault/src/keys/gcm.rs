//! AES-256-GCM (NIST SP 800-38D), the one cipher here.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a tag.
pub const TAG_BYTES: usize = 16;
/// Bytes that a ciphertext has more than its plaintext.
pub const OVERHEAD_BYTES: usize = NONCE_LEN + TAG_BYTES;

/// A key of AES-256-GCM.
#[derive(Debug)]
pub struct Gcm(LessSafeKey);

/// It does not open: another key, other additional data, or a changed ciphertext. Says no more on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unopened;

impl Gcm {
    /// Takes a key of [`KEY_BYTES`]; `None` for any other length.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// Nonce, ciphertext and tag in one.
    ///
    /// The nonce is random: up to 2³² encryptions under one key, the chance of meeting one twice is under 2⁻³²
    /// (SP 800-38D section 8.3). A token takes three at most.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "AWS-LC ends the process rather than give no random bytes, and AES-GCM \
        encrypts up to 64 GiB; plaintexts here have a few kilobytes"
    )]
    pub fn encrypt(&self, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).expect("random bytes");
        let mut sealed = Vec::with_capacity(NONCE_LEN + plaintext.len() + TAG_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let (_, content) = sealed.split_at_mut(NONCE_LEN);
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), content)
            .expect("a short plaintext");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// The plaintext of what [`encrypt`](Self::encrypt) gave.
    ///
    /// # Errors
    /// [`Unopened`]
    pub fn decrypt(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unopened)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(Unopened)?;
        self.open(nonce, aad, ciphertext, tag)
    }

    /// The plaintext of a ciphertext in its parts.
    ///
    /// # Errors
    /// [`Unopened`]
    pub fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        match self.0.open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, &mut plaintext) {
            Ok(()) => Ok(plaintext),
            Err(_) => Err(Unopened),
        }
    }
}

/// A fresh key.
#[must_use]
#[expect(clippy::expect_used, reason = "AWS-LC ends the process rather than give no random bytes")]
pub fn random_key() -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rand::fill(&mut *key).expect("random bytes");
    key
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn decrypts_what_it_encrypted() {
        let gcm = Gcm::new(&*random_key()).unwrap();
        let sealed = gcm.encrypt(b"row", b"plaintext");
        assert_eq!(sealed.len(), 12 + 9 + 16);
        assert_eq!(*gcm.decrypt(b"row", &sealed).unwrap(), b"plaintext");
        assert_ne!(gcm.encrypt(b"row", b"plaintext"), sealed);
    }

    #[test]
    fn nothing_else_opens() {
        let gcm = Gcm::new(&*random_key()).unwrap();
        let sealed = gcm.encrypt(b"row", b"plaintext");
        assert_eq!(gcm.decrypt(b"another row", &sealed), Err(Unopened));
        assert_eq!(Gcm::new(&*random_key()).unwrap().decrypt(b"row", &sealed), Err(Unopened));
        for length in 0..sealed.len() {
            assert_eq!(gcm.decrypt(b"row", &sealed[..length]), Err(Unopened));
        }
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(gcm.decrypt(b"row", &changed), Err(Unopened));
        }
    }
}
