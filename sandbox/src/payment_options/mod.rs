//! Payment Options' "generate token": a purchase that keeps its card.
//!
//! | what | how sure |
//! | --- | --- |
//! | path, both headers, request and answer | its OpenAPI document, here as `openapi.json` |
//! | a purchase with `stored_payment_method_id` and no card; `GET …/transaction/status/ID` | documented in text |
//! | `paymentv2` for 3-D Secure: without `payment_method`, with `browser_info` and `return_url` | its documents' example |
//! | the status call finds a purchase by `merchant_txn_ref` too | **not documented**: only the transaction's id is |
//! | a purchase that waits for its holder is not found | **not documented** |
//! | statuses of refusals: 400, 401, 404, 406 | documented; their bodies are not, here as a success with `success: false` |
//! | response codes of declines | documented; which card is declined how is the sandbox's own choice |
//! | its test cards | those of its samples |

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64ct::{Base64, Encoding};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::luhn::passes_luhn;
use crate::random::{letters, uuid};
use crate::server::{Server, bare};

/// The server.
#[derive(Debug)]
pub struct PaymentOptions {
    /// Where it listens, what it was asked, how it answers.
    pub server: Server,
    /// What a client needs to know.
    pub credentials: Credentials,
    gateway: Arc<Gateway>,
}

/// What Payment Options gives to a client when they begin.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its DASMID.
    pub merchant_id: String,
    /// Its secret key: in `x-api-key` as it is, in `authorization` behind `Basic`, in base64.
    pub api_key: String,
}

/// The document.
pub const OPENAPI: &str = include_str!("openapi.json");

/// Where everything is.
const BASE: &str = "/api/v1/server-to-server-interface";

/// A card that wants 3-D Secure at `paymentv2`.
pub const CHALLENGED: &str = "4000002500003155";

/// A card of which the risk engine says that it is on a list, number and all.
pub const BLACKLISTED: &str = "4000000000001000";

struct Gateway {
    credentials: Credentials,
    schemas: Schemas,
    transactions: Mutex<HashMap<String, Value>>,
    cards: Mutex<HashMap<String, Value>>,
    /// Purchases whose holders have been sent elsewhere, by where.
    waiting: Mutex<HashMap<String, Value>>,
}

/// What is sent to `webhook_url` when a holder has been there.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Where it goes.
    pub url: String,
    /// What it says: the same as an answer to a purchase.
    pub body: Value,
}

/// Nothing of what it keeps: those are cards.
impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl PaymentOptions {
    /// Starts it at a port of this machine.
    ///
    /// # Errors
    /// When the port could not be had.
    pub async fn start(port: u16) -> Result<Self> {
        let credentials = Credentials { merchant_id: "sandbox-dasmid".into(), api_key: letters(32) };
        let gateway = Arc::new(Gateway {
            credentials: credentials.clone(),
            schemas: schemas()?,
            transactions: Mutex::default(),
            cards: Mutex::default(),
            waiting: Mutex::default(),
        });
        let routes = Router::new()
            .route(&format!("{BASE}/payment"), post(pay))
            .route(&format!("{BASE}/paymentv2"), post(pay_challenged))
            .route(&format!("{BASE}/transaction/status/{{id}}"), get(status))
            .fallback(async || bare(StatusCode::NOT_FOUND))
            .with_state(Arc::clone(&gateway));
        Ok(Self { server: Server::start(port, None, routes).await?, credentials, gateway })
    }

    /// How many cards it keeps.
    #[must_use]
    pub fn cards(&self) -> usize {
        self.gateway.cards().len()
    }

    /// Forgets the cards that it keeps.
    pub fn forget_cards(&self) {
        self.gateway.cards().clear();
    }

    /// The holder who was sent to an address lets the purchase happen there. What there is to tell of it is told by
    /// whoever called this. None if nobody was sent there.
    #[must_use]
    pub fn authorize(&self, redirect_url: &str) -> Option<Notice> {
        let mut waiting = self.gateway.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let request = waiting.remove(redirect_url)?;
        let body = self.gateway.purchase(&request).ok()?;
        Some(Notice { url: request["return_url"]["webhook_url"].as_str()?.to_owned(), body })
    }

    /// How many purchases were made, whoever heard of them.
    #[must_use]
    pub fn purchases(&self) -> usize {
        self.gateway.transactions().len()
    }
}

/// What a purchase looks like.
struct Schemas {
    with_card: Validator,
    with_method: Validator,
    with_3ds: Validator,
}

