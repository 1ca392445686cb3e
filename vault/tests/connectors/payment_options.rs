use std::fs;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use base64ct::{Base64, Encoding};
use cardseal::client::Profile;
use cardseal_sandbox::Mood;
use cardseal_sandbox::payment_options::{BLACKLISTED, CHALLENGED, OPENAPI};
use cardseal_vault::log::Format;
use cardseal_vault::store::Purpose;
use cardseal_vault::time::Timestamp;
use serde_json::{Value, json};

use super::{Shop, billed, journey, requests, shown};
use crate::support::log::Log;
use crate::support::operator;
use crate::support::{Answer, NOON, VISA, clear_card};

const PAYMENT: &str = "/api/v1/server-to-server-interface/payment";

/// The document's schema of a purchase.
fn schema() -> Value {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let path = "/paths/~1api~1v1~1server-to-server-interface~1payment/post/requestBody/content/application~1json/schema";
    document.pointer(path).unwrap().clone()
}

/// The document's example of what a schema describes, put together from those of its members.
fn example(schema: &Value) -> Value {
    match schema["properties"].as_object() {
        Some(members) => members.iter().map(|(name, schema)| (name.clone(), example(schema))).collect(),
        None => schema["example"].clone(),
    }
}

#[tokio::test]
async fn its_documents_own_example_is_what_is_sent_and_its_answer_is_understood() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options;
    let mut expected = example(&schema());
    let mut card = json!({
        "number": expected["card"]["number"], "security_code": expected["card"]["cvc"],
        "expiration_month": 12, "expiration_year": 2029, "name": expected["card"]["name"],
        "street1": expected["billing_address"]["address1"],
    });
    for name in ["city", "state", "postal_code", "country", "email", "phone_number"] {
        card[name] = expected["billing_address"][name].clone();
    }
    let token = shop.token_of(&json!({ "card": card })).await;
    let body = json!({
        "amount": 1000, "currency": "jpy", "card": token, "ip": expected["customer_ip"],
        "return_uri": "https://shop.example/done",
    });
    let charge = shop.post(&body).await.json();
    assert_eq!(shown(&charge), ("successful", None, Some("0")));
    assert_eq!(charge["acquirer"]["name"], "payment-options");
    assert_eq!(charge["acquirer"]["reference"].as_str().unwrap().len(), 36);

    let sent = requests(&gateway.server, PAYMENT);
    for name in ["shipping_address", "time_zone", "return_url"] {
        expected.as_object_mut().unwrap().remove(name);
    }
    expected["payment_method"]["store_payment_method"] = false.into();
    expected["merchant_txn_ref"] = charge["id"].clone();
    expected["merchant_id"] = gateway.credentials.merchant_id.clone().into();
    assert_eq!(sent, [expected]);
    assert!(jsonschema::is_valid(&schema(), &sent[0]));
    let exchange = &gateway.server.records.all()[0];
    let key = &gateway.credentials.api_key;
    assert_eq!(exchange.header("x-api-key"), Some(&**key));
    assert_eq!(
        exchange.header("authorization"),
        Some(&*format!("Basic {}", Base64::encode_string(key.as_bytes())))
    );
    assert_eq!(gateway.cards(), 0, "a token is for once");
}

#[tokio::test]
async fn amounts_are_written_as_each_currency_has_them() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options.server;
    for (amount, currency, text) in
        [(10_000, "THB", "100.00"), (1000, "JPY", "1000"), (5, "USD", "0.05"), (1500, "KWD", "1.500")]
    {
        let token = shop.token(VISA).await;
        let body = json!({ "amount": amount, "currency": currency, "card": token });
        assert_eq!(shown(&shop.post(&body).await.json()).0, "successful", "{currency}");
        assert_eq!(requests(gateway, PAYMENT).last().unwrap()["amount"], text);
    }
}

