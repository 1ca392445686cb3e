//! The client at `fetch`: what it sends, and that nothing a page or a network gives back takes it down.

use cardseal::bindings::Client;
use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;

use super::checkout::{FIELDS, form, options};
use super::stage::{
    Clock, NUMBER, Network, PKEY, answer, client, no_troubles, object, outcome, own_card, published_keys,
    refusal, token,
};

const JWKS: &str = "https://vault.example/.well-known/jwks.json";
const TOKENS: &str = "https://vault.example/tokens";

/// Ways to answer `fetch` that are no answer.
const NO_ANSWER: &[&str] = &[
    // Rejections, with an Error and with anything else.
    "Promise.reject(new TypeError('Failed to fetch'))",
    "Promise.reject({ reason: 'offline' })",
    "Promise.reject('offline')",
    "Promise.reject(0)",
    "Promise.reject(undefined)",
    "Promise.reject(null)",
    "Promise.reject(Symbol())",
    "Promise.reject(Object.freeze({}))",
    "Promise.reject(Object.create(null))",
    "Promise.reject(new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } }))",
    // Thrown at once.
    "(() => { throw new Error('no') })()",
    "(() => { throw 'no' })()",
    "(() => { throw undefined })()",
    "(() => { throw Object.freeze({}) })()",
    // No promise.
    "undefined",
    "null",
    "42",
    "'text'",
    "Symbol()",
    "({})",
    "(() => {})",
    // No promise of ours.
    "({ then() { throw 1 } })",
    "({ get then() { throw 1 } })",
    "({ then(resolve) { resolve() } })",
    "({ then(resolve, reject) { reject() } })",
    "({ then(resolve, reject) { resolve(); resolve(); reject() } })",
    "Object.assign(Promise.resolve(), { then() { throw 1 } })",
    "Object.assign(Promise.resolve(), { then: 5 })",
    "Object.defineProperty(Promise.resolve(), 'constructor', { get() { throw 1 } })",
    // A promise of no response.
    "Promise.resolve()",
    "Promise.resolve(null)",
    "Promise.resolve(200)",
    "Promise.resolve('text')",
    "Promise.resolve({})",
    "Promise.resolve(Object.freeze({ status: 200 }))",
    "Promise.resolve(new Proxy({}, { get(_, name) { if (name !== 'then') throw 1 } }))",
    // A response that stops half-way.
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => Promise.reject('broken off') })",
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => Promise.reject() })",
    "Promise.resolve({ status: 200, headers: new Headers(), text() { throw 'locked' } })",
    "Promise.resolve({ status: 200, headers: new Headers(), text: 'text' })",
    "Promise.resolve({ status: 200, get headers() { throw 1 }, text: () => Promise.resolve('{}') })",
    "Promise.resolve({ get status() { throw 1 }, headers: new Headers(), text: () => Promise.resolve('{}') })",
    "Promise.resolve(Response.error()).then((response) => response.blob()).then(() => { throw null })",
];

/// Ways to answer that no vault has.
const BAD_ANSWER: &[&str] = &[
    "Promise.resolve(new Response('<!DOCTYPE html><h1>It works!</h1>'))",
    "Promise.resolve(new Response(''))",
    "Promise.resolve(new Response('null'))",
    "Promise.resolve(new Response('[]'))",
    "Promise.resolve(new Response('\"text\"'))",
    "Promise.resolve(new Response('{\"id\": 5, \"keys\": {}}'))",
    "Promise.resolve(new Response('{\"id\": \"tokn_test_1\", \"keys\": 5'))",
    "Promise.resolve(new Response('['.repeat(100000) + ']'.repeat(100000)))",
    "Promise.resolve(new Response('{\"x\":' + '['.repeat(100000) + ']'.repeat(100000) + '}'))",
    "Promise.resolve(new Response(new Uint8Array([0xff, 0xfe, 0x00])))",
    "Promise.resolve(new Response('gone', { status: 404 }))",
    "Promise.resolve(new Response('{}', { status: 400 }))",
    "Promise.resolve(new Response('{\"code\":1,\"message\":2}', { status: 400 }))",
    // No promise, and no string of a body.
    "new Response('{}')",
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => '{}' })",
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => undefined })",
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => Promise.resolve(5) })",
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => Promise.resolve({}) })",
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => Promise.resolve(Symbol()) })",
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => ({ then(done) { done('{}') } }) })",
    // No headers to speak of.
    "Promise.resolve({ status: 200, headers: null, text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 200, text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 200, headers: {}, text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 200, headers: 5, text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 200, headers: { get() { throw 1 } }, text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 200, headers: { get: () => ({}) }, text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 200, headers: { get: () => 'no date' }, text: () => Promise.resolve('{}') })",
    // No status to speak of.
    "Promise.resolve({ status: '200', headers: new Headers(), text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: {}, headers: new Headers(), text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 200n, headers: new Headers(), text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: NaN, headers: new Headers(), text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: -200, headers: new Headers(), text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 1e300, headers: new Headers(), text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 101, headers: new Headers(), text: () => Promise.resolve('{}') })",
    "Promise.resolve({ status: 304, headers: new Headers(), text: () => Promise.resolve('{}') })",
];

