//! Who comes again, and the cards that were left for it.

use cardseal::card::{Expiry, Holder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{CardId, CustomerId, TokenId};
use crate::list::Page;
use crate::time::Timestamp;
use crate::token::{Billing, CardFacts, Details, Line};

/// A customer of a merchant.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the merchant says of it.
    pub profile: Profile,
    /// The first of its cards.
    pub cards: Page<CardFacts>,
    /// The card that is charged when none is named; none if there is no card.
    pub default_card: Option<CardId>,
}

/// What a merchant says of a customer. The store keeps it encrypted.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Profile {
    /// E-mail address.
    pub email: Option<Line>,
    /// For the merchant's own use.
    pub description: Option<Line>,
    /// For the merchant's own use; given back as it came.
    pub metadata: Map<String, Value>,
}

/// What is to be changed of a customer.
#[derive(Clone, Debug)]
pub struct CustomerChange {
    /// The e-mail address.
    pub email: Change<Option<Line>>,
    /// The description.
    pub description: Change<Option<Line>>,
    /// All of the metadata.
    pub metadata: Change<Map<String, Value>>,
    /// A token whose card is to be kept.
    pub token: Option<TokenId>,
    /// Which of its cards becomes the default.
    pub default_card: Option<CardId>,
}

/// What is to be changed of a card on file.
#[derive(Clone, Debug)]
pub struct CardChange {
    /// The expiry.
    pub expiry: Change<Expiry>,
    /// The holder's name.
    pub name: Change<Holder>,
    /// The address and contact.
    pub billing: BillingChange,
}

/// What is to be changed of a card's address and contact. See [`Billing`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members of Billing")]
pub struct BillingChange {
    pub city: Change<Option<Line>>,
    pub country: Change<Option<Line>>,
    pub email: Change<Option<Line>>,
    pub phone_number: Change<Option<Line>>,
    pub postal_code: Change<Option<Line>>,
    pub state: Change<Option<Line>>,
    pub street1: Change<Option<Line>>,
    pub street2: Change<Option<Line>>,
}

/// Whether something stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// It does.
    Keep,
    /// It becomes this.
    To(T),
}

impl CustomerChange {
    /// The profile after it.
    #[must_use]
    pub fn applied(&self, profile: Profile) -> Profile {
        Profile {
            email: self.email.applied(profile.email),
            description: self.description.applied(profile.description),
            metadata: self.metadata.applied(profile.metadata),
        }
    }
}

impl CardChange {
    /// A card's details after it.
    #[must_use]
    pub fn applied(&self, details: Details) -> Details {
        let (expiration_month, expiration_year) = match &self.expiry {
            Change::Keep => (details.expiration_month, details.expiration_year),
            Change::To(expiry) => (expiry.month(), expiry.year()),
        };
        let name = match &self.name {
            Change::Keep => details.name,
            // EXPOSE: a card on file shows the name, and the store keeps it encrypted.
            Change::To(holder) => Some(holder.expose().to_owned()),
        };
        Details { expiration_month, expiration_year, name, billing: self.billing.applied(details.billing) }
    }
}

impl BillingChange {
    /// Address and contact after it.
    #[must_use]
    pub fn applied(&self, billing: Billing) -> Billing {
        Billing {
            city: self.city.applied(billing.city),
            country: self.country.applied(billing.country),
            email: self.email.applied(billing.email),
            phone_number: self.phone_number.applied(billing.phone_number),
            postal_code: self.postal_code.applied(billing.postal_code),
            state: self.state.applied(billing.state),
            street1: self.street1.applied(billing.street1),
            street2: self.street2.applied(billing.street2),
        }
    }
}

impl<T: Clone> Change<T> {
    /// To what is given; none keeps what is there.
    #[must_use]
    pub fn of(given: Option<T>) -> Self {
        given.map_or(Self::Keep, Self::To)
    }

    fn applied(&self, before: T) -> T {
        match self {
            Self::Keep => before,
            Self::To(after) => after.clone(),
        }
    }
}
