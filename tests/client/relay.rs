use cardseal::client::cardseal::Billing;
use cardseal::client::relay::{VendorCard, VendorToken};
use cardseal::client::{Error, Lost, Profile, Refusal, RequestId, Token, Vendor};
use cardseal::seal::jwk::{Jwk, Unusable};
use serde_json::{Value, json};

use super::recipient::{EcRecipient, Recipient};
use super::script::{Script, run};
use super::stage::{BASIC, NUMBER, Reply, card_of, refusal, refusal_by, reply, tokenize, vault};

const PCI: Profile = Profile::ThalesPci;
const KEYS: &str = "GET https://vault.example/profiles/thales-pci";
const TOKENS: &str = "POST https://vault.example/profiles/thales-pci/tokens";

fn keys(profile: Profile, key: &Jwk) -> Reply {
    let profile = json!({ "object": "profile", "name": profile.as_str(), "livemode": false, "keys": [key] });
    reply(200, profile)
}

fn token(profile: Profile, state: &str) -> Reply {
    reply(
        200,
        json!({
            "object": "vendor_token",
            "profile": profile.as_str(),
            "id": "tok-1",
            "livemode": false,
            "state": state,
            "created_at": "2026-11-22T00:00:00Z",
            "later": { "more": true },
        }),
    )
}

fn sealed(script: &Script) -> Vec<String> {
    let seal = |body: &Value| {
        assert_eq!(body.as_object().unwrap().len(), 1, "the seal and nothing else");
        body["encryptedData"].as_str().unwrap().to_owned()
    };
    script.bodies().iter().map(seal).collect()
}