#[tokio::test]
async fn a_customers_card_is_sent_once_and_then_only_its_name() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options;
    let customer = shop.customer(VISA).await;
    let with = json!({ "customer": customer });
    for _ in 0..3 {
        assert_eq!(shown(&shop.charge_of(&with).await).0, "successful");
    }
    let sent = requests(&gateway.server, PAYMENT);
    assert_eq!((sent.len(), gateway.cards(), gateway.purchases()), (3, 1, 3));
    assert_eq!(sent[0]["payment_method"], json!({ "type": "scheme", "store_payment_method": true }));
    assert_eq!((&sent[0]["card"]["number"], &sent[0]["card"]["cvc"]), (&json!(VISA), &Value::Null));
    assert!(jsonschema::is_valid(&schema(), &sent[0]));
    let name = sent[1]["payment_method"]["stored_payment_method_id"].as_str().unwrap();
    for again in &sent[1..] {
        assert!(again.get("card").is_none());
        let method =
            json!({ "type": "scheme", "store_payment_method": true, "stored_payment_method_id": name });
        assert_eq!(again["payment_method"], method);
        assert!(again["billing_address"]["address1"].is_string());
    }
    assert_eq!(shop.asked.count("stored_methods").await, 1);
    for entry in fs::read_dir(shop.asked.dir.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(name.len()).any(|part| part == name.as_bytes()), "its name is in the clear");
    }
}

#[tokio::test]
async fn a_name_that_is_forgotten_there_fails_one_charge_and_the_next_sends_the_card() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options;
    let with = json!({ "customer": shop.customer(VISA).await });
    shop.charge_of(&with).await;
    gateway.forget_cards();
    assert_eq!(shown(&shop.charge_of(&with).await), ("failed", Some("failed_processing"), None));
    assert_eq!((gateway.purchases(), shop.asked.count("stored_methods").await), (1, 0));
    assert_eq!(shown(&shop.charge_of(&with).await).0, "successful");
    let sent = requests(&gateway.server, PAYMENT);
    assert!(sent[1].get("card").is_none() && sent[2]["card"]["number"] == VISA);
    assert_eq!((sent.len(), gateway.purchases(), shop.asked.count("stored_methods").await), (3, 2, 1));
}

#[tokio::test]
async fn what_is_kept_of_a_card_goes_with_the_card() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options.server;
    let customer = shop.customer(VISA).await;
    let (path, with) = (format!("/customers/{customer}"), json!({ "customer": customer }));
    shop.charge_of(&with).await;
    let card = shop.asked.get(&path, &shop.account.secret_key).await.json()["default_card"].clone();
    let card = format!("{path}/cards/{}", card.as_str().unwrap());

    // Payment Options keeps the expiry that the card had.
    let renewed = shop.send(Method::PATCH, &card, &json!({ "expiration_year": 2031 })).await;
    assert_eq!((renewed.status, shop.asked.count("stored_methods").await), (StatusCode::OK, 0));
    shop.charge_of(&with).await;
    assert_eq!(requests(gateway, PAYMENT).last().unwrap()["card"]["expiry_year"], "31");
    assert_eq!(shop.asked.count("stored_methods").await, 1);

    shop.send(Method::DELETE, &card, &json!({})).await;
    assert_eq!(shop.asked.count("stored_methods").await, 0);
    shop.send(Method::PATCH, &path, &json!({ "card": shop.token(VISA).await })).await;
    shop.charge_of(&with).await;
    assert_eq!(shop.asked.count("stored_methods").await, 1);
    shop.send(Method::DELETE, &path, &json!({})).await;
    assert_eq!(shop.asked.count("stored_methods").await, 0);
}

#[tokio::test]
async fn what_is_kept_of_one_card_charges_no_other() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options;
    let (rich, thief) = (shop.customer(VISA).await, shop.customer("5555555555554444").await);
    shop.charge_of(&json!({ "customer": rich })).await;
    // Who writes to the database says that it is the other's.
    shop.asked
        .execute(
            "UPDATE stored_methods SET customer_id = (SELECT customer_id FROM cards WHERE brand = 'mastercard'),
                 card_id = (SELECT id FROM cards WHERE brand = 'mastercard')",
        )
        .await;
    let body = json!({ "amount": 10_000, "currency": "THB", "customer": thief });
    shop.post(&body).await.error(500, "internal_error");
    assert_eq!(gateway.purchases(), 1);
}

