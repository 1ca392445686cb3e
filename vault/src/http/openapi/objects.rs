//! The objects that answers are made of: what `object.rs`, `list.rs` and the like write, member by member. None has a
//! member beside those that are named here.

use cardseal::card::Brand;
use cardseal::client::Profile;
use serde_json::{Value, json};

use super::schema::{
    Members, constant, line, matching, metadata, nullable, object, one_of, text, time, truth, whole,
};
use crate::acquirer::Name;
use crate::charge::{Amount, ChargeStatus, FailureCode};
use crate::event::EventKey;
use crate::http::code::Code;
use crate::http::health;
use crate::id::{CardId, ChargeId, CustomerId, EventId, MerchantId, PciTokenId, TokenId, WebhookId};
use crate::list::{Limit, Order};
use crate::store::Trouble;
use crate::time::Doubt;
use crate::vault::{Health, MOST_WEBHOOKS};
use crate::vendor::token::Relayed;

/// Makes the objects, so that none is missing in their list.
macro_rules! objects {
    ($($object:ident $schema:expr;)*) => {
        /// An object that answers show, under its name in the document's components.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::http) enum Object {
            $($object,)*
        }

        impl Object {
            /// Every object, by its name.
            pub(super) fn schemas() -> Value {
                [$((stringify!($object).to_owned(), $schema),)*].into_iter().collect()
            }

            const fn name(self) -> &'static str {
                match self {
                    $(Self::$object => stringify!($object),)*
                }
            }
        }
    };
}

objects! {
    Card card(Audience::Merchant);
    CardList list("A page of a customer's cards.", Object::Card);
    Charge charge();
    ClearCard clear_card();
    Customer customer();
    CustomerList list("A page of customers.", Object::Customer);
    DeletedCustomer deleted_customer();
    DeletedWebhook deleted_webhook();
    Error error();
    Event event();
    EventList list("A page of events.", Object::Event);
    JwkSet jwk_set();
    NewWebhook new_webhook();
    PageCard card(Audience::Page);
    PageToken token(Audience::Page);
    PaymentCredentials payment_credentials();
    PciToken pci_token();
    Profile profile();
    Readiness readiness();
    SealedCard sealed_card();
    Token token(Audience::Merchant);
    VendorToken vendor_token();
    Webhook webhook();
    WebhookList webhook_list();
}

impl Object {
    /// Where the document describes it.
    pub(in crate::http) fn reference(self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name()) })
    }
}

/// Whom an object is shown to.
#[derive(Clone, Copy, Debug)]
enum Audience {
    /// Whoever has the secret key.
    Merchant,
    /// Whoever has the public key, which is everybody.
    Page,
}

fn token(audience: Audience) -> Value {
    let statuses = ChargeStatus::EACH.map(ChargeStatus::as_str);
    let (about, card) = match audience {
        Audience::Merchant => ("What stands for a card, once.", Object::Card),
        Audience::Page => ("What stands for a card, once, as a public key sees it.", Object::PageCard),
    };
    object(
        about,
        &[
            ("object", constant("token")),
            ("id", id(&TokenId::pattern())),
            ("livemode", live_mode()),
            ("location", location()),
            ("used", truth("Whether it was charged or became a card on file. It is no use any more then.")),
            (
                "charge_status",
                one_of(
                    ["unknown"].into_iter().chain(statuses),
                    "What became of the charge that used it; `unknown` if none did.",
                ),
            ),
            ("card", card.reference()),
            ("created_at", made_at()),
        ],
        &[],
    )
}

