use std::sync::Arc;

use axum::http::StatusCode;
use cardseal_vault::merchant::{ClearCards, Mode};
use cardseal_vault::vault::Policy;
use serde_json::{Value, json};

use crate::support::{Asked, NOON, SHOP, VISA};

#[tokio::test]
async fn a_charge_is_shown_as_omise_shows_it() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let body = json!({
        "amount": 10_025, "currency": "thb", "card": token, "description": "Two coffees",
        "metadata": { "order": 7, "tags": ["a", { "b": null }] }, "return_uri": "https://shop.example/done",
    });
    let answer = asked.post("/charges", &account.secret_key, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let charge = answer.json();
    let id = charge["id"].as_str().unwrap();
    assert!(id.starts_with("chrg_test_"));
    let mut card = asked.get(&format!("/tokens/{token}"), &account.secret_key).await.json()["card"].clone();
    let expected = json!({
        "object": "charge", "id": id, "location": format!("/charges/{id}"), "livemode": false,
        "amount": 10_025, "currency": "THB", "description": "Two coffees",
        "metadata": { "order": 7, "tags": ["a", { "b": null }] },
        "status": "successful", "capture": true, "authorized": true, "captured": true, "paid": true,
        "card": card.take(), "customer": null, "failure_code": null, "failure_message": null,
        "authorize_uri": null, "acquirer": { "name": "test", "reference": null, "code": null },
        "created_at": "2026-11-21T12:00:00Z",
    });
    assert_eq!(charge, expected);
    assert_eq!(asked.get(&format!("/charges/{id}"), &account.secret_key).await.json(), expected);
    let token = asked.get(&format!("/tokens/{token}"), &account.public_key).await.json();
    assert_eq!((&token["used"], &token["charge_status"]), (&json!(true), &json!("successful")));
}

#[tokio::test]
async fn forms_charge_too() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let form = format!("amount=500&currency=JPY&card={token}&metadata[order]=7&capture=true");
    let answer =
        asked.post_text("/charges", &account.secret_key, "application/x-www-form-urlencoded", form).await;
    let charge = answer.json();
    assert_eq!((&charge["status"], &charge["metadata"]), (&json!("successful"), &json!({ "order": "7" })));
}

#[tokio::test]
async fn test_cards_fail_as_omise_documents() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for (number, code) in [
        ("4111111111140011", "insufficient_fund"),
        ("5555551111110011", "insufficient_fund"),
        ("3530111111190011", "insufficient_fund"),
        ("6250947000000014", "insufficient_fund"),
        ("4111111111130012", "stolen_or_lost_card"),
        ("4111111111120013", "failed_processing"),
        ("377138160000009", "failed_processing"),
        ("6447032400001111005", "failed_processing"),
        ("36021042111108", "failed_processing"),
        ("4111111111110014", "payment_rejected"),
        ("4111111111190016", "failed_fraud_check"),
        ("4111111111180017", "invalid_account_number"),
        ("4111111111160001", "invalid_security_code"),
        ("4111111111150002", "payment_rejected"),
        ("4111111111140003", "payment_rejected"),
    ] {
        let token = asked.token(&account, number).await;
        let answer = asked.charge(&account, &token).await;
        assert_eq!(answer.status, 200);
        let charge = answer.json();
        assert_eq!(
            (&charge["status"], &charge["failure_code"]),
            (&json!("failed"), &json!(code)),
            "{number}"
        );
        assert_eq!((&charge["paid"], &charge["authorized"]), (&json!(false), &json!(false)));
        assert!(charge["failure_message"].is_string());
        // A failed charge uses its token up.
        asked.charge(&account, &token).await.error(400, "used_token");
        let token = asked.get(&format!("/tokens/{token}"), &account.public_key).await.json();
        assert_eq!((&token["used"], &token["charge_status"]), (&json!(true), &json!("failed")));
    }
}