#[tokio::test]
async fn what_is_kept_comes_under_the_new_data_key_and_is_used_on() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options;
    let with = json!({ "customer": shop.customer(VISA).await });
    shop.charge_of(&with).await;
    let now = Timestamp::from_unix_seconds(NOON);
    shop.asked.vault.rotate(Purpose::Data, operator(), now).await.unwrap();
    while shop.asked.vault.rekey().await.unwrap() > 0 {}
    assert_eq!(shop.asked.count_where("stored_methods", "data_key_version = 2").await, 1);
    assert_eq!(shown(&shop.charge_of(&with).await).0, "successful");
    assert_eq!((gateway.cards(), gateway.purchases()), (1, 2));
}

#[tokio::test]
async fn what_is_kept_at_another_account_is_not_used() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options;
    let with = json!({ "customer": shop.customer(VISA).await });
    shop.charge_of(&with).await;
    let other = format!(
        "merchant_id = \"another\"\napi_key = \"{}\"\ntakes_charges = true\n",
        gateway.credentials.api_key
    );
    shop.vendors.connect_with(&shop.asked, &shop.account, Profile::PaymentOptions, &other).await;
    shop.charge_of(&with).await;
    assert_eq!(requests(&gateway.server, PAYMENT).last().unwrap()["card"]["number"], VISA);
}

#[tokio::test]
async fn declined_cards_fail_with_its_codes() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    for (number, failure, code) in [
        ("4111111111140011", "insufficient_fund", "51"),
        ("4111111111130012", "stolen_or_lost_card", "41"),
        ("4111111111120013", "failed_processing", "96"),
        ("4111111111110014", "payment_rejected", "5"),
        ("4111111111160001", "invalid_security_code", "580"),
    ] {
        let charge = shop.charge(number).await;
        assert_eq!(shown(&charge), ("failed", Some(failure), Some(code)), "{number}");
        assert_eq!(shop.now(&charge).await, charge);
    }
    assert_eq!(shop.asked.count("stored_methods").await, 0);
}

#[tokio::test]
async fn a_number_in_its_words_gets_nowhere() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let log = Log::listen(Format::Json);
    let token = shop.token(BLACKLISTED).await;
    let answer = shop.post(&json!({ "amount": 10_000, "currency": "THB", "card": token })).await;
    assert_eq!(shown(&answer.json()), ("failed", Some("failed_fraud_check"), Some("Err3004")));
    let exchange = &shop.vendors.sandbox.payment_options.server.records.all()[0];
    assert!(exchange.answer.as_ref().unwrap().body.contains(BLACKLISTED), "it was not said at all");
    // Before it is redacted.
    let lines = log.take().join("\n");
    assert!(lines.contains("Payment Options refused a purchase") && lines.contains("PAN #####"), "{lines}");
    let events = shop.asked.get("/events", &shop.account.secret_key).await;
    for text in [&answer.body, &lines, &events.body] {
        assert!(!text.contains(BLACKLISTED) && !text.contains(&BLACKLISTED[..8]), "{text}");
    }
    for entry in fs::read_dir(shop.asked.dir.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|part| part == BLACKLISTED.as_bytes()));
    }
}

