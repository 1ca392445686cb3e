use cardseal_vault::merchant::{ClearCards, Mode};
use serde_json::{Value, json};

use crate::support::{Asked, SHOP, VISA, clear_card};

#[tokio::test]
async fn json_and_form_give_a_token_as_omise_shows_it() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let form = "card[name]=Somchai+Prasert&card[number]=4242+4242+4242+4242&card[expiration_month]=12\
                &card[expiration_year]=30&card[security_code]=123&card[city]=Bangkok&card[country]=th\
                &card[street1]=1448%2F4+Praditmanutham+Road&card[postal_code]=10320\
                &card[phone_number]=0123456789&card[email]=somchai%40shop.example&card[state]=";
    let json = json!({ "card": {
        "name": "Somchai Prasert", "number": "4242424242424242", "expiration_month": "12", "expiration_year": 2030,
        "security_code": 123, "city": "Bangkok", "country": "th", "street1": "1448/4 Praditmanutham Road",
        "postal_code": "10320", "phone_number": "0123456789", "email": "somchai@shop.example", "state": null,
    } });
    let form =
        asked.post_text("/tokens", &account.public_key, "application/x-www-form-urlencoded", form).await;
    let json = asked.post("/tokens", &account.public_key, &json).await;
    for answer in [form, json] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let token = answer.json();
        let id = token["id"].as_str().unwrap();
        let card_id = token["card"]["id"].as_str().unwrap();
        assert!(id.starts_with("tokn_test_") && card_id.starts_with("card_test_"));
        let path = format!("/tokens/{id}");
        let of_server = asked.get(&path, &account.secret_key).await.json();
        let fingerprint = of_server["card"]["fingerprint"].as_str().unwrap();
        assert_eq!(fingerprint.len(), 44);
        let expected = json!({
            "object": "token", "id": id, "livemode": false, "location": format!("/tokens/{id}"),
            "used": false, "charge_status": "unknown",
            "card": {
                "object": "card", "id": card_id, "livemode": false, "location": null, "deleted": false,
                "street1": "1448/4 Praditmanutham Road", "street2": null, "city": "Bangkok", "state": null,
                "phone_number": "0123456789", "postal_code": "10320", "country": "th",
                "financing": "", "bank": "", "brand": "Visa", "fingerprint": fingerprint,
                "first_digits": null, "last_digits": "4242", "name": "Somchai Prasert",
                "expiration_month": 12, "expiration_year": 2030, "security_code_check": true,
                "tokenization_method": null, "created_at": "2026-11-21T12:00:00Z",
            },
            "created_at": "2026-11-21T12:00:00Z",
        });
        assert_eq!(of_server, expected);
        // A page is told what a receipt says; the other members are there for Omise's clients.
        let mut expected = expected;
        for member in [
            "street1",
            "street2",
            "city",
            "state",
            "phone_number",
            "postal_code",
            "country",
            "financing",
            "bank",
            "fingerprint",
            "name",
        ] {
            expected["card"][member] = Value::Null;
        }
        assert_eq!(token, expected);
        assert_eq!(asked.get(&path, &account.public_key).await.json(), expected);
    }
}