#[tokio::test]
async fn a_token_is_used_once_and_the_error_says_for_what() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let charge = asked.charge(&account, &token).await.json();
    let message = asked.charge(&account, &token).await.error(400, "used_token");
    assert!(message.contains(charge["id"].as_str().unwrap()), "{message}");
    assert_eq!(asked.count("charges").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_charges_at_once_one_gets_the_token() {
    let asked = Arc::new(Asked::new().await);
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (asked, account, token) = (Arc::clone(&asked), account.clone(), token.clone());
            tokio::spawn(async move { asked.charge(&account, &token).await })
        })
        .collect();
    let mut charged = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status == StatusCode::OK {
            charged += 1;
        } else {
            answer.error(400, "used_token");
        }
    }
    assert_eq!((charged, asked.count("charges").await), (1, 1));
}

#[tokio::test]
async fn wrong_charges_are_refused_and_use_nothing() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    for (name, value, status, code) in [
        ("amount", json!(0), 400, "invalid_amount"),
        ("amount", json!(-1), 400, "invalid_amount"),
        ("amount", json!(10.5), 400, "invalid_amount"),
        ("amount", json!("ten"), 400, "invalid_amount"),
        ("amount", json!(1_000_000_000_000_i64), 400, "invalid_amount"),
        ("amount", json!(u64::MAX), 400, "invalid_amount"),
        ("amount", json!(true), 400, "bad_request"),
        ("amount", Value::Null, 400, "bad_request"),
        ("currency", json!("baht"), 400, "bad_request"),
        ("currency", json!(764), 400, "bad_request"),
        ("currency", Value::Null, 400, "bad_request"),
        ("card", Value::Null, 400, "missing_card"),
        ("card", json!({ "number": "x" }), 400, "bad_request"),
        ("card", json!("tokn_test_nowhere"), 404, "not_found"),
        ("card", json!("4242424242424242"), 404, "not_found"),
        ("description", json!("card 4242 4242 4242 4242"), 400, "bad_request"),
        ("metadata", json!({ "card": "4242424242424242" }), 400, "bad_request"),
        ("metadata", json!({ "deep": [{ "card": 4_242_424_242_424_242_u64 }] }), 400, "bad_request"),
        ("metadata", json!("text"), 400, "bad_request"),
        ("capture", json!(false), 400, "bad_request"),
        ("customer", json!("cust_test_1"), 404, "not_found"),
        ("source", json!("src_test_1"), 400, "bad_request"),
        ("amuont", json!(1), 400, "bad_request"),
    ] {
        let mut body = json!({ "amount": 100, "currency": "THB", "card": token });
        body[name] = value;
        let answer = asked.post("/charges", &account.secret_key, &body).await;
        let message = answer.error(status, code);
        assert!(!message.contains("4242"), "{message}");
    }
    assert_eq!(asked.count("charges").await, 0);
    assert_eq!(asked.charge(&account, &token).await.status, 200);
}

#[tokio::test]
async fn live_charges_have_no_acquirer_and_use_nothing() {
    let asked = Asked::new().await;
    let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let token = asked.token(&account, VISA).await;
    asked.charge(&account, &token).await.error(422, "acquirer_not_configured");
    assert_eq!(asked.count("charges").await, 0);
    assert_eq!(asked.count("security_codes").await, 1);
    assert_eq!(asked.get(&format!("/tokens/{token}"), &account.public_key).await.json()["used"], false);
}

#[tokio::test]
async fn security_codes_end_with_the_charge_or_after_15_minutes() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let charged = asked.token(&account, VISA).await;
    let forgotten = asked.token(&account, VISA).await;
    assert_eq!(asked.count("security_codes").await, 2);
    asked.charge(&account, &charged).await;
    assert_eq!(asked.count("security_codes").await, 1);

    let lifetime = Policy::default().security_code_lifetime.as_secs();
    asked.set_time(NOON + lifetime - 1);
    assert_eq!(asked.vault.maintain().await.unwrap().security_codes, 0);
    asked.set_time(NOON + lifetime);
    assert_eq!(asked.vault.maintain().await.unwrap().security_codes, 1);
    assert_eq!(asked.count("security_codes").await, 0);
    // The token is as good as before.
    assert_eq!(asked.charge(&account, &forgotten).await.status, 200);
}
