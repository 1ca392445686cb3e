//! Thales's PCI tokens: what is sent, and each line of the table of what may be sent again.

use std::collections::HashSet;
use std::time::Duration;

use cardseal::client::Profile;
use cardseal_sandbox::Mood;
use cardseal_sandbox::certificates::Identity;
use cardseal_sandbox::thales_pci::{Card, Token};
use serde_json::{Value, json};

use super::{Shop, VISA, path, refused};

const PCI: Profile = Profile::ThalesPci;

#[tokio::test]
async fn a_card_becomes_a_token_and_the_vault_passes_nothing_else_on() {
    let shop = Shop::open().await;
    let jwe = shop.seal(PCI, VISA).await;
    let created = shop.send(PCI, &jwe).await.json();
    let id = created["id"].as_str().unwrap();
    let expected = json!({
        "object": "vendor_token",
        "profile": "thales-pci",
        "id": id,
        "livemode": false,
        "state": "ACTIVE",
        "created_at": created["created_at"],
    });
    assert_eq!(created, expected);
    let thales = &shop.vendors.sandbox.thales_pci;
    assert_eq!(thales.token(id), Some(Token::Active(Card { fpan: VISA.into(), exp: "1230".into() })));

    let records = thales.server.records.all();
    let [asked] = &records[..] else { panic!("{records:?}") };
    assert_eq!((&*asked.method, &*asked.path), ("POST", "/tsh-cof/pci-tokens"));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body, json!({ "merchantId": thales.credentials.merchant_id, "encryptedData": jwe }));
    let key = format!("APIKEY {}", thales.credentials.api_key);
    assert_eq!(asked.header("authorization"), Some(&*key));
    let id = asked.header("x-correlation-id").unwrap();
    assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{id}");
    assert!(asked.client.is_some());
}

