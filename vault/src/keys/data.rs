//! The data key: what a card is encrypted with at rest (PCI DSS 3.5.1).

use zeroize::Zeroizing;

use super::aad::Aad;
use super::gcm::{Gcm, OVERHEAD_BYTES, Unopened};
use crate::id::MerchantId;

/// Encrypts what is kept of cards.
#[derive(Debug)]
pub struct DataKey {
    version: u32,
    gcm: Gcm,
}

/// Something encrypted under a data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    /// The version of the key.
    pub key_version: u32,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl Ciphertext {
    /// How many bytes were encrypted: the cipher hides what they are, and not how many.
    #[must_use]
    pub fn plaintext_len(&self) -> usize {
        self.bytes.len().saturating_sub(OVERHEAD_BYTES)
    }
}

/// Where a ciphertext belongs. It opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The merchant whose it is.
    pub merchant: &'a MerchantId,
    /// The id of what it is kept with; its prefix says of which kind that is.
    pub owner: &'a str,
    /// Which of its secrets it is.
    pub part: Part,
}

/// The secrets of a token, a card, a charge and their like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What it shows beside brand and last digits: expiry, name, address.
    Details,
    /// The card number.
    Pan,
    /// The security code, while there is one.
    SecurityCode,
}

impl Part {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Pan => "pan",
            Self::SecurityCode => "security code",
        }
    }
}

impl DataKey {
    /// Takes a key of 32 bytes; `None` for any other length.
    #[must_use]
    pub fn new(version: u32, key: &[u8]) -> Option<Self> {
        Some(Self { version, gcm: Gcm::new(key)? })
    }

    /// Encrypts what belongs at `place`.
    #[must_use]
    pub fn encrypt(&self, place: Place<'_>, plaintext: &[u8]) -> Ciphertext {
        let bytes = self.gcm.encrypt(&aad(place, self.version), plaintext);
        Ciphertext { key_version: self.version, bytes }
    }

    /// Decrypts what was found at `place`.
    ///
    /// # Errors
    /// [`Unopened`] if it does not belong there, or was changed.
    pub fn decrypt(&self, place: Place<'_>, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        self.gcm.decrypt(&aad(place, ciphertext.key_version), &ciphertext.bytes)
    }
}

fn aad(place: Place<'_>, version: u32) -> Vec<u8> {
    Aad::new(place.part.as_str()).field(place.merchant.as_str()).field(place.owner).version(version)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::keys::gcm::random_key;
    use crate::merchant::Mode;

    #[test]
    fn opens_only_where_it_belongs() {
        let key = DataKey::new(1, &*random_key()).unwrap();
        let (merchant, other_merchant) = (MerchantId::random(Mode::Test), MerchantId::random(Mode::Test));
        let place = Place { merchant: &merchant, owner: "tokn_1", part: Part::Pan };
        let ciphertext = key.encrypt(place, b"4242424242424242");

        assert_eq!(*key.decrypt(place, &ciphertext).unwrap(), b"4242424242424242");
        assert_eq!(ciphertext.plaintext_len(), 16);
        assert_eq!(key.decrypt(Place { part: Part::Details, ..place }, &ciphertext), Err(Unopened));
        assert_eq!(key.decrypt(Place { owner: "card_1", ..place }, &ciphertext), Err(Unopened));
        assert_eq!(key.decrypt(Place { merchant: &other_merchant, ..place }, &ciphertext), Err(Unopened));
        assert_eq!(key.decrypt(place, &Ciphertext { key_version: 2, ..ciphertext }), Err(Unopened));
    }
}