fn card(audience: Audience) -> Value {
    let brands = Brand::ALL.iter().map(|brand| brand.name());
    // What a page learns nothing of is there for it, and null.
    let told = |schema: Value| match audience {
        Audience::Merchant => schema,
        Audience::Page => json!({ "type": "null", "description": "For the merchant's server only." }),
    };
    let facts: Members<'_> = &[
        ("object", constant("card")),
        ("id", id(&CardId::pattern())),
        ("livemode", live_mode()),
        ("location", nullable(text("Its path, if it is on file; a token's card has none."))),
        ("deleted", truth("Whether it was just deleted.")),
        ("street1", told(nullable(line("First line of the street address.")))),
        ("street2", told(nullable(line("Second line of the street address.")))),
        ("city", told(nullable(line("City.")))),
        ("state", told(nullable(line("State, province or prefecture.")))),
        ("phone_number", told(nullable(line("Telephone number.")))),
        ("postal_code", told(nullable(line("Postal code.")))),
        ("country", told(nullable(line("Country, two letters (ISO 3166-1).")))),
        ("financing", told(json!({ "const": "", "description": "Not known to the vault." }))),
        ("bank", told(json!({ "const": "", "description": "Not known to the vault." }))),
        ("brand", one_of(brands, "The card's brand; its own if it is co-badged.")),
        ("fingerprint", told(text("The same for the same card number of the same merchant. Base64."))),
        ("first_digits", json!({ "type": "null", "description": "Never shown." })),
        ("last_digits", matching("^[0-9]{4}$", "The last four digits of its number.")),
        ("name", told(nullable(text("The cardholder's name.")))),
        ("expiration_month", whole(1, 12, "Month of expiry.")),
        ("expiration_year", whole(2000, 9999, "Year of expiry.")),
        ("security_code_check", truth("Whether its security code was checked and is right.")),
        ("tokenization_method", json!({ "type": "null", "description": "Not known to the vault." })),
        ("created_at", time("When its token was made.")),
    ];
    let about = match audience {
        Audience::Merchant => "What may be known of a card: nothing that it could be charged with.",
        Audience::Page => {
            "What a public key may know of a card: nothing by which the same card is known again."
        }
    };
    object(about, facts, &[])
}

fn charge() -> Value {
    let failures = FailureCode::ALL.map(FailureCode::as_str);
    object(
        "Money taken with a card, or not.",
        &[
            ("object", constant("charge")),
            ("id", id(&ChargeId::pattern())),
            ("location", location()),
            ("livemode", live_mode()),
            (
                "amount",
                whole(1, Amount::MAX, "In the currency's smallest unit: 1960 is ¥1,960, or 19.60 baht."),
            ),
            ("currency", matching("^[A-Z]{3}$", "Three letters (ISO 4217).")),
            ("description", nullable(line("Yours."))),
            ("metadata", metadata()),
            (
                "status",
                one_of(
                    ChargeStatus::EACH.map(ChargeStatus::as_str),
                    "`pending` until it is known what became of it; the vault finds that out.",
                ),
            ),
            ("capture", json!({ "const": true, "description": "Money is taken at once." })),
            ("authorized", truth("Whether it is successful.")),
            ("captured", truth("Whether it is successful.")),
            ("paid", truth("Whether it is successful.")),
            ("card", Object::Card.reference()),
            ("customer", nullable(matching(&CustomerId::pattern(), "Whose card on file was charged."))),
            ("failure_code", nullable(one_of(failures, "Why it failed, if it did."))),
            ("failure_message", nullable(text("The same for people. It may change."))),
            (
                "authorize_uri",
                nullable(text(
                    "Where the holder goes to let it happen (3-D Secure), while it waits for that.",
                )),
            ),
            ("acquirer", acquired()),
            ("created_at", made_at()),
        ],
        &[],
    )
}

/// The acquirer's side of a charge.
fn acquired() -> Value {
    object(
        "Who was asked for the money, and in which words it answered.",
        &[
            ("name", one_of(Name::ALL.map(Name::as_str), "Which acquirer.")),
            ("reference", nullable(text("Its name for the payment, once it is known."))),
            (
                "code",
                nullable(text("Its code for what came of it, if it told one. Its documents explain it.")),
            ),
        ],
        &[],
    )
}

