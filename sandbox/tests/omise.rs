use cardseal_sandbox::omise::Omise;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_is_used_once_for_a_charge_or_a_customer() {
    let omise = Omise::start(0).await.unwrap();
    let token = token(&omise, "4242424242424242").await;
    assert_eq!(omise.number(&token).unwrap(), "4242424242424242");
    let shown: Value =
        public(&omise, Method::GET, &format!("/tokens/{token}"), None).await.json().await.unwrap();
    assert_eq!((&shown["used"], &shown["card"]["last_digits"]), (&json!(false), &json!("4242")));
    assert!(!shown.to_string().contains("4242424242424242"));

    let order = json!({ "amount": 100, "currency": "thb", "card": token });
    let charge: Value = secret(&omise, "/charges", &order).await.json().await.unwrap();
    assert_eq!((&charge["status"], &charge["paid"]), (&json!("successful"), &json!(true)));
    let again = secret(&omise, "/charges", &order).await;
    assert_eq!((again.status(), code(again).await), (StatusCode::NOT_FOUND, json!("used_token")));

    let kept = json!({ "card": self::token(&omise, "4111111111140011").await });
    let customer: Value = secret(&omise, "/customers", &kept).await.json().await.unwrap();
    let order = json!({ "amount": 100, "currency": "thb", "customer": customer["id"] });
    let charge: Value = secret(&omise, "/charges", &order).await.json().await.unwrap();
    assert_eq!((&charge["status"], &charge["failure_code"]), (&json!("failed"), &json!("insufficient_fund")));
}

#[tokio::test]
async fn a_form_is_taken_as_well_as_json() {
    let omise = Omise::start(0).await.unwrap();
    let form = [
        ("card[name]", "Somchai Prasert"),
        ("card[number]", "5555555555554444"),
        ("card[expiration_month]", "12"),
        ("card[expiration_year]", "30"),
    ];
    let request = Client::new().post(format!("{}/tokens", omise.server.url()));
    let request = request.basic_auth(&omise.credentials.public_key, Some("")).form(&form);
    let token: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&token["card"]["name"], &token["card"]["brand"]),
        (&json!("Somchai Prasert"), &json!("MasterCard"))
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_in_omises_words() {
    let omise = Omise::start(0).await.unwrap();
    for (change, message) in [
        (json!({ "number": "" }), "number can't be blank and brand not supported (unknown)"),
        (json!({ "number": "4242424242424241" }), "number is invalid"),
        (json!({ "number": "4242 4242 4242 4242" }), "number is invalid"),
        (json!({ "name": "" }), "name can't be blank"),
        (json!({ "expiration_year": 2020 }), "expiration date cannot be in the past"),
        (json!({ "expiration_month": 13 }), "expiration month is not between 1 and 12"),
    ] {
        let mut card = card("4242424242424242");
        card.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = public(&omise, Method::POST, "/tokens", Some(&json!({ "card": card }))).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        let error: Value = refused.json().await.unwrap();
        assert_eq!((&error["code"], &error["message"]), (&json!("invalid_card"), &json!(message)));
    }
    let mut unknown = card("4242424242424242");
    unknown["issuer"] = json!("a");
    let refused = public(&omise, Method::POST, "/tokens", Some(&json!({ "card": unknown }))).await;
    assert_eq!(code(refused).await, "bad_request");
    let body = json!({ "card": card("4242424242424242") });
    assert_eq!(code(secret(&omise, "/tokens", &body).await).await, "authentication_failure");
    assert_eq!(
        code(public(&omise, Method::POST, "/charges", Some(&body)).await).await,
        "authentication_failure"
    );
    assert_eq!(code(public(&omise, Method::GET, "/tokens/tokn_test_0", None).await).await, "not_found");
}

fn card(number: &str) -> Value {
    json!({ "name": "Somchai Prasert", "number": number, "expiration_month": 12, "expiration_year": 2030 })
}

async fn token(omise: &Omise, number: &str) -> String {
    let answer = public(omise, Method::POST, "/tokens", Some(&json!({ "card": card(number) }))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn public(omise: &Omise, method: Method, path: &str, body: Option<&Value>) -> Response {
    let request = Client::new().request(method, format!("{}{path}", omise.server.url()));
    let request =
        request.basic_auth(&omise.credentials.public_key, Some("")).header("omise-version", "2019-05-29");
    match body {
        Some(body) => request.json(body),
        None => request,
    }
    .send()
    .await
    .unwrap()
}

async fn secret(omise: &Omise, path: &str, body: &Value) -> Response {
    let request = Client::new().post(format!("{}{path}", omise.server.url()));
    request.basic_auth(&omise.credentials.secret_key, Some("")).json(body).send().await.unwrap()
}

async fn code(answer: Response) -> Value {
    answer.json::<Value>().await.unwrap()["code"].clone()
}
