//! The data key: what a card is encrypted with at rest (PCI DSS 3.5.1).

use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use super::aad::Aad;
use super::gcm::{Gcm, OVERHEAD_BYTES, Unopened};
use crate::id::MerchantId;

/// Encrypts what is kept of cards.
#[derive(Debug)]
pub struct DataKey {
    version: u32,
    gcm: Gcm,
    /// What this process has encrypted with it.
    used: AtomicU64,
    /// What this process has told the store of that, before it does it.
    reserved: AtomicU64,
    /// What all processes have reserved, as far as this one knows.
    wear: AtomicU64,
}

/// Encryptions that a process reserves at a time: more than it gets to between two looks at what is left, so that one that
/// dies has always told of all that it did.
const LEASE: u64 = 1 << 20;

/// How much a data key encrypts at most before the next takes over. With random nonces of 96 bits it may be 2³² times (NIST
/// SP 800-38D section 8.3). At a quarter of that the chance of one nonce twice is under 2⁻³⁷, and there is time to change.
pub const MOST_ENCRYPTIONS: u64 = 1 << 30;

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
        let (used, reserved, wear) = Default::default();
        Some(Self { version, gcm: Gcm::new(key)?, used, reserved, wear })
    }

    /// How many more encryptions the store has to hear of: none while half of what was reserved is left.
    #[must_use]
    pub fn lacks(&self, goes_on: bool) -> Option<u64> {
        let (used, reserved) = (self.used.load(Ordering::Relaxed), self.reserved.load(Ordering::Relaxed));
        let (least, aim) = if goes_on { (used + LEASE / 2, used + LEASE) } else { (used, used) };
        (reserved < least).then(|| aim - reserved)
    }

    /// Hears that the store has heard of so many more, which makes `wear` of all processes.
    pub fn reserved(&self, more: u64, wear: u64) {
        self.reserved.fetch_add(more, Ordering::Relaxed);
        self.wear.store(wear, Ordering::Relaxed);
    }

    /// How many encryptions all processes have reserved, as far as this one knows.
    #[must_use]
    pub fn wear(&self) -> u64 {
        self.wear.load(Ordering::Relaxed)
    }

    /// Encrypts what belongs at `place`.
    #[must_use]
    pub fn encrypt(&self, place: Place<'_>, plaintext: &[u8]) -> Ciphertext {
        self.used.fetch_add(1, Ordering::Relaxed);
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
    fn is_counted_before_it_is_used() {
        let key = DataKey::new(1, &*random_key()).unwrap();
        let merchant = MerchantId::random(Mode::Test);
        let place = Place { merchant: &merchant, owner: "tokn_1", part: Part::Pan };
        assert_eq!(key.lacks(false), None);
        assert_eq!(key.lacks(true), Some(LEASE));
        key.reserved(LEASE, LEASE);
        assert_eq!(key.lacks(true), None);
        key.used.store(LEASE / 2, Ordering::Relaxed);
        assert_eq!(key.lacks(true), None);
        let _ = key.encrypt(place, b"4242424242424242");
        assert_eq!(key.lacks(true), Some(LEASE / 2 + 1));
        // More than was reserved, by a process that never looked.
        key.used.store(LEASE + 7, Ordering::Relaxed);
        assert_eq!(key.lacks(false), Some(7));
    }

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
