use axum::http::StatusCode;
use cardseal::client::Profile;
use cardseal_sandbox::Mood;
use cardseal_sandbox::omise::CHALLENGED;
use serde_json::{Value, json};

use super::{Shop, requests, shown};
use crate::support::{VISA, basic};

#[tokio::test]
async fn a_card_becomes_a_token_there_and_then_a_charge() {
    let shop = Shop::at(Profile::Omise).await;
    let omise = &shop.vendors.sandbox.omise;
    let charge = shop.charge(VISA).await;
    assert_eq!(shown(&charge), ("successful", None, None));
    let reference = charge["acquirer"]["reference"].as_str().unwrap();
    assert!(charge["acquirer"]["name"] == "omise" && reference.starts_with("chrg_test_"));
    let exchanges = omise.server.records.all();
    let [token, paid] = &*exchanges else { panic!("{}", exchanges.len()) };
    assert_eq!(token.header("authorization"), Some(&*basic(&omise.credentials.public_key)));
    assert_eq!(paid.header("authorization"), Some(&*basic(&omise.credentials.secret_key)));
    for exchange in [token, paid] {
        assert_eq!(exchange.header("omise-version"), Some("2019-05-29"));
    }
    assert!(!paid.body.contains(VISA));
    let card = &requests(&omise.server, "/tokens")[0]["card"];
    assert_eq!(
        *card,
        json!({
            "name": "Somchai Prasert", "number": VISA, "expiration_month": 12, "expiration_year": 2030,
            "security_code": "123", "city": "Shinjuku-ku", "country": "jp", "postal_code": "1600022",
            "street1": "1-2-3 Shinjuku",
        })
    );
    let asked = &requests(&omise.server, "/charges")[0];
    let token = asked["card"].as_str().unwrap();
    assert_eq!(
        *asked,
        json!({
            "amount": 10_000, "currency": "THB", "card": token, "metadata": { "cardseal_charge": charge["id"] },
        })
    );
    assert_eq!(omise.number(token).unwrap(), VISA);
}

#[tokio::test]
async fn a_customers_card_is_charged_without_its_code() {
    let shop = Shop::at(Profile::Omise).await;
    let with = json!({ "customer": shop.customer(VISA).await });
    for _ in 0..2 {
        assert_eq!(shown(&shop.charge_of(&with).await).0, "successful");
    }
    let cards = requests(&shop.vendors.sandbox.omise.server, "/tokens");
    assert!(cards.len() == 2 && cards.iter().all(|body| body["card"].get("security_code").is_none()));
}

