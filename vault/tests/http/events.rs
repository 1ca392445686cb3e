use serde_json::{Value, json};

use crate::support::{Asked, NOON, VISA};

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
