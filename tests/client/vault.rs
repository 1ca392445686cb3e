use std::time::Duration;

use cardseal::card::{Card, Expiry, Holder, Number, SecurityCode, YearMonth};
use cardseal::client::cardseal::{Billing, Token};
use cardseal::client::{
    self, Answer, Error, Lost, Pkey, Policy, Profile, Refusal, RequestId, Vault, VaultAddress,
};
use cardseal::seal::jwk::{Jwk, Unusable};
use cardseal::seal::{Compact, Jti, KeySet};
use serde_json::{Value, json};

use super::recipient::Recipient;
use super::script::{START, Script, run};

const NUMBER: &str = "4242424242424242";
const PKEY: &str = "pkey_test_5fs3mbqfygjytlolbky";
const HTML: &str = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>";

type Reply = Result<Answer, Lost>;

fn card() -> Card {
    let today = YearMonth::new(2026, 11).unwrap();
    Card {
        number: Number::parse(NUMBER).valid().unwrap(),
        expiry: Expiry::parse("12/34", today).valid().unwrap(),
        security_code: SecurityCode::parse("987", None).valid(),
        holder: Holder::parse("Taro Yamada").valid(),
    }
}

fn vault(script: &Script) -> Vault<&Script> {
    let address = VaultAddress::parse("https://vault.example").unwrap();
    Vault::new(script, address, Pkey::parse(PKEY).unwrap(), Policy::CHECKOUT, Profile::Cardseal)
}

fn tokenize(vault: &Vault<&Script>) -> Result<Token, Error> {
    tokenize_with(vault, &Billing::default(), &RequestId::random().unwrap())
}

fn tokenize_with(vault: &Vault<&Script>, billing: &Billing, id: &RequestId) -> Result<Token, Error> {
    run(vault.tokenize(card(), billing, id)).map(|token| match token {
        client::Token::Card(token) => token,
        other => panic!("{other:?}"),
    })
}

fn reply(status: u16, body: impl ToString) -> Answer {
    Answer { status, body: body.to_string(), ..Answer::default() }
}

fn jwks(keys: &[&Jwk]) -> Reply {
    let keys = keys.iter().copied().cloned().collect();
    Ok(reply(200, serde_json::to_string(&KeySet { keys }).unwrap()))
}

fn token_json() -> Value {
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
            "fingerprint": "x",
        },
        "created_at": "2026-11-21T00:00:00Z",
    })
}

fn token() -> Reply {
    Ok(reply(200, token_json()))
}

fn refusal(status: u16, code: &str) -> Answer {
    let message = format!("{code}, in the vault's words");
    reply(status, json!({ "object": "error", "location": "https://x", "code": code, "message": message }))
}

fn refused(refusal: Refusal, status: u16, code: &str) -> Result<Token, Error> {
    Err(Error::Refused { refusal, status, message: format!("{code}, in the vault's words"), vendor: None })
}

fn opened(recipient: &Recipient, seal: &str) -> Value {
    serde_json::from_slice(&recipient.open(seal).expect("it opens")).unwrap()
}

mod a_card_becomes_a_token {
    use super::*;

    #[test]
    fn in_two_requests() {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([jwks(&[&recipient.jwk]), token()]);
        let id = RequestId::random().unwrap();
        let token = tokenize_with(&vault(&script), &Billing::default(), &id).unwrap();
        assert_eq!(
            (&*token.id, token.livemode, token.used, &*token.created_at),
            ("tokn_test_5fs3mbqfygjytlolbkz", false, false, "2026-11-21T00:00:00Z")
        );
        let card = token.card;
        assert_eq!(
            (
                &*card.brand,
                &*card.last_digits,
                card.expiration_month,
                card.expiration_year,
                card.name.as_deref()
            ),
            ("Visa", "4242", 12, 2034, Some("Taro Yamada"))
        );

        assert_eq!(script.calls(), ["GET", "POST"]);
        let sent = script.sent.borrow();
        assert!(sent.iter().all(|sent| sent.timeout == Policy::CHECKOUT.timeout));
        assert_eq!(sent[0].headers, [], "with credentials the request would need a preflight");
        // printf 'pkey_test_5fs3mbqfygjytlolbky:' | base64
        let basic = "Basic cGtleV90ZXN0XzVmczNtYnFmeWdqeXRsb2xia3k6";
        assert_eq!(sent[1].header("Authorization"), Some(basic));
        assert_eq!(sent[1].header("X-Request-Id"), Some(id.as_str()));
    }

