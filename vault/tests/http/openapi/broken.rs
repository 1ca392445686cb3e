//! A promise that is not kept is noticed.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::contract::{Asking, Contract};
use crate::support::{Account, Answer, Asked, VISA, basic, clear_card};

/// A token, asked for and answered as documented.
struct Exchange {
    asking: Asking,
    answer: Answer,
}

async fn exchange(asked: &Asked, account: &Account) -> Exchange {
    let body = clear_card(VISA);
    let answer = asked.post("/tokens", &account.public_key, &body).await;
    let headers = [
        (AUTHORIZATION, HeaderValue::try_from(basic(&account.public_key)).unwrap()),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    let asking = Asking {
        method: Method::POST,
        uri: "/tokens".parse().unwrap(),
        headers: headers.into_iter().collect(),
        body: body.to_string().into_bytes(),
    };
    Exchange { asking, answer }
}

impl Exchange {
    fn check(&self, contract: &Contract) -> Result<(), String> {
        contract.check(&self.asking, &self.answer)
    }

    /// The answer with another value at a place, or with none.
    fn answer_with(&mut self, member: &str, value: Option<Value>) {
        let mut body = self.answer.json();
        match value {
            Some(value) => body[member] = value,
            None => _ = body.as_object_mut().unwrap().remove(member),
        }
        self.answer.body = body.to_string();
    }

    fn set_header(&mut self, name: &'static str, value: &'static str) {
        self.answer.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

#[tokio::test]
async fn an_answer_that_is_another_than_documented_is_noticed() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let contract = asked.contract().await;
    type Change = fn(&mut Exchange);
    let changes: [(&str, Change); 11] = [
        ("another member", |one| one.answer_with("more", Some(json!(1)))),
        ("a member less", |one| one.answer_with("used", None)),
        ("another type", |one| one.answer_with("used", Some(json!("false")))),
        ("another word", |one| one.answer_with("charge_status", Some(json!("lost")))),
        ("another id", |one| one.answer_with("id", Some(json!("card_test_0")))),
        ("no time", |one| one.answer_with("created_at", Some(json!("yesterday")))),
        ("another status", |one| one.answer.status = StatusCode::CREATED),
        ("another refusal", |one| one.answer.status = StatusCode::CONFLICT),
        ("another content type", |one| one.set_header("content-type", "text/html")),
        ("no id", |one| _ = one.answer.headers.remove("x-request-id")),
        ("no JSON", |one| one.answer.body.push('}')),
    ];
    for (what, change) in changes {
        let mut one = exchange(&asked, &account).await;
        assert_eq!(one.check(contract), Ok(()));
        change(&mut one);
        let found = one.check(contract);
        assert!(found.as_ref().is_err_and(|found| found.starts_with("POST /tokens, ")), "{what}: {found:?}");
    }
}

#[tokio::test]
async fn a_request_that_was_fulfilled_but_is_not_documented_is_noticed_and_not_shown() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let contract = asked.contract().await;
    let set = |one: &mut Exchange, member: &str, value: Value| {
        let mut body = clear_card(VISA);
        body["card"][member] = value;
        one.asking.body = body.to_string().into_bytes();
    };
    for (member, value) in [
        ("number", json!(4_242_424_242_424_242_u64)),
        ("country", json!("4242424242424242")),
        ("street", json!("4242424242424242")),
        ("city", json!(["4242424242424242"])),
        ("name", Value::Null),
    ] {
        let mut one = exchange(&asked, &account).await;
        set(&mut one, member, value);
        let found = one.check(contract).unwrap_err();
        assert!(found.contains("the request's body") && !found.contains("4242"), "{member}: {found}");
    }

    let mut one = exchange(&asked, &account).await;
    one.asking.body = b"card[number]=4242424242424242".to_vec();
    one.asking.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    assert!(one.check(contract).is_err_and(|found| !found.contains("4242")));

    let mut one = exchange(&asked, &account).await;
    one.asking.headers.insert(AUTHORIZATION, HeaderValue::try_from(basic(&account.secret_key)).unwrap());
    assert!(one.check(contract).is_err_and(|found| found.contains("SecretKey where")));
}

#[tokio::test]
async fn what_is_answered_but_not_documented_is_noticed() {
    let asked = Asked::new().await;
    let contract = asked.contract().await;
    let answered = |status: u16, body: &str| Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.into(),
    };
    for (method, path, status) in
        [(Method::GET, "/nothing", 200), (Method::PUT, "/tokens", 200), (Method::OPTIONS, "/charges", 204)]
    {
        let asking =
            Asking { method, uri: path.parse().unwrap(), headers: HeaderMap::new(), body: Vec::new() };
        assert!(contract.check(&asking, &answered(status, "")).is_err(), "{path}");
        // Nor is a refusal one without words.
        assert!(contract.check(&asking, &answered(404, "")).is_err(), "{path}");
        let refused = asked.get("/nothing", "").await;
        assert_eq!(contract.check(&asking, &refused), Ok(()), "{path}");
    }
}

#[tokio::test]
async fn another_document_finds_the_vault_untrue() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let one = exchange(&asked, &account).await;
    let document = &asked.contract().await.document;
    for (place, value) in [
        ("/components/schemas/PageToken/properties/used/type", json!("string")),
        ("/components/schemas/PageCard/properties/bank/type", json!("string")),
        ("/paths/~1tokens/post/requestBody/content/application~1json/schema/required", json!(["token"])),
        ("/paths/~1tokens/post/responses", json!({})),
        ("/paths", json!({})),
    ] {
        let mut other = document.clone();
        *other.pointer_mut(place).unwrap() = value;
        assert!(one.check(&Contract::new(other)).is_err(), "{place}");
    }
}
