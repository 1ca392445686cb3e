use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::{Asked, VISA, clear_card, request};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Arbitrary bytes as arbitrary types, and a good body with a few bytes changed.
#[test]
fn no_body_makes_the_vault_fail() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (asked, account) = runtime.block_on(async {
        let asked = Asked::new().await;
        let account = asked.merchant().await;
        (asked, account)
    });
    let kinds = prop_oneof![
        4 => Just(JSON.to_owned().into_bytes()),
        4 => Just(FORM.to_owned().into_bytes()),
        1 => "application/json; charset=\"?utf-8\"?".prop_map(String::into_bytes),
        1 => "[ -~]{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(0x80_u8..=0xff, 1..20),
    ];
    let good = [
        clear_card(VISA).to_string(),
        json!({ "card": { "sealed": runtime.block_on(asked.seal(&account)), "city": "Bangkok" } }).to_string(),
        json!({ "amount": 100, "currency": "thb", "card": "tokn_test_0", "metadata": { "a": [1, 2.5, null] } }).to_string(),
        "card[name]=A+B&card[number]=4242424242424242&card[expiration_month]=12&card[expiration_year]=2030".to_owned(),
        "amount=100&currency=thb&card=tokn_test_0&metadata[order]=7&capture=true".to_owned(),
    ];
    let changed = (
        prop::sample::select(good.to_vec()),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    )
        .prop_map(|(text, changes)| {
            let mut bytes = text.into_bytes();
            for (index, byte) in changes {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            bytes
        });
    let bodies = prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..300),
        1 => r#"[\[\]{}:,"a0\\.eE+\-nulltrefs]{0,60}"#.prop_map(String::into_bytes),
        1 => r"(card|amount|\[|\]|=|&|%[0-9a-f]{0,2}|\+|.){0,20}".prop_map(String::into_bytes),
        4 => changed,
    ];
    let mut stored = (0, 0);
    let mut runner = TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    let cell = std::cell::RefCell::new(&mut stored);
    runner
        .run(&(kinds, bodies), |(kind, body)| {
            for (path, key) in [("/tokens", &account.public_key), ("/charges", &account.secret_key)] {
                let request = request(Method::POST, path, key).header(CONTENT_TYPE, kind.as_slice());
                let answer = runtime.block_on(asked.send(request.body(body.clone().into()).unwrap()));
                if answer.status == 200 {
                    let mut stored = cell.borrow_mut();
                    if path == "/tokens" { stored.0 += 1 } else { stored.1 += 1 }
                } else {
                    prop_assert!(answer.status.is_client_error(), "{answer:?}");
                    let code = answer.json()["code"].as_str().map(str::to_owned);
                    answer.error(answer.status.as_u16(), &code.unwrap_or_default());
                }
            }
            Ok(())
        })
        .unwrap();
    // Sealed anew it would be another token, but each of these was the same seal.
    let tokens = runtime.block_on(asked.count("tokens"));
    assert!(tokens <= stored.0 && stored.0 > 10, "{tokens} tokens after {stored:?}");
    assert_eq!(runtime.block_on(asked.count("charges")), stored.1);
}