    #[test]
    fn that_the_vault_opens_and_finds_bound_to_merchant_and_time() {
        let recipient = Recipient::with_bits(3072);
        let script = Script::new([jwks(&[&recipient.jwk]), token()]);
        tokenize(&vault(&script)).unwrap();
        let mut content = opened(&recipient, &script.seals()[0]);
        let jti = content.as_object_mut().unwrap().remove("jti").unwrap();
        assert!(Jti::parse(jti.as_str().unwrap()).is_some());
        assert_eq!(
            content,
            json!({
                "number": NUMBER,
                "expiration_month": 12,
                "expiration_year": 2034,
                "security_code": "987",
                "name": "Taro Yamada",
                "merchant": PKEY,
                "iat": START,
            })
        );
    }

    #[test]
    fn whose_body_has_the_seal_and_of_the_billing_address_what_was_given() {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([jwks(&[&recipient.jwk]), token(), token()]);
        let vault = vault(&script);
        tokenize(&vault).unwrap();
        let whole = json!({
            "email": "taro@example.com",
            "phone_number": "+81 3 0000 0000",
            "street1": "1-1 \"Chiyoda\"",
            "street2": "皇居",
            "city": "Chiyoda-ku",
            "state": "Tokyo",
            "country": "JP",
            "postal_code": "100-0001",
        });
        let text = |name: &str| whole[name].as_str().map(String::from);
        let billing = Billing {
            email: text("email"),
            phone_number: text("phone_number"),
            street1: text("street1"),
            street2: text("street2"),
            city: text("city"),
            state: text("state"),
            country: text("country"),
            postal_code: text("postal_code"),
        };
        tokenize_with(&vault, &billing, &RequestId::random().unwrap()).unwrap();

        let seals = script.seals();
        let body = |at: usize| -> Value {
            serde_json::from_str(script.sent.borrow()[at].body.as_deref().unwrap()).unwrap()
        };
        assert_eq!(body(1), json!({ "card": { "sealed": seals[0] } }));
        let mut card = whole;
        card["sealed"] = seals[1].clone().into();
        assert_eq!(body(2), json!({ "card": card }));
    }

    #[test]
    fn and_the_number_is_in_nothing_that_was_sent() {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([jwks(&[&recipient.jwk]), token()]);
        let vault = vault(&script);
        tokenize(&vault).unwrap();
        let printed = format!("{:?} {vault:?}", script.sent.borrow());
        for secret in [NUMBER, "4242 4242", "NDI0MjQyNDI0MjQyNDI0Mg", "Taro", "Yamada"] {
            assert!(!printed.contains(secret), "{secret}");
        }
    }

    #[test]
    fn and_the_next_card_is_sealed_to_the_same_key_without_asking_again_under_an_id_of_its_own() {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([jwks(&[&recipient.jwk]), token(), token()]);
        let vault = vault(&script);
        tokenize(&vault).unwrap();
        tokenize(&vault).unwrap();
        assert_eq!(script.calls(), ["GET", "POST", "POST"]);
        let seals = script.seals();
        assert_ne!(opened(&recipient, &seals[0])["jti"], opened(&recipient, &seals[1])["jti"]);
    }

    #[test]
    fn under_the_first_usable_key_of_the_set() {
        let [good, other] = [2048, 4096].map(Recipient::with_bits);
        let small = Jwk::rsa_oaep_256("small", &[0xFF; 128], &[1, 0, 1]);
        let script = Script::new([jwks(&[&small, &good.jwk, &other.jwk]), token()]);
        tokenize(&vault(&script)).unwrap();
        assert!(good.open(&script.seals()[0]).is_some());
    }