fn customer() -> Value {
    object(
        "Somebody who comes again, with the first of the cards that were left.",
        &[
            ("object", constant("customer")),
            ("id", id(&CustomerId::pattern())),
            ("livemode", live_mode()),
            ("location", location()),
            ("deleted", json!({ "const": false })),
            ("metadata", metadata()),
            ("cards", Object::CardList.reference()),
            (
                "default_card",
                nullable(matching(&CardId::pattern(), "The card that is charged when none is named.")),
            ),
            ("description", nullable(line("Yours."))),
            ("email", nullable(line("E-mail address."))),
            ("created_at", made_at()),
        ],
        &[],
    )
}

fn deleted_customer() -> Value {
    object(
        "What was a customer.",
        &[
            ("object", constant("customer")),
            ("id", id(&CustomerId::pattern())),
            ("livemode", live_mode()),
            ("location", location()),
            ("deleted", json!({ "const": true })),
            ("created_at", made_at()),
        ],
        &[],
    )
}

fn event() -> Value {
    let any = [Object::Card, Object::Charge, Object::Customer, Object::DeletedCustomer, Object::VendorToken];
    object(
        "Something that happened. Webhooks are sent the same.",
        &[
            ("object", constant("event")),
            ("id", id(&EventId::pattern())),
            ("livemode", live_mode()),
            ("location", location()),
            ("key", one_of(EventKey::ALL.map(EventKey::as_str), "What happened.")),
            (
                "data",
                json!({
                    "description": "What it happened to, as it was then.",
                    "anyOf": any.map(Object::reference),
                }),
            ),
            ("created_at", time("When it happened.")),
        ],
        &[],
    )
}

/// A webhook's members.
fn webhook_members() -> Vec<(&'static str, Value)> {
    vec![
        ("object", constant("webhook")),
        ("id", id(&WebhookId::pattern())),
        ("livemode", live_mode()),
        ("location", location()),
        ("url", json!({ "type": "string", "format": "uri", "description": "Where events are sent." })),
        ("failed_attempts", whole(0, u32::MAX.into(), "How often the event that is next was tried in vain.")),
        ("created_at", time("When it was made. It gets the events from then on.")),
    ]
}

fn webhook() -> Value {
    object("Where you hear of events.", &webhook_members(), &[])
}

fn new_webhook() -> Value {
    let about = "What messages are signed with: the key of an HMAC-SHA-256. Shown this once.";
    let mut members = webhook_members();
    members.push(("secret", matching("^whsec_[0-9a-z]+$", about)));
    object("A webhook with its secret.", &members, &[])
}

fn webhook_list() -> Value {
    object(
        "All of a merchant's webhooks.",
        &[
            ("object", constant("list")),
            ("data", array(Object::Webhook, i64::from(MOST_WEBHOOKS))),
            ("total", whole(0, MOST_WEBHOOKS.into(), "How many there are.")),
            ("location", constant("/webhooks")),
        ],
        &[],
    )
}

fn deleted_webhook() -> Value {
    object(
        "What was a webhook.",
        &[
            ("object", constant("webhook")),
            ("id", id(&WebhookId::pattern())),
            ("livemode", live_mode()),
            ("deleted", json!({ "const": true })),
        ],
        &[],
    )
}

fn list(about: &str, of: Object) -> Value {
    object(
        about,
        &[
            ("object", constant("list")),
            ("data", array(of, Limit::MAX.into())),
            ("limit", whole(1, Limit::MAX.into(), "Most items of a page.")),
            ("offset", whole(0, u32::MAX.into(), "How many items are left out before the page.")),
            ("total", whole(0, i64::MAX, "How many there are, on other pages too.")),
            ("location", text("The list's path.")),
            ("order", one_of(Order::ALL.map(Order::as_str), "What comes first.")),
            ("from", time("Since when what is listed was made.")),
            ("to", time("Until when it was made.")),
        ],
        &[],
    )
}

