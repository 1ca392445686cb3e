//! `/openapi.json` itself. Whether it is true, every other test finds out: [`Asked::send`] holds all that is asked and
//! answered against it.

mod broken;
mod form;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use cardseal_vault::text::holds_card_number;
use serde_json::Value;

use crate::support::contract::{Contract, escape};
use crate::support::{Asked, VISA, request};

#[tokio::test]
async fn any_page_may_read_it_and_keep_it() {
    let asked = Asked::new().await;
    let answer = asked.get("/openapi.json", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    // A page that shows it should not wait for it.
    assert!(answer.body.len() < 128 * 1024, "{} bytes", answer.body.len());
    let tag = answer.header("etag").unwrap().to_owned();
    let again = |tag: &str| {
        request(Method::GET, "/openapi.json", "").header("if-none-match", tag).body(Body::empty()).unwrap()
    };
    let unchanged = asked.send(again(&tag)).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.header("etag")), (304, Some(&*tag)));
    assert_eq!(asked.send(again("\"another\"")).await.status, 200);
    let head = request(Method::HEAD, "/openapi.json", "").body(Body::empty()).unwrap();
    assert_eq!(asked.send(head).await.status, 200);
    // Every process has the same.
    assert_eq!(Asked::new().await.get("/openapi.json", "").await.header("etag"), Some(&*tag));
}

#[tokio::test]
async fn every_path_takes_the_methods_that_it_documents_and_no_others() {
    let asked = Asked::new().await;
    for (template, item) in asked.contract().await.document["paths"].as_object().unwrap() {
        let path =
            template.replace("{id}", "x_test_0").replace("{card}", "card_test_0").replace("{name}", "x.js");
        let other = Method::from_bytes(b"OTHER").unwrap();
        let answer = asked.send(request(other, &path, "").body(Body::empty()).unwrap()).await;
        answer.error(405, "method_not_allowed");
        let mut documented: BTreeSet<_> =
            item.as_object().unwrap().keys().map(|method| method.to_ascii_uppercase()).collect();
        if documented.contains("GET") {
            documented.insert("HEAD".into());
        }
        let allowed = answer.header("allow").unwrap().split(',').map(str::to_owned).collect();
        assert_eq!(documented, allowed, "{template}");
    }
}

#[tokio::test]
async fn examples_are_as_their_schemas_say_and_hold_published_test_cards_only() {
    let asked = Asked::new().await;
    let contract = asked.contract().await;
    let mut tried = 0;
    walk(&contract.document, "", &mut |place, part| {
        if let (Some(example), true) = (part.get("example"), part.get("schema").is_some()) {
            tried += 1;
            check(contract, &format!("{place}/schema"), example);
        }
        for example in part.get("examples").and_then(Value::as_array).into_iter().flatten() {
            tried += 1;
            check(contract, place, example);
        }
    });
    assert!(tried >= 18, "only {tried} examples");
    let text = contract.document.to_string();
    assert!(text.contains(VISA));
    assert!(!holds_card_number(&text.replace(VISA, "")));
}

fn check(contract: &Contract, place: &str, example: &Value) {
    contract.validate(place, example).unwrap_or_else(|what| panic!("{place}: {what}"));
}

#[tokio::test]
async fn forms_are_of_texts() {
    let asked = Asked::new().await;
    let mut tried = 0;
    walk(&asked.contract().await.document, "", &mut |place, part| {
        if !place.contains("/application~1x-www-form-urlencoded/schema") {
            return;
        }
        if let Some(kind @ Value::String(_)) = part.get("type") {
            tried += 1;
            assert!(kind == "string" || kind == "object", "{place}");
        }
        for one in part.get("enum").and_then(Value::as_array).into_iter().flatten() {
            assert!(one.is_string(), "{place}");
        }
        assert!(part.get("minimum").is_none() && !part.get("type").is_some_and(Value::is_array), "{place}");
    });
    assert!(tried > 40, "only {tried} types");
}

#[tokio::test]
async fn every_code_is_documented() {
    let asked = Asked::new().await;
    let document = &asked.contract().await.document;
    let introduction = document["info"]["description"].as_str().unwrap();
    let responses: String = document["components"]["responses"].as_object().unwrap().keys().fold(
        String::new(),
        |mut all, name| {
            all.push_str(name);
            all.push('.');
            all
        },
    );
    for code in document["components"]["schemas"]["Error"]["properties"]["code"]["enum"].as_array().unwrap() {
        let code = code.as_str().unwrap();
        let somewhere = responses.split('.').any(|known| known == code) || introduction.contains(code);
        assert!(somewhere, "{code} is of no operation");
    }
}

/// Calls `visit` with every object of the document and its place.
fn walk(part: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    match part {
        Value::Object(members) => {
            visit(place, part);
            for (name, member) in members {
                walk(member, &format!("{place}/{}", escape(name)), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{place}/{index}"), visit);
            }
        }
        _ => {}
    }
}
