//! Thales D1: access, issuers, and what payments are made with.

use axum::http::StatusCode;
use cardseal::client::Profile;
use cardseal_sandbox::Mood;
use cardseal_sandbox::thales_d1::Event;
use cardseal_vault::access::Permission;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Shop, VISA, now, path, refused};
use crate::support::Answer;

const D1: Profile = Profile::ThalesD1;

#[tokio::test]
async fn a_card_becomes_a_token_and_the_vault_passes_nothing_else_on() {
    let shop = Shop::open().await;
    let jwe = shop.seal(D1, VISA).await;
    let created = shop.send(D1, &jwe).await.json();
    let id = created["id"].as_str().unwrap();
    assert_eq!((&created["profile"], &created["state"]), (&json!("thales-d1"), &json!("ACTIVE")));
    let thales = &shop.vendors.sandbox.thales_d1;
    assert_eq!(thales.token(id).unwrap().card.pan, VISA);

    let records = thales.server.records.all();
    let [access, create] = &records[..] else { panic!("{records:?}") };
    assert_eq!(access.path, "/authz/v1/oauth2/token");
    assert_eq!(create.path, "/merchant-gateways/sandbox-gateway/merchants/sandbox-merchant/tokens");
    assert_eq!(serde_json::from_str::<Value>(&create.body).unwrap(), json!({ "encryptedData": jwe }));
    assert!(create.header("authorization").unwrap().starts_with("Bearer "));
    assert_ne!(access.header("x-correlation-id"), create.header("x-correlation-id"));
    assert!(access.client.is_some() && access.client == create.client);
}

