use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use cardseal_vault::id::SecretKey;
use cardseal_vault::list::Window;
use serde_json::{Value, json};

use crate::support::{Account, Answer, Asked, NOON, VISA, request};

const MASTERCARD: &str = "5555555555554444";

#[tokio::test]
async fn events_are_listed_in_the_order_in_which_they_happened() {
    let asked = Asked::new().await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let mut expected = Vec::new();
    for second in 0..3 {
        asked.set_time(NOON + second);
        let charge = asked.charge(&account, &asked.token(&account, VISA).await).await.json();
        let told = |key: &str| (json!(key), charge["id"].clone());
        expected.extend([told("charge.create"), told("charge.complete")]);
    }
    let told = |list: &Value| -> Vec<(Value, Value)> {
        let events = list["data"].as_array().unwrap();
        events.iter().map(|event| (event["key"].clone(), event["data"]["id"].clone())).collect()
    };
    let list = asked.get("/events", &account.secret_key).await.json();
    assert_eq!(
        (told(&list), &list["total"], &list["location"]),
        (expected.clone(), &json!(6), &json!("/events"))
    );
    let path = "/events?order=reverse_chronological&limit=2&offset=1";
    let list = asked.get(path, &account.secret_key).await.json();
    assert_eq!(told(&list), [expected[4].clone(), expected[3].clone()]);
    let list =
        asked.get("/events?from=2026-11-21T12:00:01Z&to=2026-11-21T12:00:01Z", &account.secret_key).await;
    assert_eq!(told(&list.json()), expected[2..4]);

    assert_eq!(asked.get("/events", &other.secret_key).await.json()["total"], 0);
    asked.get("/events", &account.public_key).await.error(401, "authentication_failure");
    asked.get("/events?limit=0", &account.secret_key).await.error(400, "bad_request");
}

#[tokio::test]
async fn what_happens_to_customers_and_their_cards_is_told_as_it_was_then() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let change = async |method: Method, path: &str, body: Value| -> Answer {
        let request = request(method, path, &account.secret_key).header(CONTENT_TYPE, "application/json");
        asked.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let mut answers = Vec::new();
    let card = asked.token(&account, VISA).await;
    let customer =
        change(Method::POST, "/customers", json!({ "email": "a@b.example", "card": card })).await.json();
    let path = customer["location"].as_str().unwrap().to_owned();
    let card = format!("{path}/cards/{}", customer["default_card"].as_str().unwrap());
    answers.push(("customer.create", customer));
    answers.push((
        "customer.update",
        change(Method::PATCH, &path, json!({ "email": "c@d.example" })).await.json(),
    ));
    // The same card once more, and another.
    for number in [VISA, MASTERCARD] {
        let token = asked.token(&account, number).await;
        let changed = change(Method::PATCH, &path, json!({ "card": token })).await;
        answers.push(("customer.update.card", changed.json()));
    }
    answers.push(("card.update", change(Method::PATCH, &card, json!({ "name": "Somchai" })).await.json()));

    let events = told(&asked, &account).await;
    assert_eq!(events, answers.iter().map(|(key, told)| (json!(key), told.clone())).collect::<Vec<_>>());
    assert_eq!(events[3].1["cards"]["total"], 2);
    assert_eq!(events[0].1["email"], "a@b.example");

    // What is deleted is told without what names the holder.
    let mut deleted = change(Method::DELETE, &card, json!({})).await.json();
    (deleted["name"], deleted["fingerprint"]) = (Value::Null, json!(""));
    let gone = change(Method::DELETE, &path, json!({})).await.json();
    let events = told(&asked, &account).await.split_off(events.len());
    assert_eq!(events, [(json!("card.destroy"), deleted), (json!("customer.destroy"), gone)]);
}

#[tokio::test]
async fn what_did_not_happen_is_not_told() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let used = asked.token(&account, VISA).await;
    asked.charge(&account, &used).await;
    let before = told(&asked, &account).await;
    let secret = &account.secret_key;
    asked.post("/customers", secret, &json!({ "card": used })).await.error(400, "used_token");
    asked.post("/customers", secret, &json!({ "card": "tokn_test_0" })).await.error(404, "not_found");
    for (method, path) in [
        (Method::PATCH, "/customers/cust_test_0"),
        (Method::DELETE, "/customers/cust_test_0"),
        (Method::DELETE, "/customers/cust_test_0/cards/card_test_0"),
    ] {
        let request = request(method, path, secret).header(CONTENT_TYPE, "application/json");
        asked.send(request.body(Body::from("{}")).unwrap()).await.error(404, "not_found");
    }
    assert_eq!(told(&asked, &account).await, before);
}

/// An older version beside a newer one, or after it.
#[tokio::test]
async fn an_event_of_a_newer_version_is_shown_as_it_is() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    asked.charge(&account, &asked.token(&account, VISA).await).await;
    asked.execute("UPDATE events SET key = 'charge.split' WHERE seq = 1").await;
    let key = SecretKey::parse(&account.secret_key).unwrap();
    let (merchant, _) = asked.vault.key_holder(key.hash()).await.unwrap().unwrap();
    let events = asked.vault.events(&merchant, Window::default()).await.unwrap();
    let keys: Vec<_> = events.items.iter().map(|event| &*event.key).collect();
    assert_eq!(keys, ["charge.split", "charge.complete"]);
}

/// A merchant's events: what happened, and the object.
async fn told(asked: &Asked, account: &Account) -> Vec<(Value, Value)> {
    let list = asked.get("/events", &account.secret_key).await.json();
    let events = list["data"].as_array().unwrap();
    events.iter().map(|event| (event["key"].clone(), event["data"].clone())).collect()
}
