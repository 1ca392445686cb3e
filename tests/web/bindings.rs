//! What a page calls: each mistake has its code, and none is answered with what was in it.

use cardseal::bindings::Client;
use js_sys::{Function, Promise};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::checkout::{Checkout, FIELDS, form, texts};
use super::stage::{
    Network, PKEY, VAULT, client, js, no_troubles, object, outcome, own_card, thrown, without_random,
};

#[wasm_bindgen_test]
fn a_client_takes_a_public_key_alone() {
    let secret = "skey_test_5fs3mbqfygjytlolbky";
    for key in [
        secret,
        "skey_",
        "",
        "pkey_",
        "pkey_test_",
        "PKEY_TEST_1",
        "pkey_test_ä",
        " pkey_test_1",
        "tokn_test_1",
    ] {
        let error = thrown(Client::new(key, VAULT, "cardseal"));
        assert_eq!(
            (&error["code"], &error["retryable"]),
            (&json!("invalid_public_key"), &json!(false)),
            "{key}"
        );
        assert!(!error.to_string().contains("5fs3mbqfygjytlolbky"), "{error}");
    }
    let error = thrown(Client::new(secret, VAULT, "cardseal"));
    assert!(error["message"].as_str().unwrap().contains("revoked"), "{error}");
    assert!(Client::new("pkey_5fs3mbqfygjytlolbky", VAULT, "cardseal").is_ok());
}

#[wasm_bindgen_test]
fn a_client_takes_a_vaults_address_alone() {
    for address in [
        "",
        "vault.example",
        "http://vault.example",
        "https://vault.example/v1",
        "https://",
        "//vault.example",
        "javascript://x",
        "https://user@vault.example",
        "https://vault.example?a",
        "https://vault.example:99999",
    ] {
        let error = thrown(Client::new(PKEY, address, "cardseal"));
        assert_eq!(error["code"], "invalid_vault_address", "{address}");
    }
    for address in
        ["https://vault.example/", "http://localhost:4242", "http://127.0.0.1:4242", "https://[::1]:4242"]
    {
        assert!(Client::new(PKEY, address, "cardseal").is_ok(), "{address}");
    }
}

#[wasm_bindgen_test]
fn a_form_takes_options_that_it_knows() {
    let _network = Network::vault();
    let client = client();
    let good = json!({ "fields": FIELDS, "texts": texts("en"), "language": "en", "place": "page", "appearance": { "radius": 4 } });
    form(&client, object(&good)).unwrap().destroy();
    let with = |name: &str, value: Value| {
        let mut options = good.clone();
        options[name] = value;
        options
    };
    let mut without_a_text = texts("en");
    without_a_text.as_object_mut().unwrap().remove("number_label");
    for bad in [
        json!(null),
        json!("number"),
        json!([]),
        json!({}),
        json!({ "fields": FIELDS, "texts": texts("en") }),
        with("color", json!("red")),
        with("language", json!(5)),
        with("texts", json!({})),
        with("texts", without_a_text),
        with("fields", json!([])),
        with("fields", json!("number")),
        with("fields", json!(["expiry", "security_code"])),
        with("fields", json!(["number", "security_code", "name"])),
        with("fields", json!(["number", "expiry", "holder"])),
        with("fields", json!(["number", "number", "expiry"])),
        with("fields", json!(["number", "expiry", 5])),
        with("appearance", json!({ "css": "*{}" })),
        with("appearance", json!({ "colorText": "red;}*{" })),
        with("appearance", json!({ "radius": 999 })),
        with("appearance", json!({ "radius": -1 })),
        with("appearance", json!({ "radius": 1.5 })),
        with("appearance", json!("dark")),
    ] {
        let error = thrown(form(&client, object(&bad)));
        assert_eq!(error["code"], "invalid_options", "{bad}");
        assert_ne!(error["message"], "", "{bad}");
    }
    assert_eq!(thrown(form(&client, JsValue::UNDEFINED))["code"], "invalid_options");
    form(&client, object(&good)).unwrap().destroy();
}

