//! Who did what with cards and keys: rows that are only ever added, each with a MAC that covers the one before it
//! (PCI DSS 10.2, 10.3.4). Whoever can write the database but has not the vault's keys can neither change a row, take one
//! out, put one in, nor change their order without its showing.

mod actor;
mod head;
mod outcome;

use crate::id::MerchantId;
use crate::keys::aad::Aad;
use crate::keys::mac::{MAC_BYTES, MacKey};
use crate::time::Timestamp;
use crate::token::Line;

pub use actor::{Actor, By, Origination, Person};
pub use head::{Head, Heads, chain, letters};
pub use outcome::{Outcome, Refusal};

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// With whose data; none for what concerns the vault itself.
    pub merchant: Option<MerchantId>,
    /// When.
    pub at: Timestamp,
    /// By whom, and where from.
    pub by: By,
    /// What.
    pub action: Action,
    /// The id of what it was done to.
    pub subject: String,
    /// Why, in the words of who asked.
    pub reason: Option<Line>,
    /// What came of it.
    pub outcome: Outcome,
    /// How often: refusals of one kind are counted.
    pub times: u64,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The API was asked for something. In the audit when that was refused for who asked.
    Access,
    /// A key was added for a merchant.
    AddKey,
    /// A merchant was added.
    AddMerchant,
    /// An address that is told of events was added.
    AddWebhook,
    /// A card was opened to charge it.
    Charge,
    /// A merchant's account with a vendor was added, or another put in its place.
    ConnectVendor,
    /// An acquirer says that a charge has failed of which it has said that the money was taken.
    ContradictCharge,
    /// A charge that was held for failed is successful: the money was taken.
    CorrectCharge,
    /// A card on file was deleted.
    DeleteCard,
    /// A customer was deleted with all cards.
    DeleteCustomer,
    /// A PCI token was deleted.
    DeletePciToken,
    /// A vendor's token was deleted.
    DeleteVendorToken,
    /// An address is told of events no longer.
    DeleteWebhook,
    /// A vault's key was destroyed.
    DestroyKey,
    /// A card's number was given out: in the clear, or by a vendor, sealed to the merchant's own key.
    Detokenize,
    /// A merchant's account with a vendor was forgotten.
    DisconnectVendor,
    /// A card was opened to be kept on file.
    KeepCard,
    /// What a payment is made with was asked for with a vendor's token.
    PayWithVendorToken,
    /// The audit was looked at (PCI DSS 10.2.1.3).
    ReadAudit,
    /// Cards were opened to be put under another key.
    Reencrypt,
    /// Somebody was not let in to tell of vendors' tokens.
    RefuseCallback,
    /// A merchant's origins were replaced.
    ReplaceOrigins,
    /// A merchant's key was revoked.
    RevokeKey,
    /// The vault's keys were put under another key-encryption key.
    RewrapKeys,
    /// A vault's key was followed by a new one.
    RotateKey,
    /// What an address's messages are signed with was followed by a new secret.
    RotateWebhookSecret,
    /// A vendor's token was given a state by hand.
    SetVendorToken,
    /// A vault began to serve, and to tell (PCI DSS 10.2.1.6).
    Start,
    /// It stopped.
    Stop,
}

impl Action {
    const ALL: [Self; 29] = [
        Self::Access,
        Self::AddKey,
        Self::AddMerchant,
        Self::AddWebhook,
        Self::Charge,
        Self::ConnectVendor,
        Self::ContradictCharge,
        Self::CorrectCharge,
        Self::DeleteCard,
        Self::DeleteCustomer,
        Self::DeletePciToken,
        Self::DeleteVendorToken,
        Self::DeleteWebhook,
        Self::DestroyKey,
        Self::Detokenize,
        Self::DisconnectVendor,
        Self::KeepCard,
        Self::PayWithVendorToken,
        Self::ReadAudit,
        Self::Reencrypt,
        Self::RefuseCallback,
        Self::ReplaceOrigins,
        Self::RevokeKey,
        Self::RewrapKeys,
        Self::RotateKey,
        Self::RotateWebhookSecret,
        Self::SetVendorToken,
        Self::Start,
        Self::Stop,
    ];

