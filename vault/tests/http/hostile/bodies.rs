use serde_json::json;

use super::{nothing_was_stored, shortened};
use crate::support::{Asked, VISA, clear_card};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn json_that_is_odd_is_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let card = clear_card(VISA)["card"].to_string();
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let members: String = (0..1000).map(|number| format!("\"{number}\":0,")).collect();
    for (body, words) in [
        // Deep.
        ("[".repeat(8000), "is not valid JSON"),
        (r#"{"a":"#.repeat(1500), "is not valid JSON"),
        (format!(r#"{{"card":{}}}"#, nested(200)), "is not valid JSON"),
        (format!(r#"{{"card":{}}}"#, nested(100)), "card is not an object"),
        (format!(r#"{{"card":{{"number":{}}}}}"#, nested(100)), "card.number is not a string"),
        // Wide.
        (format!(r#"{{{members}"card":{card}}}"#), "more than 256"),
        (format!(r#"{{"card":{{{members}"number":"1"}}}}"#), "more than 256"),
        // Twice.
        (format!(r#"{{"card":{card},"card":{card}}}"#), "is there twice"),
        (r#"{"card":{"number":"1","number":"2"}}"#.into(), "is there twice"),
        (r#"{"card":{"number":"1","numb\u0065r":"2"}}"#.into(), "is there twice"),
        // Of another type.
        (r#"{"card":{"number":4242424242424242}}"#.into(), "card.number is not a string"),
        (r#"{"card":{"number":["4242424242424242"]}}"#.into(), "card.number is not a string"),
        (r#"{"card":{"number":{"$gt":""}}}"#.into(), "card.number is not a string"),
        (r#"{"card":{"sealed":true}}"#.into(), "card.sealed is not a string"),
        (r#"{"card":[1]}"#.into(), "card is not an object"),
        (r#"{"card":"tokn_test_0"}"#.into(), "card is not an object"),
        // Prototypes and operators.
        (
            format!(r#"{{"card":{card},"__proto__":{{"livemode":true}}}}"#),
            "__proto__ is not a parameter here",
        ),
        (format!(r#"{{"card":{card},"constructor":1}}"#), "constructor is not a parameter here"),
        // Characters that are none, or none here.
        (r#"{"card":{"name":"\ud800"}}"#.into(), "is not valid JSON"),
        (r#"{"card":{"name":"\udc00\ud800"}}"#.into(), "is not valid JSON"),
        ("{\"card\":{\"name\":\"a\0\"}}".into(), "is not valid JSON"),
        ("{\"card\":{\"name\":\"a\nb\"}}".into(), "is not valid JSON"),
        (r#"{"card":{"sealed":"a","city":"a\u0000b"}}"#.into(), "card.city"),
        (format!("\u{feff}{{\"card\":{card}}}"), "is not valid JSON (line 1, column 1)"),
        // More or less than one value.
        (String::new(), "is not valid JSON"),
        (" ".into(), "is not valid JSON"),
        (format!(r#"{{"card":{card}}}x"#), "is not valid JSON"),
        (format!(r#"{{"card":{card}}}{{}}"#), "is not valid JSON"),
        (format!(r#"{{"card":{card}}},"#), "is not valid JSON"),
        (format!("{{\"card\":{card}}}\0"), "is not valid JSON"),
        (format!(r#"{{"card":{card}"#), "is not valid JSON"),
        (format!(r#"[{{"card":{card}}}]"#), "is not an object"),
        ("null".into(), "is not an object"),
        ("1".into(), "is not an object"),
        ("\"card\"".into(), "is not an object"),
        // What only looks like JSON.
        (format!(r#"{{"card":{card},}}"#), "is not valid JSON"),
        (format!(r#"{{card:{card}}}"#), "is not valid JSON"),
        (format!(r#"{{'card':{card}}}"#), "is not valid JSON"),
        (format!(r#"/**/{{"card":{card}}}"#), "is not valid JSON"),
        (r#"{"card":{"expiration_month":NaN}}"#.into(), "is not valid JSON"),
        (r#"{"card":{"expiration_month":0x0c}}"#.into(), "is not valid JSON"),
        (r#"{"card":{"expiration_month":012}}"#.into(), "is not valid JSON"),
        (r#"{"card":{"expiration_month":1e999}}"#.into(), "is not valid JSON"),
        (format!(r#"{{"card":{{"expiration_month":{}}}}}"#, "9".repeat(4000)), "is not valid JSON"),
    ] {
        let answer = asked.post_text("/tokens", &account.public_key, JSON, body.clone()).await;
        let message = answer.error(400, "bad_request");
        assert!(message.contains(words), "{message}: {}", shortened(&body));
        let answer = asked.post_text("/charges", &account.secret_key, JSON, body.clone()).await;
        answer.error(400, "bad_request");
    }
    nothing_was_stored(&asked, &account).await;
}

#[tokio::test]
async fn numbers_are_what_they_say_or_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    for amount in [
        "1e2",
        "100.0",
        "-100",
        "0",
        "-0",
        "1e-3",
        "18446744073709551716",
        "1E400",
        "\"1e2\"",
        "\"100.0\"",
        "\" 100\"",
        "\"100 \"",
        "\"+100\"",
        "\"0x64\"",
        "\"1,000\"",
        "\"１００\"",
        "\"\\u0000\"",
        "\"9223372036854775808\"",
    ] {
        let body = format!(r#"{{"amount":{amount},"currency":"thb","card":"{token}"}}"#);
        let answer = asked.post_text("/charges", &account.secret_key, JSON, body).await;
        assert_eq!(answer.status, 400, "{amount}: {answer:?}");
        let code = answer.json()["code"].clone();
        answer.error(400, code.as_str().unwrap());
        assert!(["invalid_amount", "bad_request"].contains(&code.as_str().unwrap()), "{amount}: {code}");
    }
    for (field, value) in [
        ("expiration_month", json!(12.0)),
        ("expiration_month", json!(-12)),
        ("expiration_month", json!(1e30)),
        ("expiration_year", json!(u64::MAX)),
        ("expiration_year", json!(-1)),
        ("expiration_year", json!("2030 ")),
        ("security_code", json!(1e3)),
        ("security_code", json!(-12)),
    ] {
        let mut body = clear_card(VISA);
        body["card"][field] = value.clone();
        let answer = asked.post("/tokens", &account.public_key, &body).await;
        assert!(
            answer.status == 200 || answer.json()["code"] == "invalid_card",
            "{field} {value}: {answer:?}"
        );
    }
    assert_eq!(asked.count("charges").await, 0);
    // As a text or as a number.
    let body = json!({ "amount": "100", "currency": "thb", "card": token });
    assert_eq!(asked.post("/charges", &account.secret_key, &body).await.json()["amount"], 100);
}

#[tokio::test]
async fn forms_that_are_odd_are_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let good =
        "card[name]=A+B&card[number]=4242424242424242&card[expiration_month]=12&card[expiration_year]=2030";
    let many: String = (0..1000).map(|number| format!("&{number}")).collect();
    let many_inside: String = (0..500).map(|number| format!("&card[{number}]")).collect();
    for (body, words) in [
        ("card[number][]=4242424242424242", "is not a parameter here"),
        ("card[number][x]=4242424242424242", "is not a parameter here"),
        ("card[][number]=4242424242424242", "is not a parameter here"),
        ("card[]=4242424242424242", "is not a parameter here"),
        ("card[number=4242424242424242", "is not a parameter here"),
        ("card]number[=4242424242424242", "is not a parameter here"),
        ("[card]=1", "is not a parameter here"),
        ("[]=1", "is not a parameter here"),
        ("=1", "is not a parameter here"),
        ("card.number=4242424242424242", "is not a parameter here"),
        ("card=1&card[number]=2", "is there twice"),
        ("card[number]=1&card=2", "is there twice"),
        (&format!("{good}&card[number]=4242424242424242"), "is there twice"),
        (&format!("{good}&card%5bnumber%5d=4242424242424242"), "is there twice"),
        (&format!("{good}&card[number]"), "is there twice"),
        (&format!("{good}{many}"), "more than 256"),
        (&format!("{good}{many_inside}"), "more than 256"),
        ("card[name]=%", "%"),
        ("card[name]=%4", "%"),
        ("card[name]=%zz", "%"),
        ("card[name]=%%34%31", "%"),
        ("card%[name]=1", "%"),
        ("card[name]=%ff", "not UTF-8"),
        ("card[name]=%c0%80", "not UTF-8"),
        ("card[name]=%ed%a0%80", "not UTF-8"),
        ("%ff=1", "not UTF-8"),
        (r#"{"card":{"number":"4242424242424242"}}"#, "is not a parameter here"),
        ("&&&&", "card is missing"),
    ] {
        let answer = asked.post_text("/tokens", &account.public_key, FORM, body.to_owned()).await;
        let message = answer.error(400, "bad_request");
        assert!(message.contains(words), "{message}: {}", shortened(body));
        assert!(!message.contains("4242"), "{message}");
    }
    let answer = asked.post_text("/tokens", &account.public_key, FORM, b"card[name]=\xff".as_slice()).await;
    answer.error(400, "bad_request");
    nothing_was_stored(&asked, &account).await;
    // A NUL is a character like others, and not one of a name.
    let nul = good.replace("card[name]=A+B", "card[name]=A%00B");
    asked.post_text("/tokens", &account.public_key, FORM, nul).await.error(400, "invalid_card");
    // What was changed above is good unchanged.
    assert_eq!(asked.post_text("/tokens", &account.public_key, FORM, good).await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let fields: String = (0..10_000).map(|number| format!("card[x{number}]=y&")).collect();
    let jwe = format!(r#"{{"card":{{"sealed":"{}"}}}}"#, "A".repeat(8 * 1024 * 1024));
    for (kind, body) in [(FORM, fields), (JSON, jwe), (JSON, " ".repeat(8 * 1024 + 1))] {
        let answer = asked.post_text("/tokens", &account.public_key, kind, body.clone()).await;
        assert!(answer.error(413, "body_too_large").contains("8 KiB"));
        asked.post_text("/charges", &account.secret_key, kind, body).await.error(413, "body_too_large");
    }
    nothing_was_stored(&asked, &account).await;
}