#[tokio::test]
async fn wrong_cards_are_refused_in_omises_words() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for (changes, message) in [
        (json!({ "number": null }), "number can't be blank and brand not supported (unknown)"),
        (json!({ "number": "" }), "number can't be blank and brand not supported (unknown)"),
        (json!({ "number": "4242424242424241" }), "number is invalid"),
        (json!({ "number": "4242" }), "number is invalid"),
        (json!({ "number": "42424242424242424242" }), "number is invalid"),
        (json!({ "number": "424242424242424x" }), "number is invalid"),
        (json!({ "number": "9999999999999995" }), "number is invalid and brand not supported (unknown)"),
        (json!({ "name": null }), "name can't be blank"),
        (json!({ "name": "  " }), "name can't be blank"),
        (json!({ "name": "4242 4242 4242 4242" }), "name is invalid"),
        (json!({ "expiration_year": 2026, "expiration_month": 10 }), "expiration date cannot be in the past"),
        (json!({ "expiration_year": 2126 }), "expiration year is invalid"),
        (
            json!({ "expiration_month": 13 }),
            "expiration month is not between 1 and 12 and expiration date is invalid",
        ),
        (
            json!({ "expiration_month": "0" }),
            "expiration month is not between 1 and 12 and expiration date is invalid",
        ),
        (json!({ "expiration_month": 12.5 }), "expiration date is invalid"),
        (json!({ "expiration_month": "x" }), "expiration date is invalid"),
        (json!({ "expiration_month": null }), "expiration month can't be blank"),
        (json!({ "expiration_year": "" }), "expiration year can't be blank"),
        (json!({ "security_code": "12" }), "security code is invalid"),
        (json!({ "security_code": "1234" }), "security code is invalid"),
        (
            json!({ "number": "", "name": "", "expiration_month": "", "expiration_year": "" }),
            "name can't be blank, number can't be blank, brand not supported (unknown), \
             expiration month can't be blank, and expiration year can't be blank",
        ),
    ] {
        let mut body = clear_card(VISA);
        merge(&mut body["card"], &changes);
        let answer = asked.post("/tokens", &account.public_key, &body).await;
        assert_eq!(answer.error(400, "invalid_card"), message, "{changes}");
    }
    assert_eq!(asked.count("tokens").await, 0);
}

#[tokio::test]
async fn a_card_is_good_through_its_last_month_everywhere() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let mut body = clear_card(VISA);
    merge(&mut body["card"], &json!({ "expiration_month": 11, "expiration_year": 2026 }));
    // 1 December, 00:00 UTC: still November where the day begins last.
    asked.set_time(1_796_083_200);
    assert_eq!(asked.post("/tokens", &account.public_key, &body).await.status, 200);
    asked.set_time(1_796_083_200 + 12 * 60 * 60);
    asked.post("/tokens", &account.public_key, &body).await.error(400, "invalid_card");
}

#[tokio::test]
async fn live_cards_are_sealed_unless_the_merchant_may_send_clear_ones() {
    let asked = Asked::new().await;
    let sealed_only = asked.merchant_with(Mode::Live, ClearCards::Refused, SHOP).await;
    let message = asked.post("/tokens", &sealed_only.public_key, &clear_card(VISA)).await;
    assert!(message.error(403, "clear_card_not_allowed").contains("--clear-card"));
    assert_eq!(asked.count("tokens").await, 0);

    let allowed = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let token = asked.post("/tokens", &allowed.public_key, &clear_card(VISA)).await.json();
    assert_eq!((&token["livemode"], &token["card"]["livemode"]), (&json!(true), &json!(true)));
    assert!(!token["id"].as_str().unwrap().starts_with("tokn_test_"));
    // Nobody has checked it.
    assert_eq!(token["card"]["security_code_check"], false);
}

#[tokio::test]
async fn brands_have_omises_names() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for (number, brand) in [
        ("4111111111111111", "Visa"),
        ("5454545454545454", "MasterCard"),
        ("3566111111111113", "JCB"),
        ("378282246310005", "American Express"),
        ("6447032400000000001", "Discover"),
        ("36021042000004", "Diners Club"),
        ("6250947000000006", "UnionPay"),
    ] {
        let card =
            asked.post("/tokens", &account.public_key, &clear_card(number)).await.json()["card"].clone();
        assert_eq!(card["brand"], brand);
        assert_eq!(card["last_digits"], number[number.len() - 4..]);
    }
}

#[tokio::test]
async fn security_codes_are_checked_when_given() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let wrong = asked.post("/tokens", &account.public_key, &clear_card("4111111111160001")).await;
    assert_eq!(wrong.json()["card"]["security_code_check"], false);
    let mut without = clear_card(VISA);
    merge(&mut without["card"], &json!({ "security_code": null }));
    let without = asked.post("/tokens", &account.public_key, &without).await;
    assert_eq!(without.json()["card"]["security_code_check"], false);
}

fn merge(card: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        card[name] = value.clone();
    }
}