    #[test]
    fn under_the_key_of_its_public_keys_mode() {
        let [live, test] = [2048, 2048].map(Recipient::with_bits);
        let of_mode = |recipient: &Recipient, live| Jwk { livemode: Some(live), ..recipient.jwk.clone() };
        let script = Script::new([jwks(&[&of_mode(&live, true), &of_mode(&test, false)]), token()]);
        tokenize(&vault(&script)).unwrap();
        assert!(test.open(&script.seals()[0]).is_some());
    }

    #[test]
    fn whatever_members_a_later_vault_adds_to_it() {
        let recipient = Recipient::with_bits(2048);
        let mut later = token_json();
        later["charge_status"] = "unknown".into();
        later["card"]["country"] = json!({ "code": "jp" });
        later["card"]["name"] = Value::Null;
        let script = Script::new([jwks(&[&recipient.jwk]), Ok(reply(201, later))]);
        let token = tokenize(&vault(&script)).unwrap();
        assert_eq!((&*token.id, token.card.name), ("tokn_test_5fs3mbqfygjytlolbkz", None));
    }
}

mod sealing_alone {
    use super::*;

    #[test]
    fn fetches_the_key_and_posts_nothing() {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([jwks(&[&recipient.jwk])]);
        let sealed = run(vault(&script).seal(card(), &RequestId::random().unwrap())).unwrap();
        assert_eq!(script.calls(), ["GET"]);
        let content = opened(&recipient, &sealed);
        assert_eq!((&content["number"], &content["iat"]), (&json!(NUMBER), &json!(START)));
    }
}

mod preparing {
    use super::*;

    #[test]
    fn spares_the_card_the_wait_for_the_key() {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([jwks(&[&recipient.jwk])]);
        let vault = vault(&script);
        run(vault.prepare());
        run(vault.prepare());
        assert_eq!(script.calls(), ["GET"]);
        script.then([token()]);
        tokenize(&vault).unwrap();
        assert_eq!(script.calls(), ["GET", "POST"]);
    }

    #[test]
    fn fails_in_silence_and_leaves_the_key_to_be_asked_for_again() {
        for failure in [Ok(reply(200, HTML)), Ok(reply(404, HTML)), Ok(reply(500, "")), jwks(&[])] {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new([failure]);
            let vault = vault(&script);
            run(vault.prepare());
            script.then([jwks(&[&recipient.jwk]), token()]);
            tokenize(&vault).unwrap();
            assert_eq!(script.calls(), ["GET", "GET", "POST"]);
        }
    }
}

mod a_failure_that_may_pass {
    use super::*;

    fn failures() -> Vec<(Reply, Error)> {
        let mut failures = vec![
            (Err(Lost::Network), Error::Network),
            (Err(Lost::Timeout), Error::Timeout),
            (Ok(refusal(429, "rate_limited")), Error::RateLimited),
            (Ok(reply(429, HTML)), Error::RateLimited),
        ];
        for status in [502, 503, 504] {
            failures.push((Ok(reply(status, HTML)), Error::Unavailable { status }));
        }
        failures
    }

    #[test]
    fn is_met_by_sending_the_same_seal_again() {
        for (failure, _) in failures() {
            let recipient = Recipient::with_bits(2048);
            let answers = [jwks(&[&recipient.jwk]), failure.clone(), failure.clone(), failure, token()];
            let script = Script::new(answers);
            tokenize(&vault(&script)).unwrap();
            assert_eq!(script.calls(), ["GET", "POST", "POST", "POST", "POST"]);
            let posts = &script.sent.borrow()[1..];
            assert!(posts.iter().all(|post| *post == posts[0]));
        }
    }

