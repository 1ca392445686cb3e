//! The profiles as a page meets them: what goes over which wire, and what it is told.

use cardseal::bindings::Client;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::checkout::{FIELDS, form, texts};
use super::stage::{
    NUMBER, Network, PKEY, VAULT, answer, client_for, expiry, no_troubles, object, outcome, own_card, thrown,
    token,
};

const PROFILES: [&str; 5] = ["cardseal", "omise", "payment-options", "thales-d1", "thales-pci"];

/// The card that Thales takes.
fn bare_card() -> Value {
    json!({ "number": NUMBER, "expiry": expiry() })
}

/// What a vault tells of a profile; nobody has the private keys.
fn profile(name: &str) -> String {
    let mut profile = json!({ "object": "profile", "name": name, "livemode": false });
    match name {
        "omise" => {
            profile["public_key"] = "pkey_test_5xuy4w91xqz7d1w9u0t".into();
            profile["address"] = "https://vault.omise.co".into();
        }
        // The sample key in D1's documents.
        "thales-d1" => {
            profile["keys"] = json!([{
                "kty": "EC",
                "crv": "P-256",
                "alg": "ECDH-ES",
                "kid": "ASDsL-Jx2XOkRnFtqW-QblWY-mDnQW2LgapadFx75tA",
                "x": "UbInEqNbZZZ9SJptBwKTKO6qslSyuWvMkVK44Bx_d8U",
                "y": "PUxeHMNVL0VRxOYJrkHcpe6sap7IG-Are0QborZDngI",
            }]);
        }
        _ => {
            let key = cardseal::seal::jwk::Jwk::rsa_oaep_256("sandbox-1", &[0xC5; 256], &[1, 0, 1]);
            profile["keys"] = json!([key]);
        }
    }
    answer(200, &profile, &json!({}))
}

fn vendor_token() -> String {
    let token = json!({
        "object": "vendor_token",
        "id": "tok-1",
        "livemode": false,
        "state": "ACTIVE",
        "created_at": "2026-11-22T00:00:00Z",
    });
    answer(200, &token, &json!({}))
}

/// A form with these fields.
fn form_with(client: &Client, fields: &[&str]) -> Result<(), JsValue> {
    let options = json!({ "fields": fields, "texts": texts("en"), "language": "en", "place": "page" });
    form(client, object(&options)).map(|form| form.destroy())
}