#[test]
fn a_card_becomes_thaless_pci_token_and_nothing_but_number_and_expiry_is_sent() {
    let recipient = Recipient::with_bits(2048);
    let script = Script::new([keys(PCI, &recipient.jwk), token(PCI, "ACTIVE")]);
    let billing = Billing { city: Some("Tokyo".into()), ..Billing::default() };
    let id = RequestId::random().unwrap();
    let made = run(vault(&script, PCI).tokenize(card_of(NUMBER), &billing, &id)).unwrap();
    let card =
        VendorCard { brand: "Visa", last_digits: "4242".into(), expiration_month: 12, expiration_year: 2034 };
    let expected = VendorToken {
        id: "tok-1".into(),
        livemode: false,
        state: "ACTIVE".into(),
        card,
        created_at: "2026-11-22T00:00:00Z".into(),
    };
    assert_eq!(made, Token::Vendor(expected));

    assert_eq!(script.lines(), [KEYS, TOKENS]);
    for sent in &*script.sent.borrow() {
        assert_eq!(sent.header("Authorization"), Some(BASIC));
        assert_eq!(sent.header("X-Request-Id"), Some(id.as_str()));
        assert!(!format!("{sent:?}").contains("4242"));
    }
    let content = recipient.open(&sealed(&script)[0]).unwrap();
    assert_eq!(String::from_utf8(content).unwrap(), r#"{"fpan":"4242424242424242","exp":"1234"}"#);
}

#[test]
fn a_card_becomes_d1s_token_under_its_elliptic_key() {
    let recipient = EcRecipient::generate();
    let profile = Profile::ThalesD1;
    let script = Script::new([keys(profile, &recipient.jwk), token(profile, "WAITING")]);
    let made = tokenize(&vault(&script, profile), card_of(NUMBER), &Billing::default()).unwrap();
    assert!(matches!(made, Token::Vendor(token) if token.state == "WAITING"), "a state of Thales's choosing");
    assert_eq!(
        script.lines(),
        [
            "GET https://vault.example/profiles/thales-d1",
            "POST https://vault.example/profiles/thales-d1/tokens"
        ]
    );
    let content = recipient.open(&sealed(&script)[0]).unwrap();
    assert_eq!(String::from_utf8(content).unwrap(), r#"{"pan":"4242424242424242","exp":"1234"}"#);
}

#[test]
fn no_vendors_card_is_sealed_to_a_key_of_the_others() {
    let (rsa, elliptic) = (Recipient::with_bits(2048).jwk, EcRecipient::generate().jwk);
    for (profile, key) in [(PCI, elliptic), (Profile::ThalesD1, rsa)] {
        let script = Script::new([keys(profile, &key)]);
        let made = tokenize(&vault(&script, profile), card_of(NUMBER), &Billing::default());
        assert_eq!(made, Err(Error::Key(Unusable::Algorithm)));
        assert_eq!(script.lines().len(), 1);
    }
}

#[test]
fn the_key_is_fetched_ahead_and_once() {
    let recipient = Recipient::with_bits(2048);
    let script = Script::new([keys(PCI, &recipient.jwk)]);
    let vault = vault(&script, PCI);
    run(vault.prepare());
    assert_eq!(script.lines(), [KEYS]);
    script.then([token(PCI, "ACTIVE"), token(PCI, "ACTIVE")]);
    for _ in 0..2 {
        tokenize(&vault, card_of(NUMBER), &Billing::default()).unwrap();
    }
    assert_eq!(script.lines(), [KEYS, TOKENS, TOKENS]);
}

#[test]
fn an_unknown_key_is_fetched_once_more_past_the_cache() {
    let [old, new] = [2048, 3072].map(Recipient::with_bits);
    let unknown = || refusal(400, "unknown_kid");
    let script = Script::new([keys(PCI, &old.jwk), unknown(), keys(PCI, &new.jwk), token(PCI, "ACTIVE")]);
    tokenize(&vault(&script, PCI), card_of(NUMBER), &Billing::default()).unwrap();
    assert_eq!(script.lines(), [KEYS, TOKENS, KEYS, TOKENS]);
    assert_eq!(
        script.sent.borrow().iter().map(|sent| sent.reload).collect::<Vec<_>>(),
        [false, false, true, false]
    );
    assert!(new.open(&sealed(&script)[1]).is_some());

    let script = Script::new([keys(PCI, &old.jwk), unknown(), keys(PCI, &new.jwk), unknown()]);
    let error = tokenize(&vault(&script, PCI), card_of(NUMBER), &Billing::default()).unwrap_err();
    assert_eq!(error.code(), "unknown_kid");
}

#[test]
fn a_failure_that_may_pass_is_met_by_sending_the_same_seal_again() {
    let vendor = json!({ "name": "thales-pci", "status": 503 });
    for failure in [
        Err(Lost::Network),
        Err(Lost::Timeout),
        refusal(429, "rate_limited"),
        refusal_by(vendor, 502, "vendor_unavailable"),
        reply(503, ""),
        reply(504, ""),
    ] {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([keys(PCI, &recipient.jwk), failure.clone(), failure, token(PCI, "ACTIVE")]);
        tokenize(&vault(&script, PCI), card_of(NUMBER), &Billing::default()).unwrap();
        let seals = sealed(&script);
        assert_eq!(seals.len(), 3);
        assert!(seals.iter().all(|seal| *seal == seals[0]));
    }
}

#[test]
fn a_vendor_that_cannot_serve_is_named_after_the_last_attempt() {
    let recipient = Recipient::with_bits(2048);
    let vendor = json!({ "name": "thales-pci", "status": 503, "code": "BUSY", "correlation_id": "c-1" });
    let script = Script::new([keys(PCI, &recipient.jwk)]);
    script.then(vec![refusal_by(vendor, 502, "vendor_unavailable"); 4]);
    let error = tokenize(&vault(&script, PCI), card_of(NUMBER), &Billing::default()).unwrap_err();
    let vendor = Vendor {
        name: PCI,
        status: Some(503),
        code: Some("BUSY".into()),
        correlation_id: Some("c-1".into()),
    };
    assert_eq!(error, Error::VendorUnavailable { status: 502, vendor });
    assert!(error.is_retryable());
}

#[test]
fn what_the_vendor_refuses_or_leaves_open_is_told_at_once() {
    for (status, code, refusal) in [
        (400, "invalid_card", Refusal::InvalidCard(None)),
        (403, "profile_not_allowed", Refusal::ProfileNotAllowed),
        (424, "vendor_refused", Refusal::VendorRefused),
        (424, "vendor_outcome_unknown", Refusal::VendorOutcomeUnknown),
    ] {
        let recipient = Recipient::with_bits(2048);
        let vendor = json!({ "name": "thales-pci", "code": "INVALID_FIELD" });
        let script = Script::new([keys(PCI, &recipient.jwk), refusal_by(vendor, status, code)]);
        let error = tokenize(&vault(&script, PCI), card_of(NUMBER), &Billing::default()).unwrap_err();
        let vendor =
            Vendor { name: PCI, status: None, code: Some("INVALID_FIELD".into()), correlation_id: None };
        let message = "No.".into();
        assert_eq!(error, Error::Refused { refusal, status, message, vendor: Some(vendor) });
        assert_eq!((error.code(), error.is_retryable()), (code, false));
        assert_eq!(script.lines(), [KEYS, TOKENS]);
    }
}

#[test]
fn sealing_alone_posts_nothing() {
    let recipient = EcRecipient::generate();
    let script = Script::new([keys(Profile::ThalesD1, &recipient.jwk)]);
    let vault = vault(&script, Profile::ThalesD1);
    let seal = run(vault.seal(card_of(NUMBER), &RequestId::random().unwrap())).unwrap();
    assert!(recipient.open(&seal).is_some());
    assert_eq!(script.lines().len(), 1);
}

#[test]
fn an_answer_that_is_no_token_is_none() {
    for body in
        ["", "{}", "[]", r#"{"id":"tok-1"}"#, r#"{"id":1,"livemode":false,"state":"ACTIVE","created_at":""}"#]
    {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([keys(PCI, &recipient.jwk), reply(200, body)]);
        let made = tokenize(&vault(&script, PCI), card_of(NUMBER), &Billing::default());
        assert_eq!(made, Err(Error::BadAnswer { status: 200 }), "{body}");
    }
}