#[wasm_bindgen_test]
async fn a_card_of_wrong_types_is_refused_without_a_word_of_it() {
    let _network = Network::vault();
    let client = client();
    let number = |value: &str| format!("{{ number: {value}, expiry: '12/34' }}");
    let mut cards: Vec<_> = [
        "4242424242424242",
        "4242424242424242n",
        "['4242 4242 4242 4242']",
        "{ value: '4242 4242 4242 4242' }",
        "{ toString: () => '4242424242424242' }",
        "() => '4242424242424242'",
        "new Map([['4242424242424242', 1]])",
        "null",
        "undefined",
        "true",
        "Symbol('4242424242424242')",
    ]
    .map(number)
    .into();
    cards.extend(
        [
            "'4242 4242 4242 4242'",
            "4242424242424242",
            "['4242424242424242', '12/34']",
            "null",
            "undefined",
            "{}",
            "{ number: '4242424242424242' }",
            "{ expiry: '12/34' }",
            "{ number: '4242424242424242', expiry: 1234 }",
            "{ number: '4242424242424242', expiry: '12/34', security_code: 4242 }",
            "{ number: '4242424242424242', expiry: '12/34', name: 4242424242424242 }",
            "{ number: '4242424242424242', expiry: '12/34', email: 4242424242424242 }",
            "{ number: '4242424242424242', expiry: '12/34', billing: '4242424242424242' }",
            "{ number: '4242424242424242', expiry: '12/34', billing: { city: 4242424242424242 } }",
            "{ number: '4242424242424242', expiry: '12/34', billing: { '4242424242424242': '' } }",
            "{ '4242424242424242': '12/34' }",
            "{ number: '4242424242424242', expiry: '12/34', cvc: '4242' }",
        ]
        .map(str::to_owned),
    );
    for card in &cards {
        for call in [Client::create_token, Client::seal] {
            let error = outcome(call(&client, js(card))).await.unwrap_err();
            assert_eq!(error["code"], "invalid_options", "{card}");
            assert!(!error["message"].as_str().unwrap().contains("4242"), "{card}: {error}");
        }
    }
    assert!(outcome(client.create_token(object(&own_card()))).await.is_ok());
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn a_card_that_is_wrong_names_the_field_and_the_reason() {
    let _network = Network::vault();
    let client = client();
    for (field, value, code, reason) in [
        ("number", "", "incomplete_card", None),
        ("number", "4242 4242", "incomplete_card", None),
        ("number", "3782 822463 10006", "invalid_card", Some("luhn")),
        ("number", "9999 9999 9999 9999", "invalid_card", Some("unknown_brand")),
        ("number", "4242 4242 4242 4242 4242", "invalid_card", Some("too_long")),
        ("number", "4242 4242 4242 424x", "invalid_card", Some("unexpected_character")),
        ("expiry", "", "incomplete_card", None),
        ("expiry", "13/30", "invalid_card", Some("month_out_of_range")),
        ("expiry", "12/2019", "invalid_card", Some("past")),
        ("expiry", "12/2099", "invalid_card", Some("too_far_ahead")),
        ("security_code", "", "incomplete_card", None),
        ("security_code", "12", "incomplete_card", None),
        ("security_code", "4242", "invalid_card", Some("too_long")),
        ("name", "4242 4242 4242 4242", "invalid_card", Some("is_card_number")),
    ] {
        let mut card = own_card();
        card[field] = value.into();
        let error = outcome(client.create_token(object(&card))).await.unwrap_err();
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!(field)), "{field} {value}");
        assert_eq!(error["reason"].as_str(), reason, "{field} {value}");
        assert!(
            !error["message"]
                .as_str()
                .unwrap()
                .contains(|c: char| c.is_ascii_digit() && c != '1' && c != '2'),
            "{error}"
        );
    }
}

#[wasm_bindgen_test]
async fn a_card_may_come_from_a_framework() {
    let _network = Network::vault();
    let client = client();
    for wrap in [
        // A reactive object, as Vue makes them.
        "(card) => new Proxy(card, { get: (card, name) => card[name] })",
        "(card) => Object.freeze(card)",
        "(card) => Object.assign(Object.create(null), card)",
        "(card) => ({ ...card, email: undefined, billing: undefined })",
        "(card) => Object.defineProperty(card, 'number', { get: () => '4242 4242 4242 4242', enumerable: true })",
    ] {
        let wrapped =
            js(wrap).unchecked_into::<Function>().call1(&JsValue::UNDEFINED, &object(&own_card())).unwrap();
        assert!(outcome(client.create_token(wrapped)).await.is_ok(), "{wrap}");
    }
}

