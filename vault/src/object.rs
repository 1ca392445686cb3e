//! Tokens, charges, customers, cards and their like as Omise shows them (API version 2019-05-29): to whoever asks, and in
//! events.

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::charge::{Charge, ChargeStatus, Source};
use crate::customer::Customer;
use crate::event::Event;
use crate::id::{CustomerId, WebhookId};
use crate::list::Page;
use crate::merchant::Mode;
use crate::pci_token::MonthYear;
use crate::store::StoredCustomer;
use crate::time::Timestamp;
use crate::token::{CardFacts, Line, Token, Usage};
use crate::vendor::VendorToken;
use crate::webhook::{Webhook, WebhookSecret};

#[derive(Debug, Serialize)]
pub(crate) struct TokenObject {
    object: &'static str,
    id: String,
    livemode: bool,
    location: String,
    used: bool,
    charge_status: &'static str,
    card: CardObject,
    created_at: String,
}

impl TokenObject {
    /// For a page, and whoever else has the public key: nothing by which the same card is known again or searched for.
    pub(crate) fn for_page(token: Token, mode: Mode) -> Self {
        Self::showing(token, mode, CardObject::for_page)
    }

    /// For the merchant's server.
    pub(crate) fn for_merchant(token: Token, mode: Mode) -> Self {
        Self::showing(token, mode, CardObject::for_merchant)
    }