    /// Its name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "api.access",
            Self::AddKey => "key.add",
            Self::AddMerchant => "merchant.add",
            Self::AddWebhook => "webhook.add",
            Self::Charge => "card.charge",
            Self::ConnectVendor => "vendor.connect",
            Self::ContradictCharge => "charge.contradict",
            Self::CorrectCharge => "charge.correct",
            Self::DeleteCard => "card.delete",
            Self::DeleteCustomer => "customer.delete",
            Self::DeletePciToken => "pci_token.delete",
            Self::DeleteVendorToken => "vendor_token.delete",
            Self::DeleteWebhook => "webhook.delete",
            Self::DestroyKey => "vault_key.destroy",
            Self::Detokenize => "card.detokenize",
            Self::DisconnectVendor => "vendor.disconnect",
            Self::KeepCard => "card.keep",
            Self::PayWithVendorToken => "vendor_token.pay",
            Self::ReadAudit => "audit.read",
            Self::Reencrypt => "card.reencrypt",
            Self::RefuseCallback => "callback.refuse",
            Self::ReplaceOrigins => "merchant.origins",
            Self::RevokeKey => "key.revoke",
            Self::RewrapKeys => "vault_key.rewrap",
            Self::RotateKey => "vault_key.rotate",
            Self::RotateWebhookSecret => "webhook.rotate_secret",
            Self::SetVendorToken => "vendor_token.set",
            Self::Start => "vault.start",
            Self::Stop => "vault.stop",
        }
    }

    /// The action of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// A row of the audit.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// What was done.
    pub entry: Entry,
    /// The version of the key of its MAC.
    pub key_version: u32,
    /// Its MAC.
    pub mac: Vec<u8>,
}

/// The MAC of the row `entry` with the number `seq`, after one whose MAC is `previous`.
#[must_use]
pub fn mac(key: &MacKey, previous: &[u8], seq: u64, entry: &Entry) -> [u8; MAC_BYTES] {
    key.sign(&message(key.version(), previous, seq, entry))
}

/// Whether a row is what the vault wrote after one whose MAC is `previous`.
#[must_use]
pub fn is_genuine(key: &MacKey, previous: &[u8], row: &Row) -> bool {
    key.verify(&message(row.key_version, previous, row.seq, &row.entry), &row.mac)
}

fn message(version: u32, previous: &[u8], seq: u64, entry: &Entry) -> Vec<u8> {
    let Entry { merchant, at, by, action, subject, reason, outcome, times } = entry;
    Aad::new("audit")
        .bytes(previous)
        .field(&seq.to_string())
        .field(merchant.as_ref().map_or("", MerchantId::as_str))
        .field(&at.unix_seconds().to_string())
        .field(&by.actor.to_string())
        .field(&by.from.to_string())
        .field(action.as_str())
        .field(subject)
        // No reason is something else than an empty one.
        .field(if reason.is_some() { "because" } else { "" })
        .field(reason.as_ref().map_or("", Line::as_str))
        .field(outcome.as_str())
        .field(&times.to_string())
        .version(version)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::merchant::Mode;

    #[test]
    fn a_row_is_genuine_as_it_was_written_and_not_otherwise() {
        let key = MacKey::new(1, &[7; 32]).unwrap();
        let entry = Entry {
            merchant: Some(MerchantId::random(Mode::Test)),
            at: Timestamp::from_unix_seconds(1),
            by: By::person(Person::parse("anna").unwrap()),
            action: Action::Detokenize,
            subject: "ptok_1".into(),
            reason: None,
            outcome: Outcome::Done,
            times: 1,
        };
        let row = Row { seq: 2, mac: mac(&key, b"before", 2, &entry).into(), key_version: 1, entry };
        assert!(is_genuine(&key, b"before", &row));
        assert!(!is_genuine(&key, b"beforehand", &row));
        let changed = |change: &dyn Fn(&mut Row)| {
            let mut row = row.clone();
            change(&mut row);
            is_genuine(&key, b"before", &row)
        };
        let changes: [&dyn Fn(&mut Row); 11] = [
            &|row| row.seq = 3,
            &|row| row.entry.merchant = None,
            &|row| row.entry.at = Timestamp::from_unix_seconds(2),
            &|row| row.entry.by.actor = Actor::Vault,
            &|row| row.entry.by.from = Origination::parse("203.0.113.9").unwrap(),
            &|row| row.entry.outcome = Outcome::Refused(Refusal::NotFound),
            &|row| row.entry.times = 2,
            &|row| row.entry.action = Action::Charge,
            &|row| row.entry.subject.push('1'),
            &|row| row.entry.reason = Some(Line::parse("").unwrap()),
            &|row| row.key_version = 2,
        ];
        for (index, change) in changes.iter().enumerate() {
            assert!(!changed(change), "change {index}");
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(action));
        }
    }
}