/// The document's schema of a purchase with a card, and what its text says of one without, and of one with 3-D Secure.
fn schemas() -> Result<Schemas> {
    let document: Value = serde_json::from_str(OPENAPI)?;
    let schema = document
        .pointer("/paths/~1api~1v1~1server-to-server-interface~1payment/post/requestBody/content/application~1json/schema")
        .ok_or_else(|| anyhow!("the document has no such request"))?;
    let mut stored = schema.clone();
    if let Some(properties) = stored["properties"].as_object_mut() {
        properties.remove("card");
    }
    let id = json!({ "type": "string", "maxLength": 128 });
    stored["properties"]["payment_method"]["properties"]["stored_payment_method_id"] = id;
    stored["properties"]["payment_method"]["required"] = json!(["stored_payment_method_id"]);
    stored["required"] = json!(["amount", "currency", "payment_method", "merchant_id", "billing_address"]);
    let mut challenged = schema.clone();
    if let Some(properties) = challenged["properties"].as_object_mut() {
        properties.remove("payment_method");
    }
    let text = json!({ "type": "string" });
    challenged["properties"]["browser_info"] = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "acceptHeader": text,
            "screenColorDepth": text,
            "javaEnabled": { "type": "boolean" },
            "language": text,
            "screenHeight": text,
            "screenWidth": text,
            "challengeWindow": text,
            "userAgent": text,
        },
    });
    challenged["properties"]["return_url"]["required"] = json!(["webhook_url", "success_url", "decline_url"]);
    challenged["required"] =
        json!(["amount", "currency", "card", "merchant_id", "billing_address", "return_url", "browser_info"]);
    Ok(Schemas {
        with_card: jsonschema::validator_for(schema)?,
        with_method: jsonschema::validator_for(&stored)?,
        with_3ds: jsonschema::validator_for(&challenged)?,
    })
}

/// How a purchase is asked for.
#[derive(Clone, Copy)]
enum Way {
    /// With 3-D Secure.
    Challenged,
    Direct,
}

impl Gateway {
    fn transactions(&self) -> MutexGuard<'_, HashMap<String, Value>> {
        self.transactions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cards(&self) -> MutexGuard<'_, HashMap<String, Value>> {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let key = &self.credentials.api_key;
        let basic = format!("Basic {}", Base64::encode_string(key.as_bytes()));
        let is = |name, value: &str| headers.get(name).is_some_and(|header| header == value);
        is("authorization", &basic) && is("x-api-key", key)
    }

    /// The purchase that a body asks for, if it is as the document says.
    fn read(&self, body: &[u8], way: Way) -> Result<Value, Refused> {
        let request: Value =
            serde_json::from_slice(body).map_err(|_| refused(StatusCode::BAD_REQUEST, "no JSON"))?;
        let schema = match (way, request.get("card")) {
            (Way::Challenged, _) => &self.schemas.with_3ds,
            (Way::Direct, Some(_)) => &self.schemas.with_card,
            (Way::Direct, None) => &self.schemas.with_method,
        };
        if let Err(error) = schema.validate(&request) {
            // Where it is, and not what: the validator's own words have the value in them, which may be a card's number.
            let message = format!("{} is not as documented", error.instance_path());
            return Err(refused(StatusCode::BAD_REQUEST, &message));
        }
        if request["merchant_id"] != *self.credentials.merchant_id {
            return Err(refused(StatusCode::UNAUTHORIZED, "unknown merchant"));
        }
        Ok(request)
    }

    /// Makes a purchase, and keeps its card if that is asked for.
    fn purchase(&self, request: &Value) -> Result<Value, Refused> {
        let method = &request["payment_method"];
        let stored = method["stored_payment_method_id"].as_str();
        let card = match stored {
            Some(id) => match self.cards().get(id) {
                Some(card) => card.clone(),
                None => return Err(refused(StatusCode::NOT_FOUND, "unknown stored_payment_method_id")),
            },
            None => request["card"].clone(),
        };
        let number = card["number"].as_str().unwrap_or_default();
        if !passes_luhn(number) {
            return Err(refused(StatusCode::NOT_ACCEPTABLE, "Invalid card"));
        }
        if number == BLACKLISTED {
            let message = format!("Err3004: PAN {number} is found on Entity's blacklist");
            return Err(refused(StatusCode::BAD_REQUEST, &message));
        }
        let response_code = declined(number).unwrap_or(0);
        let is_kept = response_code == 0 && method["store_payment_method"] == true;
        let id = match stored {
            Some(id) => Some(id.to_owned()),
            None => is_kept.then(uuid),
        };
        if let (Some(id), None) = (&id, stored) {
            self.cards().insert(id.clone(), card.clone());
        }
        let answer = self.answer(request, &card, response_code, id.as_deref());
        let transaction = answer["transaction_details"]["id"].as_str().unwrap_or_default().to_owned();
        self.transactions().insert(transaction, answer.clone());
        Ok(answer)
    }

    /// As in the document's example. The number is not masked there either, though the text says that it is.
    fn answer(&self, request: &Value, card: &Value, response_code: i64, stored: Option<&str>) -> Value {
        let is_paid = response_code == 0;
        let message = if is_paid { "Payment Successful." } else { "Payment Declined." };
        json!({
            "success": is_paid,
            "status_code": 201,
            "is_live": false,
            "transaction_type": "CAPTURE",
            "gateway_response": {
                "version": "1",
                "type": if is_paid { "INFO" } else { "ERROR" },
                "message": message,
                "code": if is_paid { "INFO0000" } else { "ERR0000" },
            },
            "merchant_details": {
                "legal_name": "Example Inc.",
                "mid": self.credentials.merchant_id,
                "merchant_txn_ref": request["merchant_txn_ref"],
                "billing_details": { "billing_address": request["billing_address"] },
                "device_details": {
                    "visited_ip": "127.0.0.1",
                    "merchant_ip": "127.0.0.1",
                    "customer_ip": request["customer_ip"],
                },
            },
            "payment_details": {
                "amount": request["amount"].as_str().and_then(|amount| amount.parse::<serde_json::Number>().ok()),
                "response_code": response_code,
                "auth_code": "268004",
                "currency": request["currency"],
                "payment_method": "ECMC-SSL",
                "scheme": "VISA",
                "card": {
                    "name": card["name"],
                    "number": card["number"],
                    "exp_month": card["expiry_month"],
                    "exp_year": card["expiry_year"],
                },
                "additional_data": { "payment_data_source": { "type": "card" } },
            },
            "transaction_details": {
                "id": uuid(),
                "ref": 74811,
                "timestamp": "2024-11-25T08:24:36.000Z",
                "merchant_txn_ref": request["merchant_txn_ref"],
                "stored_payment_method_id": stored,
            },
            "risk-details": { "risk_score": null },
        })
    }
}

