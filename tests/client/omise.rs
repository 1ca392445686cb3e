use std::time::Duration;

use cardseal::card::{Card, Field};
use cardseal::client::cardseal::Billing;
use cardseal::client::{
    Answer, Cache, Error, Lost, Method, Profile, Refusal, Request, RequestId, Token, Vendor,
    cardseal as native,
};
use serde_json::{Value, json};

use super::script::{Script, run};
use super::stage::{BASIC, NUMBER, Reply, card_of, refusal, reply, tokenize, vault};

const ACCOUNT: &str = "GET https://vault.example/profiles/omise";
const TOKENS: &str = "POST https://vault.omise.co/tokens";

fn account_at(address: &str) -> Reply {
    let public_key = "pkey_test_5xuy4w91xqz7d1w9u0t";
    let profile = json!({ "object": "profile", "name": "omise", "livemode": false, "public_key": public_key, "address": address });
    reply(200, profile)
}

fn account() -> Reply {
    account_at("https://vault.omise.co")
}

fn token_json() -> Value {
    json!({
        "object": "token",
        "id": "tokn_test_no1t4tnemucod0e51mo",
        "livemode": false,
        "location": "https://vault.omise.co/tokens/tokn_test_no1t4tnemucod0e51mo",
        "used": false,
        "charge_status": "unknown",
        "card": {
            "object": "card",
            "id": "card_test_no1t4tnemucod0e51mo",
            "brand": "Visa",
            "last_digits": "4242",
            "name": "Somchai Prasert",
            "expiration_month": 12,
            "expiration_year": 2034,
            "security_code_check": true,
            "first_digits": null,
        },
        "created_at": "2019-12-31T12:59:59Z",
    })
}

fn made(
    card: Card,
    billing: &Billing,
    answers: impl IntoIterator<Item = Reply>,
) -> Result<native::Token, Error> {
    let script = Script::new(answers);
    let made = tokenize(&vault(&script, Profile::Omise), card, billing);
    script.lines();
    made.map(|token| match token {
        Token::Card(token) => token,
        other => panic!("{other:?}"),
    })
}

fn answered(answer: Reply) -> Result<native::Token, Error> {
    made(card_of(NUMBER), &Billing::default(), [account(), answer])
}

fn refused(code: &str, message: &str) -> Error {
    answered(reply(400, json!({ "object": "error", "location": "x", "code": code, "message": message })))
        .unwrap_err()
}

