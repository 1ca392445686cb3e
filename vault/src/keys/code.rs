//! What a security code is locked with at rest, within the data key's encryption: a key that is nowhere at rest.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::gcm::{Gcm, Unopened};
use crate::id::TokenId;

/// The lock of one token's security code. It follows from the token's id alone, 130 random bits that the merchant has and
/// of which the vault keeps a hash: so the code opens for whoever charges the token, and for nobody who has everything that
/// is stored, all keys among it (PCI DSS 3.3.1, 3.3.2).
#[derive(Debug)]
pub struct CodeLock(Gcm);

/// What the key is for: a hash of the same id for anything else is another one.
const PURPOSE: &[u8] = b"cardseal security code";

impl CodeLock {
    /// The lock of this token's code.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC-SHA-256 gives as many bytes as AES-256 takes")]
    pub fn of(token: &TokenId) -> Self {
        // HKDF-Extract (RFC 5869 section 2.2). The id is as random as a key, and there is one key of it.
        let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, PURPOSE), token.as_str().as_bytes());
        Self(Gcm::new(key.as_ref()).expect("32 bytes"))
    }

    /// Locks a code.
    #[must_use]
    pub fn lock(&self, code: &[u8]) -> Vec<u8> {
        self.0.encrypt(PURPOSE, code)
    }

    /// Unlocks a code.
    ///
    /// # Errors
    /// [`Unopened`] if it is another token's, or was changed.
    pub fn unlock(&self, locked: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        self.0.decrypt(PURPOSE, locked)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::merchant::Mode;

    #[test]
    fn a_code_opens_with_its_tokens_id_only() {
        let token = TokenId::random(Mode::Test);
        let locked = CodeLock::of(&token).lock(b"123");
        assert_eq!(*CodeLock::of(&token).unlock(&locked).unwrap(), b"123");
        assert_eq!(CodeLock::of(&TokenId::random(Mode::Test)).unlock(&locked), Err(Unopened));
        let hash = TokenId::parse(&token.hash().as_str().replace("tokh_", "tokn_")).unwrap();
        assert_eq!(CodeLock::of(&hash).unlock(&locked), Err(Unopened));
    }
}
