use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use cardseal_vault::acquirer::Acquirers;
use serde_json::{Value, json};

use crate::support::{Account, Answer, Asked, NOON, VISA, request};

const DAY: u64 = 24 * 60 * 60;

impl Asked {
    /// A charge that may be sent again.
    async fn charge_as(&self, key: &str, account: &Account, body: &Value) -> Answer {
        self.post_as(key, "/charges", account, body).await
    }

    async fn post_as(&self, key: &str, path: &str, account: &Account, body: &Value) -> Answer {
        let request = request(Method::POST, path, &account.secret_key)
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }
}

fn order(token: &str) -> Value {
    json!({ "amount": 10_000, "currency": "THB", "card": token, "metadata": { "order": 7, "a": [null, true] } })
}

#[tokio::test]
async fn the_same_request_again_brings_the_first_charge() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let first = asked.charge_as("order-7", &account, &order(&token)).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (StatusCode::OK, None));
    let again = asked.charge_as("order-7", &account, &order(&token)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::OK, Some("true")));
    assert_eq!(again.json(), first.json());

    // The order of its parameters is not what makes a request another one.
    let text = format!(
        r#"{{"metadata":{{"a":[null,true],"order":7}},"card":"{token}","currency":"THB","amount":10000}}"#
    );
    let other_order: Value = serde_json::from_str(&text).unwrap();
    let again = asked.charge_as("order-7", &account, &other_order).await;
    assert_eq!(again.json(), first.json());
    assert_eq!((asked.count("charges").await, asked.count("idempotency_keys").await), (1, 1));

    // Without the key the token is used, whoever asks.
    asked.charge(&account, &token).await.error(400, "used_token");
    asked.charge_as("order-8", &account, &order(&token)).await.error(400, "used_token");
    assert_eq!(asked.count("idempotency_keys").await, 1);
}

#[tokio::test]
async fn a_charge_that_comes_again_is_shown_as_it_is_by_then() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let body = json!({ "amount": 111_102, "currency": "THB", "card": token });
    let first = asked.charge_as("order-7", &account, &body).await.json();
    assert_eq!(first["status"], "pending");
    assert_eq!(asked.charge_as("order-7", &account, &body).await.json()["status"], "pending");
    asked.set_time(NOON + 60);
    asked.vault.resolve_charges().await.unwrap();
    let again = asked.charge_as("order-7", &account, &body).await.json();
    assert_eq!((&again["id"], &again["status"]), (&first["id"], &json!("failed")));
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let asked = Asked::new().await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let (token, unused) = (asked.token(&account, VISA).await, asked.token(&account, VISA).await);
    let body = order(&token);
    asked.charge_as("order-7", &account, &body).await;
    for (name, value) in [
        ("amount", json!(10_001)),
        ("amount", json!("10000")),
        ("currency", json!("JPY")),
        ("card", json!(unused)),
        ("description", json!("x")),
        ("metadata", json!({ "order": 8, "a": [null, true] })),
        ("metadata", json!({ "order": 7, "a": [null, false] })),
        ("metadata", json!({ "order": 7, "a": [null], "true": true })),
        ("metadata", Value::Null),
    ] {
        let mut changed = body.clone();
        changed[name] = value;
        asked.charge_as("order-7", &account, &changed).await.error(422, "idempotency_mismatch");
    }
    assert_eq!(asked.count("charges").await, 1);

    // Keys are a merchant's own.
    let token = asked.token(&other, VISA).await;
    let charge = asked.charge_as("order-7", &other, &order(&token)).await;
    assert_eq!((charge.status, charge.header("idempotency-replayed")), (StatusCode::OK, None));
}