fn pci_token() -> Value {
    object(
        "What stands for a card until it is deleted, under Thales's names.",
        &[
            ("tokenId", id(&PciTokenId::pattern())),
            ("merchantId", matching(&MerchantId::pattern(), "The key's merchant.")),
            ("state", one_of(["ACTIVE", "DELETED"], "Whether its card is still there.")),
            ("cardLastDigits", matching("^[0-9]{4}$", "The last four digits of its card's number.")),
            ("creationTimestamp", made_at()),
            ("lastUpdateTimestamp", time("When its state changed last.")),
        ],
        &[
            ("cardExpiryDate", expiry("Its card's expiry, while it is active.")),
            (
                "cardBrand",
                one_of(Brand::ALL.iter().map(|brand| brand.name()), "Its card's brand, while it is active."),
            ),
        ],
    )
}

fn clear_card() -> Value {
    let mut card = object(
        "A card in the clear. Whoever holds it is in scope of PCI DSS.",
        &[("fpan", matching("^[0-9]{12,19}$", "Its number.")), ("exp", expiry("Its expiry."))],
        &[],
    );
    card["examples"] = json!([{ "fpan": "4242424242424242", "exp": "1230" }]);
    card
}

fn jwk_set() -> Value {
    let base64url = |about| matching("^[A-Za-z0-9_-]+$", about);
    let key = object(
        "A public key (RFC 7517).",
        &[
            ("kty", constant("RSA")),
            ("alg", constant("RSA-OAEP-256")),
            ("use", constant("enc")),
            ("kid", base64url("Its thumbprint (RFC 7638).")),
            ("n", base64url("Modulus, big-endian, base64url.")),
            ("e", base64url("Public exponent, big-endian, base64url.")),
            (
                "livemode",
                truth(
                    "Whether it is for real cards: for public keys that begin with pkey_ and not pkey_test_.",
                ),
            ),
        ],
        &[],
    );
    object("The keys to seal cards to.", &[("keys", json!({ "type": "array", "items": key }))], &[])
}

fn profile() -> Value {
    let base64url = |about| matching("^[A-Za-z0-9_-]+$", about);
    let key = object(
        "A public key (RFC 7517): RSA for RSA-OAEP-256, or P-256 for ECDH-ES.",
        &[
            ("kty", one_of(["EC", "RSA"], "RSA, or EC.")),
            ("alg", one_of(["ECDH-ES", "RSA-OAEP-256"], "How content keys are wrapped or agreed on.")),
            ("use", constant("enc")),
            ("kid", text("The vendor's name for it.")),
        ],
        &[
            ("n", base64url("Modulus, big-endian, base64url.")),
            ("e", base64url("Public exponent, big-endian, base64url.")),
            ("crv", constant("P-256")),
            ("x", base64url("Coordinate, big-endian, base64url.")),
            ("y", base64url("Coordinate, big-endian, base64url.")),
        ],
    );
    object(
        "Whose token a card becomes, and what a form needs for it.",
        &[
            ("object", constant("profile")),
            ("name", one_of(Profile::ALL.map(Profile::as_str), "Whose token.")),
            ("livemode", truth("Whether cards are real.")),
        ],
        &[
            (
                "keys",
                json!({ "type": "array", "items": key, "description": "Keys to seal to, if the vendor takes seals." }),
            ),
            ("public_key", text("The merchant's key at Omise.")),
            ("address", text("Where Omise takes cards.")),
        ],
    )
}

fn vendor_token() -> Value {
    let relayed = [Relayed::ThalesD1, Relayed::ThalesPci].map(|vendor| vendor.profile().as_str());
    object(
        "A vendor's token.",
        &[
            ("object", constant("vendor_token")),
            ("profile", one_of(relayed, "Whose it is.")),
            ("id", text("The vendor's name for it.")),
            ("livemode", live_mode()),
            (
                "state",
                one_of(
                    ["ACTIVE", "SUSPENDED", "DELETED", "UNKNOWN"],
                    "What it can be used for. `UNKNOWN` is one that the vault does not know: not to be used for now.",
                ),
            ),
            ("created_at", made_at()),
        ],
        &[
            ("card_last_digits", nullable(matching("^[0-9]{1,4}$", "The last digits of its card's number."))),
            ("card_expiry_date", nullable(expiry("Its card's expiry."))),
            ("token_expiry_date", nullable(expiry("The expiry of what stands in the card's place."))),
            ("par", nullable(matching("^[A-Z0-9]{29}$", "The payment account reference."))),
            ("last_update_timestamp", nullable(time("When the vendor says that it changed last."))),
        ],
    )
}

