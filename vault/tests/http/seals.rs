use std::sync::Arc;

use cardseal::seal::jwk::Jwk;
use cardseal::seal::{Jti, PublicKey, seal};
use cardseal_vault::seal::TIME_WINDOW;
use serde_json::{Value, json};

use crate::support::jwe::{Jwe, decode, encode};
use crate::support::{Account, Asked, NOON, VISA, card, envelope};

#[tokio::test]
async fn what_is_no_seal_of_the_profile_is_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let jwe = asked.seal(&account).await;
    let parts: Vec<&str> = jwe.split('.').collect();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    let kid = header["kid"].as_str().unwrap();
    let with = |index: usize, part: &str| {
        let mut parts = parts.clone();
        parts[index] = part;
        parts.join(".")
    };
    let with_header = |header: Value| with(0, &encode(header.to_string().as_bytes()));

    let good = (json!("RSA-OAEP-256"), json!("A256GCM"));
    for wrong in [
        "x".to_owned(),
        parts[..4].join("."),
        format!("{jwe}."),
        format!("{jwe}.AA"),
        format!("{jwe}="),
        jwe.replace('.', " ."),
        with(0, ""),
        with(0, &encode(b"no JSON")),
        with(1, ""),
        with(1, &encode(&[0; 255])),
        with(1, &encode(&[0; 256])),
        with(1, &encode(&[0xff; 256])),
        with(1, &encode(&[7; 384])),
        with(2, &encode(&[0; 16])),
        with(2, &encode(&[0; 12])),
        with(3, ""),
        with(3, &encode(b"another text")),
        with(4, &encode(&[0; 16])),
        with(4, &encode(&[0; 12])),
        with_header(json!({ "alg": "RSA-OAEP", "enc": good.1, "kid": kid })),
        with_header(json!({ "alg": "RSA1_5", "enc": good.1, "kid": kid })),
        with_header(json!({ "alg": "dir", "enc": good.1, "kid": kid })),
        with_header(json!({ "alg": "none", "enc": good.1, "kid": kid })),
        with_header(json!({ "alg": good.0, "enc": "A128GCM", "kid": kid })),
        with_header(json!({ "alg": good.0, "enc": "A256CBC-HS512", "kid": kid })),
        with_header(json!({ "alg": good.0, "enc": good.1 })),
        with_header(json!({ "alg": good.0, "enc": good.1, "kid": kid, "zip": "DEF" })),
        with_header(json!({ "alg": good.0, "enc": good.1, "kid": kid, "crit": ["exp"] })),
        with_header(json!({ "alg": good.0, "enc": good.1, "kid": kid, "jku": "https://x.example" })),
        // The right members in another order: the header is what the tag authenticates.
        with(0, &encode(format!(r#"{{"kid":"{kid}","enc":"A256GCM","alg":"RSA-OAEP-256"}}"#).as_bytes())),
    ] {
        let answer = asked.tokenize_sealed(&account, &wrong).await;
        assert_eq!(answer.error(400, "invalid_seal"), "the seal does not open", "{wrong}");
    }
    assert_eq!(asked.count("tokens").await, 0);
    assert_eq!(asked.tokenize_sealed(&account, &jwe).await.status, 200);
}

#[tokio::test]
async fn every_changed_bit_is_noticed() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let jwe = asked.seal(&account).await;
    let parts: Vec<Vec<u8>> = jwe.split('.').skip(1).map(decode).collect();
    let header = jwe.split('.').next().unwrap();
    for part in 0..parts.len() {
        for byte in (0..parts[part].len()).step_by(7) {
            let mut changed = parts.clone();
            changed[part][byte] ^= 1;
            let changed: Vec<String> = changed.iter().map(|part| encode(part)).collect();
            let answer = asked.tokenize_sealed(&account, &format!("{header}.{}", changed.join("."))).await;
            answer.error(400, "invalid_seal");
        }
    }
}

#[tokio::test]
async fn a_seal_to_another_key_says_so_only_when_it_says_so_itself() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let foreign = Asked::new().await.sealing_key().await;
    let ours = asked.sealing_key().await;

    let jwe = seal(&foreign, &envelope(&account.public_key, NOON)).unwrap();
    let message = asked.tokenize_sealed(&account, &jwe).await.error(400, "unknown_kid");
    assert!(message.contains("/.well-known/jwks.json"));

    // The foreign key under our key's name.
    let PublicKey::Rsa(foreign) = foreign else { panic!("no RSA key") };
    let impostor = Jwk::rsa_oaep_256(ours.kid(), foreign.modulus(), &[1, 0, 1]);
    let impostor = PublicKey::try_from(&impostor).unwrap();
    let jwe = seal(&impostor, &envelope(&account.public_key, NOON)).unwrap();
    asked.tokenize_sealed(&account, &jwe).await.error(400, "invalid_seal");
}

#[tokio::test]
async fn another_merchants_seal_is_refused() {
    let asked = Asked::new().await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let jwe = asked.seal(&other).await;
    asked.tokenize_sealed(&account, &jwe).await.error(400, "wrong_merchant");
    assert_eq!(asked.count("tokens").await, 0);
    assert_eq!(asked.tokenize_sealed(&other, &jwe).await.status, 200);
}

#[tokio::test]
async fn a_seal_has_its_time() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = asked.sealing_key().await;
    let window = TIME_WINDOW.as_secs();
    for (issued_at, fresh) in [
        (NOON, true),
        (NOON - window, true),
        (NOON + window, true),
        (NOON - window - 1, false),
        (NOON + window + 1, false),
        (0, false),
        (u64::MAX, false),
    ] {
        let jwe = seal(&key, &envelope(&account.public_key, issued_at)).unwrap();
        let answer = asked.tokenize_sealed(&account, &jwe).await;
        if fresh {
            assert_eq!(answer.status, 200, "{issued_at}");
        } else {
            assert!(answer.error(400, "expired_seal").contains("Date"), "{issued_at}");
        }
    }
    assert_eq!(asked.count("tokens").await, 3);
}