#[tokio::test]
async fn the_merchants_server_sees_it_and_its_end() {
    let shop = Shop::open().await;
    let id = shop.token(PCI).await;
    let shown = shop.shown(PCI, &id).await.json();
    assert_eq!((&shown["state"], &shown["card_last_digits"]), (&json!("ACTIVE"), &Value::Null));
    shop.shown(PCI, "other").await.error(404, "not_found");
    shop.shown(Profile::ThalesD1, &id).await.error(404, "not_found");
    let page = shop.asked.get(&path(PCI, &format!("/tokens/{id}")), &shop.account.public_key).await;
    page.error(401, "authentication_failure");

    assert_eq!(shop.delete(PCI, &id).await.status, 204);
    assert_eq!(shop.vendors.sandbox.thales_pci.token(&id), Some(Token::Deleted));
    assert_eq!(shop.shown(PCI, &id).await.json()["state"], "DELETED");
    shop.delete(PCI, &id).await.error(410, "deleted_token");
    assert_eq!(shop.events().await, ["vendor_token.create", "vendor_token.destroy"]);
    assert_eq!(shop.asked.count_where("audit", "action = 'vendor_token.delete'").await, 1);
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_may_be_asked_for_again() {
    let shop = Shop::open().await;
    let id = shop.token(PCI).await;
    shop.server(PCI).moods.set(Mood::LoseAnswer, 1);
    refused(&shop.delete(PCI, &id).await, 424, "vendor_outcome_unknown");
    assert_eq!(shop.shown(PCI, &id).await.json()["state"], "ACTIVE");
    // Thales knows of no such token any more.
    assert_eq!(shop.delete(PCI, &id).await.status, 204);
    assert_eq!(shop.shown(PCI, &id).await.json()["state"], "DELETED");
}

/// Thales's own table: 400, 401, 404 and 500 are not retryable.
#[tokio::test]
async fn what_is_not_retryable_is_sent_once() {
    let mut shop = Shop::open().await;
    for (status, answered, code) in [
        (400, 424, "vendor_refused"),
        (401, 424, "vendor_refused"),
        (404, 424, "vendor_refused"),
        (500, 424, "vendor_outcome_unknown"),
        // Not in the table: nobody says that it may be sent again.
        (403, 424, "vendor_refused"),
        (409, 424, "vendor_refused"),
        (422, 400, "invalid_card"),
        (302, 424, "vendor_refused"),
        (502, 424, "vendor_outcome_unknown"),
        (504, 424, "vendor_outcome_unknown"),
        (599, 424, "vendor_outcome_unknown"),
    ] {
        shop = shop.anew().await;
        shop.server(PCI).moods.set(Mood::Status(status.try_into().unwrap()), 1);
        let jwe = shop.seal(PCI, VISA).await;
        let vendor = refused(&shop.send(PCI, &jwe).await, answered, code);
        assert_eq!((&vendor["name"], &vendor["status"]), (&json!("thales-pci"), &json!(status)));
        let records = shop.server(PCI).records.all();
        assert_eq!(records.len(), 1, "{status}");
        assert_eq!(vendor["correlation_id"], records[0].header("x-correlation-id").unwrap());
        assert!(shop.pauses.lock().unwrap().is_empty());

        // The same seal again: after a refusal it is asked for anew, and never where it may have been done.
        let again = shop.send(PCI, &jwe).await;
        if code == "vendor_outcome_unknown" {
            refused(&again, 424, "vendor_outcome_unknown");
            assert_eq!(shop.server(PCI).records.all().len(), 1, "{status}");
        } else {
            assert_eq!(again.status, 200, "{status}");
        }
    }
}

/// Thales's own table: 429 and 503 are retryable.
#[tokio::test]
async fn what_is_retryable_is_sent_again_under_another_name() {
    let mut shop = Shop::open().await;
    for status in [429, 503] {
        shop = shop.anew().await;
        shop.server(PCI).moods.set(Mood::Status(status.try_into().unwrap()), 3);
        shop.token(PCI).await;
        let records = shop.server(PCI).records.all();
        let names: HashSet<_> =
            records.iter().map(|asked| asked.header("x-correlation-id").unwrap()).collect();
        assert_eq!((records.len(), names.len()), (4, 4), "{status}");
        let pauses = shop.pauses.lock().unwrap().clone();
        assert!(pauses.len() == 3 && pauses.is_sorted(), "{pauses:?}");
    }
}

#[tokio::test]
async fn a_vendor_that_stays_busy_has_done_nothing() {
    let shop = Shop::open().await;
    shop.server(PCI).moods.set(Mood::Status(503.try_into().unwrap()), 4);
    let jwe = shop.seal(PCI, VISA).await;
    let vendor = refused(&shop.send(PCI, &jwe).await, 502, "vendor_unavailable");
    assert_eq!(vendor["status"], 503);
    assert_eq!(shop.server(PCI).records.all().len(), 4);
    assert_eq!(shop.send(PCI, &jwe).await.status, 200);
}

#[tokio::test]
async fn a_vendors_wish_is_heeded_unless_it_is_too_long() {
    let shop = Shop::open().await;
    shop.server(PCI).moods.set(Mood::Busy(429.try_into().unwrap(), 3), 1);
    shop.token(PCI).await;
    assert_eq!(*shop.pauses.lock().unwrap(), [Duration::from_secs(3)]);
    shop.server(PCI).moods.set(Mood::Busy(503.try_into().unwrap(), 600), 1);
    let answer = shop.send(PCI, &shop.seal(PCI, VISA).await).await;
    refused(&answer, 502, "vendor_unavailable");
    assert_eq!(shop.pauses.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart() {
    let shop = Shop::open().await;
    shop.token(PCI).await;
    let Identity { certificate, key } = &shop.vendors.sandbox.thales_pci.credentials.next_client;
    shop.vendors.write("thales-pci-client-key.pem", key.as_bytes());
    // Half-way the one before goes on: the key is not the certificate's.
    shop.token(PCI).await;
    shop.vendors.write("thales-pci-client.pem", certificate.as_bytes());
    shop.token(PCI).await;
    let shown: Vec<_> = shop.server(PCI).records.all().into_iter().map(|asked| asked.client).collect();
    assert!(shown[0] == shown[1] && shown[1] != shown[2] && shown[2].is_some(), "{shown:?}");
}

#[tokio::test]
async fn the_card_comes_back_sealed_where_that_is_set_up() {
    let shop = Shop::open().await;
    let id = shop.token(PCI).await;
    let reason = json!({ "reason": "network tokenization" });
    let detokenize = path(PCI, &format!("/tokens/{id}/detokenize"));
    let ask = async |key: &str| shop.asked.post(&detokenize, key, &reason).await;
    ask(&shop.account.secret_key).await.error(403, "not_permitted");
    let detokenizer = shop.detokenizer().await;
    let answer = ask(&detokenizer).await.json();
    let credentials = &shop.vendors.sandbox.thales_pci.credentials;
    let card = super::open_rsa(&credentials.own_key, answer["encryptedData"].as_str().unwrap());
    assert_eq!(card, json!({ "fpan": VISA, "exp": "1230" }));
    assert_eq!(shop.asked.count_where("audit", "action = 'card.detokenize'").await, 1);

    shop.asked.post(&detokenize, &detokenizer, &json!({})).await.error(400, "bad_request");
    shop.server(PCI).moods.set(Mood::LoseAnswer, 1);
    refused(&ask(&detokenizer).await, 502, "vendor_unavailable");
    shop.server(PCI).moods.set(Mood::Garbage, 1);
    refused(&ask(&detokenizer).await, 502, "vendor_unavailable");
    let of_d1 = path(Profile::ThalesD1, &format!("/tokens/{id}/detokenize"));
    shop.asked.post(&of_d1, &detokenizer, &reason).await.error(404, "not_found");
    assert_eq!(shop.delete(PCI, &id).await.status, 204);
    ask(&detokenizer).await.error(410, "deleted_token");
}
