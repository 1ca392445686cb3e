//! What a test sets up in the page: a vault behind `fetch`, timers that do not wait, and what JavaScript sees of it all.

use cardseal::bindings::Client;
use cardseal::seal::KeySet;
use cardseal::seal::jwk::Jwk;
use js_sys::{Function, JSON, Promise};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use web_sys::{Element, EventTarget, HtmlInputElement};

pub(super) const PKEY: &str = "pkey_test_5fs3mbqfygjytlolbky";
pub(super) const VAULT: &str = "https://vault.example";
pub(super) const NUMBER: &str = "4242424242424242";

/// A client of the vault that [`Network`] plays.
pub(super) fn client() -> Client {
    client_for("cardseal")
}

/// The same for another profile.
pub(super) fn client_for(profile: &str) -> Client {
    Client::new(PKEY, VAULT, profile).unwrap()
}

/// A month two years ahead, as the form shows it: `12 / 28`.
pub(super) fn expiry() -> String {
    format!("12 / {:02}", (js_sys::Date::new_0().get_full_year() + 2) % 100)
}

/// A card from a page's own fields.
pub(super) fn own_card() -> Value {
    json!({ "number": NUMBER, "expiry": expiry(), "security_code": "987", "name": "Taro Yamada" })
}

pub(super) fn token() -> Value {
    json!({
        "object": "token",
        "id": "tokn_test_5fs3mbqfygjytlolbkz",
        "livemode": false,
        "used": false,
        "card": {
            "object": "card",
            "brand": "Visa",
            "last_digits": "4242",
            "expiration_month": 12,
            "expiration_year": 2034,
            "name": "Taro Yamada",
        },
        "created_at": "2026-11-18T00:00:00Z",
    })
}

/// A value of JavaScript's.
pub(super) fn js(source: &str) -> JsValue {
    js_sys::eval(&format!("({source})")).unwrap()
}

/// A plain object.
pub(super) fn object(value: &Value) -> JsValue {
    JSON::parse(&value.to_string()).unwrap()
}