#[tokio::test]
async fn a_replayed_seal_gives_the_first_token_again() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = asked.sealing_key().await;
    let mut sealed = envelope(&account.public_key, NOON);
    let first = asked.tokenize_sealed(&account, &seal(&key, &sealed).unwrap()).await;
    assert_eq!(first.status, 200);
    // The same seal, and the same card sealed anew under the same id, later on.
    sealed.issued_at += 60;
    asked.set_time(NOON + 60);
    let again = asked.tokenize_sealed(&account, &seal(&key, &sealed).unwrap()).await;
    assert_eq!(again.body, first.body);

    let token = first.json()["id"].as_str().unwrap().to_owned();
    asked.charge(&account, &token).await;
    let used = asked.tokenize_sealed(&account, &seal(&key, &sealed).unwrap()).await.json();
    assert_eq!((&used["id"], &used["used"]), (&json!(token), &json!(true)));
    assert_eq!(asked.count("tokens").await, 1);
}

#[tokio::test]
async fn a_seals_id_is_for_one_card() {
    let asked = Asked::new().await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let key = asked.sealing_key().await;
    let first = envelope(&account.public_key, NOON);
    assert_eq!(asked.tokenize_sealed(&account, &seal(&key, &first).unwrap()).await.status, 200);

    let mut another_card = first.clone();
    another_card.card = card("5555555555554444");
    asked.tokenize_sealed(&account, &seal(&key, &another_card).unwrap()).await.error(400, "replayed_seal");
    let body = plaintext(&account, &json!({ "jti": first.id.as_str(), "expiration_month": 11 }));
    asked.tokenize_sealed(&account, &seal_anything(&key, &body)).await.error(400, "replayed_seal");
    assert_eq!(asked.count("tokens").await, 1);

    // Another merchant's seals have ids of their own.
    let mut others = envelope(&other.public_key, NOON);
    others.id = first.id.clone();
    assert_eq!(asked.tokenize_sealed(&other, &seal(&key, &others).unwrap()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_seal_sent_many_times_at_once_gives_one_token() {
    let asked = Arc::new(Asked::new().await);
    let account = asked.merchant().await;
    let jwe = asked.seal(&account).await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (asked, account, jwe) = (Arc::clone(&asked), account.clone(), jwe.clone());
            tokio::spawn(async move { asked.tokenize_sealed(&account, &jwe).await })
        })
        .collect();
    let mut bodies = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!((bodies.len(), asked.count("tokens").await), (1, 1));
}

#[tokio::test]
async fn what_is_inside_is_judged_like_a_card_in_the_clear() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = asked.sealing_key().await;
    for (changes, code, message) in [
        (json!({ "number": "4242424242424241" }), "invalid_card", "number is invalid"),
        (
            json!({ "number": "9999999999999995" }),
            "invalid_card",
            "number is invalid and brand not supported (unknown)",
        ),
        (json!({ "expiration_year": 2020 }), "invalid_card", "expiration date cannot be in the past"),
        (
            json!({ "expiration_month": 13 }),
            "invalid_card",
            "expiration month is not between 1 and 12 and expiration date is invalid",
        ),
        (json!({ "security_code": "1" }), "invalid_card", "security code is invalid"),
        (json!({ "name": "4242424242424242" }), "invalid_card", "name is invalid"),
        (json!({ "number": 7 }), "invalid_seal", "the seal does not open"),
        (json!({ "extra": 7 }), "invalid_seal", "the seal does not open"),
        (json!({ "iat": "now" }), "invalid_seal", "the seal does not open"),
        (json!({ "iat": -1 }), "invalid_seal", "the seal does not open"),
        (json!({ "jti": "short" }), "invalid_seal", "the seal does not open"),
        (json!({ "merchant": account.secret_key }), "invalid_seal", "the seal does not open"),
    ] {
        let jwe = seal_anything(&key, &plaintext(&account, &changes));
        let answer = asked.tokenize_sealed(&account, &jwe).await;
        assert_eq!(answer.error(400, code), message, "{changes}");
    }
    for text in [&b""[..], b"{", b"[]", b"\xff", b"null"] {
        asked.tokenize_sealed(&account, &seal_anything(&key, text)).await.error(400, "invalid_seal");
    }
    assert_eq!(asked.count("tokens").await, 0);

    // What was changed above is good unchanged; the holder's name and the code may be left out.
    let jwe = seal_anything(&key, &plaintext(&account, &json!({})));
    let card = asked.tokenize_sealed(&account, &jwe).await.json()["card"].clone();
    assert_eq!((&card["name"], &card["security_code_check"]), (&Value::Null, &json!(false)));
}

/// The plaintext of a card, with changes.
fn plaintext(account: &Account, changes: &Value) -> Vec<u8> {
    let mut plaintext = json!({
        "number": VISA, "expiration_month": 12, "expiration_year": "30",
        "merchant": account.public_key, "iat": NOON, "jti": Jti::random().unwrap().as_str(),
    });
    for (name, value) in changes.as_object().unwrap() {
        plaintext[name] = value.clone();
    }
    plaintext.to_string().into_bytes()
}

/// Seals what the widget never would.
fn seal_anything(key: &PublicKey, plaintext: &[u8]) -> String {
    Jwe::seal(key, plaintext).compact()
}
