//! Somebody on the way to the vault puts a key of their own into the set that pages seal to, and opens every card. Found by
//! `verify` with the keys that the operator exported; a frame brings its key along and never asks for the set. Other pages hold it
//! against the vault's signing key, in the browser: `tests/e2e/tests/forgery.rs`.

use std::fs;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::client::Profile;
use cardseal_vault::keys::ACTIVATION_DELAY;
use cardseal_vault::sealing_keys::SealingKeys;
use cardseal_vault::store::Purpose;
use serde_json::{Value, json};

use crate::support::program::{Served, command, run};
use crate::support::release::Released;
use crate::support::vendors::Vendors;
use crate::support::{Asked, NOON, operator};
use crate::verify::Stage;

const JWKS: &str = "/.well-known/jwks.json";

#[tokio::test]
async fn a_foreign_missing_or_altered_key_is_found() {
    type Swap = fn(&mut Vec<Value>);
    let stage = Stage::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let keys = SealingKeys::of(&stage.asked.vault.keys().rings());
    fs::write(&file, serde_json::to_string(&keys).unwrap()).unwrap();
    let known = ["--keys", file.to_str().unwrap()];

    let untouched = stage.serve(|_, _| {}).await;
    let output = stage.verify(&untouched, &known).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nsealing keys held against those given\n"), "{text}");
    assert!(text.lines().any(|line| line.starts_with(JWKS) && line.ends_with("  ok")), "{text}");

    let swaps: [(&str, Swap); 7] = [
        ("is foreign", |keys| {
            keys.iter_mut().for_each(|key| (key["kid"], key["n"]) = (json!("theirs"), n(key)))
        }),
        ("is foreign", |keys| {
            keys.insert(0, json!({ "kty": "RSA", "kid": "theirs", "n": "theirs", "livemode": false }))
        }),
        ("was altered", |keys| keys.iter_mut().for_each(|key| key["n"] = n(key))),
        ("was altered", |keys| keys.iter_mut().for_each(|key| key["alg"] = json!("RSA-OAEP"))),
        ("is missing", Vec::clear),
        ("is missing", |keys| drop(keys.remove(1))),
        ("is written otherwise", |keys| keys.swap(0, 1)),
    ];
    for (words, swap) in swaps {
        let vault = stage
            .serve(move |path, answer| {
                if path == JWKS {
                    let mut set: Value = serde_json::from_str(&answer.body).unwrap();
                    swap(set["keys"].as_array_mut().unwrap());
                    answer.body = set.to_string();
                }
            })
            .await;
        let output = stage.verify(&vault, &known).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {text}");
        let line = text.lines().find(|line| line.starts_with(JWKS) && line.contains("DIFFERS: "));
        assert!(line.is_some_and(|line| line.contains(words)), "{words}: {text}");
    }

    // Also in the frame, by somebody who owns the whole way. Only the keys that the operator has tell of it.
    let swapped = stage
        .serve(|path, answer| {
            if path == JWKS || path == "/frame" {
                answer.body = answer.body.replace("\"n\":\"", "\"n\":\"A");
            }
        })
        .await;
    let found = stage.verify(&swapped, &known).await;
    assert_eq!(found.status.code(), Some(1));
    let text = String::from_utf8(found.stdout).unwrap();
    assert!(text.lines().any(|line| line.starts_with("/frame en  ") && line.contains("DIFFERS")), "{text}");
    let unknown = stage.verify(&swapped, &[]).await;
    let text = String::from_utf8(unknown.stdout).unwrap();
    assert!(text.contains("\nsealing keys NOT COMPARED: "), "{text}");
}

/// Another number of the same length.
fn n(key: &Value) -> Value {
    json!(key["n"].as_str().unwrap().chars().rev().collect::<String>())
}

#[tokio::test]
async fn a_file_that_has_no_keys_is_told() {
    let stage = Stage::new().await;
    let vault = stage.serve(|_, _| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    for text in ["", "{}", "{\"keys\":[]}", "{\"keys\":[{\"active_from\":\"soon\",\"jwk\":{}}]}", "[]"] {
        fs::write(&file, text).unwrap();
        let output = stage.verify(&vault, &["--keys", file.to_str().unwrap()]).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains("has no sealing keys"), "{text}: {error}");
    }
}

#[test]
fn what_is_exported_holds_until_the_next_rotation() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = crate::support::program::add_merchant(&dir);
    let released = Released::new("1.0.0");
    let assets = released.path().to_str().unwrap();
    let served = Served::start_with(&dir, &["--assets", assets]);
    let vault = format!("http://{}", served.address);
    let file = outer.path().join("keys.json");
    let data = ["--data-dir", dir.to_str().unwrap()];
    let export = || {
        let output = run(&[&["keys", "export"], &data[..]].concat());
        assert!(output.status.success(), "{output:?}");
        fs::write(&file, &output.stdout).unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let verify = || {
        let key = &account.public_key;
        let arguments =
            ["verify", &vault, "--key", key, "--assets", assets, "--keys", file.to_str().unwrap()];
        command(&arguments).env("NO_PROXY", "127.0.0.1").output().unwrap()
    };
    let exported: Value = serde_json::from_str(&export()).unwrap();
    assert_eq!(exported["keys"].as_array().unwrap().len(), 2);
    let signing = &exported["signing"][0]["jwk"];
    assert_eq!((&signing["alg"], &signing["d"]), (&json!("ES256"), &Value::Null));
    assert_eq!(signing["kid"].as_str().unwrap().len(), 43);
    // Public halves alone (RFC 7518 section 6.3.2 names the private members).
    for key in exported["keys"].as_array().unwrap() {
        assert!(key["jwk"]["n"].is_string() && ["d", "p", "q"].iter().all(|name| key["jwk"][name].is_null()));
    }
    let first = verify();
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    // What is to come is in it, before it is used.
    assert!(run(&[&["keys", "rotate", "--purpose", "sealing-test"], &data[..]].concat()).status.success());
    let exported: Value = serde_json::from_str(&export()).unwrap();
    assert_eq!(exported["keys"].as_array().unwrap().len(), 3);
    assert_eq!(verify().status.code(), Some(0));
}

