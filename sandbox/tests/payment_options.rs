use base64ct::{Base64, Encoding};
use cardseal_sandbox::payment_options::{BLACKLISTED, CHALLENGED, OPENAPI, PaymentOptions};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

const PAYMENT: &str = "/api/v1/server-to-server-interface/payment";

#[tokio::test]
async fn its_own_example_is_answered_as_its_own_example_shows() {
    let gateway = PaymentOptions::start(0).await.unwrap();
    let mut request = example("/requestBody");
    request["merchant_id"] = gateway.credentials.merchant_id.clone().into();
    let answer = pay(&gateway, PAYMENT, &request).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = answer.json().await.unwrap();
    let expected = example("/responses/201");
    assert_eq!(shape(&answer), shape(&expected));
    for path in ["/success", "/transaction_type", "/gateway_response/code", "/payment_details/amount"] {
        assert_eq!(answer.pointer(path), expected.pointer(path), "{path}");
    }
}

#[tokio::test]
async fn a_card_that_was_kept_pays_again_without_the_card() {
    let gateway = PaymentOptions::start(0).await.unwrap();
    let first: Value =
        pay(&gateway, PAYMENT, &purchase(&gateway, "4242424242424242")).await.json().await.unwrap();
    let id = first["transaction_details"]["stored_payment_method_id"].as_str().unwrap();
    assert_eq!((id.len(), gateway.cards()), (36, 1));
    let mut again = purchase(&gateway, "");
    again.as_object_mut().unwrap().remove("card");
    again["payment_method"]["stored_payment_method_id"] = id.into();
    let answer = pay(&gateway, PAYMENT, &again).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["success"], gateway.purchases()), (&json!(true), 2));
    let id = answer["transaction_details"]["id"].as_str().unwrap();
    let url = format!("{}/api/v1/server-to-server-interface/transaction/status/{id}", gateway.server.url());
    let found: Value = signed(&gateway, Client::new().get(url)).send().await.unwrap().json().await.unwrap();
    assert_eq!(found, answer);
    again["payment_method"]["stored_payment_method_id"] = "other".into();
    assert_eq!(pay(&gateway, PAYMENT, &again).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn cards_are_declined_refused_or_challenged() {
    let gateway = PaymentOptions::start(0).await.unwrap();
    let declined: Value =
        pay(&gateway, PAYMENT, &purchase(&gateway, "4111111111140011")).await.json().await.unwrap();
    assert_eq!(
        (&declined["success"], &declined["payment_details"]["response_code"]),
        (&json!(false), &json!(51))
    );
    let invalid = pay(&gateway, PAYMENT, &purchase(&gateway, "4242424242424241")).await;
    assert_eq!(invalid.status(), StatusCode::NOT_ACCEPTABLE);
    let listed: Value = pay(&gateway, PAYMENT, &purchase(&gateway, BLACKLISTED)).await.json().await.unwrap();
    assert!(listed["gateway_response"]["message"].as_str().unwrap().contains(BLACKLISTED));

    let mut challenged = purchase(&gateway, CHALLENGED);
    let with_3ds = format!("{PAYMENT}v2");
    assert_eq!(pay(&gateway, &with_3ds, &challenged).await.status(), StatusCode::BAD_REQUEST);
    challenged["browser_info"] = json!({ "userAgent": "A browser" });
    let url = "https://shop.example/";
    challenged["return_url"] =
        json!({ "webhook_url": "https://vault.example/hook", "success_url": url, "decline_url": url });
    assert_eq!(pay(&gateway, &with_3ds, &challenged).await.status(), StatusCode::BAD_REQUEST);
    challenged.as_object_mut().unwrap().remove("payment_method");
    let answer = pay(&gateway, &with_3ds, &challenged).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    let address = answer["redirect_url"].as_str().unwrap();
    assert_eq!((&answer["success"], gateway.purchases(), gateway.cards()), (&json!(true), 1, 0));
    let notice = gateway.authorize(address).unwrap();
    assert_eq!((&*notice.url, &notice.body["success"]), ("https://vault.example/hook", &json!(true)));
    assert!(gateway.purchases() == 2 && gateway.authorize(address).is_none());
}

#[tokio::test]
async fn nothing_beyond_the_document_is_taken() {
    let gateway = PaymentOptions::start(0).await.unwrap();
    let good = purchase(&gateway, "4242424242424242");
    let changes: [&dyn Fn(&mut Value); 9] = [
        &|request| request["amount"] = json!(1000),
        &|request| request["reference"] = json!("a"),
        &|request| request["card"]["number"] = json!("6447032400000000001"),
        &|request| request["card"]["issuer"] = json!("a"),
        &|request| request["card"]["cvc"] = json!("12345"),
        &|request| request["billing_address"]["country"] = json!("JPN"),
        &|request| drop(request.as_object_mut().unwrap().remove("billing_address")),
        &|request| drop(request.as_object_mut().unwrap().remove("card")),
        &|request| request["payment_method"]["store_payment_method"] = json!("true"),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut request = good.clone();
        change(&mut request);
        let refused = pay(&gateway, PAYMENT, &request).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "change {number}");
        assert!(!refused.text().await.unwrap().contains("0324"), "change {number}");
    }
    let url = format!("{}{PAYMENT}", gateway.server.url());
    let key = &gateway.credentials.api_key;
    let basic = format!("Basic {}", Base64::encode_string(key.as_bytes()));
    let client = Client::new();
    for request in [
        client.post(&url),
        client.post(&url).header("x-api-key", key),
        client.post(&url).header("authorization", &basic),
        client.post(&url).header("authorization", format!("Basic {key}")).header("x-api-key", key),
    ] {
        assert_eq!(request.json(&good).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(gateway.purchases(), 0);
}

async fn pay(gateway: &PaymentOptions, path: &str, request: &Value) -> Response {
    let url = format!("{}{path}", gateway.server.url());
    signed(gateway, Client::new().post(url)).json(request).send().await.unwrap()
}

fn signed(gateway: &PaymentOptions, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    let key = &gateway.credentials.api_key;
    let basic = format!("Basic {}", Base64::encode_string(key.as_bytes()));
    request.header("authorization", basic).header("x-api-key", key)
}

fn purchase(gateway: &PaymentOptions, number: &str) -> Value {
    json!({
        "amount": "1000",
        "currency": "JPY",
        "card": { "cvc": "100", "expiry_month": "12", "expiry_year": "29", "name": "John Doe", "number": number },
        "payment_method": { "type": "scheme", "store_payment_method": true },
        "merchant_txn_ref": "a",
        "merchant_id": gateway.credentials.merchant_id,
        "billing_address": { "country": "JP", "city": "Shinjuku-ku" },
    })
}

/// The example of a part of the document's one operation, put together from those of its members.
fn example(part: &str) -> Value {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let path = format!(
        "/paths/~1api~1v1~1server-to-server-interface~1payment/post{part}/content/application~1json/schema"
    );
    example_of(document.pointer(&path).unwrap())
}

fn example_of(schema: &Value) -> Value {
    match schema["properties"].as_object() {
        Some(members) => members.iter().map(|(name, schema)| (name.clone(), example_of(schema))).collect(),
        None => schema["example"].clone(),
    }
}

/// The names of all members, and the types of what is in them.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        other => other.clone(),
    }
}
