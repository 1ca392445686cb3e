use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal_sandbox::callback::OAuth;
use cardseal_sandbox::thales_d1::{Card, Credentials, Event, Issuer, ThalesD1};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::client::trusting;
use crate::receiver::receiver;
use crate::sealing;

const CARD: &str = r#"{"pan":"4242424242424242","exp":"1230"}"#;

#[tokio::test]
async fn a_card_becomes_a_token_that_gives_cryptograms_until_it_is_deleted() {
    let (thales, client) = started().await;
    let access = authorized(&thales, &client).await;
    let ask = async |request: RequestBuilder| {
        request.bearer_auth(&access).header("x-correlation-id", "c-1").send().await.unwrap()
    };
    let sealed = sealing::to_ec(&thales.credentials.sealing_key, |_| {}, CARD);
    let created = ask(client.post(tokens(&thales)).json(&json!({ "encryptedData": sealed }))).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let created: Value = created.json().await.unwrap();
    let id = created["tokenId"].as_str().unwrap();
    let card = Card { pan: "4242424242424242".into(), exp: "1230".into() };
    assert_eq!(thales.token(id).unwrap().card, card);

    let token = format!("{}/{id}", tokens(&thales));
    let cryptogram: Value = ask(client.post(format!("{token}/cryptograms"))).await.json().await.unwrap();
    assert!(cryptogram["cryptogram"].is_string() && cryptogram["dpan"] != "4242424242424242");
    let shown: Value = ask(client.get(&token)).await.json().await.unwrap();
    assert_eq!(shown["state"], "ACTIVE");
    assert_eq!(ask(client.delete(&token)).await.status(), StatusCode::NO_CONTENT);
    let shown: Value = ask(client.get(&token)).await.json().await.unwrap();
    assert_eq!(shown["state"], "DELETED");
    assert_eq!(ask(client.post(format!("{token}/cryptograms"))).await.status(), StatusCode::CONFLICT);
    assert_eq!(thales.token(id).unwrap().cryptograms, 1);
}

#[tokio::test]
async fn an_assertion_is_the_clients_own_and_short_lived() {
    let (thales, client) = started().await;
    let credentials = &thales.credentials;
    let header = json!({ "alg": "ES256", "kid": credentials.signing_kid });
    let claims =
        |minutes: u64| json!({ "iss": credentials.merchant_gateway_id, "exp": now() + 60 * minutes });
    let good = assertion(&credentials.signing_key, &header, &claims(14));
    assert_eq!(authorize(&thales, &client, &good).await.status(), StatusCode::OK);

    let other = ThalesD1::start(0).await.unwrap();
    let expired = json!({ "iss": credentials.merchant_gateway_id, "exp": now() - 1 });
    for (number, refused) in [
        assertion(&other.credentials.signing_key, &header, &claims(14)),
        assertion(&credentials.signing_key, &json!({ "alg": "ES256" }), &claims(14)),
        assertion(&credentials.signing_key, &json!({ "alg": "ES256", "kid": "other" }), &claims(14)),
        assertion(
            &credentials.signing_key,
            &json!({ "alg": "none", "kid": "sandbox-signing-1" }),
            &claims(14),
        ),
        assertion(&credentials.signing_key, &header, &claims(16)),
        assertion(&credentials.signing_key, &header, &expired),
        assertion(&credentials.signing_key, &header, &json!({ "iss": "other", "exp": now() + 60 })),
        assertion(&credentials.signing_key, &header, &json!({ "iss": credentials.merchant_gateway_id })),
        "a.b".to_owned(),
        String::new(),
    ]
    .iter()
    .enumerate()
    {
        let answer = authorize(&thales, &client, refused).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{number}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "INVALID_FIELD");
    }
    assert_eq!(thales.authorizations(), 1);
}