/// The claims of what is signed, and the thumbprint of each key that has signed it.
fn signed(document: &Value) -> (Value, Vec<String>) {
    let decode = |text: &Value| Base64UrlUnpadded::decode_vec(text.as_str().unwrap()).unwrap();
    let payload = &document["payload"];
    let signers = document["signatures"].as_array().unwrap().iter().map(|signature| {
        let protected = &signature["protected"];
        let header: Value = serde_json::from_slice(&decode(protected)).unwrap();
        assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("vnd.cardseal.keys+jws")));
        let [x, y] = ["x", "y"].map(|name| &header["jwk"][name]);
        let key =
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4][..], &decode(x), &decode(y)].concat());
        let input = [protected.as_str().unwrap(), payload.as_str().unwrap()].join(".");
        key.verify(input.as_bytes(), &decode(&signature["signature"])).unwrap();
        // RFC 7638.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{x},"y":{y}}}"#);
        let thumbprint = digest::digest(&digest::SHA256, canonical.as_bytes());
        Base64UrlUnpadded::encode_string(thumbprint.as_ref())
    });
    (serde_json::from_slice(&decode(payload)).unwrap(), signers.collect())
}

/// The thumbprints of the signing keys, as an operator has them, the newest first.
fn thumbprints(asked: &Asked) -> Vec<String> {
    let keys = serde_json::to_value(SealingKeys::of(&asked.vault.keys().rings())).unwrap();
    let kids =
        keys["signing"].as_array().unwrap().iter().map(|key| key["jwk"]["kid"].as_str().unwrap().into());
    kids.rev().collect()
}

#[tokio::test]
async fn the_vault_signs_what_pages_seal_to_for_a_day_and_for_nobody_else() {
    const DAY: u64 = 24 * 60 * 60;
    let vendors = Vendors::start().await;
    let asked = Asked::reaching(&vendors).await;
    let answer = asked.get(&format!("{JWKS}?jws"), "").await;
    assert_eq!(answer.header("content-type"), Some("application/jose+json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let (claims, signers) = signed(&answer.json());
    let set = asked.get(JWKS, "").await.json();
    assert_eq!(claims, json!({ "sub": JWKS, "exp": NOON + DAY, "answer": set }));
    assert_eq!(signers, thumbprints(&asked));
    assert_eq!(signers.len(), 1);

    // What is a merchant's own is signed for that merchant.
    for profile in [Profile::Omise, Profile::ThalesPci, Profile::ThalesD1, Profile::Cardseal] {
        for account in [asked.merchant().await, asked.merchant().await] {
            if profile != Profile::Cardseal {
                vendors.connect(&asked, &account, profile).await;
            }
            let path = format!("/profiles/{}", profile.as_str());
            let answer = asked.get(&format!("{path}?jws"), &account.public_key).await;
            assert_eq!(answer.header("cache-control"), Some("private, max-age=300"));
            let (claims, signers) = signed(&answer.json());
            let plain = asked.get(&path, &account.public_key).await.json();
            let expected =
                json!({ "sub": path, "aud": account.public_key, "exp": NOON + DAY, "answer": plain });
            assert_eq!(claims, expected);
            assert_eq!(signers, thumbprints(&asked));
        }
    }
    // Another vault's key is another.
    assert_ne!(thumbprints(&Asked::new().await), signers);
}

#[tokio::test]
async fn pages_that_know_either_of_two_signing_keys_go_on_until_the_old_one_is_destroyed() {
    let asked = Asked::new().await;
    let old = thumbprints(&asked);
    let active_from = asked.vault.clock().now().plus(ACTIVATION_DELAY);
    asked.vault.rotate(Purpose::Signing, operator(), active_from).await.unwrap();
    let both = thumbprints(&asked);
    assert_eq!((both.len(), &both[1..]), (2, &old[..]));
    for time in [NOON, NOON + ACTIVATION_DELAY.as_secs(), NOON + 100 * 24 * 60 * 60] {
        asked.set_time(time);
        asked.vault.maintain().await.unwrap();
        let (_, signers) = signed(&asked.get(&format!("{JWKS}?jws"), "").await.json());
        assert_eq!(signers, both);
    }
    asked.vault.destroy(Purpose::Signing, 1, operator()).await.unwrap();
    let (_, signers) = signed(&asked.get(&format!("{JWKS}?jws"), "").await.json());
    assert_eq!(signers, both[..1]);
}
