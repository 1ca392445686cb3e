use std::time::{Duration, Instant};

use cardseal_sandbox::{Control, Sandbox, Tap};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::client::trusting;
use crate::receiver::receiver;
use crate::sealing;

#[tokio::test]
async fn servers_are_told_how_to_answer_and_asked_what_they_were_asked() {
    let sandbox = Sandbox::start().await.unwrap();
    let control = Control::start(0, sandbox.clone(), None).await.unwrap();
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

#[tokio::test]
async fn things_happen_to_cards_and_are_told_when_it_is_said() {
    let sandbox = Sandbox::start().await.unwrap();
    let control = Control::start(0, sandbox.clone(), None).await.unwrap();
    let (client, thales) = (Client::new(), &sandbox.thales_pci);
    let credentials = &thales.credentials;
    let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": credentials.kid });
    let sealed =
        sealing::to_rsa(&credentials.certificate, &header, r#"{"fpan":"4242424242424242","exp":"1230"}"#);
    let created: Value = trusting(&credentials.authority, Some(&credentials.client))
        .post(format!("{}/tsh-cof/pci-tokens", thales.server.url()))
        .header("authorization", format!("APIKEY {}", credentials.api_key))
        .header("x-correlation-id", "c-1")
        .json(&json!({ "merchantId": credentials.merchant_id, "encryptedData": sealed }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = format!("{}/thales-pci/tokens/{}", control.url(), created["tokenId"].as_str().unwrap());
    let post = async |path: String, body: &Value| client.post(path).json(body).send().await.unwrap();

    let events = format!("{token}/events");
    assert_eq!(post(events.clone(), &json!({ "event": "renewal" })).await.status(), StatusCode::CREATED);
    assert!(post(events.clone(), &json!({ "event": "suspension" })).await.status().is_client_error());
    assert_eq!(post(events.clone(), &json!({ "event": "deletion" })).await.status(), StatusCode::CREATED);
    assert_eq!(post(events, &json!({ "event": "renewal" })).await.status(), StatusCode::NOT_FOUND);
    let told: Value =
        client.get(format!("{token}/notifications")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&told[0]["state"], &told[1]["state"]), (&json!("ACTIVE"), &json!("DELETED")));

    let (server, receiver) = receiver(&credentials.authority, None).await;
    let receiver = json!({ "url": receiver.url, "authority": receiver.authority });
    for number in [1, 0, 1] {
        let answer = post(format!("{token}/notifications/{number}"), &receiver).await;
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "status": 204 }));
    }
    let bodies: Vec<Value> =
        server.records.all().iter().map(|told| serde_json::from_str(&told.body).unwrap()).collect();
    assert_eq!(bodies, [&told[1], &told[0], &told[1]].map(Clone::clone));
    let missing = post(format!("{token}/notifications/2"), &receiver).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    drop(server);
    let nobody = post(format!("{token}/notifications/0"), &receiver).await;
    assert_eq!(nobody.status(), StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn what_went_over_the_wires_is_shown_without_a_card() {
    let sandbox = Sandbox::start().await.unwrap();
    // In the vault's place.
    let tap = Tap::start(0, &sandbox.omise.server.url()).await.unwrap();
    let vault = tap.server().url();
    let control = Control::start(0, sandbox.clone(), Some(tap)).await.unwrap();
    let client = Client::new();
    let form = [("card[number]", "4242424242424242"), ("card[security_code]", "123")];
    let request = client.post(format!("{vault}/tokens")).header("origin", "https://shop.example");
    let answer = request.form(&form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    client.get(format!("{vault}/v1/cardseal.js")).send().await.unwrap();

    let shown = client.get(format!("{}/wires", control.url())).send().await.unwrap();
    let wires: Vec<Value> = shown.json().await.unwrap();
    // At the tap and behind it, the asset at the vendor only, who has none.
    let ways: Vec<_> = wires.iter().map(|wire| (wire["from"].as_str(), wire["to"].as_str())).collect();
    assert_eq!(ways, [(Some("browser"), Some("omise")), (Some("browser"), Some("vault"))]);
    assert_eq!(wires[1]["status"], 401);
    assert_eq!(wires[1]["request"][1], json!({ "black": 16 }));
    let text = json!(wires).to_string();
    assert!(!text.contains("4242") && !text.contains("123"), "{text}");
}