fn sealed_card() -> Value {
    object(
        "A card, sealed to the merchant's own key.",
        &[
            ("object", constant("sealed_card")),
            ("profile", constant(Relayed::ThalesPci.profile().as_str())),
            ("id", text("The token.")),
            ("encryptedData", text("A JWE in compact form.")),
        ],
        &[],
    )
}

fn payment_credentials() -> Value {
    let mut credentials = object(
        "What stands in a card's place for a payment.",
        &[
            ("object", constant("payment_credentials")),
            ("profile", constant(Relayed::ThalesD1.profile().as_str())),
            ("id", text("The token.")),
            ("dpan", matching("^[0-9]{12,19}$", "The number.")),
            ("expiry", expiry("Its expiry.")),
            ("cryptogram", nullable(text("For this one payment; none for one that follows another."))),
        ],
        &[],
    );
    credentials["examples"] = json!([{
        "object": "payment_credentials",
        "profile": "thales-d1",
        "id": "3k7x9w",
        "dpan": "4242424242424242",
        "expiry": "1230",
        "cryptogram": "AgAAAAAABk4DWZ4C28yUQAAAAAA=",
    }]);
    credentials
}

fn readiness() -> Value {
    const CLOCK: &str =
        "Whether the clock is trusted, or why not. A vault whose clock is not is ready all the same.";
    let health = |about| one_of([Health::Failing, Health::Ok].map(Health::as_str), about);
    let troubles = [Trouble::Busy, Trouble::Full, Trouble::ReadOnly].map(health::trouble);
    let storing = troubles.into_iter().chain([Health::Ok.as_str()]);
    let checks = object(
        "What was looked at.",
        &[
            ("clock", one_of(Doubt::EACH.map(Doubt::as_str).into_iter().chain([Health::Ok.as_str()]), CLOCK)),
            ("database", one_of(storing, "Something can be stored, or why not.")),
            ("keys", health("The keys for what is stored are unlocked and active.")),
            ("sealing_key", health("There is a key to seal cards to.")),
            ("serving", health("The vault is not about to stop.")),
        ],
        &[],
    );
    object(
        "How the vault is.",
        &[("status", health("Whether requests should be sent here.")), ("checks", checks)],
        &[],
    )
}

fn error() -> Value {
    let vendor = object(
        "What a vendor said, where it is about one.",
        &[("name", one_of(Profile::ALL.map(Profile::as_str), "The vendor's profile."))],
        &[
            ("status", whole(100, 999, "The status that it answered with.")),
            ("code", matching("^[A-Z][A-Z0-9_]{0,63}$", "Its own code.")),
            ("correlation_id", text("What the request was called that it was asked with.")),
        ],
    );
    let mut error = object(
        "Why a request was not fulfilled.",
        &[
            ("object", constant("error")),
            ("location", matching("^/docs/errors#[a-z-]+$", "Where the vault says what to do.")),
            (
                "code",
                one_of(Code::ALL.iter().map(|code| code.as_str()), "For programs. Codes stay as they are."),
            ),
            ("message", text("For people. It may change.")),
        ],
        &[("vendor", vendor)],
    );
    error["examples"] = json!([{
        "object": "error",
        "location": "/docs/errors#not-found",
        "code": "not_found",
        "message": "token was not found",
    }]);
    error
}

fn array(of: Object, most: i64) -> Value {
    json!({ "type": "array", "items": of.reference(), "maxItems": most })
}

fn id(pattern: &str) -> Value {
    matching(pattern, "Its id.")
}

fn live_mode() -> Value {
    truth("Whether card and money are real.")
}

fn location() -> Value {
    text("Its path.")
}

fn made_at() -> Value {
    time("When it was made.")
}

fn expiry(about: &str) -> Value {
    matching("^(0[1-9]|1[0-2])[0-9]{2}$", &format!("{about} Month and year, `MMYY`."))
}