#[tokio::test]
async fn fifty_requests_share_one_access_token() {
    let shop = Shop::open().await;
    let mut seals = Vec::new();
    for _ in 0..50 {
        seals.push(shop.seal(D1, VISA).await);
    }
    let answers = join_all(seals.iter().map(|jwe| shop.send(D1, jwe))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(shop.vendors.sandbox.thales_d1.authorizations(), 1);

    // And they renew it once, when D1 refuses it.
    shop.vendors.sandbox.thales_d1.expire();
    let mut seals = Vec::new();
    for _ in 0..50 {
        seals.push(shop.seal(D1, VISA).await);
    }
    let answers = join_all(seals.iter().map(|jwe| shop.send(D1, jwe))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(shop.vendors.sandbox.thales_d1.authorizations(), 1);
    assert_eq!(shop.asked_for(D1, "POST", "/oauth2/token"), 2);
}

#[tokio::test]
async fn access_is_renewed_before_it_ends() {
    let shop = Shop::open().await;
    let begun = now() - 9 * 60;
    shop.asked.set_time(begun);
    shop.token(D1).await;
    shop.asked.set_time(begun + 14 * 60 - 1);
    shop.token(D1).await;
    assert_eq!(shop.asked_for(D1, "POST", "/oauth2/token"), 1);
    shop.asked.set_time(begun + 14 * 60);
    shop.token(D1).await;
    assert_eq!(shop.asked_for(D1, "POST", "/oauth2/token"), 2);
    let records = shop.server(D1).records.all();
    assert!(records.iter().all(|asked| asked.answer.as_ref().unwrap().status < 300));
}

/// Thales's own table: 400 is not retryable.
#[tokio::test]
async fn access_that_is_refused_is_not_asked_for_again() {
    let mut shop = Shop::open().await;
    for (status, answered, code) in [
        (400, 424, "vendor_refused"),
        (401, 424, "vendor_refused"),
        (404, 424, "vendor_refused"),
        (422, 424, "vendor_refused"),
        // No card is involved yet, so there is nothing that could have been done.
        (429, 502, "vendor_unavailable"),
        (500, 502, "vendor_unavailable"),
        (503, 502, "vendor_unavailable"),
    ] {
        shop = shop.anew().await;
        shop.server(D1).moods.set(Mood::Status(status.try_into().unwrap()), 1);
        let jwe = shop.seal(D1, VISA).await;
        let vendor = refused(&shop.send(D1, &jwe).await, answered, code);
        assert_eq!((&vendor["name"], &vendor["status"]), (&json!("thales-d1"), &json!(status)));
        assert_eq!(shop.server(D1).records.all().len(), 1, "{status}");
        assert_eq!(shop.send(D1, &jwe).await.status, 200, "{status}");
    }
    let mut shop = Shop::open().await;
    for mood in [Mood::HangUp, Mood::LoseAnswer, Mood::Garbage] {
        shop = shop.anew().await;
        shop.server(D1).moods.set(mood, 1);
        let jwe = shop.seal(D1, VISA).await;
        refused(&shop.send(D1, &jwe).await, 502, "vendor_unavailable");
        assert_eq!(shop.send(D1, &jwe).await.status, 200, "{mood:?}");
    }
}

/// Nothing says of D1 that a request may come again.
#[tokio::test]
async fn a_request_is_sent_once_but_after_401() {
    let mut shop = Shop::open().await;
    for (status, answered, code) in [
        (400, 424, "vendor_refused"),
        (403, 424, "vendor_refused"),
        (429, 502, "vendor_unavailable"),
        (500, 424, "vendor_outcome_unknown"),
        (503, 502, "vendor_unavailable"),
        (504, 424, "vendor_outcome_unknown"),
    ] {
        shop = shop.anew().await;
        shop.token(D1).await;
        shop.server(D1).records.clear();
        shop.server(D1).moods.set(Mood::Status(status.try_into().unwrap()), 1);
        let answer = shop.send(D1, &shop.seal(D1, VISA).await).await;
        assert_eq!(refused(&answer, answered, code)["status"], status);
        assert_eq!(shop.server(D1).records.all().len(), 1, "{status}");
    }
    let shop = Shop::open().await;
    shop.token(D1).await;
    shop.server(D1).records.clear();
    shop.vendors.sandbox.thales_d1.expire();
    shop.token(D1).await;
    let paths: Vec<_> = shop.server(D1).records.all().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths.len(), 3);
    assert!(paths[1] == "/authz/v1/oauth2/token" && paths[0] == paths[2], "{paths:?}");

    // A second 401 is no matter of time.
    shop.server(D1).records.clear();
    shop.server(D1).moods.set(Mood::Status(StatusCode::UNAUTHORIZED), 1);
    shop.server(D1).moods.set(Mood::Well, 1);
    shop.server(D1).moods.set(Mood::Status(StatusCode::UNAUTHORIZED), 1);
    let answer = shop.send(D1, &shop.seal(D1, VISA).await).await;
    assert_eq!(refused(&answer, 424, "vendor_refused")["status"], 401);
    assert_eq!(shop.server(D1).records.all().len(), 3);
}

#[tokio::test]
async fn cards_of_several_issuers_go_the_same_way_and_others_are_told_apart() {
    let shop = Shop::open().await;
    for number in [VISA, "5555555555554444"] {
        let answer = shop.send(D1, &shop.seal(D1, number).await).await;
        assert_eq!(answer.status, 200, "{number}");
    }
    let answer = shop.send(D1, &shop.seal(D1, "3530111333300000").await).await;
    let vendor = refused(&answer, 400, "invalid_card");
    assert_eq!((&vendor["status"], &vendor["code"]), (&json!(422), &json!("CARD_NOT_ENROLLED")));
}

#[tokio::test]
async fn payments_get_what_they_need() {
    let shop = Shop::open().await;
    let id = shop.token(D1).await;
    let pay = async |body: Value| pay(&shop, &id, &body).await;
    let one = pay(json!({ "use": "one_time" })).await.json();
    assert!(one["dpan"] != VISA && one["cryptogram"].is_string() && one["expiry"] == "1230", "{one}");
    let first = pay(json!({ "use": "recurring" })).await.json();
    assert!(first["cryptogram"].is_string() && first["cryptogram"] != one["cryptogram"]);
    let thales = &shop.vendors.sandbox.thales_d1;
    assert_eq!(thales.token(&id).unwrap().cryptograms, 2);

    // What comes later is as it is then.
    assert!(thales.happen(&id, Event::Replacement).is_some());
    assert!(thales.happen(&id, Event::Renewal).is_some());
    let later = pay(json!({ "use": "recurring", "first": false })).await.json();
    assert_eq!((&later["cryptogram"], &later["expiry"]), (&Value::Null, &json!("1233")));
    assert_ne!(later["dpan"], one["dpan"]);
    assert_eq!(thales.token(&id).unwrap().cryptograms, 2);
    assert_eq!(
        shop.asked.count_where("audit", "action = 'vendor_token.pay' AND reason = 'order 1'").await,
        3
    );

    for body in [
        json!({}),
        json!({ "use": "twice" }),
        json!({ "use": "one_time", "first": true }),
        json!({ "use": "recurring", "first": "often" }),
    ] {
        pay(body).await.error(400, "bad_request");
    }
    assert!(thales.happen(&id, Event::Suspension).is_some());
    let vendor = refused(&pay(json!({ "use": "one_time" })).await, 424, "vendor_refused");
    assert_eq!(vendor["status"], 409);
    assert_eq!(shop.delete(D1, &id).await.status, 204);
    pay(json!({ "use": "one_time" })).await.error(410, "deleted_token");
}

async fn pay(shop: &Shop, id: &str, body: &Value) -> Answer {
    let path = path(D1, &format!("/tokens/{id}/cryptograms"));
    let mut body = body.clone();
    body["reason"] = "order 1".into();
    shop.asked.post(&path, &shop.key_for(Permission::Pay).await, &body).await
}