    #[test]
    fn is_reported_after_the_fourth_time() {
        for (failure, error) in failures() {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new([jwks(&[&recipient.jwk])]);
            script.then(vec![failure; 4]);
            assert_eq!(tokenize(&vault(&script)), Err(error));
            assert_eq!(script.calls(), ["GET", "POST", "POST", "POST", "POST"]);
            assert_eq!(script.waits.borrow().len(), 3);
            let seals = script.seals();
            assert!(seals.iter().all(|seal| *seal == seals[0]), "one seal, however often it is sent");
        }
    }

    #[test]
    fn of_the_keys_is_met_and_reported_the_same_way() {
        for (failure, error) in failures() {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new(vec![failure; 4]);
            let vault = vault(&script);
            assert_eq!(tokenize(&vault), Err(error));
            assert_eq!(script.calls(), ["GET"; 4]);
            script.then([jwks(&[&recipient.jwk]), token()]);
            tokenize(&vault).unwrap();
        }
    }

    #[test]
    fn may_be_another_each_time() {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([
            Err(Lost::Timeout),
            jwks(&[&recipient.jwk]),
            Err(Lost::Network),
            Ok(reply(503, "")),
            Ok(reply(429, "")),
            token(),
        ]);
        tokenize(&vault(&script)).unwrap();
        assert_eq!(script.calls(), ["GET", "GET", "POST", "POST", "POST", "POST"]);
    }

    #[test]
    fn is_waited_out_longer_each_time_within_limits_that_double() {
        for (jitter, millis) in [(0.0, [0, 0, 0]), (0.5, [250, 500, 1_000]), (1.0, [500, 1_000, 2_000])] {
            let script = Script::with_jitter(jitter, vec![Err(Lost::Network); 4]);
            assert_eq!(tokenize(&vault(&script)), Err(Error::Network));
            assert_eq!(*script.waits.borrow(), millis.map(Duration::from_millis), "{jitter}");
        }
    }

    #[test]
    fn is_waited_out_for_at_least_as_long_as_the_vault_asks() {
        for status in [429, 503] {
            for (jitter, millis) in [(0.0, 8_000), (1.0, 8_500)] {
                let recipient = Recipient::with_bits(2048);
                let busy = Answer { retry_after: Some(Duration::from_secs(8)), ..reply(status, "") };
                let script = Script::with_jitter(jitter, [jwks(&[&recipient.jwk]), Ok(busy), token()]);
                tokenize(&vault(&script)).unwrap();
                assert_eq!(*script.waits.borrow(), [Duration::from_millis(millis)]);
            }
        }
    }

    #[test]
    fn is_reported_at_once_when_the_vault_asks_for_more_than_a_person_waits() {
        for (status, error) in [(429, Error::RateLimited), (503, Error::Unavailable { status: 503 })] {
            let recipient = Recipient::with_bits(2048);
            let busy = Answer { retry_after: Some(Duration::from_secs(9)), ..reply(status, "") };
            let script = Script::new([jwks(&[&recipient.jwk]), Ok(busy)]);
            assert_eq!(tokenize(&vault(&script)), Err(error));
            assert_eq!(script.calls(), ["GET", "POST"]);
            assert!(script.waits.borrow().is_empty());
        }
    }

    #[test]
    fn is_not_mistaken_for_one_that_does_not() {
        for status in [500, 501, 505, 599] {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new([jwks(&[&recipient.jwk]), Ok(reply(status, HTML))]);
            assert_eq!(tokenize(&vault(&script)), Err(Error::Unavailable { status }));
            assert_eq!(script.calls(), ["GET", "POST"]);
        }
    }
}

mod a_key_that_the_vault_does_not_know {
    use super::*;

    fn unknown_kid() -> Reply {
        Ok(refusal(400, "unknown_kid"))
    }