#[tokio::test]
async fn a_key_is_known_for_a_day() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let first = asked.charge_as("order-7", &account, &order(&token)).await.json();

    asked.set_time(NOON + DAY - 1);
    assert_eq!(asked.vault.maintain().await.unwrap().idempotency_keys, 0);
    assert_eq!(asked.charge_as("order-7", &account, &order(&token)).await.json()["id"], first["id"]);

    // Until maintenance has come by, which only looks at a clock that is trusted.
    asked.set_time(NOON + DAY);
    assert_eq!(asked.charge_as("order-7", &account, &order(&token)).await.json()["id"], first["id"]);
    assert_eq!(asked.vault.maintain().await.unwrap().idempotency_keys, 1);
    asked.charge_as("order-7", &account, &order(&token)).await.error(400, "used_token");
    let token = asked.token(&account, VISA).await;
    let second = asked.charge_as("order-7", &account, &order(&token)).await.json();
    assert_ne!(second["id"], first["id"]);
    asked.set_time(NOON + 2 * DAY);
    assert_eq!(asked.vault.maintain().await.unwrap().idempotency_keys, 1);
    assert_eq!(asked.count("idempotency_keys").await, 0);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    asked.charge_as("order-7", &account, &order("tokn_test_nowhere")).await.error(404, "not_found");
    let token = asked.token(&account, VISA).await;
    let charge = asked.charge_as("order-7", &account, &order(&token)).await;
    assert_eq!((charge.status, charge.header("idempotency-replayed")), (StatusCode::OK, None));
}

#[tokio::test]
async fn keys_that_are_none_are_refused_and_charge_nothing() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    for key in ["", "two words", "4242424242424242", "order-4242-4242-4242-4242", &"x".repeat(256)] {
        let message = asked.charge_as(key, &account, &order(&token)).await.error(400, "bad_request");
        assert!(message.contains("Idempotency-Key") && !message.contains("4242"), "{message}");
    }
    let twice = request(Method::POST, "/charges", &account.secret_key)
        .header(CONTENT_TYPE, "application/json")
        .header("idempotency-key", "a")
        .header("idempotency-key", "b")
        .body(Body::from(order(&token).to_string()))
        .unwrap();
    asked.send(twice).await.error(400, "bad_request");
    assert_eq!((asked.count("charges").await, asked.count("idempotency_keys").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_on_two_processes_one_charges() {
    let one = Arc::new(Asked::new().await);
    let two = Arc::new(one.beside(Acquirers::default()).await);
    let account = one.merchant().await;
    for round in 0..5 {
        let token = one.token(&account, VISA).await;
        let tasks: Vec<_> = (0..8)
            .map(|index| {
                let asked = Arc::clone(if index % 2 == 0 { &one } else { &two });
                let (account, body, key) = (account.clone(), order(&token), format!("order-{round}"));
                tokio::spawn(async move { asked.charge_as(&key, &account, &body).await })
            })
            .collect();
        let (mut ids, mut first) = (Vec::new(), 0);
        for task in tasks {
            let answer = task.await.unwrap();
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            first += usize::from(answer.header("idempotency-replayed").is_none());
            ids.push(answer.json()["id"].clone());
        }
        ids.dedup();
        assert_eq!((ids.len(), first), (1, 1));
    }
    assert_eq!(one.count("charges").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_made_once_too() {
    let one = Arc::new(Asked::new().await);
    let two = Arc::new(one.beside(Acquirers::default()).await);
    let account = one.merchant().await;
    let body = json!({ "email": "somchai@example.com", "card": one.token(&account, VISA).await });
    let tasks: Vec<_> = (0..8)
        .map(|index| {
            let asked = Arc::clone(if index % 2 == 0 { &one } else { &two });
            let (account, body) = (account.clone(), body.clone());
            tokio::spawn(async move { asked.post_as("customer-7", "/customers", &account, &body).await })
        })
        .collect();
    let (mut ids, mut first) = (Vec::new(), 0);
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        first += usize::from(answer.header("idempotency-replayed").is_none());
        ids.push(answer.json()["id"].clone());
    }
    ids.dedup();
    assert_eq!((ids.len(), first, one.count("customers").await), (1, 1, 1));

    let changed = json!({ "email": "somsri@example.com" });
    let answer = one.post_as("customer-7", "/customers", &account, &changed).await;
    answer.error(422, "idempotency_mismatch");
    // The key is the customer's, whatever else is asked for.
    let charge = order(&one.token(&account, VISA).await);
    one.charge_as("customer-7", &account, &charge).await.error(422, "idempotency_mismatch");
}
