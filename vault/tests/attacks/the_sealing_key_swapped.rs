//! Somebody on the way to the vault puts a key of their own into the set that pages seal to, and opens every card. Found by
//! `verify` with the keys that the operator exported; a frame brings its key along and never asks for the set.

use std::fs;

use cardseal_vault::sealing_keys::SealingKeys;
use serde_json::{Value, json};

use crate::support::program::{Served, command, run};
use crate::support::release::Released;
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
