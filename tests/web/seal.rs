//! The seal against the browser's own WebCrypto, in both directions.

use cardseal::card::{Card, Expiry, Holder, Number, SecurityCode, YearMonth};
use cardseal::client::Pkey;
use cardseal::plain;
use cardseal::seal::{Algorithm, Compact, Envelope, Jti, KeySet, PublicKey, seal};
use js_sys::Uint8Array;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::stage::{NUMBER, Network, PKEY, client, expiry, object, outcome, own_card, refusal, token};

const TODAY: YearMonth = YearMonth::new(2026, 11).unwrap();

#[wasm_bindgen_test]
async fn webcrypto_opens_what_is_sealed() {
    for bits in [2048, 4096] {
        let keys = KeyPair::generate(bits).await;
        let envelope = envelope();
        let sealed = seal(&public_key(&keys), &envelope).unwrap();
        assert_eq!(open(&keys, &sealed).await, Some(content(envelope.id.as_str())), "{bits} bits");
    }
}

#[wasm_bindgen_test]
async fn every_seal_has_a_key_and_a_vector_of_its_own() {
    let keys = KeyPair::generate(2048).await;
    let (key, envelope) = (public_key(&keys), envelope());
    let (one, other) = (seal(&key, &envelope).unwrap(), seal(&key, &envelope).unwrap());
    let (one, other) = (Compact::parse(&one).unwrap(), Compact::parse(&other).unwrap());
    assert_eq!(one.aad(), other.aad());
    assert_ne!(one.encrypted_key(), other.encrypted_key());
    assert_ne!(one.iv(), other.iv());
    assert_ne!(one.ciphertext(), other.ciphertext());
}

#[wasm_bindgen_test]
async fn what_webcrypto_seals_is_read_and_opens_by_its_parts() {
    for bits in [2048, 4096] {
        let keys = KeyPair::generate(bits).await;
        let text = content("0123456789abcdefABCDEF").to_string();
        let header = r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"test-key"}"#;
        let sealed = keys.seal(header, &text).await.as_string().unwrap();

        let seal = Compact::parse(&sealed).unwrap();
        assert_eq!(seal.kid(), "test-key");
        assert_eq!(open_parts(&keys, &seal).await.as_deref(), Some(&*text), "{bits} bits");
        let envelope = Envelope::parse(text.as_bytes(), TODAY).unwrap();
        assert_eq!(envelope.card.number.expose(), NUMBER);
    }
}

#[wasm_bindgen_test]
async fn a_seal_with_one_bit_changed_does_not_open() {
    let keys = KeyPair::generate(2048).await;
    let sealed = seal(&public_key(&keys), &envelope()).unwrap();
    let seal = Compact::parse(&sealed).unwrap();
    assert!(open_parts(&keys, &seal).await.is_some());

    let parts = [seal.aad(), seal.encrypted_key(), seal.iv(), seal.ciphertext(), seal.tag()];
    for changed in 0..parts.len() {
        for byte in [0, parts[changed].len() - 1] {
            let mut parts = parts.map(<[u8]>::to_vec);
            parts[changed][byte] ^= 1;
            let parts = parts.each_ref().map(|part| Uint8Array::from(part.as_slice()));
            let [aad, encrypted_key, iv, ciphertext, tag] = &parts;
            let opened = keys.open_parts(aad, encrypted_key, iv, ciphertext, tag).await;
            assert!(opened.is_err(), "byte {byte} of part {changed}");
        }
    }
}

#[wasm_bindgen_test]
async fn another_key_does_not_open_a_seal() {
    let (keys, others) = (KeyPair::generate(2048).await, KeyPair::generate(2048).await);
    let sealed = seal(&public_key(&keys), &envelope()).unwrap();
    assert_eq!(open(&others, &sealed).await, None);
}

#[wasm_bindgen_test]
async fn the_client_seals_the_card_to_the_key_that_the_vault_publishes() {
    let keys = KeyPair::generate(2048).await;
    let network = Network::with_keys(&key_set(&keys));
    let client = client();

    let before = seconds();
    let sealed = outcome(client.seal(object(&own_card()))).await.unwrap();
    let opened = open(&keys, sealed.as_str().unwrap()).await.unwrap();
    let issued_at = opened["iat"].as_u64().unwrap();
    assert!((before..=seconds()).contains(&issued_at));
    let jti = opened["jti"].as_str().unwrap();
    assert!(Jti::parse(jti).is_some());
    let year = 2000 + expiry()[5..].parse::<u16>().unwrap();
    let expected = json!({
        "number": NUMBER,
        "expiration_month": 12,
        "expiration_year": year,
        "security_code": "987",
        "name": "Taro Yamada",
        "merchant": PKEY,
        "iat": issued_at,
        "jti": jti,
    });
    assert_eq!(opened, expected);

    let created = outcome(client.create_token(object(&own_card()))).await.unwrap();
    assert_eq!(created["id"], token()["id"]);
    let sent = posted(&network);
    let [body] = sent.as_slice() else { panic!("posted {} times", sent.len()) };
    let opened = open(&keys, body["card"]["sealed"].as_str().unwrap()).await.unwrap();
    assert_eq!(opened["number"], NUMBER);
    assert_ne!(opened["jti"], jti, "two calls are two cards");
}

