//! What names a person goes everywhere when the person is deleted: from events and from what is sent of them, from charges,
//! from used tokens. What an account needs stays: amounts, times, outcomes, brands, last digits, expiry.

use serde_json::{Map, Value};

use crate::id::{CardId, CustomerId, VendorTokenId};

/// Something that is deleted, and of which nothing personal stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// A customer, with the customer's charges and what was told of either.
    Customer(CustomerId),
    /// A customer's card, with what charges and events show of it.
    Card {
        /// The customer, who stays.
        customer: CustomerId,
        /// The card.
        card: CardId,
    },
    /// A card that is deleted with its customer: what was told of it.
    CardToo(CardId),
    /// A vendor's token: what was told of it.
    VendorToken(VendorTokenId),
}

impl Erasure {
    /// Which of the cards that an object shows it is about; all of them, and the object itself, if it is about none.
    #[must_use]
    pub const fn card(&self) -> Option<&CardId> {
        match self {
            Self::Card { card, .. } => Some(card),
            Self::Customer(_) | Self::CardToo(_) | Self::VendorToken(_) => None,
        }
    }

    /// Takes what names a person out of an object of the API.
    pub fn redact(&self, object: &mut Map<String, Value>) {
        redact(object, self.card());
    }
}

/// Members of a card that name its holder or tell the card from others.
const OF_CARDS: [&str; 9] =
    ["city", "country", "fingerprint", "name", "phone_number", "postal_code", "state", "street1", "street2"];

/// Members of other objects that do: a merchant's own words are for the merchant to choose, so they may.
const OF_OTHERS: [&str; 5] = ["description", "email", "metadata", "others", "par"];

fn redact(object: &mut Map<String, Value>, card: Option<&CardId>) {
    let is_card = object.get("object").is_some_and(|kind| kind == "card");
    let id = object.get("id").and_then(Value::as_str);
    let names: &[&str] = match card {
        Some(card) if !is_card || id != Some(card.as_str()) => &[],
        _ if is_card => &OF_CARDS,
        _ => &OF_OTHERS,
    };
    for name in names {
        if let Some(value) = object.get_mut(*name) {
            *value = emptied(name);
        }
    }
    for value in object.values_mut() {
        redact_within(value, card);
    }
}

fn redact_within(value: &mut Value, card: Option<&CardId>) {
    match value {
        Value::Object(object) => redact(object, card),
        Value::Array(items) => items.iter_mut().for_each(|item| redact_within(item, card)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What stands in a member's place, of a type that clients expect there.
fn emptied(name: &str) -> Value {
    match name {
        "metadata" | "others" => Value::Object(Map::new()),
        "fingerprint" => Value::String(String::new()),
        _ => Value::Null,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::merchant::Mode;

    #[test]
    fn what_an_account_needs_stays() {
        let charge = json!({
            "object": "charge", "amount": 100, "description": "For Somchai", "metadata": { "email": "a@example.com" },
            "card": { "object": "card", "id": "card_test_0", "name": "Somchai", "last_digits": "4242", "fingerprint": "AAAA" },
        });
        let Value::Object(mut redacted) = charge.clone() else { unreachable!() };
        Erasure::Customer(CustomerId::random(Mode::Test)).redact(&mut redacted);
        let expected = json!({
            "object": "charge", "amount": 100, "description": null, "metadata": {},
            "card": { "object": "card", "id": "card_test_0", "name": null, "last_digits": "4242", "fingerprint": "" },
        });
        assert_eq!(Value::Object(redacted), expected);
    }

    #[test]
    fn a_card_goes_alone() {
        let card = CardId::random(Mode::Test);
        let of = |id: &str, name: Value| json!({ "object": "card", "id": id, "name": name });
        let customer = |name: Value| {
            json!({ "object": "customer", "email": "a@example.com",
                "cards": { "object": "list", "data": [of(card.as_str(), name), of("card_test_0", json!("B"))] } })
        };
        let Value::Object(mut redacted) = customer(json!("A")) else { unreachable!() };
        Erasure::Card { customer: CustomerId::random(Mode::Test), card: card.clone() }.redact(&mut redacted);
        assert_eq!(Value::Object(redacted), customer(Value::Null));
    }
}
