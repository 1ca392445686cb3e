use std::time::{Duration, Instant};

use cardseal_sandbox::{Control, Sandbox};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn servers_are_told_how_to_answer_and_asked_what_they_were_asked() {
    let sandbox = Sandbox::start().await.unwrap();
    let control = Control::start(0, sandbox.clone()).await.unwrap();
    let client = Client::new();
    let told = |name: &str, mood: &str, requests: usize| {
        let url = format!("{}/{name}/moods", control.url());
        client.post(url).json(&json!({ "mood": mood, "requests": requests })).send()
    };
    let url = format!("{}/charges", sandbox.omise.server.url());
    let ask = async || client.get(&url).send().await;

    assert_eq!(told("omise", "status:503", 2).await.unwrap().status(), StatusCode::NO_CONTENT);
    told("omise", "garbage", 1).await.unwrap();
    told("omise", "hang-up", 1).await.unwrap();
    told("omise", "lose-answer", 1).await.unwrap();
    for _ in 0..2 {
        assert_eq!(ask().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let garbage = ask().await.unwrap();
    assert!(garbage.json::<Value>().await.is_err());
    assert!(ask().await.is_err());
    assert!(ask().await.is_err());
    assert_eq!(ask().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);

    let records: Value =
        client.get(format!("{}/omise/records", control.url())).send().await.unwrap().json().await.unwrap();
    let statuses: Vec<_> =
        records.as_array().unwrap().iter().map(|record| &record["answer"]["status"]).collect();
    assert_eq!(statuses, [&json!(503), &json!(503), &json!(405), &Value::Null, &Value::Null, &json!(405)]);
    assert_eq!(records[0]["path"], "/charges");
    client.delete(format!("{}/omise/records", control.url())).send().await.unwrap();
    assert!(sandbox.omise.server.records.all().is_empty());

    told("omise", "late:50", 1).await.unwrap();
    let begun = Instant::now();
    ask().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(50));
    told("omise", "hang-up", 9).await.unwrap();
    client.delete(format!("{}/omise/moods", control.url())).send().await.unwrap();
    assert!(ask().await.is_ok());

    assert_eq!(told("stripe", "well", 1).await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(told("omise", "angry", 1).await.unwrap().status(), StatusCode::BAD_REQUEST);
    for name in Sandbox::NAMES {
        assert!(sandbox.server(name).is_some(), "{name}");
    }
}
