//! Telling cards apart without opening them.

use std::fmt;

use aws_lc_rs::hmac;
use base64ct::{Base64, Encoding};
use cardseal::card::Number;

use super::aad::Aad;
use super::gcm::KEY_BYTES;
use crate::id::MerchantId;

/// Makes fingerprints. A key of its own: a plain hash of a card number is undone by trying them all (PCI DSS 3.5.1.1).
pub struct FingerprintKey {
    version: u32,
    key: hmac::Key,
}

/// The same for the same card of the same merchant, and only then: HMAC-SHA-256 over merchant, a zero byte, number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The version of the key.
    pub key_version: u32,
    /// The 32 bytes.
    pub bytes: Vec<u8>,
}

/// A MAC of fields: the same for the same fields, and nothing else is to be learnt from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 32]);

impl Tag {
    /// One that was made before; `None` for any other number of bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FingerprintKey {
    /// Takes a key of 32 bytes; `None` for any other length.
    #[must_use]
    pub fn new(version: u32, key: &[u8]) -> Option<Self> {
        (key.len() == KEY_BYTES).then(|| Self { version, key: hmac::Key::new(hmac::HMAC_SHA256, key) })
    }

    /// The fingerprint of a merchant's card.
    #[must_use]
    pub fn fingerprint(&self, merchant: &MerchantId, number: &Number) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(merchant.as_str().as_bytes());
        context.update(&[0]);
        // EXPOSE: into the MAC, which does not give it back.
        context.update(number.expose().as_bytes());
        Fingerprint { key_version: self.version, bytes: context.sign().as_ref().into() }
    }

    /// A MAC of fields and of the key's version. No fingerprint is over the same bytes: a merchant's id begins with a
    /// letter, the fields with their length.
    #[must_use]
    pub fn tag(&self, fields: Aad) -> Tag {
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&self.key, &fields.version(self.version)).as_ref());
        Tag(tag)
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FingerprintKey").field("version", &self.version).finish_non_exhaustive()
    }
}

impl fmt::Display for Fingerprint {
    /// Base64, as Omise shows it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Base64::encode_string(&self.bytes))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::merchant::Mode;

    #[test]
    fn are_the_same_for_the_same_card_of_the_same_merchant_only() {
        let key = FingerprintKey::new(1, &[7; 32]).unwrap();
        let (merchant, other) = (MerchantId::random(Mode::Test), MerchantId::random(Mode::Test));
        let visa = Number::parse("4242 4242 4242 4242").valid().unwrap();
        let mastercard = Number::parse("5555555555554444").valid().unwrap();

        let fingerprint = key.fingerprint(&merchant, &visa);
        assert_eq!(key.fingerprint(&merchant, &visa), fingerprint);
        assert_ne!(key.fingerprint(&merchant, &mastercard), fingerprint);
        assert_ne!(key.fingerprint(&other, &visa), fingerprint);
        assert_ne!(FingerprintKey::new(1, &[8; 32]).unwrap().fingerprint(&merchant, &visa), fingerprint);
        assert_eq!(fingerprint.to_string().len(), 44);
    }
}