#[tokio::test]
async fn charges_fail_with_its_codes() {
    let shop = Shop::at(Profile::Omise).await;
    for (number, code) in [
        ("4111111111140011", "insufficient_fund"),
        ("5555551111100012", "stolen_or_lost_card"),
        ("377138160000009", "failed_processing"),
        ("4111111111110014", "payment_rejected"),
        ("4111111111160001", "invalid_security_code"),
    ] {
        assert_eq!(shown(&shop.charge(number).await), ("failed", Some(code), Some(code)), "{number}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_by_its_token_and_nothing_is_charged_twice() {
    for mood in [Mood::LoseAnswer, Mood::Garbage] {
        let shop = Shop::at(Profile::Omise).await;
        let omise = &shop.vendors.sandbox.omise;
        omise.server.moods.set(Mood::Well, 1);
        omise.server.moods.set(mood, 1);
        let charge = shop.charge(VISA).await;
        assert_eq!(shown(&charge), ("pending", None, None));
        let token = shop.now(&charge).await["acquirer"]["reference"].as_str().unwrap().to_owned();
        assert!(token.starts_with("tokn_test_"));
        assert_eq!((shop.look_up(10).await, shop.look_up(20).await), (1, 0));
        assert_eq!(shown(&shop.now(&charge).await), ("successful", None, None));
        assert_eq!((omise.charges(), requests(&omise.server, "/charges").len()), (1, 1), "{mood:?}");
    }
}

#[tokio::test]
async fn a_charge_that_never_arrived_fails_after_ten_minutes() {
    for mood in
        [Mood::HangUp, Mood::Status(StatusCode::SERVICE_UNAVAILABLE), Mood::Status(StatusCode::BAD_GATEWAY)]
    {
        let shop = Shop::at(Profile::Omise).await;
        let omise = &shop.vendors.sandbox.omise;
        omise.server.moods.set(Mood::Well, 1);
        omise.server.moods.set(mood, 1);
        let charge = shop.charge(VISA).await;
        assert_eq!((shown(&charge), shop.look_up(599).await), (("pending", None, None), 0), "{mood:?}");
        assert_eq!(shop.look_up(2000).await, 1);
        assert_eq!(shown(&shop.now(&charge).await), ("failed", Some("failed_processing"), None));
        assert_eq!((omise.charges(), requests(&omise.server, "/charges").len()), (0, 1), "{mood:?}");
    }
}

#[tokio::test]
async fn without_a_token_nobody_is_asked_for_money() {
    for (mood, code) in [
        (Mood::LoseAnswer, None),
        (Mood::HangUp, None),
        (Mood::Garbage, None),
        (Mood::Status(StatusCode::INTERNAL_SERVER_ERROR), None),
        (Mood::Status(StatusCode::BAD_REQUEST), None),
    ] {
        let shop = Shop::at(Profile::Omise).await;
        let omise = &shop.vendors.sandbox.omise;
        omise.server.moods.set(mood, 1);
        assert_eq!(shown(&shop.charge(VISA).await), ("failed", Some("failed_processing"), code), "{mood:?}");
        assert_eq!(omise.server.records.all().len(), 1, "{mood:?}: it was tried again");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_again_only_where_omise_is_busy() {
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let shop = Shop::at(Profile::Omise).await;
        let omise = &shop.vendors.sandbox.omise.server;
        omise.moods.set(Mood::Status(status), 3);
        assert_eq!(shown(&shop.charge(VISA).await).0, "successful");
        assert_eq!((requests(omise, "/tokens").len(), requests(omise, "/charges").len()), (4, 1));
        omise.moods.set(Mood::Status(status), 4);
        assert_eq!(shown(&shop.charge(VISA).await), ("failed", Some("failed_processing"), None));
        assert_eq!((requests(omise, "/tokens").len(), requests(omise, "/charges").len()), (8, 1));
    }
}

#[tokio::test]
async fn a_holder_is_sent_to_the_bank_and_the_charge_waits() {
    let shop = Shop::at(Profile::Omise).await;
    let omise = &shop.vendors.sandbox.omise;
    for (lets, ended) in [
        (true, ("successful", None, None)),
        (false, ("failed", Some("payment_rejected"), Some("payment_rejected"))),
    ] {
        shop.asked.set_time(crate::support::NOON);
        let with = json!({ "card": shop.token(CHALLENGED).await, "return_uri": "https://shop.example/done" });
        let charge = shop.charge_of(&with).await;
        assert_eq!(shown(&charge), ("pending", None, None));
        assert!(charge["authorize_uri"].as_str().unwrap().starts_with("https://api.omise.co/"));
        assert_eq!(
            requests(&omise.server, "/charges").last().unwrap()["return_uri"],
            "https://shop.example/done"
        );
        assert_eq!(shop.look_up(10).await, 0);
        omise.authorize(charge["acquirer"]["reference"].as_str().unwrap(), lets);
        assert_eq!(shop.look_up(60).await, 1);
        let charge = shop.now(&charge).await;
        assert_eq!((shown(&charge), &charge["authorize_uri"]), (ended, &Value::Null));
    }
}

#[tokio::test]
async fn a_holder_who_never_comes_ends_the_charge_after_a_day() {
    let shop = Shop::at(Profile::Omise).await;
    let with = json!({ "card": shop.token(CHALLENGED).await, "return_uri": "https://shop.example/done" });
    let charge = shop.charge_of(&with).await;
    assert_eq!((shop.look_up(24 * 60 * 60 - 1).await, shop.look_up(3 * 24 * 60 * 60).await), (0, 1));
    assert_eq!(shown(&shop.now(&charge).await), ("failed", Some("failed_processing"), None));
}

#[tokio::test]
async fn wrong_keys_fail_a_charge_and_tell_its_code() {
    let shop = Shop::at(Profile::Omise).await;
    let public = &shop.vendors.sandbox.omise.credentials.public_key;
    let keys = format!("public_key = \"{public}\"\nsecret_key = \"skey_test_wrong\"\ntakes_charges = true\n");
    shop.vendors.connect_with(&shop.asked, &shop.account, Profile::Omise, &keys).await;
    let charge = shop.charge(VISA).await;
    assert_eq!(shown(&charge), ("failed", Some("failed_processing"), Some("authentication_failure")));
}
