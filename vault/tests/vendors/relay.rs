//! What is the same for every vendor that gets cards through the vault: each sealed card is passed on once.

use std::sync::Arc;
use std::time::Duration;

use cardseal::client::Profile;
use cardseal_sandbox::Mood;
use cardseal_vault::access::limit::Limits;
use cardseal_vault::http::router;
use cardseal_vault::store::Purpose;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Shop, VISA, path, refused};
use crate::support::jwe::Jwe;
use crate::support::operator;
use crate::support::{UNLIMITED, limiter, parts};

const LOSSES: [Mood; 3] = [Mood::HangUp, Mood::LoseAnswer, Mood::Garbage];

const BOTH: [Profile; 2] = [Profile::ThalesD1, Profile::ThalesPci];

#[tokio::test]
async fn the_same_seal_again_brings_the_same_token() {
    let shop = Shop::open().await;
    for profile in BOTH {
        let jwe = shop.seal(profile, VISA).await;
        let first = shop.send(profile, &jwe).await;
        assert_eq!(first.status, 200, "{first:?}");
        assert_eq!(shop.send(profile, &jwe).await.json(), first.json());
        assert_eq!(shop.asked_for(profile, "POST", "tokens"), 1);
        let other = shop.send(profile, &shop.seal(profile, VISA).await).await;
        assert_ne!(other.json()["id"], first.json()["id"]);
    }
    assert_eq!(shop.events().await, ["vendor_token.create"; 4]);
}