    #[test]
    fn is_replaced_by_its_present_one_under_which_the_same_id_is_sealed_again() {
        let [old, new] = [2048, 3072].map(Recipient::with_bits);
        let script = Script::new([jwks(&[&old.jwk]), unknown_kid(), jwks(&[&new.jwk]), token()]);
        let vault = vault(&script);
        tokenize(&vault).unwrap();
        assert_eq!(script.calls(), ["GET", "POST", "GET+", "POST"]);

        let seals = script.seals();
        for (seal, recipient) in seals.iter().zip([&old, &new]) {
            assert_eq!(Compact::parse(seal).unwrap().kid(), recipient.public_key().kid());
        }
        let [first, second] = [opened(&old, &seals[0]), opened(&new, &seals[1])];
        assert_eq!(first, second);

        script.then([token()]);
        tokenize(&vault).unwrap();
        assert_eq!(script.calls().len(), 5, "the new key is kept");
        assert!(new.open(&script.seals()[2]).is_some());
    }

    #[test]
    fn is_replaced_once_a_card_and_then_reported() {
        let [old, new] = [2048, 3072].map(Recipient::with_bits);
        let script = Script::new([jwks(&[&old.jwk]), unknown_kid(), jwks(&[&new.jwk]), unknown_kid()]);
        let vault = vault(&script);
        assert_eq!(tokenize(&vault), refused(Refusal::UnknownKid, 400, "unknown_kid"));
        assert_eq!(script.calls(), ["GET", "POST", "GET+", "POST"]);

        script.then([unknown_kid(), jwks(&[&old.jwk]), token()]);
        tokenize(&vault).unwrap();
        assert_eq!(script.calls()[4..], ["POST", "GET+", "POST"], "the next card may replace it once more");
    }

    #[test]
    fn leaves_the_failure_of_the_keys_to_be_reported() {
        let old = Recipient::with_bits(2048);
        let script = Script::new([jwks(&[&old.jwk]), unknown_kid(), jwks(&[])]);
        let vault = vault(&script);
        assert_eq!(tokenize(&vault), Err(Error::Key(Unusable::Empty)));
        script.then([jwks(&[&old.jwk]), token()]);
        tokenize(&vault).unwrap();
    }
}

mod a_seal_that_the_vault_holds_for_expired {
    use super::*;

    fn expired(date: Option<u64>) -> Reply {
        Ok(Answer { date, ..refusal(400, "expired_seal") })
    }

    #[test]
    fn is_sealed_again_by_the_vaults_clock_under_the_same_id() {
        for vault_now in [START + 86_400, START - 86_400] {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new([jwks(&[&recipient.jwk]), expired(Some(vault_now)), token(), token()]);
            let vault = vault(&script);
            tokenize(&vault).unwrap();
            tokenize(&vault).unwrap();
            assert_eq!(script.calls(), ["GET", "POST", "POST", "POST"]);

            let contents: Vec<Value> = script.seals().iter().map(|seal| opened(&recipient, seal)).collect();
            assert_eq!((&contents[0]["iat"], &contents[1]["iat"]), (&json!(START), &json!(vault_now)));
            assert_eq!(contents[0]["jti"], contents[1]["jti"]);
            assert_eq!(contents[2]["iat"], json!(vault_now), "the next card has the right time at once");
            assert_ne!(contents[2]["jti"], contents[1]["jti"]);
        }
    }

    #[test]
    fn is_sealed_again_once_a_card_and_then_reported() {
        let recipient = Recipient::with_bits(2048);
        let now = Some(START + 86_400);
        let script = Script::new([jwks(&[&recipient.jwk]), expired(now), expired(now)]);
        assert_eq!(tokenize(&vault(&script)), refused(Refusal::ExpiredSeal, 400, "expired_seal"));
        assert_eq!(script.calls(), ["GET", "POST", "POST"]);
    }

    #[test]
    fn is_reported_at_once_when_the_vault_does_not_tell_the_time() {
        let recipient = Recipient::with_bits(2048);
        let script = Script::new([jwks(&[&recipient.jwk]), expired(None)]);
        assert_eq!(tokenize(&vault(&script)), refused(Refusal::ExpiredSeal, 400, "expired_seal"));
        assert_eq!(script.calls(), ["GET", "POST"]);
    }