/// Objects of a page's that do not let themselves be read.
const UNREADABLE: &[&str] = &[
    "{ get number() { throw new Error('4242424242424242') } }",
    "{ get email() { throw new Error('4242424242424242') } }",
    "{ get email() { throw undefined } }",
    "{ billing: { get city() { throw 1 } } }",
    "new Proxy({ email: '' }, { get() { throw 1 } })",
    "new Proxy({ email: '' }, { ownKeys() { throw 1 }, has() { throw 2 }, getPrototypeOf() { throw 3 } })",
    "{ toJSON() { throw 1 } }",
    "((object) => (object.billing = object))({})",
];

#[wasm_bindgen_test]
async fn an_object_that_cannot_be_read_is_refused() {
    let checkout = Checkout::open();
    let client = client();
    checkout.enter_card();
    for unreadable in UNREADABLE {
        let error = outcome(client.create_token(js(unreadable))).await.unwrap_err();
        assert_eq!(error["code"], "invalid_options", "{unreadable}");
        let error = outcome(checkout.form.tokenize(js(unreadable))).await.unwrap_err();
        assert_eq!(error["code"], "invalid_options", "{unreadable}: {error}");
        assert_eq!(thrown(checkout.form.set_appearance(js(unreadable)))["code"], "invalid_options");
        assert_eq!(thrown(form(&client, js(unreadable)))["code"], "invalid_options");
        assert!(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.is_ok(), "after {unreadable}");
    }
    checkout.form.destroy();
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn an_object_that_destroys_the_form_when_read_finds_it_destroyed() {
    let checkout = Checkout::open();
    checkout.enter_card();
    let details = js("(work) => ({ get email() { work(); return 'taro@example.com' } })");
    let form = std::rc::Rc::clone(&checkout.form);
    let destroy = Closure::<dyn Fn()>::new(move || form.destroy());
    let details = details.unchecked_into::<Function>().call1(&JsValue::UNDEFINED, destroy.as_ref()).unwrap();
    assert_eq!(outcome(checkout.form.tokenize(details)).await.unwrap_err()["code"], "destroyed");
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn details_of_wrong_types_are_refused_without_a_word_of_them() {
    let checkout = Checkout::open();
    checkout.enter_card();
    for details in [
        "4242424242424242",
        "'4242424242424242'",
        "{ name: 4242424242424242 }",
        "{ email: ['4242424242424242'] }",
        "{ '4242424242424242': 1 }",
        "{ billing: { postal_code: 4242424242424242 } }",
        "{ billing: 4242424242424242 }",
        "{ number: '4242424242424242' }",
    ] {
        let error = outcome(checkout.form.tokenize(js(details))).await.unwrap_err();
        assert_eq!(error["code"], "invalid_options", "{details}");
        assert!(!error["message"].as_str().unwrap().contains("4242"), "{details}: {error}");
    }
    let error = thrown(checkout.form.focus("4242424242424242".into()));
    assert_eq!(error["code"], "invalid_options");
    assert!(!error.to_string().contains("4242"), "{error}");
    assert!(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.is_ok());
}

#[wasm_bindgen_test]
async fn a_name_may_come_with_the_details_where_the_form_has_no_field_for_it() {
    let checkout = Checkout::with_fields(&["number", "expiry"]);
    checkout.enter_card();
    let error = outcome(checkout.form.tokenize(js("{ name: '4242 4242 4242 4242' }"))).await.unwrap_err();
    assert_eq!((&error["code"], &error["reason"]), (&json!("invalid_card"), &json!("is_card_number")));
    assert!(outcome(checkout.form.tokenize(js("{ name: 'Taro Yamada' }"))).await.is_ok());
}

#[wasm_bindgen_test]
async fn a_random_source_that_fails_fails_the_call_and_no_other() {
    let checkout = Checkout::open();
    let client = client();
    assert!(outcome(client.seal(object(&own_card()))).await.is_ok());
    checkout.enter_card();
    let mut failing: [Box<dyn FnMut() -> Promise>; 3] = [
        Box::new(|| client.create_token(object(&own_card()))),
        Box::new(|| client.seal(object(&own_card()))),
        Box::new(|| checkout.form.tokenize(JsValue::UNDEFINED)),
    ];
    for call in &mut failing {
        let error = outcome(without_random(&mut || call())).await.unwrap_err();
        assert_eq!((&error["code"], &error["retryable"]), (&json!("random_failure"), &json!(true)));
        assert!(outcome(call()).await.is_ok(), "the form is not busy for ever");
    }
    no_troubles().await;
}