/// Requests that never end.
const NEVER: &[&str] = &[
    "new Promise(() => {})",
    "({ then() {} })",
    "new Promise((_, reject) => init.signal.addEventListener('abort', () => reject(init.signal.reason)))",
    "new Promise((_, reject) => init.signal.addEventListener('abort', () => reject()))",
    "Promise.resolve({ status: 200, headers: new Headers(), text: () => new Promise(() => {}) })",
];

#[wasm_bindgen_test]
async fn a_lost_answer_is_a_network_error_after_four_attempts() {
    survives(NO_ANSWER, "network_error", true, 4).await;
}

#[wasm_bindgen_test]
async fn what_is_no_vaults_answer_is_told_at_once() {
    survives(BAD_ANSWER, "bad_answer", false, 1).await;
}

/// Each answer to either request gives that error, and then the same client does its work.
async fn survives(answers: &[&str], code: &str, retryable: bool, attempts: usize) {
    let network = Network::vault();
    let _clock = Clock::without_waits();
    let at_work = client();
    assert!(tokenize(&at_work).await.is_ok());
    for bad in answers {
        network.take();
        network.tokens(bad);
        let error = tokenize(&at_work).await.unwrap_err();
        assert_eq!(
            (&error["code"], &error["retryable"]),
            (&json!(code), &json!(retryable)),
            "{bad}: {error}"
        );
        assert_eq!(network.take().len(), attempts, "{bad}");
        network.tokens(&well());
        assert!(tokenize(&at_work).await.is_ok(), "after {bad}");

        network.take();
        network.keys(bad);
        let starting = client();
        let error = tokenize(&starting).await.unwrap_err();
        assert_eq!(
            (&error["code"], &error["retryable"]),
            (&json!(code), &json!(retryable)),
            "{bad}: {error}"
        );
        assert_eq!(network.take().len(), attempts, "{bad}");
        network.keys(&published_keys());
        assert!(tokenize(&starting).await.is_ok(), "after {bad}");
    }
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn a_request_that_never_ends_is_given_up_after_its_time() {
    for never in NEVER {
        let network = Network::vault();
        let client = client();
        assert!(tokenize(&client).await.is_ok());
        network.take();
        network.tokens(never);
        let clock = Clock::out_of_time();
        let error = tokenize(&client).await.unwrap_err();
        assert_eq!((&error["code"], &error["retryable"]), (&json!("timeout"), &json!(true)), "{never}");
        let timers = clock.timers();
        assert_eq!(timers.iter().filter(|time| **time == 15_000.0).count(), 4, "{never}: {timers:?}");
        drop(clock);
        let sent = network.take();
        assert_eq!(sent.len(), 4, "{never}");
        assert!(sent.iter().all(|request| request["signal"] == "aborted"), "{never}: {sent:?}");
        network.tokens(&well());
        assert!(tokenize(&client).await.is_ok(), "after {never}");
    }
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn a_page_without_a_whole_fetch_gets_an_error() {
    let _network = Network::vault();
    let _clock = Clock::without_waits();
    let client = client();
    for (break_it, mend_it) in [
        ("window.fetch = undefined", "fetch"),
        ("window.fetch = 5", "fetch"),
        ("window.AbortController = undefined", "AbortController"),
        ("window.AbortController = class { get signal() { throw 1 } }", "AbortController"),
        ("window.AbortController = class { constructor() { throw 1 } }", "AbortController"),
    ] {
        let real = js_sys::eval(&format!("window.{mend_it}")).unwrap();
        js_sys::eval(break_it).unwrap();
        let error = tokenize(&client).await.unwrap_err();
        js_sys::Reflect::set(&js_sys::global(), &mend_it.into(), &real).unwrap();
        assert_eq!(error["code"], "network_error", "{break_it}");
        assert!(tokenize(&client).await.is_ok(), "after {break_it}");
    }
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn the_keys_are_asked_for_without_a_name_or_a_cookie() {
    let network = Network::vault();
    outcome(client().seal(object(&own_card()))).await.unwrap();
    let expected = json!([{
        "url": JWKS,
        "credentials": "omit",
        "redirect": "error",
        "referrerPolicy": "no-referrer",
        "headers": {},
        "signal": "there",
    }]);
    assert_eq!(json!(network.take()), expected);
}

#[wasm_bindgen_test]
async fn a_card_is_posted_under_the_public_key_and_an_id() {
    let network = Network::vault();
    let mut card = own_card();
    card["email"] = "taro@example.com".into();
    card["billing"] = json!({ "city": "Tokyo", "street1": "" });
    assert_eq!(outcome(client().create_token(object(&card))).await.unwrap()["card"]["last_digits"], "4242");

    let sent = network.take();
    let [keys, post] = sent.as_slice() else { panic!("sent {} requests", sent.len()) };
    assert_eq!(keys["url"], JWKS);
    let body: Value = serde_json::from_str(post["body"].as_str().unwrap()).unwrap();
    let sealed = body["card"]["sealed"].as_str().unwrap();
    assert_eq!(
        body,
        json!({ "card": { "sealed": sealed, "email": "taro@example.com", "city": "Tokyo" } }),
        "the card is in the seal alone"
    );
    let id = post["headers"]["X-Request-Id"].as_str().unwrap();
    assert_eq!(id.len(), 22);
    let expected = json!({
        "url": TOKENS,
        "method": "POST",
        "body": post["body"],
        "credentials": "omit",
        "redirect": "error",
        "referrerPolicy": "no-referrer",
        "headers": {
            // The key as the user name, without a password.
            "Authorization": format!("Basic {}", base64(&format!("{PKEY}:"))),
            "Content-Type": "application/json",
            "X-Request-Id": id,
        },
        "signal": "there",
    });
    assert_eq!(*post, expected);
    assert!(!post.to_string().contains("4242"), "{post}");
}

#[wasm_bindgen_test]
async fn an_unknown_key_is_asked_for_anew_past_the_cache() {
    let network = Network::vault();
    network.tokens_in_turn(&[&refusal(400, "unknown_kid", &json!({})), &well()]);
    assert!(tokenize(&client()).await.is_ok());
    let sent = network.take();
    let lines: Vec<_> = sent.iter().map(|request| (&request["url"], &request["cache"])).collect();
    let (jwks, tokens) = (json!(JWKS), json!(TOKENS));
    let (reload, none) = (json!("reload"), Value::Null);
    assert_eq!(lines, [(&jwks, &none), (&tokens, &none), (&jwks, &reload), (&tokens, &none)]);
}

#[wasm_bindgen_test]
async fn a_form_asks_for_the_keys_ahead_of_their_use() {
    let network = Network::vault();
    let client = client();
    let form = form(&client, options(&FIELDS)).unwrap();
    assert!(tokenize(&client).await.is_ok());
    form.destroy();
    let urls: Vec<_> = network.take().into_iter().map(|sent| sent["url"].clone()).collect();
    assert_eq!(urls.first(), Some(&json!(JWKS)));
    assert_eq!(urls.iter().filter(|url| **url == TOKENS).count(), 1);
}

#[wasm_bindgen_test]
async fn keys_that_cannot_be_had_ahead_are_no_ones_trouble() {
    let network = Network::vault();
    let _clock = Clock::without_waits();
    network.keys("Promise.reject({})");
    let client = client();
    let form = form(&client, options(&FIELDS)).unwrap();
    assert_eq!(tokenize(&client).await.unwrap_err()["code"], "network_error");
    form.destroy();
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn a_vault_that_asks_to_wait_is_waited_for() {
    const DATE: &str = "Wed, 18 Nov 2026 00:00:00 GMT";
    for (headers, least) in [
        (json!({ "Retry-After": "3" }), 3_000.0),
        (json!({ "Retry-After": " 3 " }), 3_000.0),
        (json!({ "Retry-After": "Wed, 18 Nov 2026 00:00:05 GMT", "Date": DATE }), 5_000.0),
        (json!({ "Retry-After": "Tue, 17 Nov 2026 00:00:00 GMT", "Date": DATE }), 0.0),
        // Not to be understood, so the page's own patience counts.
        (json!({ "Retry-After": "soon" }), 0.0),
        (json!({ "Retry-After": "Wed, 18 Nov 2026 00:00:05 GMT" }), 0.0),
    ] {
        let network = Network::vault();
        let clock = Clock::without_waits();
        network.tokens_in_turn(&[&refusal(429, "rate_limited", &headers), &well()]);
        assert!(tokenize(&client()).await.is_ok(), "{headers}");
        let waits: Vec<_> = clock.timers().into_iter().filter(|time| *time != 15_000.0).collect();
        let [wait] = waits.as_slice() else { panic!("{headers}: waited {waits:?}") };
        assert!((least..=least + 500.0).contains(wait), "{headers}: waited {wait}");
    }
}

#[wasm_bindgen_test]
async fn a_vault_that_asks_for_too_long_a_wait_is_not_waited_for() {
    let network = Network::vault();
    for wish in ["3600", "18446744073709551615", "99999999999999999999999"] {
        network.tokens(&refusal(429, "rate_limited", &json!({ "Retry-After": wish })));
        let clock = Clock::without_waits();
        let error = tokenize(&client()).await.unwrap_err();
        assert_eq!((&error["code"], &error["status"]), (&json!("rate_limited"), &json!(429)));
        let waits = clock.timers().into_iter().filter(|time| *time != 15_000.0).count();
        // A number that no clock counts to is no wish, and the page's own patience counts.
        assert_eq!(waits, if wish.len() > 20 { 3 } else { 0 }, "{wish}");
    }
}

#[wasm_bindgen_test]
async fn a_page_whose_math_is_its_own_still_gets_its_token() {
    let real = js_sys::eval("Math.random").unwrap();
    for random in ["() => NaN", "() => 'x'", "() => undefined", "() => 1e300", "() => -1"] {
        let network = Network::vault();
        let clock = Clock::without_waits();
        js_sys::eval(&format!("Math.random = {random}")).unwrap();
        network.tokens_in_turn(&[&refusal(503, "busy", &json!({})), &well()]);
        let result = tokenize(&client()).await;
        js_sys::Reflect::set(&js_sys::eval("Math").unwrap(), &"random".into(), &real).unwrap();
        assert!(result.is_ok(), "{random}");
        assert!(clock.timers().iter().all(|time| (0.0..=15_000.0).contains(time)), "{random}");
    }
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn an_error_says_what_a_merchant_needs_and_nothing_of_the_card() {
    let network = Network::vault();
    let _clock = Clock::without_waits();
    let client = client();
    let members = |error: &Value| error.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for (status, code, expected) in [
        (401, "authentication_failure", "authentication_failure"),
        (403, "origin_not_allowed", "origin_not_allowed"),
        (400, "invalid_seal", "invalid_seal"),
        (400, "unheard_of", "bad_request"),
        (500, "internal", "vault_unavailable"),
        (503, "busy", "vault_unavailable"),
    ] {
        network.tokens(&refusal(status, code, &json!({})));
        assert!(outcome(client.seal(object(&own_card()))).await.is_ok());
        network.take();
        let error = tokenize(&client).await.unwrap_err();
        assert_eq!(error["code"], expected);
        assert_eq!(error["status"], status);
        assert_eq!(error["retryable"], status >= 500);
        assert_eq!(members(&error), ["code", "correlationId", "message", "retryable", "status"]);
        let sent = network.take();
        assert!(sent.iter().all(|request| request["headers"]["X-Request-Id"] == error["correlationId"]));
        assert!(!digits(&error).contains(&NUMBER[..4]), "{error}");
    }

    let mut card = own_card();
    card["number"] = "3782 822463 10006".into();
    let error = outcome(client.create_token(object(&card))).await.unwrap_err();
    assert_eq!(members(&error), ["code", "correlationId", "field", "message", "reason", "retryable"]);
    assert_eq!(
        (&error["code"], &error["field"], &error["reason"]),
        (&json!("invalid_card"), &json!("number"), &json!("luhn"))
    );
    assert!(!digits(&error).contains("3782"), "{error}");
}

#[wasm_bindgen_test]
async fn every_call_has_an_id_of_its_own() {
    let network = Network::vault();
    let client = client();
    tokenize(&client).await.unwrap();
    tokenize(&client).await.unwrap();
    let ids: Vec<_> = network.take().iter().map(|sent| sent["headers"]["X-Request-Id"].clone()).collect();
    let [Value::Null, one, other] = ids.as_slice() else { panic!("{ids:?}") };
    assert_ne!(one, other);
}

#[wasm_bindgen_test]
async fn a_set_without_a_key_to_seal_to_is_the_vaults_fault() {
    let network = Network::vault();
    for keys in [
        json!({ "keys": [] }),
        json!({ "keys": [{ "kty": "EC" }] }),
        json!({ "keys": [{ "kty": "RSA", "alg": "RSA-OAEP-256", "kid": "k", "n": "AQAB", "e": "AQAB" }] }),
    ] {
        network.keys(&answer(200, &keys, &json!({})));
        let error = tokenize(&client()).await.unwrap_err();
        assert_eq!((&error["code"], &error["retryable"]), (&json!("unusable_key"), &json!(false)), "{keys}");
    }
}

async fn tokenize(client: &Client) -> Result<Value, Value> {
    outcome(client.create_token(object(&own_card()))).await
}

/// The answer of a vault that is well.
fn well() -> String {
    answer(200, &token(), &json!({}))
}

/// The digits of all that an error says, but for its id, which is random.
fn digits(error: &Value) -> String {
    let mut error = error.clone();
    error["correlationId"] = Value::Null;
    error.to_string().chars().filter(char::is_ascii_digit).collect()
}

fn base64(text: &str) -> String {
    js_sys::eval(&format!("btoa({})", json!(text))).unwrap().as_string().unwrap()
}