    fn showing(token: Token, mode: Mode, show: fn(CardFacts, Mode) -> CardObject) -> Self {
        let (used, charge_status) = match token.usage {
            Usage::Unused => (false, "unknown"),
            Usage::Charged(status) => (true, status.as_str()),
            Usage::OnFile => (true, "unknown"),
        };
        Self {
            object: "token",
            livemode: mode == Mode::Live,
            location: format!("/tokens/{}", token.id),
            used,
            charge_status,
            card: show(token.card, mode),
            created_at: token.created_at.to_string(),
            id: token.id.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct ChargeObject {
    object: &'static str,
    id: String,
    location: String,
    livemode: bool,
    amount: i64,
    currency: String,
    description: Option<String>,
    metadata: Map<String, Value>,
    status: &'static str,
    capture: bool,
    authorized: bool,
    captured: bool,
    paid: bool,
    card: CardObject,
    customer: Option<String>,
    failure_code: Option<&'static str>,
    failure_message: Option<String>,
    authorize_uri: Option<String>,
    acquirer: AcquiredObject,
    created_at: String,
}

/// The acquirer's side of a charge, which Omise's charges do not have.
#[derive(Debug, Serialize)]
struct AcquiredObject {
    name: &'static str,
    reference: Option<String>,
    code: Option<String>,
}

impl ChargeObject {
    pub(crate) fn new(charge: Charge, mode: Mode) -> Self {
        let order = charge.order;
        let customer = match order.source {
            Source::Token(_) => None,
            Source::Card { customer, .. } => Some(customer.to_string()),
        };
        let successful = charge.status == ChargeStatus::Successful;
        let failure = match charge.status {
            ChargeStatus::Failed(code) => Some(code),
            ChargeStatus::Pending | ChargeStatus::Successful => None,
        };
        Self {
            object: "charge",
            location: format!("/charges/{}", charge.id),
            livemode: mode == Mode::Live,
            amount: order.amount.units(),
            currency: order.currency.as_str().into(),
            description: text(order.description.as_ref()),
            metadata: order.metadata,
            status: charge.status.as_str(),
            // Money is taken at once: there is no authorizing first and capturing later yet.
            capture: true,
            authorized: successful,
            captured: successful,
            paid: successful,
            card: CardObject::for_merchant(charge.card, mode),
            customer,
            failure_code: failure.map(|code| code.as_str()),
            failure_message: failure.map(|code| code.to_string()),
            authorize_uri: charge.authorize_uri.map(|uri| uri.as_str().to_owned()),
            acquirer: AcquiredObject {
                name: charge.acquirer.name.as_str(),
                reference: charge.acquirer.reference.map(|reference| reference.as_str().to_owned()),
                code: charge.acquirer.code.map(|code| code.as_str().to_owned()),
            },
            created_at: charge.created_at.to_string(),
            id: charge.id.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct CustomerObject {
    object: &'static str,
    id: String,
    livemode: bool,
    location: String,
    deleted: bool,
    metadata: Map<String, Value>,
    cards: ListObject<CardObject>,
    default_card: Option<String>,
    description: Option<String>,
    email: Option<String>,
    created_at: String,
}

impl CustomerObject {
    pub(crate) fn new(customer: Customer, mode: Mode, now: Timestamp) -> Self {
        let Customer { id, created_at, profile, cards, default_card } = customer;
        let show = |card| CardObject::on_file(card, &id, mode);
        Self {
            object: "customer",
            livemode: mode == Mode::Live,
            location: format!("/customers/{id}"),
            deleted: false,
            metadata: profile.metadata,
            cards: ListObject::new(cards, cards_location(&id), now, show),
            default_card: default_card.map(|card| card.to_string()),
            description: text(profile.description.as_ref()),
            email: text(profile.email.as_ref()),
            created_at: created_at.to_string(),
            id: id.to_string(),
        }
    }
}

/// What Omise shows of a customer that is gone.
#[derive(Debug, Serialize)]
pub(crate) struct DeletedCustomerObject {
    object: &'static str,
    id: String,
    livemode: bool,
    location: String,
    deleted: bool,
    created_at: String,
}

impl DeletedCustomerObject {
    pub(crate) fn new(customer: &StoredCustomer, mode: Mode) -> Self {
        Self {
            object: "customer",
            id: customer.id.to_string(),
            livemode: mode == Mode::Live,
            location: format!("/customers/{}", customer.id),
            deleted: true,
            created_at: customer.created_at.to_string(),
        }
    }
}

/// Where a customer's cards are.
pub(crate) fn cards_location(customer: &CustomerId) -> String {
    format!("/customers/{customer}/cards")
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct ListObject<T> {
    object: &'static str,
    data: Vec<T>,
    limit: u8,
    offset: u32,
    total: u64,
    location: String,
    order: &'static str,
    from: String,
    to: String,
}

impl<T> ListObject<T> {
    /// A page of the list at `location`. `show` makes objects of what is in it.
    pub(crate) fn new<I>(page: Page<I>, location: String, now: Timestamp, show: impl FnMut(I) -> T) -> Self {
        let Page { window, items, total } = page;
        Self {
            object: "list",
            data: items.into_iter().map(show).collect(),
            limit: window.limit.items(),
            offset: window.offset,
            total,
            location,
            order: window.order.as_str(),
            from: window.from.to_string(),
            to: window.to.unwrap_or(now).to_string(),
        }
    }
}

/// An event, as it is shown and sent.
#[derive(Debug, Serialize)]
pub(crate) struct EventObject {
    object: &'static str,
    id: String,
    livemode: bool,
    location: String,
    key: String,
    data: Map<String, Value>,
    created_at: String,
}

impl EventObject {
    pub(crate) fn new(event: Event, mode: Mode) -> Self {
        Self {
            object: "event",
            livemode: mode == Mode::Live,
            location: format!("/events/{}", event.id),
            key: event.key,
            data: event.data,
            created_at: event.created_at.to_string(),
            id: event.id.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct WebhookObject {
    object: &'static str,
    id: String,
    livemode: bool,
    location: String,
    url: String,
    failed_attempts: u32,
    created_at: String,
}

impl WebhookObject {
    pub(crate) fn new(webhook: Webhook, mode: Mode) -> Self {
        Self {
            object: "webhook",
            livemode: mode == Mode::Live,
            location: format!("/webhooks/{}", webhook.id),
            url: webhook.url.as_str().into(),
            failed_attempts: webhook.failed_attempts,
            created_at: webhook.created_at.to_string(),
            id: webhook.id.to_string(),
        }
    }
}

/// A webhook with what is shown once.
#[derive(Debug, Serialize)]
pub(crate) struct NewWebhookObject {
    #[serde(flatten)]
    webhook: WebhookObject,
    secret: Zeroizing<String>,
}

impl NewWebhookObject {
    pub(crate) fn new(webhook: Webhook, secret: &WebhookSecret, mode: Mode) -> Self {
        let secret = Zeroizing::new(secret.expose().into());
        Self { webhook: WebhookObject::new(webhook, mode), secret }
    }
}

/// All of a merchant's webhooks: so few that there are no pages.
#[derive(Debug, Serialize)]
pub(crate) struct WebhookList {
    object: &'static str,
    data: Vec<WebhookObject>,
    total: usize,
    location: &'static str,
}

impl WebhookList {
    pub(crate) fn new(webhooks: Vec<Webhook>, mode: Mode) -> Self {
        let data: Vec<_> = webhooks.into_iter().map(|webhook| WebhookObject::new(webhook, mode)).collect();
        Self { object: "list", total: data.len(), data, location: "/webhooks" }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct DeletedWebhookObject {
    object: &'static str,
    id: String,
    livemode: bool,
    deleted: bool,
}

impl DeletedWebhookObject {
    pub(crate) fn new(id: &WebhookId, mode: Mode) -> Self {
        Self { object: "webhook", id: id.to_string(), livemode: mode == Mode::Live, deleted: true }
    }
}

/// A vendor's token. It has none of the members that a page would learn of a card by, when a page asks.
#[derive(Debug, Serialize)]
pub(crate) struct VendorTokenObject {
    object: &'static str,
    profile: &'static str,
    id: String,
    livemode: bool,
    state: String,
    created_at: String,
    #[serde(flatten)]
    told: Option<ToldObject>,
}

/// What a vendor has told of a token, for merchants' servers.
#[derive(Debug, Serialize)]
struct ToldObject {
    card_last_digits: Option<String>,
    card_expiry_date: Option<String>,
    token_expiry_date: Option<String>,
    par: Option<String>,
    last_update_timestamp: Option<String>,
}

impl VendorTokenObject {
    /// For a page.
    pub(crate) fn for_page(token: &VendorToken, mode: Mode) -> Self {
        Self {
            object: "vendor_token",
            profile: token.vendor.profile().as_str(),
            id: token.token_id.as_str().into(),
            livemode: mode == Mode::Live,
            state: token.state.as_str().into(),
            created_at: token.created_at.to_string(),
            told: None,
        }
    }

    /// For the merchant's server.
    pub(crate) fn new(token: &VendorToken, mode: Mode) -> Self {
        let facts = &token.facts;
        let told = ToldObject {
            card_last_digits: facts.card_last_digits.as_ref().map(|digits| digits.as_str().into()),
            card_expiry_date: facts.card_expiry.map(MonthYear::mmyy),
            token_expiry_date: facts.token_expiry.map(MonthYear::mmyy),
            par: facts.par.as_ref().map(|par| par.as_str().into()),
            last_update_timestamp: token.updated_at.map(|moment| moment.to_string()),
        };
        Self { told: Some(told), ..Self::for_page(token, mode) }
    }
}

/// A card with the members that Omise shows; the e-mail address, which acquirers get, is not one of them.
/// `first_digits` stays null: PCI DSS 3.4.1 allows them, but nobody here needs them.
#[derive(Debug, Serialize)]
pub(crate) struct CardObject {
    object: &'static str,
    id: String,
    livemode: bool,
    location: Option<String>,
    deleted: bool,
    street1: Option<String>,
    street2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    phone_number: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
    financing: Option<&'static str>,
    bank: Option<&'static str>,
    brand: &'static str,
    fingerprint: Option<String>,
    first_digits: Option<String>,
    last_digits: String,
    name: Option<String>,
    expiration_month: u8,
    expiration_year: u16,
    security_code_check: bool,
    tokenization_method: Option<String>,
    created_at: String,
}

impl CardObject {
    /// A customer's card. Unlike a token's it is somewhere.
    pub(crate) fn on_file(card: CardFacts, customer: &CustomerId, mode: Mode) -> Self {
        let location = Some(format!("{}/{}", cards_location(customer), card.id));
        Self { location, ..Self::for_merchant(card, mode) }
    }

    /// What was a customer's card.
    pub(crate) fn deleted(card: CardFacts, customer: &CustomerId, mode: Mode) -> Self {
        Self { deleted: true, ..Self::on_file(card, customer, mode) }
    }

    /// A token's card as a page sees it: what a receipt says. The other members are there, since Omise's clients read
    /// them, and null.
    ///
    /// `security_code_check`, which pages of Omise.js look at, is about the code that was sent, and only the test acquirer
    /// ever says yes: one that checked real codes when tokens are made would let pages search for them.
    fn for_page(card: CardFacts, mode: Mode) -> Self {
        Self {
            object: "card",
            id: card.id.to_string(),
            livemode: mode == Mode::Live,
            location: None,
            deleted: false,
            street1: None,
            street2: None,
            city: None,
            state: None,
            phone_number: None,
            postal_code: None,
            country: None,
            financing: None,
            bank: None,
            brand: card.brand.name(),
            fingerprint: None,
            first_digits: None,
            last_digits: card.last_digits,
            name: None,
            expiration_month: card.details.expiration_month,
            expiration_year: card.details.expiration_year,
            security_code_check: card.security_code_check,
            tokenization_method: None,
            created_at: card.created_at.to_string(),
        }
    }

    /// A card as the merchant's server sees it.
    fn for_merchant(card: CardFacts, mode: Mode) -> Self {
        let billing = &card.details.billing;
        Self {
            street1: text(billing.street1.as_ref()),
            street2: text(billing.street2.as_ref()),
            city: text(billing.city.as_ref()),
            state: text(billing.state.as_ref()),
            phone_number: text(billing.phone_number.as_ref()),
            postal_code: text(billing.postal_code.as_ref()),
            country: text(billing.country.as_ref()),
            // The vault has no table of banks. Omise also answers with empty texts where it does not know.
            financing: Some(""),
            bank: Some(""),
            fingerprint: Some(card.fingerprint.to_string()),
            name: card.details.name.clone(),
            ..Self::for_page(card, mode)
        }
    }
}

fn text(line: Option<&Line>) -> Option<String> {
    line.map(|line| line.as_str().to_owned())
}