async fn pay(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    if !gateway.knows(&headers) {
        return bare(StatusCode::UNAUTHORIZED);
    }
    paid(gateway.read(&body, Way::Direct).and_then(|request| gateway.purchase(&request)))
}

/// With 3-D Secure, for the cards that want it: the holder is sent elsewhere first.
async fn pay_challenged(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if !gateway.knows(&headers) {
        return bare(StatusCode::UNAUTHORIZED);
    }
    let request = match gateway.read(&body, Way::Challenged) {
        Ok(request) => request,
        Err(refused) => return refused.into_response(),
    };
    if request["card"]["number"] != CHALLENGED {
        return paid(gateway.purchase(&request));
    }
    let url = format!("https://3ds.sandbox.example/{}", uuid());
    gateway.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(url.clone(), request);
    Json(json!({ "url": url, "statusCode": 200, "success": true, "redirect_url": url })).into_response()
}

async fn status(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response<Body> {
    if !gateway.knows(&headers) {
        return bare(StatusCode::UNAUTHORIZED);
    }
    let transactions = gateway.transactions();
    let of_merchant =
        || transactions.values().find(|answer| answer["merchant_details"]["merchant_txn_ref"] == *id);
    match transactions.get(&id).or_else(of_merchant) {
        Some(answer) => Json(answer.clone()).into_response(),
        None => bare(StatusCode::NOT_FOUND),
    }
}

fn paid(result: Result<Value, Refused>) -> Response<Body> {
    match result {
        Ok(answer) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// A purchase that was not tried. Its message may have a card number in it, as the vendor's have.
struct Refused {
    status: StatusCode,
    message: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        let Self { status, message } = self;
        let gateway = json!({ "version": "1", "type": "ERROR", "message": message, "code": "ERR0000" });
        let body = json!({ "success": false, "status_code": status.as_u16(), "gateway_response": gateway });
        (status, Json(body)).into_response()
    }
}

fn refused(status: StatusCode, message: &str) -> Refused {
    Refused { status, message: message.into() }
}

/// Omise's test cards, declined with the response codes that stand for the same here.
fn declined(number: &str) -> Option<i64> {
    match number {
        "4111111111140011" => Some(51),
        "4111111111130012" => Some(41),
        "4111111111120013" => Some(96),
        "4111111111110014" => Some(5),
        "4111111111160001" => Some(580),
        _ => None,
    }
}