/// What a page would see of a value, as JSON.
pub(super) fn plain(value: &JsValue) -> Value {
    let text = JSON::stringify(value).ok().and_then(|text| text.as_string());
    text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

/// What a promise comes to.
pub(super) async fn outcome(promise: Promise) -> Result<Value, Value> {
    settled(promise).await.map(|value| plain(&value)).map_err(|error| plain(&error))
}

/// What a call threw.
pub(super) fn thrown<T>(result: Result<T, JsValue>) -> Value {
    match result {
        Ok(_) => panic!("nothing was thrown"),
        Err(error) => plain(&error),
    }
}

/// No error went by unseen, as that of a panic outside of the test's own task would.
pub(super) async fn no_troubles() {
    assert_eq!(plain(&take_troubles().await), json!([]));
}

/// The vault at the other end of `fetch`, until this is dropped.
pub(super) struct Network {
    page: FakeFetch,
}

impl Network {
    /// A vault that is well.
    pub(super) fn vault() -> Self {
        Self { page: FakeFetch::new(&reply(&published_keys()), &reply(&answer(200, &token(), &json!({})))) }
    }

    /// One that publishes these keys.
    pub(super) fn with_keys(keys: &KeySet) -> Self {
        let network = Self::vault();
        network.keys(&answer(200, &json!(keys), &json!({})));
        network
    }

    /// Has `GET /.well-known/jwks.json`, and `GET /profiles/…`, come to this expression of JavaScript, in which `init` is
    /// the request.
    pub(super) fn keys(&self, expression: &str) {
        self.page.set_keys(&reply(expression));
    }

    /// The same for every `POST …/tokens`.
    pub(super) fn tokens(&self, expression: &str) {
        self.page.set_tokens(&reply(expression));
    }

    /// Has `POST /tokens` come to these, one after the other; the last goes on.
    pub(super) fn tokens_in_turn(&self, expressions: &[&str]) {
        let [before @ .., last] = expressions else { panic!("no answer") };
        let first: String = before.iter().map(|answer| format!("() => {answer}, ")).collect();
        let source = format!("((answers) => () => (answers.shift() ?? (() => {last}))())([{first}])");
        self.page.set_tokens(js(&source).unchecked_ref());
    }

    /// The requests since the last call.
    pub(super) fn take(&self) -> Vec<Value> {
        serde_json::from_str(&self.page.take()).unwrap()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.page.restore();
    }
}

/// An answer of the vault's, for [`Network`].
pub(super) fn answer(status: u16, body: &Value, headers: &Value) -> String {
    let body = json!(body.to_string());
    format!("Promise.resolve(new Response({body}, {{ status: {status}, headers: {headers} }}))")
}

/// The keys of a vault that is well; nobody has the private ones.
pub(super) fn published_keys() -> String {
    let key = Jwk::rsa_oaep_256("test-key", &[0xC5; 256], &[1, 0, 1]);
    answer(200, &json!(KeySet { keys: vec![key] }), &json!({}))
}

/// The vault's word for what it refuses.
pub(super) fn refusal(status: u16, code: &str, headers: &Value) -> String {
    let body = json!({ "object": "error", "location": "", "code": code, "message": "No." });
    answer(status, &body, headers)
}

fn reply(expression: &str) -> Function {
    js(&format!("(init) => ({expression})")).unchecked_into()
}

/// Timers that fire at once, up to a limit, until this is dropped.
pub(super) struct Clock {
    page: Hurry,
}

impl Clock {
    /// Nobody waits before a retry; a request still has its time.
    pub(super) fn without_waits() -> Self {
        Self { page: Hurry::new(14_999) }
    }

    /// Every request has timed out before it is answered.
    pub(super) fn out_of_time() -> Self {
        Self { page: Hurry::new(15_000) }
    }

    /// What timers were set for so far, in milliseconds.
    pub(super) fn timers(&self) -> Vec<f64> {
        serde_json::from_value(plain(&self.page.timers())).unwrap()
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.page.restore();
    }
}

#[wasm_bindgen(module = "/tests/web/stage.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn settled(promise: Promise) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = takeTroubles)]
    pub(super) async fn take_troubles() -> JsValue;

    #[wasm_bindgen(js_name = shadowRootsOf)]
    pub(super) fn shadow_roots_of(work: &mut dyn FnMut()) -> js_sys::Array;

    #[wasm_bindgen(js_name = withoutRandom)]
    pub(super) fn without_random(work: &mut dyn FnMut() -> Promise) -> Promise;

    pub(super) fn fire(target: &EventTarget, class: &str, name: &str, init: &JsValue) -> bool;

    pub(super) fn press(input: &HtmlInputElement, key: &str);

    pub(super) fn listen(target: &EventTarget, names: Vec<String>) -> JsValue;

    #[wasm_bindgen(js_name = forbidInlineStyles)]
    pub(super) fn forbid_inline_styles() -> JsValue;

    #[wasm_bindgen(js_name = styleOf)]
    pub(super) fn style_of(element: &Element, property: &str) -> String;

    #[wasm_bindgen(js_name = Network)]
    type FakeFetch;
    #[wasm_bindgen(constructor, js_class = Network)]
    fn new(keys: &Function, tokens: &Function) -> FakeFetch;
    #[wasm_bindgen(method, setter)]
    fn set_keys(this: &FakeFetch, answer: &Function);
    #[wasm_bindgen(method, setter)]
    fn set_tokens(this: &FakeFetch, answer: &Function);
    #[wasm_bindgen(method)]
    fn take(this: &FakeFetch) -> String;
    #[wasm_bindgen(method)]
    fn restore(this: &FakeFetch);

    type Hurry;
    #[wasm_bindgen(constructor)]
    fn new(limit: u32) -> Hurry;
    #[wasm_bindgen(method, getter)]
    fn timers(this: &Hurry) -> JsValue;
    #[wasm_bindgen(method)]
    fn restore(this: &Hurry);
}
