use cardseal_sandbox::thales_pci::{Card, Credentials, Event, ThalesPci, Token};
use reqwest::{Client, Response, StatusCode, tls};
use serde_json::{Value, json};

use crate::client::{speaking, trusting};
use crate::receiver::receiver;
use crate::sealing;

const CARD: &str = r#"{"fpan":"4242424242424242","exp":"1230"}"#;

#[tokio::test]
async fn a_card_becomes_a_token_and_is_deleted() {
    let (thales, client) = started().await;
    let answer = create(&thales, &client, "c-1", CARD).await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = answer.json().await.unwrap();
    let id = answer["tokenId"].as_str().unwrap();
    let card = Card { fpan: "4242424242424242".into(), exp: "1230".into() };
    assert_eq!((thales.token(id), answer.as_object().unwrap().len()), (Some(Token::Active(card)), 1));

    let path = format!("{}/tsh-cof/pci-tokens/{id}", thales.server.url());
    let delete = |correlation: &str| signed(&thales, client.delete(&path), correlation).send();
    assert_eq!(delete("c-2").await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(thales.token(id), Some(Token::Deleted));
    assert_eq!(delete("c-3").await.unwrap().status(), StatusCode::NOT_FOUND);

    let records = thales.server.records.all();
    assert_eq!(records.len(), 3);
    assert!(records[0].body.contains("encryptedData") && !records[0].body.contains("4242"));
    assert_eq!(records[0].client.as_ref().unwrap().len(), 64);
}

#[tokio::test]
async fn nobody_gets_in_without_certificate_key_and_a_new_correlation_id() {
    let (thales, client) = started().await;
    let Credentials { authority, client: identity, .. } = &thales.credentials;
    let stranger = trusting(authority, None);
    assert!(create(&thales, &stranger, "c-1", CARD).await.is_err());
    let other = ThalesPci::start(0).await.unwrap();
    let stranger = trusting(authority, Some(&other.credentials.client));
    assert!(create(&thales, &stranger, "c-1", CARD).await.is_err());
    let newer = speaking(authority, identity, tls::Version::TLS_1_3);
    assert!(create(&thales, &newer, "c-1", CARD).await.is_err());
    assert!(thales.server.records.all().is_empty());

    let url = format!("{}/tsh-cof/pci-tokens", thales.server.url());
    let bare = client.post(&url).header("x-correlation-id", "c-0").send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
    for correlation in ["", &"c".repeat(37)] {
        let refused = create(&thales, &client, correlation, CARD).await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{correlation}");
    }
    assert_eq!(create(&thales, &client, &"c".repeat(36), CARD).await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(
        create(&thales, &client, &"c".repeat(36), CARD).await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn only_what_is_documented_is_sealed_and_sent() {
    let (thales, client) = started().await;
    for (number, card) in [
        r#"{"fpan":"4242424242424242","exp":"1330"}"#,
        r#"{"fpan":"4242424242424242","exp":"12/30"}"#,
        r#"{"fpan":"4242 4242 4242 4242","exp":"1230"}"#,
        r#"{"fpan":"42424242424242424242","exp":"1230"}"#,
        r#"{"fpan":"4242424242424242"}"#,
        r#"{"fpan":"4242424242424242","exp":"1230","cvv":"123"}"#,
        r#"{"pan":"4242424242424242","exp":"1230"}"#,
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let refused = create(&thales, &client, &format!("c-{number}"), card).await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{card}");
    }
    let Credentials { certificate, kid, merchant_id, .. } = &thales.credentials;
    let good = sealing::to_rsa(certificate, &header(kid), CARD);
    let refused_headers = [
        json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "other" }),
        json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM" }),
        json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": kid }),
        json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": kid, "zip": "DEF" }),
    ];
    let mut bodies: Vec<_> = refused_headers
        .iter()
        .map(|header| json!({ "merchantId": merchant_id, "encryptedData": sealing::to_rsa(certificate, header, CARD) }))
        .collect();
    bodies.extend([
        json!({ "merchantId": "other", "encryptedData": good }),
        json!({ "encryptedData": good }),
        json!({ "merchantId": merchant_id, "encryptedData": good, "source": "MANUAL" }),
        json!({ "merchantId": merchant_id, "encryptedData": format!("{good}A") }),
        json!({ "merchantId": merchant_id, "encryptedData": format!("{good}.") }),
    ]);
    for (number, body) in bodies.iter().enumerate() {
        let refused = post(&thales, &client, &format!("d-{number}"), body).await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    assert!(
        thales.server.records.all().iter().all(|exchange| exchange.answer.as_ref().unwrap().status == 400)
    );
}

#[tokio::test]
async fn a_card_comes_back_sealed_to_the_clients_own_key() {
    let (thales, client) = started().await;
    let id = created(&thales, &client).await;
    let path = format!("{}/tsh-cof/pci-tokens/{id}/detokenize", thales.server.url());
    let answer = signed(&thales, client.post(&path), "c-2").send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    let card = sealing::open_rsa(&thales.credentials.own_key, answer["encryptedData"].as_str().unwrap());
    assert_eq!(serde_json::from_slice::<Value>(&card).unwrap(), serde_json::from_str::<Value>(CARD).unwrap());
    assert!(!answer.to_string().contains("4242"));

    assert!(thales.happen(&id, Event::Deletion).is_some());
    let answer = signed(&thales, client.post(&path), "c-3").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_happens_to_a_card_is_told_with_a_certificate() {
    let (thales, client) = started().await;
    let id = created(&thales, &client).await;
    for event in [Event::Renewal, Event::Unheard, Event::Deletion] {
        assert!(thales.happen(&id, event).is_some());
    }
    assert!(thales.happen(&id, Event::Renewal).is_none());
    assert!(thales.happen("other", Event::Renewal).is_none());
    let (server, receiver) = receiver(&thales.credentials.authority, None).await;
    let stranger = ThalesPci::start(0).await.unwrap();
    for notification in thales.notifications(&id) {
        assert_eq!(thales.tell(&receiver, &notification).await.unwrap(), 204);
        assert!(stranger.tell(&receiver, &notification).await.is_err());
    }
    let records = server.records.all();
    let told: Vec<Value> = records.iter().map(|told| serde_json::from_str(&told.body).unwrap()).collect();
    assert_eq!(
        told.iter().map(|told| &told["state"]).collect::<Vec<_>>(),
        ["ACTIVE", "HIBERNATED", "DELETED"]
    );
    assert_eq!((&told[0]["cardExpiryDate"], &told[0]["cardLastDigits"]), (&json!("1231"), &json!("4242")));
    assert!(told.is_sorted_by_key(|told| told["lastUpdateTimestamp"].as_str().unwrap().to_owned()));
    assert!(records.iter().all(|told| told.client.is_some() && told.header("x-correlation-id").is_some()));
}

async fn started() -> (ThalesPci, Client) {
    let thales = ThalesPci::start(0).await.unwrap();
    let client = trusting(&thales.credentials.authority, Some(&thales.credentials.client));
    (thales, client)
}

/// A token's id.
async fn created(thales: &ThalesPci, client: &Client) -> String {
    let answer: Value = create(thales, client, "c-1", CARD).await.unwrap().json().await.unwrap();
    answer["tokenId"].as_str().unwrap().to_owned()
}

fn header(kid: &str) -> Value {
    json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": kid })
}

fn signed(
    thales: &ThalesPci,
    request: reqwest::RequestBuilder,
    correlation: &str,
) -> reqwest::RequestBuilder {
    let key = format!("APIKEY {}", thales.credentials.api_key);
    request.header("authorization", key).header("x-correlation-id", correlation)
}

async fn post(
    thales: &ThalesPci,
    client: &Client,
    correlation: &str,
    body: &Value,
) -> reqwest::Result<Response> {
    let request = client.post(format!("{}/tsh-cof/pci-tokens", thales.server.url()));
    signed(thales, request, correlation).json(body).send().await
}

async fn create(
    thales: &ThalesPci,
    client: &Client,
    correlation: &str,
    card: &str,
) -> reqwest::Result<Response> {
    let Credentials { certificate, kid, merchant_id, .. } = &thales.credentials;
    let sealed = sealing::to_rsa(certificate, &header(kid), card);
    post(thales, client, correlation, &json!({ "merchantId": merchant_id, "encryptedData": sealed })).await
}