#[tokio::test]
async fn nobody_gets_a_token_without_certificate_access_and_a_seal_as_documented() {
    let (thales, client) = started().await;
    let Credentials { authority, sealing_key, .. } = &thales.credentials;
    let stranger = trusting(authority, None);
    assert!(stranger.post(tokens(&thales)).send().await.is_err());

    let sealed = sealing::to_ec(sealing_key, |_| {}, CARD);
    let body = json!({ "encryptedData": sealed });
    let create = |access: &str, correlation: &str, body: &Value| {
        let request = client.post(tokens(&thales)).bearer_auth(access);
        request.header("x-correlation-id", correlation).json(body).send()
    };
    assert_eq!(create("other", "c", &body).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let access = authorized(&thales, &client).await;
    for correlation in ["", "c.c", &"c".repeat(65)] {
        assert_eq!(create(&access, correlation, &body).await.unwrap().status(), StatusCode::BAD_REQUEST);
    }
    let key = sealing_key;
    for (number, sealed) in [
        sealing::to_ec(key, |header| header["alg"] = json!("ECDH-ES+A256KW"), CARD),
        sealing::to_ec(key, |header| header["kid"] = json!("other"), CARD),
        sealing::to_ec(key, |header| header["apu"] = json!("QQ"), CARD),
        sealing::to_ec(key, |header| header["epk"]["crv"] = json!("P-384"), CARD),
        sealing::to_ec(key, |header| header["epk"]["x"] = header["epk"]["y"].clone(), CARD),
        sealing::to_ec(key, |_| {}, r#"{"fpan":"4242424242424242","exp":"1230"}"#),
        sealing::to_ec(key, |_| {}, r#"{"pan":"4242424242424242","exp":"1230","cvv":"123"}"#),
    ]
    .iter()
    .enumerate()
    {
        let refused = create(&access, "c", &json!({ "encryptedData": sealed })).await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{number}");
    }
    assert_eq!(create(&access, "c", &body).await.unwrap().status(), StatusCode::CREATED);
    thales.expire();
    assert_eq!(create(&access, "c", &body).await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn one_call_is_for_the_cards_of_every_issuer_that_takes_part() {
    let (thales, client) = started().await;
    let access = authorized(&thales, &client).await;
    for (pan, issuer, named) in [
        ("4242424242424242", Some(Issuer::North), true),
        ("5555555555554444", Some(Issuer::South), false),
        ("2223003122003222", Some(Issuer::South), false),
        ("3530111333300000", None, false),
        ("378282246310005", None, false),
    ] {
        let card = json!({ "pan": pan, "exp": "1230" }).to_string();
        let sealed = sealing::to_ec(&thales.credentials.sealing_key, |_| {}, &card);
        let request = client.post(tokens(&thales)).bearer_auth(&access).header("x-correlation-id", "c-1");
        let answer = request.json(&json!({ "encryptedData": sealed })).send().await.unwrap();
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(Issuer::of(pan), issuer, "{pan}");
        if let Some(issuer) = issuer {
            assert_eq!((status, answer["issuerId"].is_string()), (StatusCode::CREATED, named), "{pan}");
            assert_eq!(thales.token(answer["tokenId"].as_str().unwrap()).unwrap().issuer, issuer);
        } else {
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{pan}");
            assert_eq!(answer, json!({ "code": "CARD_NOT_ENROLLED" }));
        }
    }
}

#[tokio::test]
async fn what_happens_to_a_card_is_told_with_a_certificate() {
    let (thales, client) = started().await;
    let id = created(&thales, &client).await;
    for event in [
        Event::Renewal,
        Event::Replacement,
        Event::Suspension,
        Event::Resumption,
        Event::Unheard,
        Event::Deletion,
    ] {
        assert!(thales.happen(&id, event).is_some());
    }
    assert!(thales.happen("other", Event::Deletion).is_none());
    let notifications = thales.notifications(&id);
    let told = |member: &str| notifications.iter().map(|told| told.body[member].clone()).collect::<Vec<_>>();
    assert_eq!(
        told("state"),
        ["ACTIVE", "ACTIVE", "SUSPENDED", "ACTIVE", "HIBERNATED", "DELETED"].map(Value::from)
    );
    assert_eq!(told("cardExpiryDate")[0], "1233");
    let times = told("lastUpdateTimestamp");
    assert!(times.is_sorted_by(|one, next| one.as_str() < next.as_str()), "{times:?}");

    let oauth = OAuth { client_id: "thales".into(), client_secret: "s3cret".into() };
    let (server, receiver) = receiver(&thales.credentials.authority, Some(oauth)).await;
    for number in [5, 0, 0] {
        assert_eq!(thales.tell(&receiver, &notifications[number]).await.unwrap(), 204);
    }
    let records = server.records.all();
    let asked: Vec<_> = records.iter().map(|asked| &*asked.path).collect();
    let notify =
        format!("/merchant-gateways/sandbox-gateway/merchants/sandbox-merchant/tokens/{id}/notify-update");
    assert_eq!(asked, ["/oauth2/token", &notify].repeat(3));
    assert_eq!(records[0].body, "grant_type=client_credentials");
    assert_eq!(records[0].header("authorization"), Some("Basic dGhhbGVzOnMzY3JldA=="));
    assert_eq!(records[1].header("authorization"), Some("Bearer let-me-in"));
    assert!(records.iter().all(|asked| asked.client.is_some()));
    assert_eq!((&records[3].body, records[3].body == records[1].body), (&records[5].body, false));
}

async fn started() -> (ThalesD1, Client) {
    let thales = ThalesD1::start(0).await.unwrap();
    let client = trusting(&thales.credentials.authority, Some(&thales.credentials.client));
    (thales, client)
}

/// A token's id.
async fn created(thales: &ThalesD1, client: &Client) -> String {
    let sealed = sealing::to_ec(&thales.credentials.sealing_key, |_| {}, CARD);
    let access = authorized(thales, client).await;
    let request = client.post(tokens(thales)).bearer_auth(access).header("x-correlation-id", "c-1");
    let answer = request.json(&json!({ "encryptedData": sealed })).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["tokenId"].as_str().unwrap().to_owned()
}

fn tokens(thales: &ThalesD1) -> String {
    let Credentials { merchant_gateway_id, merchant_id, .. } = &thales.credentials;
    let url = thales.server.url();
    format!("{url}/merchant-gateways/{merchant_gateway_id}/merchants/{merchant_id}/tokens")
}

async fn authorized(thales: &ThalesD1, client: &Client) -> String {
    let credentials = &thales.credentials;
    let header = json!({ "alg": "ES256", "kid": credentials.signing_kid });
    let claims = json!({ "iss": credentials.merchant_gateway_id, "exp": now() + 600 });
    let assertion = assertion(&credentials.signing_key, &header, &claims);
    let answer: Value = authorize(thales, client, &assertion).await.json().await.unwrap();
    assert_eq!((&answer["expires_in"], &answer["token_type"]), (&json!(900), &json!("Bearer")));
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn authorize(thales: &ThalesD1, client: &Client, assertion: &str) -> Response {
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let request = client.post(format!("{}/authz/v1/oauth2/token", thales.server.url()));
    let body = json!({ "grant_type": grant, "assertion": assertion });
    request.header("x-correlation-id", "c-0").json(&body).send().await.unwrap()
}

fn assertion(pkcs8: &[u8], header: &Value, claims: &Value) -> String {
    let encode = |json: &Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap();
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(signature.as_ref()))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