#[tokio::test]
async fn a_seal_that_comes_many_times_at_once_is_passed_on_once() {
    let shop = Shop::open().await;
    let beside = shop.asked.beside_with(|setup| setup.vendors = shop.vendors.settings()).await;
    for profile in BOTH {
        let jwe = shop.seal(profile, VISA).await;
        // Long enough for some of them to come while it is on its way.
        shop.server(profile).moods.set(Mood::Late(Duration::from_millis(200)), 2);
        let body = json!({ "encryptedData": jwe });
        let answers = join_all((0..20).map(|number| {
            let asked = if number % 2 == 0 { &shop.asked } else { &beside };
            let (path, key) = (path(profile, "/tokens"), shop.account.public_key.clone());
            let body = &body;
            async move { asked.post(&path, &key, body).await }
        }))
        .await;
        let (made, under_way): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 200);
        assert!(!made.is_empty());
        assert!(made.iter().all(|answer| answer.json() == made[0].json()));
        for answer in under_way {
            answer.error(503, "service_unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        assert_eq!(shop.asked_for(profile, "POST", "tokens"), 1);
        assert_eq!(shop.send(profile, &jwe).await.json(), made[0].json());
    }
}

#[tokio::test]
async fn what_was_lost_stays_unknown_and_is_never_sent_again() {
    let mut shop = Shop::open().await;
    for (mood, profile) in LOSSES.into_iter().flat_map(|mood| BOTH.map(|profile| (mood, profile))) {
        shop = shop.anew().await;
        // D1 gives access first.
        shop.server(profile).moods.set(Mood::Well, usize::from(profile == Profile::ThalesD1));
        shop.server(profile).moods.set(mood, 1);
        let jwe = shop.seal(profile, VISA).await;
        for _ in 0..3 {
            let vendor = refused(&shop.send(profile, &jwe).await, 424, "vendor_outcome_unknown");
            assert_eq!(vendor["name"], profile.as_str());
        }
        assert_eq!(shop.asked_for(profile, "POST", "tokens"), 1, "{mood:?}");
        assert!(shop.events().await.is_empty());
    }
}

#[tokio::test]
async fn nobody_who_cannot_be_reached_has_done_anything() {
    let shop = Shop::open().await;
    let other = Shop::open().await;
    for profile in BOTH {
        let jwe = shop.seal(profile, VISA).await;
        // The way leads to a server whose certificate another authority has signed.
        let name = if profile == Profile::ThalesPci {
            "thales-pci-authority.pem"
        } else {
            "thales-d1-authority.pem"
        };
        let before = std::fs::read(shop.vendors.path(name)).unwrap();
        shop.vendors.write(name, &std::fs::read(other.vendors.path(name)).unwrap());
        let vendor = refused(&shop.send(profile, &jwe).await, 502, "vendor_unavailable");
        assert_eq!((&vendor["name"], vendor.get("status")), (&json!(profile.as_str()), None));
        assert!(shop.server(profile).records.all().is_empty());
        shop.vendors.write(name, &before);
        assert_eq!(shop.send(profile, &jwe).await.status, 200);
    }
}

#[tokio::test]
async fn only_a_seal_as_the_vendor_documents_it_is_passed_on() {
    let shop = Shop::open().await;
    let key = async |profile| {
        shop.asked.get(&path(profile, ""), &shop.account.public_key).await.json()["keys"][0].take()
    };
    let (d1, pci) = (key(Profile::ThalesD1).await, super::rsa_key(&key(Profile::ThalesPci).await));
    let card = br#"{"pan":"4242424242424242","exp":"1230"}"#;
    let rsa = |header: Value| Jwe::seal_under(&header, &pci, card).compact();
    let ecdh = |change: fn(&mut Value)| Jwe::agree_under(&d1, change, card).compact();
    let kid = pci.kid();
    let whole = Jwe::agree(&d1, card);
    let short_tag = Jwe { tag: vec![0; 15], ..whole.clone() }.compact();
    let with_key = Jwe { encrypted_key: vec![0; 40], ..whole.clone() }.compact();
    let empty = Jwe { ciphertext: Vec::new(), ..whole.clone() }.compact();
    let long = Jwe { ciphertext: vec![0; 8000], ..whole }.compact();
    for (profile, jwe, code) in [
        (
            Profile::ThalesPci,
            rsa(json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "other" })),
            "unknown_kid",
        ),
        (Profile::ThalesPci, rsa(json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": kid })), "invalid_seal"),
        (Profile::ThalesPci, rsa(json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM" })), "invalid_seal"),
        (
            Profile::ThalesPci,
            rsa(json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": kid, "zip": "DEF" })),
            "invalid_seal",
        ),
        (Profile::ThalesPci, ecdh(|_| {}), "invalid_seal"),
        (Profile::ThalesPci, VISA.into(), "invalid_seal"),
        (Profile::ThalesD1, ecdh(|header| header["kid"] = json!("other")), "unknown_kid"),
        (Profile::ThalesD1, ecdh(|header| header["alg"] = json!("ECDH-ES+A256KW")), "invalid_seal"),
        (Profile::ThalesD1, ecdh(|header| header["enc"] = json!("A128GCM")), "invalid_seal"),
        (Profile::ThalesD1, ecdh(|header| header["apu"] = json!("NDI0Mg")), "invalid_seal"),
        (Profile::ThalesD1, ecdh(|header| header["epk"]["crv"] = json!("P-384")), "invalid_seal"),
        (Profile::ThalesD1, ecdh(|header| header["epk"]["d"] = json!("NDI0Mg")), "invalid_seal"),
        (Profile::ThalesD1, ecdh(|header| header["epk"]["x"] = json!("NDI0Mg")), "invalid_seal"),
        (Profile::ThalesD1, ecdh(|header| *header = json!(["ECDH-ES", "A256GCM", "k", {}])), "invalid_seal"),
        (Profile::ThalesD1, short_tag, "invalid_seal"),
        (Profile::ThalesD1, with_key, "invalid_seal"),
        (Profile::ThalesD1, empty, "invalid_seal"),
        (
            Profile::ThalesD1,
            rsa(json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": kid })),
            "invalid_seal",
        ),
        (Profile::ThalesD1, "....".into(), "invalid_seal"),
    ] {
        shop.send(profile, &jwe).await.error(400, code);
    }
    shop.send(Profile::ThalesD1, &long).await.error(413, "body_too_large");
    for body in [json!({}), json!({ "encryptedData": 1 }), json!({ "encryptedData": "a", "fpan": VISA })] {
        let tokens = path(Profile::ThalesPci, "/tokens");
        shop.asked.post(&tokens, &shop.account.public_key, &body).await.error(400, "bad_request");
    }
    for profile in BOTH {
        assert!(shop.server(profile).records.all().is_empty());
    }
    assert_eq!(shop.asked.count("passed_seals").await, 0);
}

#[tokio::test]
async fn a_merchant_without_an_account_gets_nothing_passed_on() {
    let shop = Shop::open().await;
    let stranger = shop.asked.merchant().await;
    for profile in BOTH {
        let body = json!({ "encryptedData": shop.seal(profile, VISA).await });
        let tokens = path(profile, "/tokens");
        shop.asked.post(&tokens, &stranger.public_key, &body).await.error(403, "profile_not_allowed");
        shop.asked.post(&tokens, &shop.account.secret_key, &body).await.error(401, "authentication_failure");
        assert!(shop.server(profile).records.all().is_empty());
        // Nor is another merchant's token its own.
        let id = shop.token(profile).await;
        let token = path(profile, &format!("/tokens/{id}"));
        shop.asked.get(&token, &stranger.secret_key).await.error(404, "not_found");
    }
    for profile in ["cardseal", "omise", "payment-options", "visa"] {
        let (tokens, body) = (format!("/profiles/{profile}/tokens"), json!({ "encryptedData": "a" }));
        shop.asked.post(&tokens, &shop.account.public_key, &body).await.error(404, "not_found");
    }
}

#[tokio::test]
async fn guesses_and_cards_given_out_are_limited() {
    let shop = Shop::open().await;
    let limits = Limits {
        refused_cards: "1/m burst 2".parse().unwrap(),
        detokenizations: "1/m burst 2".parse().unwrap(),
        payment_credentials: "1/m burst 2".parse().unwrap(),
        ..UNLIMITED
    };
    let parts = parts(&shop.asked.vault, None, limiter(&limits, &Arc::default()));
    let beside = shop.asked.beside_with(|setup| setup.vendors = shop.vendors.settings()).await;
    let asked = beside.routed(router(parts));
    for profile in BOTH {
        let (tokens, body) = (path(profile, "/tokens"), json!({ "encryptedData": "a.b.c.d.e" }));
        let answer = asked.post(&tokens, &shop.account.public_key, &body).await;
        answer.error(400, "invalid_seal");
    }
    let (tokens, body) = (path(BOTH[0], "/tokens"), json!({ "encryptedData": "a.b.c.d.e" }));
    asked.post(&tokens, &shop.account.public_key, &body).await.error(429, "too_many_requests");

    let (id, detokenizer) = (shop.token(Profile::ThalesPci).await, shop.detokenizer().await);
    let detokenize = path(Profile::ThalesPci, &format!("/tokens/{id}/detokenize"));
    let reason = json!({ "reason": "a test" });
    for _ in 0..2 {
        assert_eq!(asked.post(&detokenize, &detokenizer, &reason).await.status, 200);
    }
    asked.post(&detokenize, &detokenizer, &reason).await.error(429, "too_many_requests");
}

#[tokio::test]
async fn what_is_kept_of_tokens_is_put_under_new_keys() {
    let shop = Shop::open().await;
    let ids = [shop.token(BOTH[0]).await, shop.token(BOTH[1]).await];
    let before = shop.asked.count_where("vendor_tokens", "data_key_version = 1").await;
    assert_eq!(before, 2);
    let from = shop.asked.vault.clock().now();
    shop.asked.vault.rotate(Purpose::Data, operator(), from).await.unwrap();
    while shop.asked.vault.rekey().await.unwrap() > 0 {}
    assert_eq!(shop.asked.count_where("vendor_tokens", "data_key_version = 1").await, 0);
    for (profile, id) in BOTH.into_iter().zip(&ids) {
        assert_eq!(shop.shown(profile, id).await.json()["state"], "ACTIVE");
    }
}