#[tokio::test]
async fn documented_refusals_fail_and_are_not_sent_again() {
    for (status, failure) in [
        (400, "failed_processing"),
        (401, "failed_processing"),
        (404, "failed_processing"),
        (406, "invalid_account_number"),
        (412, "failed_processing"),
    ] {
        let shop = Shop::at(Profile::PaymentOptions).await;
        let gateway = &shop.vendors.sandbox.payment_options;
        gateway.server.moods.set(Mood::Status(StatusCode::from_u16(status).unwrap()), 1);
        let charge = shop.charge(VISA).await;
        assert_eq!(shown(&charge), ("failed", Some(failure), None), "{status}");
        assert_eq!(shop.look_up(24 * 60 * 60).await, 0);
        assert_eq!(gateway.server.records.all().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn answers_that_say_nothing_certain_are_looked_up_and_nothing_is_sent_again() {
    for (mood, is_paid) in [
        (Mood::LoseAnswer, true),
        (Mood::Garbage, true),
        (Mood::HangUp, false),
        (Mood::Status(StatusCode::TOO_MANY_REQUESTS), false),
        (Mood::Status(StatusCode::INTERNAL_SERVER_ERROR), false),
        (Mood::Status(StatusCode::BAD_GATEWAY), false),
        (Mood::Status(StatusCode::SERVICE_UNAVAILABLE), false),
        (Mood::Status(StatusCode::GATEWAY_TIMEOUT), false),
    ] {
        let shop = Shop::at_friendly_payment_options().await;
        let gateway = &shop.vendors.sandbox.payment_options;
        gateway.server.moods.set(mood, 1);
        let charge = shop.charge(VISA).await;
        assert_eq!(shown(&charge), ("pending", None, None), "{mood:?}");
        // Two processes look at once.
        let other = shop.beside().await;
        shop.asked.set_time(NOON + 10);
        let vaults = [Arc::clone(&shop.asked.vault), Arc::clone(&other.vault)];
        let [one, two] =
            vaults.map(|vault| tokio::spawn(async move { vault.resolve_charges().await.unwrap() }));
        let found = one.await.unwrap() + two.await.unwrap();
        if is_paid {
            assert_eq!(found, 1);
            let charge = shop.now(&charge).await;
            assert_eq!(shown(&charge), ("successful", None, Some("0")));
            assert!(charge["acquirer"]["reference"].is_string());
        } else {
            // It may be on its way for ten minutes.
            assert_eq!((found, shop.look_up(599).await), (0, 0), "{mood:?}");
            assert_eq!(shop.look_up(2000).await, 1);
            assert_eq!(shown(&shop.now(&charge).await), ("failed", Some("failed_processing"), None));
        }
        assert_eq!(gateway.purchases(), usize::from(is_paid));
        assert_eq!(requests(&gateway.server, PAYMENT).len(), 1, "{mood:?}: it was sent again");
    }
}

#[tokio::test]
async fn a_purchase_that_is_not_found_by_ours_may_have_been_made_unless_the_operator_knows_better() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let gateway = &shop.vendors.sandbox.payment_options.server;
    gateway.moods.set(Mood::HangUp, 1);
    let charge = shop.charge(VISA).await;
    assert_eq!(shop.look_up(24 * 60 * 60).await, 0);
    assert_eq!(shown(&shop.now(&charge).await), ("pending", None, None));
    // What is found by it counts all the same.
    gateway.moods.set(Mood::LoseAnswer, 1);
    let charge = shop.charge(VISA).await;
    assert_eq!(shop.look_up(25 * 60 * 60).await, 1);
    assert_eq!(shown(&shop.now(&charge).await), ("successful", None, Some("0")));
}

#[tokio::test]
async fn whoever_was_asked_is_asked_what_became_of_it() {
    let shop = Shop::at_friendly_payment_options().await;
    let (options, omise) = (&shop.vendors.sandbox.payment_options, &shop.vendors.sandbox.omise);
    options.server.moods.set(Mood::LoseAnswer, 1);
    let lost = shop.charge(VISA).await;
    // The merchant's charges go elsewhere now.
    shop.vendors.connect(&shop.asked, &shop.account, Profile::PaymentOptions).await;
    shop.vendors.connect_for_charges(&shop.asked, &shop.account, Profile::Omise).await;
    assert_eq!(shop.charge(VISA).await["acquirer"]["name"], "omise");
    assert_eq!(shop.look_up(10).await, 1);
    let found = shop.now(&lost).await;
    assert_eq!((shown(&found).0, &found["acquirer"]["name"]), ("successful", &json!("payment-options")));
    assert_eq!((options.purchases(), omise.charges()), (1, 1));
}

#[tokio::test]
async fn what_it_would_not_take_is_told_before_anything_is_sent_or_used() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let without = |name: &str| {
        let mut card = billed(VISA);
        card["card"].as_object_mut().unwrap().remove(name);
        card
    };
    let long = {
        let mut card = billed(VISA);
        card["card"]["city"] = "x".repeat(66).into();
        card
    };
    for (card, currency, code, words) in [
        (billed("6447032400000000001"), "THB", "invalid_card", "number"),
        (without("street1"), "THB", "bad_request", "card.street1 is missing"),
        (without("city"), "THB", "bad_request", "card.city is missing"),
        (without("country"), "THB", "bad_request", "card.country is missing"),
        (without("postal_code"), "THB", "bad_request", "card.postal_code is missing"),
        (long, "THB", "bad_request", "card.city is longer"),
        (billed(VISA), "QQQ", "bad_request", "currency"),
        (billed(VISA), "XAU", "bad_request", "currency"),
    ] {
        let token = shop.token_of(&card).await;
        let body = json!({ "amount": 10_000, "currency": currency, "card": token });
        let message = shop.post(&body).await.error(400, code);
        assert!(message.contains(words), "{message}");
        let token = shop.asked.get(&format!("/tokens/{token}"), &shop.account.public_key).await.json();
        assert_eq!(token["used"], false, "{words}");
    }
    // It has no address to call back at.
    let mut body = json!({ "amount": 10_000, "currency": "THB", "card": shop.token(VISA).await });
    body.as_object_mut().unwrap().extend(journey().as_object().unwrap().clone());
    assert!(shop.post(&body).await.error(400, "bad_request").contains("browser_info"));
    assert_eq!(shop.asked.count("charges").await, 0);
    assert!(shop.vendors.sandbox.payment_options.server.records.all().is_empty());
}

#[tokio::test]
async fn a_form_is_told_what_it_would_not_take() {
    let shop = Shop::at(Profile::PaymentOptions).await;
    let with_profile = |mut card: Value, profile: &str| {
        card["profile"] = profile.into();
        card
    };
    let post = async |body: Value| shop.asked.post("/tokens", &shop.account.public_key, &body).await;
    assert_eq!(post(with_profile(billed(VISA), "payment-options")).await.status, 200);
    assert_eq!(post(with_profile(clear_card(VISA), "cardseal")).await.status, 200);
    let long = post(with_profile(billed("6447032400000000001"), "payment-options")).await;
    assert!(long.error(400, "invalid_card").contains("number"));
    let bare = post(with_profile(clear_card(VISA), "payment-options")).await;
    assert!(bare.error(400, "bad_request").contains("missing"));
    for profile in ["omise", "thales-pci", "thales-d1", "visa"] {
        post(with_profile(billed(VISA), profile)).await.error(400, "bad_request");
    }
    let other = shop.asked.merchant().await;
    let body = with_profile(billed(VISA), "payment-options");
    let refused = shop.asked.post("/tokens", &other.public_key, &body).await;
    refused.error(403, "profile_not_allowed");
    assert_eq!(shop.asked.count("tokens").await, 2);
}

/// Tells the vault that something has happened, as Payment Options does.
async fn notify(shop: &Shop, url: &str, body: &Value) -> Answer {
    let path = url.strip_prefix("https://vault.example").unwrap();
    shop.asked.post(path, "", body).await
}

/// Waits until the vault has looked up a charge that stays pending: it was the look-up's for a minute, and is looked up
/// again in ten seconds.
async fn looked_up(shop: &Shop) {
    let later = "status = 'pending' AND ask_at = 1795262410";
    assert_eq!(NOON, 1_795_262_400);
    while shop.asked.count_where("charges", later).await == 0 {
        tokio::task::yield_now().await;
    }
}

/// The charge, once the vault has looked it up.
async fn settled(shop: &Shop, charge: &Value) -> Value {
    loop {
        let charge = shop.now(charge).await;
        if charge["status"] != "pending" {
            return charge;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_holder_is_sent_to_the_bank_and_a_notice_makes_the_vault_look() {
    let shop = Shop::with(Profile::PaymentOptions, |settings| {
        settings.callback_url = Some("https://vault.example".parse().unwrap());
    })
    .await;
    let gateway = &shop.vendors.sandbox.payment_options;
    let mut with = journey();
    with["card"] = shop.token(CHALLENGED).await.into();
    let charge = shop.charge_of(&with).await;
    assert_eq!(shown(&charge), ("pending", None, None));
    let address = charge["authorize_uri"].as_str().unwrap();
    assert!(address.starts_with("https://3ds.sandbox.example/"));
    let sent = requests(&gateway.server, "/paymentv2");
    let [sent] = &*sent else { panic!("{}", sent.len()) };
    assert!(sent.get("payment_method").is_none());
    assert_eq!(sent["customer_ip"], "203.0.113.7");
    assert_eq!(
        sent["browser_info"],
        json!({
            "acceptHeader": "text/html", "userAgent": "Mozilla/5.0 (X11; Linux x86_64)", "language": "en",
            "javaEnabled": false, "screenColorDepth": "24", "screenHeight": "1080", "screenWidth": "1920",
            "challengeWindow": "5",
        })
    );
    assert_eq!(sent["return_url"]["success_url"], "https://shop.example/done");
    let url = sent["return_url"]["webhook_url"].as_str().unwrap().to_owned();
    assert!(url.len() <= 255);

    // Whoever does not know the address changes nothing, and whoever does and lies does not either.
    let other = shop.charge(VISA).await;
    let forged = json!({
        "success": true,
        "merchant_details": { "merchant_txn_ref": charge["id"] },
        "payment_details": { "amount": 100, "response_code": 0, "currency": "THB" },
        "transaction_details": { "id": other["acquirer"]["reference"], "merchant_txn_ref": charge["id"] },
    });
    notify(&shop, "https://vault.example/callbacks/payment-options/guessed", &forged)
        .await
        .error(404, "not_found");
    for forged in [forged, json!("4242424242424242")] {
        assert_eq!(notify(&shop, &url, &forged).await.status, 204);
        looked_up(&shop).await;
    }
    let still = shop.now(&charge).await;
    assert_eq!((&still["status"], &still["authorize_uri"]), (&json!("pending"), &json!(address)));
    assert_eq!(still["acquirer"]["reference"], Value::Null);

    let notice = gateway.authorize(address).unwrap();
    assert_eq!(notice.url, url);
    assert_eq!(notify(&shop, &url, &notice.body).await.status, 204);
    let paid = settled(&shop, &charge).await;
    assert_eq!(shown(&paid), ("successful", None, Some("0")));
    assert_eq!(paid["authorize_uri"], Value::Null);
    assert_eq!(paid["acquirer"]["reference"], notice.body["transaction_details"]["id"]);
    // It comes again.
    assert_eq!(notify(&shop, &url, &notice.body).await.status, 204);
    assert_eq!((shop.now(&charge).await, gateway.purchases()), (paid, 2));
}

#[tokio::test]
async fn a_holder_who_never_comes_ends_the_charge_after_a_day() {
    let shop = Shop::at_friendly_payment_options().await;
    let mut with = journey();
    with["card"] = shop.token(CHALLENGED).await.into();
    let charge = shop.charge_of(&with).await;
    assert_eq!(shop.look_up(24 * 60 * 60 - 1).await, 0);
    assert_eq!(shown(&shop.now(&charge).await), ("pending", None, None));
    assert_eq!(shop.look_up(3 * 24 * 60 * 60).await, 1);
    let ended = shop.now(&charge).await;
    assert_eq!(
        (shown(&ended), &ended["authorize_uri"]),
        (("failed", Some("failed_processing"), None), &Value::Null)
    );
}

#[tokio::test]
async fn cards_that_no_bank_asks_about_pay_at_once_with_a_browser_too() {
    let shop = Shop::at_friendly_payment_options().await;
    let mut with = journey();
    with["card"] = shop.token(VISA).await.into();
    let charge = shop.charge_of(&with).await;
    assert_eq!((shown(&charge).0, &charge["authorize_uri"]), ("successful", &Value::Null));
}

#[tokio::test]
async fn browsers_and_ways_back_are_read_whole_or_refused() {
    let shop = Shop::at_friendly_payment_options().await;
    let token = shop.token(VISA).await;
    for (path, value) in [
        ("/return_uri", json!("http://shop.example/done")),
        ("/return_uri", json!("https://shop.example/4242424242424242")),
        ("/ip", json!("somewhere")),
        ("/browser_info/userAgent", Value::Null),
        ("/browser_info/userAgent", json!("4242 4242 4242 4242")),
        ("/browser_info/screenHeight", json!("tall")),
        ("/browser_info/challengeWindow", json!(6)),
        ("/browser_info/javaEnabled", json!("perhaps")),
    ] {
        let mut body = journey();
        *body.pointer_mut(path).unwrap() = value;
        (body["amount"], body["currency"], body["card"]) =
            (10_000.into(), "THB".into(), token.clone().into());
        let message = shop.post(&body).await.error(400, "bad_request");
        assert!(!message.contains("4242"), "{message}");
    }
    let mut body = journey();
    body["browser_info"]["extra"] = 1.into();
    (body["amount"], body["currency"], body["card"]) = (10_000.into(), "THB".into(), token.into());
    assert!(shop.post(&body).await.error(400, "bad_request").contains("browser_info.extra"));
    assert_eq!(shop.asked.count("charges").await, 0);
}