    #[test]
    fn may_have_had_the_wrong_key_as_well() {
        let [old, new] = [2048, 3072].map(Recipient::with_bits);
        let script = Script::new([
            jwks(&[&old.jwk]),
            expired(Some(START + 600)),
            Ok(refusal(400, "unknown_kid")),
            jwks(&[&new.jwk]),
            token(),
        ]);
        tokenize(&vault(&script)).unwrap();
        let seals = script.seals();
        let [first, last] = [opened(&old, &seals[0]), opened(&new, &seals[2])];
        assert_eq!((&last["jti"], &last["iat"]), (&first["jti"], &json!(START + 600)));
    }

    #[test]
    fn does_not_upset_a_clock_however_wrong_it_is_told_the_time() {
        for date in [0, u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1] {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new([jwks(&[&recipient.jwk]), expired(Some(date)), token()]);
            tokenize(&vault(&script)).unwrap();
        }
    }
}

mod what_is_no_vault {
    use super::*;

    #[test]
    fn is_told_by_an_answer_that_is_no_token() {
        let mut bodies: Vec<String> = vec![
            HTML.into(),
            String::new(),
            "null".into(),
            "{}".into(),
            "[]".into(),
            "\u{FEFF}".into(),
            token_json().to_string() + "}",
            refusal(200, "unknown_kid").body,
        ];
        for member in ["id", "livemode", "used", "card", "created_at"] {
            let mut token = token_json();
            token.as_object_mut().unwrap().remove(member).unwrap();
            bodies.push(token.to_string());
        }
        for member in ["brand", "last_digits", "expiration_month", "expiration_year"] {
            let mut token = token_json();
            token["card"].as_object_mut().unwrap().remove(member).unwrap();
            bodies.push(token.to_string());
        }
        for body in bodies {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new([jwks(&[&recipient.jwk]), Ok(reply(200, &body))]);
            assert_eq!(tokenize(&vault(&script)), Err(Error::BadAnswer { status: 200 }), "{body}");
            assert_eq!(script.calls(), ["GET", "POST"]);
        }
    }

    #[test]
    fn is_told_by_a_refusal_that_is_not_in_a_vaults_words() {
        for status in [400, 401, 403, 404, 405, 413, 415] {
            for body in [
                HTML,
                "",
                "{}",
                r#"{"code":"unknown_kid"}"#,
                r#"{"message":"no"}"#,
                r#"{"code":1,"message":""}"#,
            ] {
                let recipient = Recipient::with_bits(2048);
                let script = Script::new([jwks(&[&recipient.jwk]), Ok(reply(status, body))]);
                assert_eq!(tokenize(&vault(&script)), Err(Error::BadAnswer { status }), "{body}");
            }
        }
    }

    #[test]
    fn is_told_by_a_status_that_no_vault_answers_with() {
        for status in [0, 100, 199, 300, 304, 399, 600, u16::MAX] {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new([jwks(&[&recipient.jwk]), Ok(reply(status, token_json()))]);
            assert_eq!(tokenize(&vault(&script)), Err(Error::BadAnswer { status }));
        }
    }

