use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use crate::support::{Asked, VISA, clear_card, request};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn other_content_types_are_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let body = clear_card(VISA).to_string();
    for kind in [
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/jose",
        "application/json; charset=utf-16",
    ] {
        let answer = asked.post_text("/tokens", &account.public_key, kind, body.clone()).await;
        answer.error(415, "unsupported_media_type");
    }
    let without =
        request(Method::POST, "/tokens", &account.public_key).body(Body::from(body.clone())).unwrap();
    asked.send(without).await.error(415, "unsupported_media_type");
    for kind in ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
        let answer = asked.post_text("/tokens", &account.public_key, kind, body.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn more_than_8_kib_are_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for kind in [JSON, FORM] {
        let answer = asked.post_text("/tokens", &account.public_key, kind, "x".repeat(8 * 1024 + 1)).await;
        answer.error(413, "body_too_large");
        let answer = asked.post_text("/tokens", &account.public_key, kind, "x".repeat(8 * 1024)).await;
        answer.error(400, "bad_request");
    }
}

#[tokio::test]
async fn bodies_that_are_none_say_why_and_store_nothing() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for (kind, body, words) in [
        (JSON, &b""[..], "not valid JSON"),
        (JSON, b"{\"card\":", "not valid JSON"),
        (JSON, b"\"card\"", "not an object"),
        (JSON, b"[]", "not an object"),
        (JSON, b"{}", "card is missing"),
        (JSON, b"{\"card\":null}", "card is missing"),
        (JSON, b"{\"card\":\"tokn\"}", "card is not an object"),
        (JSON, b"{\"card\":{}} x", "not valid JSON"),
        (JSON, b"{\"card\":{\"sealed\":\"a\",\"sealed\":\"b\"}}", "is there twice"),
        (JSON, b"{\"card\":{},\"card\":{}}", "is there twice"),
        (JSON, b"{\"card\":{\"sealed\":7}}", "card.sealed is not a string"),
        (JSON, b"{\"card\":{\"sealed\":[\"a\"]}}", "card.sealed is not a string"),
        (JSON, b"{\"card\":{\"number\":4242424242424242}}", "card.number is not a string"),
        (JSON, b"{\"card\":{\"city\":true}}", "card.city is not a string"),
        (JSON, b"{\"card\":{\"country\":\"Siam\"}}", "card.country is not a two-letter country code"),
        (JSON, b"{\"card\":{\"expiration_month\":{}}}", "card.expiration_month is not a string or a number"),
        (JSON, b"{\"card\":{\"sealed\":\"a\",\"zip\":\"1\"}}", "card.zip is not a parameter here"),
        (JSON, b"{\"card\":{\"sealed\":\"a\",\"number\":\"1\"}}", "it is sealed or it is not"),
        (JSON, b"{\"card\":{\"sealed\":\"a\"},\"customer\":\"c\"}", "customer is not a parameter here"),
        (JSON, b"{\"card\":{\"name\":\"\xff\"}}", "not UTF-8"),
        (JSON, b"{\"card\":{\"name\":\"\\ud800\"}}", "not valid JSON"),
        (FORM, b"", "card is missing"),
        (FORM, b"card=tokn", "card is not an object"),
        (FORM, b"card[name]=%ff", "not UTF-8"),
        (FORM, b"card[name]=\xff", "not UTF-8"),
        (FORM, b"card[sealed]=a&card[sealed]=b", "is there twice"),
        (FORM, b"card[a][b]=c", "is not a parameter here"),
    ] {
        let answer = asked.post_text("/tokens", &account.public_key, kind, body).await;
        let message = answer.error(400, "bad_request");
        assert!(message.contains(words), "{}: {message}", String::from_utf8_lossy(body));
    }
    assert_eq!(asked.count("tokens").await, 0);
}

#[tokio::test]
async fn a_card_number_beside_the_card_is_refused_and_not_repeated() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for (field, value) in [
        ("street1", "4242 4242 4242 4242"),
        ("street2", "Floor 3, 4242-4242-4242-4242"),
        ("city", "４２４２４２４２４２４２４２４２"),
        ("state", "4242424242424242"),
        ("postal_code", "378282246310005"),
        ("email", "4242424242424242@shop.example"),
        ("phone_number", "4242424242424242"),
    ] {
        let mut body = clear_card(VISA);
        body["card"][field] = json!(value);
        let message = asked.post("/tokens", &account.public_key, &body).await.error(400, "bad_request");
        assert_eq!(
            message,
            format!("card.{field} contains a card number; card numbers go into the sealed card only")
        );
    }
    assert_eq!(asked.count("tokens").await, 0);
}
