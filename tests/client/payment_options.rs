use cardseal::card::{Field, Reason};
use cardseal::client::cardseal::Billing;
use cardseal::client::{Error, Profile, Refusal, Token};
use cardseal::seal::KeySet;
use serde_json::json;

use super::recipient::Recipient;
use super::script::Script;
use super::stage::{NUMBER, Reply, card_of, refusal, reply, tokenize, vault};

fn billing() -> Billing {
    Billing {
        street1: Some("1-2-3 Shinjuku".into()),
        city: Some("Shinjuku-ku".into()),
        country: Some("JP".into()),
        postal_code: Some("1600022".into()),
        ..Billing::default()
    }
}

fn keys(recipient: &Recipient) -> Reply {
    reply(200, json!(KeySet { keys: vec![recipient.jwk.clone()] }))
}

fn token() -> Reply {
    let card =
        json!({ "brand": "Visa", "last_digits": "4242", "expiration_month": 12, "expiration_year": 2034 });
    let created_at = "2026-11-22T00:00:00Z";
    reply(
        200,
        json!({ "id": "tokn_test_1", "livemode": false, "used": false, "card": card, "created_at": created_at }),
    )
}

#[test]
fn a_card_becomes_the_vaults_own_token_which_is_told_what_it_is_for() {
    let recipient = Recipient::with_bits(2048);
    let script = Script::new([keys(&recipient), token()]);
    let token = tokenize(&vault(&script, Profile::PaymentOptions), card_of(NUMBER), &billing()).unwrap();
    assert!(matches!(token, Token::Card(token) if token.id == "tokn_test_1"));
    let body = script.bodies().remove(0);
    let seal = body["card"]["sealed"].as_str().unwrap();
    let content = recipient.open(seal).unwrap();
    assert!(String::from_utf8(content).unwrap().contains(NUMBER));
    let expected = json!({
        "card": {
            "sealed": seal,
            "street1": "1-2-3 Shinjuku",
            "city": "Shinjuku-ku",
            "country": "JP",
            "postal_code": "1600022",
        },
        "profile": "payment-options",
    });
    assert_eq!(body, expected);
}

#[test]
fn a_number_of_more_than_16_digits_is_refused_before_anything_is_sent() {
    let script = Script::new([]);
    let long = card_of("6447032400000000001");
    assert_eq!(
        tokenize(&vault(&script, Profile::PaymentOptions), long, &billing()),
        Err(Error::Invalid(Field::Number, Reason::TooLong))
    );
    assert_eq!(script.lines(), [""; 0]);
}

#[test]
fn a_billing_address_that_is_not_whole_is_refused_with_what_is_missing() {
    let without = |change: fn(&mut Billing)| {
        let mut billing = billing();
        change(&mut billing);
        billing
    };
    for (billing, missing) in [
        (Billing::default(), vec!["street1", "city", "country", "postal_code"]),
        (without(|billing| billing.street1 = None), vec!["street1"]),
        (without(|billing| billing.city = Some(String::new())), vec!["city"]),
        (without(|billing| billing.country = None), vec!["country"]),
        (without(|billing| billing.postal_code = None), vec!["postal_code"]),
    ] {
        let script = Script::new([]);
        let error =
            tokenize(&vault(&script, Profile::PaymentOptions), card_of(NUMBER), &billing).unwrap_err();
        for name in &missing {
            assert!(error.to_string().contains(name), "{error}");
        }
        assert_eq!(error, Error::MissingBilling(missing));
        assert_eq!(script.lines(), [""; 0]);
    }
}

#[test]
fn a_merchant_without_an_account_is_told_so() {
    let recipient = Recipient::with_bits(2048);
    let script = Script::new([keys(&recipient), refusal(403, "profile_not_allowed")]);
    let error = tokenize(&vault(&script, Profile::PaymentOptions), card_of(NUMBER), &billing()).unwrap_err();
    assert!(
        matches!(error, Error::Refused { refusal: Refusal::ProfileNotAllowed, status: 403, .. }),
        "{error:?}"
    );
    assert_eq!((error.code(), error.is_retryable()), ("profile_not_allowed", false));
}