#[test]
fn a_card_goes_to_omise_itself_as_its_api_takes_it() {
    let script = Script::new([account(), reply(200, token_json())]);
    let billing = Billing {
        email: Some("somchai@example.com".into()),
        street1: Some("1448/4 \"Praditmanutham\"".into()),
        city: Some("Bangkok".into()),
        country: Some("TH".into()),
        ..Billing::default()
    };
    tokenize(&vault(&script, Profile::Omise), card_of(NUMBER), &billing).unwrap();
    assert_eq!(script.lines(), [ACCOUNT, TOKENS]);
    let sent = script.sent.borrow();
    assert_eq!(sent[0].header("Authorization"), Some(BASIC));
    // printf 'pkey_test_5xuy4w91xqz7d1w9u0t:' | base64
    let basic = "Basic cGtleV90ZXN0XzV4dXk0dzkxeHF6N2Qxdzl1MHQ6";
    let headers = [("Authorization", basic), ("Omise-Version", "2019-05-29")];
    assert_eq!(sent[1].headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let expected = json!({ "card": {
        "name": "Taro Yamada",
        "number": NUMBER,
        "expiration_month": 12,
        "expiration_year": 2034,
        "security_code": "987",
        "email": "somchai@example.com",
        "street1": "1448/4 \"Praditmanutham\"",
        "city": "Bangkok",
        "country": "TH",
    } });
    assert_eq!(script.bodies(), [expected]);
}

#[test]
fn nothing_of_the_card_is_in_what_a_request_prints() {
    let request = Request {
        method: Method::Post("4242424242424242"),
        url: "https://vault.omise.co/tokens",
        headers: &[],
        cache: Cache::Default,
    };
    assert!(!format!("{request:?} {request:#?}").contains("4242"));
}

#[test]
fn the_vault_is_asked_once_who_the_merchant_is_there() {
    let script = Script::new([account()]);
    let vault = vault(&script, Profile::Omise);
    run(vault.prepare());
    script.then([reply(200, token_json()), reply(200, token_json())]);
    for _ in 0..2 {
        tokenize(&vault, card_of(NUMBER), &Billing::default()).unwrap();
    }
    assert_eq!(script.lines(), [ACCOUNT, TOKENS, TOKENS]);
}

#[test]
fn no_card_goes_where_the_vault_names_no_proper_address_or_key() {
    for address in [
        "http://vault.omise.co",
        "https://vault.omise.co/x",
        "vault.omise.co",
        "javascript://x",
        "https://a@b.example",
        "",
    ] {
        let error = made(card_of(NUMBER), &Billing::default(), [account_at(address)]).unwrap_err();
        assert_eq!(error, Error::BadAnswer { status: 200 }, "{address}");
    }
    for key in ["skey_test_1", "pkey_", ""] {
        let account = reply(200, json!({ "public_key": key, "address": "https://vault.omise.co" }));
        let error = made(card_of(NUMBER), &Billing::default(), [account]).unwrap_err();
        assert_eq!(error, Error::BadAnswer { status: 200 }, "{key}");
    }
    let error =
        made(card_of(NUMBER), &Billing::default(), [refusal(403, "profile_not_allowed")]).unwrap_err();
    assert_eq!(error.code(), "profile_not_allowed");
}

#[test]
fn a_card_without_a_name_is_incomplete_before_anything_is_sent() {
    let card = Card { holder: None, ..card_of(NUMBER) };
    assert_eq!(made(card, &Billing::default(), []), Err(Error::Incomplete(Field::Holder)));
    let card = Card { security_code: None, ..card_of(NUMBER) };
    assert!(made(card, &Billing::default(), [account(), reply(200, token_json())]).is_ok());
}

#[test]
fn its_token_is_read_and_what_is_missing_of_its_card_is_the_cards_own() {
    let token = answered(reply(200, token_json())).unwrap();
    assert_eq!((&*token.id, token.livemode, token.used), ("tokn_test_no1t4tnemucod0e51mo", false, false));
    assert_eq!((token.card.name.as_deref(), token.card.security_code_check), (Some("Somchai Prasert"), true));
    for (card, status) in
        [(json!({}), json!(null)), (json!(null), json!("unknown")), (json!({ "brand": null }), json!(null))]
    {
        let mut json = token_json();
        json["card"] = card;
        json["charge_status"] = status;
        let card = answered(reply(200, json)).unwrap().card;
        assert_eq!(
            (&*card.brand, &*card.last_digits, card.expiration_month, card.expiration_year),
            ("Visa", "4242", 12, 2034)
        );
        assert_eq!((card.name, card.security_code_check), (None, false));
    }
    let mut json = token_json();
    json.as_object_mut().unwrap().remove("card");
    assert!(answered(reply(201, json)).is_ok());
}

#[test]
fn an_answer_that_is_no_token_is_none() {
    for (status, body) in
        [(200, ""), (200, "{}"), (204, ""), (302, ""), (404, "<html>"), (200, r#"{"id":"tokn_1"}"#)]
    {
        assert_eq!(answered(reply(status, body)), Err(Error::BadAnswer { status }), "{status} {body}");
    }
}

mod a_failure {
    use super::*;

    #[test]
    fn is_met_by_sending_again_where_omise_did_nothing() {
        for status in [429, 503] {
            let script =
                Script::new([account(), reply(status, ""), reply(status, ""), reply(200, token_json())]);
            tokenize(&vault(&script, Profile::Omise), card_of(NUMBER), &Billing::default()).unwrap();
            assert_eq!(script.lines(), [ACCOUNT, TOKENS, TOKENS, TOKENS]);
        }
    }

    #[test]
    fn is_waited_out_for_as_long_as_omise_asks() {
        let busy = Answer { status: 429, retry_after: Some(Duration::from_secs(3)), ..Answer::default() };
        let script = Script::with_jitter(0.0, [account(), Ok(busy), reply(200, token_json())]);
        tokenize(&vault(&script, Profile::Omise), card_of(NUMBER), &Billing::default()).unwrap();
        assert_eq!(*script.waits.borrow(), [Duration::from_secs(3)]);
    }

    #[test]
    fn is_never_met_by_sending_again_where_there_may_be_a_token_already() {
        for (failure, code) in [
            (Err(Lost::Network), "network_error"),
            (Err(Lost::Timeout), "timeout"),
            (reply(500, ""), "vendor_unavailable"),
            (reply(502, ""), "vendor_unavailable"),
            (reply(504, ""), "vendor_unavailable"),
        ] {
            let script = Script::new([account(), failure]);
            let error =
                tokenize(&vault(&script, Profile::Omise), card_of(NUMBER), &Billing::default()).unwrap_err();
            assert_eq!(error.code(), code);
            assert_eq!(script.lines(), [ACCOUNT, TOKENS]);
        }
    }

    #[test]
    fn that_stays_is_told() {
        for (status, code) in [(429, "rate_limited"), (503, "vendor_unavailable")] {
            let script = Script::new([account()]);
            script.then(vec![reply(status, json!({ "code": "busy", "message": "Busy." })); 4]);
            let error =
                tokenize(&vault(&script, Profile::Omise), card_of(NUMBER), &Billing::default()).unwrap_err();
            assert_eq!((error.code(), error.is_retryable(), error.status()), (code, true, Some(status)));
        }
    }

    #[test]
    fn that_is_not_the_cards_is_the_merchants_with_omises_code() {
        for code in ["authentication_failure", "bad_request", "failed_fraud_check", "brand_not_supported"] {
            let error = refused(code, "no");
            let vendor = Vendor {
                name: Profile::Omise,
                status: Some(400),
                code: Some(code.into()),
                correlation_id: None,
            };
            let (refusal, message) = (Refusal::VendorRefused, "no".into());
            assert_eq!(error, Error::Refused { refusal, status: 400, message, vendor: Some(vendor) });
        }
    }
}

mod a_complaint_about_the_card {
    use super::*;

    fn complaint(message: &str) -> (Option<Field>, String) {
        let error = refused("invalid_card", message);
        assert_eq!(error.code(), "invalid_card");
        assert_eq!(error.vendor().unwrap().code.as_deref(), Some("invalid_card"));
        (error.field(), error.to_string())
    }

    #[test]
    fn names_the_field_that_omises_sdks_find_in_it() {
        for (message, field) in [
            ("number can't be blank and brand not supported (unknown)", Field::Number),
            ("number is invalid and brand not supported (unknown)", Field::Number),
            ("brand not supported (unknown)", Field::Number),
            ("name can't be blank", Field::Holder),
            ("expiration date cannot be in the past", Field::Expiry),
            ("expiration year is invalid", Field::Expiry),
            ("expiration month is not between 1 and 12 and expiration date is invalid", Field::Expiry),
            ("name can't be blank, number is invalid, and expiration year is invalid", Field::Holder),
        ] {
            assert_eq!(complaint(message).0, Some(field), "{message}");
        }
        assert_eq!(complaint("something else").0, None);
    }

    #[test]
    fn says_nothing_of_the_brand_of_a_number_that_is_none() {
        assert_eq!(
            complaint("brand not supported (unknown), and number is invalid"),
            (Some(Field::Number), "number is invalid".into())
        );
        assert_eq!(complaint("brand not supported").1, "brand not supported");
    }

    #[test]
    fn never_shows_a_card_number_or_what_cannot_be_printed() {
        for message in [
            "number 4242424242424242 is invalid",
            "number 4242 4242 4242 4242 is invalid",
            "number 4242-4242-4242-4242 is invalid",
            "number\u{0}",
            "",
            &"number ".repeat(100),
        ] {
            assert_eq!(complaint(message).1, "Omise refused the card", "{message}");
        }
    }
}

#[test]
fn there_is_no_seal() {
    let script = Script::new([]);
    let error =
        run(vault(&script, Profile::Omise).seal(card_of(NUMBER), &RequestId::random().unwrap())).unwrap_err();
    assert_eq!((&error, error.code()), (&Error::NoSeal, "invalid_options"));
    assert_eq!(script.lines(), [""; 0]);
}