#[wasm_bindgen_test]
fn a_client_takes_a_profile_that_there_is() {
    for profile in PROFILES {
        assert!(Client::new(PKEY, VAULT, profile).is_ok(), "{profile}");
    }
    for profile in ["", "thales", "Omise", "cardseal ", "undefined"] {
        let error = thrown(Client::new(PKEY, VAULT, profile));
        assert_eq!(error["code"], "invalid_options", "{profile}");
        for name in PROFILES {
            assert!(error["message"].as_str().unwrap().contains(name), "{error}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_form_for_thales_has_number_and_expiry_alone() {
    let _network = Network::vault();
    for profile in ["thales-d1", "thales-pci"] {
        let client = client_for(profile);
        assert!(form_with(&client, &["number", "expiry"]).is_ok());
        for extra in ["security_code", "name"] {
            let error = thrown(form_with(&client, &["number", "expiry", extra]));
            assert_eq!(error["code"], "invalid_options");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(profile) && message.contains(extra), "{message}");
        }
    }
    for profile in ["cardseal", "omise", "payment-options"] {
        assert!(form_with(&client_for(profile), &FIELDS).is_ok(), "{profile}");
    }
    // What the forms ask for ahead is answered while this network is there.
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn a_security_code_for_thales_is_refused_before_anything_is_sent() {
    let network = Network::vault();
    for profile in ["thales-d1", "thales-pci"] {
        let client = client_for(profile);
        for call in [client.create_token(object(&own_card())), client.seal(object(&own_card()))] {
            assert_eq!(outcome(call).await.unwrap_err()["code"], "invalid_options");
        }
    }
    assert!(network.take().is_empty());
}

#[wasm_bindgen_test]
async fn a_card_becomes_thaless_token() {
    for name in ["thales-pci", "thales-d1"] {
        let network = Network::vault();
        network.keys(&profile(name));
        network.tokens(&vendor_token());
        let made = outcome(client_for(name).create_token(object(&bare_card()))).await.unwrap();
        let year = 2000 + expiry()[5..].parse::<u16>().unwrap();
        let card = json!({ "brand": "Visa", "last_digits": "4242", "expiration_month": 12, "expiration_year": year });
        let expected = json!({
            "profile": name,
            "id": "tok-1",
            "livemode": false,
            "state": "ACTIVE",
            "card": card,
            "created_at": "2026-11-22T00:00:00Z",
        });
        assert_eq!(made, expected);
        let sent = network.take();
        let urls: Vec<_> = sent.iter().map(|sent| sent["url"].as_str().unwrap()).collect();
        assert_eq!(urls, [format!("{VAULT}/profiles/{name}"), format!("{VAULT}/profiles/{name}/tokens")]);
        assert!(sent.iter().all(|sent| sent["headers"]["Authorization"] != Value::Null));
        assert!(!json!(sent).to_string().contains(NUMBER));
    }
}

#[wasm_bindgen_test]
async fn a_card_goes_to_omise_past_the_vault() {
    let network = Network::vault();
    network.keys(&profile("omise"));
    let made = outcome(client_for("omise").create_token(object(&own_card()))).await.unwrap();
    assert_eq!((&made["profile"], &made["id"]), (&json!("omise"), &token()["id"]));
    let sent = network.take();
    let [account, post] = sent.as_slice() else { panic!("sent {} requests", sent.len()) };
    assert_eq!(account["url"], format!("{VAULT}/profiles/omise"));
    assert!(!account.to_string().contains(NUMBER));
    assert_eq!(post["url"], "https://vault.omise.co/tokens");
    let headers = json!({
        "Authorization": "Basic cGtleV90ZXN0XzV4dXk0dzkxeHF6N2Qxdzl1MHQ6",
        "Content-Type": "application/json",
        "Omise-Version": "2019-05-29",
    });
    assert_eq!(post["headers"], headers);
    let body: Value = serde_json::from_str(post["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["card"]["number"], &body["card"]["name"]), (&json!(NUMBER), &json!("Taro Yamada")));
    assert_eq!(
        outcome(client_for("omise").seal(object(&own_card()))).await.unwrap_err()["code"],
        "invalid_options"
    );
}

#[wasm_bindgen_test]
async fn what_omise_complains_of_names_field_and_vendor() {
    let network = Network::vault();
    network.keys(&profile("omise"));
    let body = json!({ "object": "error", "code": "invalid_card", "message": "expiration year is invalid" });
    network.tokens(&answer(400, &body, &json!({})));
    let error = outcome(client_for("omise").create_token(object(&own_card()))).await.unwrap_err();
    assert_eq!(
        (&error["code"], &error["field"], &error["message"], &error["status"]),
        (&json!("invalid_card"), &json!("expiry"), &body["message"], &json!(400))
    );
    assert_eq!(error["vendor"], json!({ "name": "omise", "status": 400, "code": "invalid_card" }));
}

#[wasm_bindgen_test]
async fn payment_options_gets_a_token_of_the_vaults_for_a_whole_address() {
    let network = Network::vault();
    let client = client_for("payment-options");
    let mut card = own_card();
    let error = outcome(client.create_token(object(&card))).await.unwrap_err();
    assert_eq!(error["code"], "missing_billing");
    assert!(network.take().is_empty());

    card["billing"] = json!({ "street1": "1-2-3 Shinjuku", "city": "Shinjuku-ku", "country": "JP", "postal_code": "1600022" });
    let made = outcome(client.create_token(object(&card))).await.unwrap();
    assert_eq!((&made["profile"], &made["id"]), (&json!("payment-options"), &token()["id"]));
    let sent = network.take();
    let body: Value = serde_json::from_str(sent[1]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["profile"], "payment-options");
}

#[wasm_bindgen_test]
async fn a_vendor_that_refuses_is_told_with_what_its_support_asks_for() {
    let network = Network::vault();
    network.keys(&profile("thales-pci"));
    let vendor =
        json!({ "name": "thales-pci", "status": 401, "code": "UNAUTHORIZED", "correlation_id": "c-1" });
    let body = json!({ "object": "error", "code": "vendor_refused", "message": "No.", "vendor": vendor });
    network.tokens(&answer(424, &body, &json!({})));
    let error = outcome(client_for("thales-pci").create_token(object(&bare_card()))).await.unwrap_err();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("vendor_refused"), &json!(false)));
    let vendor =
        json!({ "name": "thales-pci", "status": 401, "code": "UNAUTHORIZED", "correlationId": "c-1" });
    assert_eq!(error["vendor"], vendor);
}