#[wasm_bindgen_test]
async fn a_device_whose_clock_is_wrong_takes_the_vaults() {
    let keys = KeyPair::generate(2048).await;
    let network = Network::with_keys(&key_set(&keys));
    let late = refusal(400, "expired_seal", &json!({ "Date": "Tue, 01 Jan 2058 00:00:00 GMT" }));
    let well = format!("Promise.resolve(new Response({}))", json!(token().to_string()));
    network.tokens_in_turn(&[&late, &well]);

    outcome(client().create_token(object(&own_card()))).await.unwrap();
    let mut seals = Vec::new();
    for body in posted(&network) {
        seals.push(open(&keys, body["card"]["sealed"].as_str().unwrap()).await.unwrap());
    }
    let [first, second] = seals.as_slice() else { panic!("posted {} times", seals.len()) };
    assert_eq!(first["jti"], second["jti"], "one card is one token");
    let year_2058 = 2_777_068_800;
    assert!((year_2058..year_2058 + 60).contains(&second["iat"].as_u64().unwrap()));
}

/// The bodies posted to the vault.
fn posted(network: &Network) -> Vec<Value> {
    let bodies =
        network.take().into_iter().filter_map(|sent| sent["body"].as_str().map(serde_json::from_str));
    bodies.map(Result::unwrap).collect()
}

fn seconds() -> u64 {
    (js_sys::Date::now() / 1000.0) as u64
}

fn envelope() -> Envelope {
    let card = Card {
        number: Number::parse(NUMBER).valid().unwrap(),
        expiry: Expiry::parse("12/34", TODAY).valid().unwrap(),
        security_code: SecurityCode::parse("987", None).valid(),
        holder: Holder::parse("Hanako Müller 山田").valid(),
    };
    Envelope {
        card,
        merchant: Pkey::parse(PKEY).unwrap(),
        issued_at: 1_795_000_000,
        id: Jti::random().unwrap(),
    }
}

/// What is in the seal of that envelope.
fn content(jti: &str) -> Value {
    json!({
        "number": NUMBER,
        "expiration_month": 12,
        "expiration_year": 2034,
        "security_code": "987",
        "name": "Hanako Müller 山田",
        "merchant": PKEY,
        "iat": 1_795_000_000,
        "jti": jti,
    })
}

/// The key set that a vault with these keys would publish.
fn key_set(keys: &KeyPair) -> KeySet {
    let mut jwk: Value = serde_json::from_str(&keys.jwk()).unwrap();
    jwk["kid"] = "test-key".into();
    plain::parse(&json!({ "keys": [jwk] }).to_string()).unwrap()
}

fn public_key(keys: &KeyPair) -> PublicKey {
    key_set(keys).sealing_key(Algorithm::RsaOaep256, false).unwrap()
}

/// What WebCrypto finds in a seal.
async fn open(keys: &KeyPair, sealed: &str) -> Option<Value> {
    let text = keys.open(sealed).await.ok()?.as_string()?;
    Some(serde_json::from_str(&text).unwrap())
}

async fn open_parts(keys: &KeyPair, seal: &Compact<'_>) -> Option<String> {
    let parts = [seal.aad(), seal.encrypted_key(), seal.iv(), seal.ciphertext(), seal.tag()];
    let [aad, encrypted_key, iv, ciphertext, tag] = parts.map(Uint8Array::from);
    keys.open_parts(&aad, &encrypted_key, &iv, &ciphertext, &tag).await.ok()?.as_string()
}

#[wasm_bindgen(module = "/tests/web/subtle.js")]
extern "C" {
    type KeyPair;
    #[wasm_bindgen(static_method_of = KeyPair)]
    async fn generate(bits: u32) -> KeyPair;
    #[wasm_bindgen(method, getter)]
    fn jwk(this: &KeyPair) -> String;
    #[wasm_bindgen(method)]
    async fn seal(this: &KeyPair, header: &str, text: &str) -> JsValue;
    #[wasm_bindgen(method, catch)]
    async fn open(this: &KeyPair, sealed: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = openParts)]
    async fn open_parts(
        this: &KeyPair,
        aad: &Uint8Array,
        encrypted_key: &Uint8Array,
        iv: &Uint8Array,
        ciphertext: &Uint8Array,
        tag: &Uint8Array,
    ) -> Result<JsValue, JsValue>;
}