    #[test]
    fn is_told_by_keys_that_are_no_key_set() {
        for (status, body) in
            [(200, HTML), (200, ""), (200, "{"), (200, "{}"), (200, r#"{"keys":{}}"#), (404, HTML)]
        {
            let script = Script::new([Ok(reply(status, body))]);
            assert_eq!(tokenize(&vault(&script)), Err(Error::BadAnswer { status }), "{body}");
            assert_eq!(script.calls(), ["GET"]);
        }
    }

    #[test]
    fn is_taken_for_a_vault_that_is_down_while_it_answers_502() {
        let script = Script::new(vec![Ok(reply(502, HTML)); 4]);
        assert_eq!(tokenize(&vault(&script)), Err(Error::Unavailable { status: 502 }));
    }
}

mod no_card_is_sealed {
    use super::*;

    #[test]
    fn to_a_set_without_a_usable_key() {
        let small = Jwk::rsa_oaep_256("small", &[0xFF; 128], &[1, 0, 1]);
        let signing = Jwk { key_use: Some("sig".into()), ..Recipient::with_bits(2048).jwk };
        let mut weak = Recipient::with_bits(2048).jwk;
        weak.e = Some("Aw".into());
        for (keys, unusable) in [
            (jwks(&[]), Unusable::Empty),
            (jwks(&[&small]), Unusable::Modulus),
            (jwks(&[&signing]), Unusable::Use),
            (jwks(&[&weak]), Unusable::Exponent),
        ] {
            let script = Script::new([keys]);
            assert_eq!(tokenize(&vault(&script)), Err(Error::Key(unusable)));
            assert_eq!(script.calls(), ["GET"]);
        }
    }

    #[test]
    fn when_the_vault_refuses_to_show_its_keys() {
        let script = Script::new([Ok(refusal(403, "origin_not_allowed"))]);
        assert_eq!(tokenize(&vault(&script)), refused(Refusal::OriginNotAllowed, 403, "origin_not_allowed"));
        assert_eq!(script.calls(), ["GET"]);
    }
}

mod a_refusal {
    use super::*;

    #[test]
    fn is_reported_at_once_with_the_vaults_own_words() {
        for (status, code, expected) in [
            (401, "authentication_failure", Refusal::AuthenticationFailure),
            (403, "origin_not_allowed", Refusal::OriginNotAllowed),
            (400, "invalid_seal", Refusal::InvalidSeal),
            (400, "invalid_card", Refusal::InvalidCard(None)),
            (400, "bad_request", Refusal::BadRequest),
            (413, "bad_request", Refusal::BadRequest),
            (400, "something_new", Refusal::BadRequest),
            (404, "not_found", Refusal::BadRequest),
        ] {
            let recipient = Recipient::with_bits(2048);
            let script = Script::new([jwks(&[&recipient.jwk]), Ok(refusal(status, code))]);
            let error = tokenize(&vault(&script)).unwrap_err();
            assert_eq!(error.to_string(), format!("{code}, in the vault's words"));
            assert_eq!(Err(error), refused(expected, status, code));
            assert_eq!(script.calls(), ["GET", "POST"]);
        }
    }
}

#[test]
fn no_error_shows_anything_of_the_card() {
    let replies: [Reply; 12] = [
        Err(Lost::Network),
        Err(Lost::Timeout),
        Ok(reply(200, HTML)),
        Ok(reply(204, "")),
        Ok(reply(302, "")),
        Ok(reply(404, HTML)),
        Ok(reply(429, "")),
        Ok(reply(500, "")),
        Ok(reply(503, "")),
        Ok(refusal(400, "invalid_card")),
        Ok(refusal(400, "unknown_kid")),
        Ok(refusal(401, "authentication_failure")),
    ];
    for failure in replies {
        let recipient = Recipient::with_bits(2048);
        for keys in [jwks(&[&recipient.jwk]), failure.clone()] {
            let script = Script::new([keys]);
            script.then(vec![failure.clone(); 8]);
            let error = tokenize(&vault(&script)).unwrap_err();
            let printed = format!("{error} {error:?} {error:#?}");
            for secret in ["4242", "987", "Taro", "Yamada", "2034", "12/34"] {
                assert!(!printed.contains(secret), "{secret} in {printed}");
            }
        }
    }
}

#[test]
fn a_request_id_is_128_bits_of_base64url_and_never_the_same() {
    let ids: Vec<RequestId> = (0..100).map(|_| RequestId::random().unwrap()).collect();
    for (at, id) in ids.iter().enumerate() {
        assert!(id.as_str().len() == 22 && Jti::parse(id.as_str()).is_some(), "{id:?}");
        assert!(!ids[..at].contains(id));
    }
}

#[test]
fn the_id_of_a_request_tells_nothing_of_the_id_of_its_seal() {
    let recipient = Recipient::with_bits(2048);
    let script = Script::new([jwks(&[&recipient.jwk]), token()]);
    tokenize(&vault(&script)).unwrap();
    let jti = opened(&recipient, &script.seals()[0])["jti"].clone();
    assert_ne!(jti.as_str(), script.sent.borrow()[1].header("X-Request-Id"));
}
