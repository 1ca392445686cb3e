//! Omise's vault and API (version 2019-05-29), as far as a card goes: tokens, customers, charges.
//!
//! | what | how sure |
//! | --- | --- |
//! | `POST` and `GET /tokens` with the public key as user name; 13 parameters of a card, form or JSON | documented |
//! | a token is used once: `used_token`; messages of `invalid_card` | documented, and seen in Omise's own clients |
//! | which test cards' charges fail, and how | documented |
//! | a charge with `return_uri` may be `pending`, with `authorize_uri` | documented; that [`CHALLENGED`]'s is, is the sandbox's own choice |
//! | that pages of other origins may call `POST /tokens` themselves (CORS) | **not documented**: Omise.js does it through a frame |

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION,
    CONTENT_TYPE, ORIGIN,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, http::header::HeaderName};
use base64ct::{Base64, Encoding};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::luhn::passes_luhn;
use crate::random::letters;
use crate::server::Server;

/// The server.
#[derive(Debug)]
pub struct Omise {
    /// Where it listens, what it was asked, how it answers.
    pub server: Server,
    /// What a merchant needs to know.
    pub credentials: Credentials,
    account: Arc<Account>,
}

/// A merchant's keys.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// For pages.
    pub public_key: String,
    /// For servers.
    pub secret_key: String,
}

struct Account {
    credentials: Credentials,
    /// Tokens, customers and charges, as they are shown; those of tokens with the card's number under `number`.
    objects: Mutex<HashMap<String, Value>>,
}

/// Nothing of what it keeps: those are cards.
impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Account").finish_non_exhaustive()
    }
}

/// A card whose holder is sent to their bank, where the charge says where they come back to.
pub const CHALLENGED: &str = "4000002500003155";

const MADE_AT: &str = "2026-01-01T00:00:00Z";

impl Omise {
    /// Starts it at a port of this machine.
    ///
    /// # Errors
    /// When the port could not be had.
    pub async fn start(port: u16) -> Result<Self> {
        let credentials = Credentials {
            public_key: format!("pkey_test_{}", letters(19)),
            secret_key: format!("skey_test_{}", letters(19)),
        };
        let account = Arc::new(Account { credentials: credentials.clone(), objects: Mutex::default() });
        let routes = Router::new()
            .route("/tokens", post(create_token))
            .route("/tokens/{id}", get(show_token))
            .route("/customers", post(create_customer))
            .route("/charges", post(create_charge))
            .route("/charges/{id}", get(show_charge))
            .fallback(async || error(StatusCode::NOT_FOUND, "not_found", "the page was not found"))
            .layer(middleware::from_fn(share))
            .with_state(Arc::clone(&account));
        Ok(Self { server: Server::start(port, None, routes).await?, credentials, account })
    }

    /// The holder of a charge that waits for it lets it happen, or not.
    pub fn authorize(&self, charge: &str, lets: bool) {
        let status = if lets { "successful" } else { "failed" };
        let mut objects = self.account.objects();
        let Some(charge) = objects.get_mut(charge).filter(|object| object["status"] == "pending") else {
            return;
        };
        (charge["status"], charge["paid"]) = (status.into(), lets.into());
        if !lets {
            charge["failure_code"] = "payment_rejected".into();
        }
        if let Some(token) =
            charge["token"].as_str().map(ToOwned::to_owned).and_then(|id| objects.get_mut(&id))
        {
            token["charge_status"] = status.into();
        }
    }

    /// How many charges were made, whoever heard of them.
    #[must_use]
    pub fn charges(&self) -> usize {
        self.account.objects().values().filter(|object| object["object"] == "charge").count()
    }

    /// The number of the card behind a token.
    #[must_use]
    pub fn number(&self, token: &str) -> Option<String> {
        Some(self.account.objects().get(token)?["number"].as_str()?.to_owned())
    }
}

/// Lets a page of any origin make tokens.
async fn share(request: Request, next: Next) -> Response<Body> {
    let is_a_pages = request.headers().contains_key(ORIGIN) && request.uri().path().starts_with("/tokens");
    let mut response = if is_a_pages && request.method() == Method::OPTIONS {
        let allowed: [(HeaderName, &str); 2] = [
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Omise-Version"),
        ];
        (StatusCode::NO_CONTENT, allowed).into_response()
    } else {
        next.run(request).await
    };
    if is_a_pages {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

impl Account {
    fn objects(&self) -> MutexGuard<'_, HashMap<String, Value>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request has this key, and a version that there is.
    fn check(&self, headers: &HeaderMap, key: &str) -> Result<(), Refused> {
        let sent = headers
            .get(AUTHORIZATION)
            .and_then(|header| header.to_str().ok()?.strip_prefix("Basic "))
            .and_then(|encoded| Base64::decode_vec(encoded).ok())
            .and_then(|decoded| String::from_utf8(decoded).ok());
        let user = sent.as_deref().and_then(|sent| sent.split_once(':')).map(|(user, _)| user);
        if user != Some(key) {
            let message = "authentication failed";
            return Err(error(StatusCode::UNAUTHORIZED, "authentication_failure", message));
        }
        const VERSIONS: [&str; 4] = ["2019-05-29", "2017-11-02", "2015-11-17", "2014-07-27"];
        match headers.get("omise-version") {
            Some(version) if !VERSIONS.iter().any(|known| version == known) => {
                Err(error(StatusCode::BAD_REQUEST, "bad_request", "unknown version"))
            }
            _ => Ok(()),
        }
    }

    fn find(&self, id: &str, kind: &str) -> Result<Value, Refused> {
        let object = self.objects().get(id).filter(|object| object["object"] == kind).cloned();
        object.ok_or_else(|| error(StatusCode::NOT_FOUND, "not_found", &format!("{kind} {id} was not found")))
    }

    /// The number of a token that is not used yet, which it is from now on.
    fn use_up(&self, id: &str) -> Result<(String, Value), Refused> {
        self.find(id, "token")?;
        let mut objects = self.objects();
        match objects.get_mut(id) {
            Some(token) if token["used"] == false => {
                token["used"] = true.into();
                Ok((token["number"].as_str().unwrap_or_default().into(), token["card"].clone()))
            }
            _ => Err(error(StatusCode::NOT_FOUND, "used_token", "token was already used")),
        }
    }
}

async fn create_token(
    State(account): State<Arc<Account>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let created = || {
        account.check(&headers, &account.credentials.public_key)?;
        let card = parameters(&headers, &body, &["card"])?;
        let card = card.get("card").and_then(Value::as_object).cloned().unwrap_or_default();
        let (number, shown) = read_card(&card)?;
        let id = format!("tokn_test_{}", letters(19));
        let token = json!({
            "object": "token",
            "id": id,
            "livemode": false,
            "location": format!("/tokens/{id}"),
            "used": false,
            "charge_status": "unknown",
            "card": shown,
            "created_at": MADE_AT,
        });
        let mut kept = token.clone();
        kept["number"] = number.into();
        account.objects().insert(id, kept);
        Ok(token)
    };
    answered(created())
}

async fn show_token(
    State(account): State<Arc<Account>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response<Body> {
    let shown = || {
        account.check(&headers, &account.credentials.public_key)?;
        let mut token = account.find(&id, "token")?;
        if let Some(members) = token.as_object_mut() {
            members.remove("number");
        }
        Ok(token)
    };
    answered(shown())
}

async fn create_customer(
    State(account): State<Arc<Account>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let created = || {
        account.check(&headers, &account.credentials.secret_key)?;
        let params = parameters(&headers, &body, &["card", "email", "description", "metadata"])?;
        let card = match params.get("card").and_then(Value::as_str) {
            Some(token) => Some(account.use_up(token)?),
            None => None,
        };
        let id = format!("cust_test_{}", letters(19));
        let (number, card) = card.map_or((Value::Null, Value::Null), |(number, card)| (number.into(), card));
        let customer = json!({
            "object": "customer",
            "id": id,
            "livemode": false,
            "location": format!("/customers/{id}"),
            "default_card": card["id"],
            "email": params.get("email"),
            "created_at": MADE_AT,
        });
        let mut kept = customer.clone();
        (kept["number"], kept["card"]) = (number, card);
        account.objects().insert(id, kept);
        Ok(customer)
    };
    answered(created())
}

async fn create_charge(
    State(account): State<Arc<Account>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let created = || {
        account.check(&headers, &account.credentials.secret_key)?;
        let known =
            ["amount", "currency", "card", "customer", "description", "metadata", "return_uri", "capture"];
        let params = parameters(&headers, &body, &known)?;
        let text = |name: &str| {
            params.get(name).map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        let amount =
            text("amount").and_then(|amount| amount.parse::<u64>().ok()).filter(|amount| *amount > 0);
        let (Some(amount), Some(currency)) = (amount, text("currency")) else {
            return Err(error(
                StatusCode::BAD_REQUEST,
                "invalid_amount",
                "amount and currency must be given",
            ));
        };
        let token = text("card");
        let (number, card) = match (token.clone(), text("customer")) {
            (Some(token), None) => account.use_up(&token)?,
            (None, Some(customer)) => {
                let customer = account.find(&customer, "customer")?;
                (customer["number"].as_str().unwrap_or_default().into(), customer["card"].clone())
            }
            _ => {
                return Err(error(StatusCode::BAD_REQUEST, "missing_card", "card or customer must be given"));
            }
        };
        let failure = failure(&number);
        let id = format!("chrg_test_{}", letters(19));
        let waits = number == CHALLENGED && text("return_uri").is_some();
        let status = match failure {
            _ if waits => "pending",
            Some(_) => "failed",
            None => "successful",
        };
        let charge = json!({
            "object": "charge",
            "id": id,
            "livemode": false,
            "location": format!("/charges/{id}"),
            "amount": amount,
            "currency": currency,
            "description": params.get("description"),
            "metadata": params.get("metadata").cloned().unwrap_or_else(|| json!({})),
            "status": status,
            "paid": status == "successful",
            "authorize_uri": waits.then(|| format!("https://api.omise.co/payments/paym_test_{}/authorize", letters(19))),
            "failure_code": failure,
            "failure_message": failure,
            "card": card,
            "created_at": MADE_AT,
        });
        let mut objects = account.objects();
        let mut kept = charge.clone();
        kept["token"] = token.clone().into();
        objects.insert(id, kept);
        if let Some(token) = token.and_then(|token| objects.get_mut(&token)) {
            token["charge_status"] = status.into();
        }
        Ok(charge)
    };
    answered(created())
}

async fn show_charge(
    State(account): State<Arc<Account>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response<Body> {
    let shown = || {
        account.check(&headers, &account.credentials.secret_key)?;
        let mut charge = account.find(&id, "charge")?;
        if let Some(members) = charge.as_object_mut() {
            members.remove("token");
        }
        Ok(charge)
    };
    answered(shown())
}

fn answered(result: Result<Value, Refused>) -> Response<Body> {
    match result {
        Ok(object) => Json(object).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// An error as Omise tells of it.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        let Self { status, code, message } = self;
        let location = format!("https://www.omise.co/api-errors#{}", code.replace('_', "-"));
        let body = json!({ "object": "error", "location": location, "code": code, "message": message });
        (status, Json(body)).into_response()
    }
}

fn error(status: StatusCode, code: &'static str, message: &str) -> Refused {
    Refused { status, code, message: message.into() }
}

/// A body's parameters, JSON or a form with `card[number]`. None but these.
fn parameters(headers: &HeaderMap, body: &[u8], known: &[&str]) -> Result<Map<String, Value>, Refused> {
    let bad = |message: &str| error(StatusCode::BAD_REQUEST, "bad_request", message);
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let params = match kind.split(';').next().map(str::trim) {
        Some("application/json") => {
            serde_json::from_slice(body).map_err(|_| bad("the body is no JSON object"))?
        }
        Some("application/x-www-form-urlencoded") => form(body).ok_or_else(|| bad("the body is no form"))?,
        _ => return Err(bad("the body is neither JSON nor a form")),
    };
    match params.keys().find(|name| !known.contains(&&***name)) {
        Some(name) => Err(bad(&format!("{name} is unknown"))),
        None => Ok(params),
    }
}

fn form(body: &[u8]) -> Option<Map<String, Value>> {
    let decoded = |text: &str| {
        percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(|text| text.into_owned())
    };
    let mut params = Map::new();
    for pair in std::str::from_utf8(body).ok()?.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (decoded(name)?, decoded(value)?);
        match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((outer, inner)) => {
                let outer = params.entry(outer).or_insert_with(|| Value::Object(Map::new()));
                outer.as_object_mut()?.insert(inner.into(), value.into());
            }
            None => drop(params.insert(name, value.into())),
        }
    }
    Some(params)
}

/// A card's number, and the card as it is shown.
fn read_card(card: &Map<String, Value>) -> Result<(String, Value), Refused> {
    const KNOWN: [&str; 13] = [
        "name",
        "number",
        "expiration_month",
        "expiration_year",
        "security_code",
        "city",
        "country",
        "phone_number",
        "postal_code",
        "state",
        "street1",
        "street2",
        "email",
    ];
    let invalid = |message: &str| error(StatusCode::BAD_REQUEST, "invalid_card", message);
    if let Some(name) = card.keys().find(|name| !KNOWN.contains(&&***name)) {
        return Err(error(StatusCode::BAD_REQUEST, "bad_request", &format!("{name} is unknown")));
    }
    let text = |name: &str| match card.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let mut wrong = Vec::new();
    let (name, number) = (text("name"), text("number"));
    let brand = brand(&number);
    if name.trim().is_empty() {
        wrong.push("name can't be blank");
    }
    match &*number {
        "" => wrong.push("number can't be blank"),
        number if !(13..=19).contains(&number.len()) || !passes_luhn(number) => {
            wrong.push("number is invalid")
        }
        _ => {}
    }
    if brand.is_none() {
        wrong.push("brand not supported (unknown)");
    }
    let month: Option<u8> = text("expiration_month").parse().ok().filter(|month| (1..=12).contains(month));
    let year: Option<u16> =
        text("expiration_year").parse().ok().map(|year| if year < 100 { 2000 + year } else { year });
    if month.is_none() {
        wrong.push("expiration month is not between 1 and 12");
    }
    match year {
        None => wrong.push("expiration year is invalid"),
        Some(..2026) => wrong.push("expiration date cannot be in the past"),
        Some(_) => {}
    }
    if let Some((last, others)) = wrong.split_last() {
        let message = match others {
            [] => (*last).to_owned(),
            [one] => format!("{one} and {last}"),
            others => format!("{}, and {last}", others.join(", ")),
        };
        return Err(invalid(&message));
    }
    let optional = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let shown = json!({
        "object": "card",
        "id": format!("card_test_{}", letters(19)),
        "livemode": false,
        "location": null,
        "deleted": false,
        "street1": optional("street1"),
        "street2": optional("street2"),
        "city": optional("city"),
        "state": optional("state"),
        "phone_number": optional("phone_number"),
        "postal_code": optional("postal_code"),
        "country": optional("country"),
        "financing": "credit",
        "bank": "Sandbox",
        "brand": brand,
        "fingerprint": Base64::encode_string(letters(32).as_bytes()),
        "first_digits": null,
        "last_digits": number.get(number.len().saturating_sub(4)..),
        "name": name,
        "expiration_month": month,
        "expiration_year": year,
        "security_code_check": failure(&number) != Some("invalid_security_code"),
        "tokenization_method": null,
        "created_at": MADE_AT,
    });
    Ok((number, shown))
}

fn brand(number: &str) -> Option<&'static str> {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| number.starts_with(prefix));
    match () {
        () if starts(&["4"]) => Some("Visa"),
        () if starts(&["51", "52", "53", "54", "55"]) => Some("MasterCard"),
        () if starts(&["35"]) => Some("JCB"),
        () if starts(&["34", "37"]) => Some("American Express"),
        () if starts(&["36"]) => Some("Diners Club"),
        () if starts(&["62"]) => Some("UnionPay"),
        () if starts(&["64", "65", "6011"]) => Some("Discover"),
        () => None,
    }
}

/// Which test cards' charges fail, and how (docs.omise.co/api-testing).
fn failure(number: &str) -> Option<&'static str> {
    Some(match number {
        "4111111111140011" | "5555551111110011" | "3530111111190011" | "6250947000000014" => {
            "insufficient_fund"
        }
        "4111111111130012" | "5555551111100012" | "3530111111180012" | "6250947000000022" => {
            "stolen_or_lost_card"
        }
        "4111111111120013" | "5555551111190013" | "3530111111170013" | "377138160000009" => {
            "failed_processing"
        }
        "4111111111110014" | "5555551111180014" | "3530111111160014" => "payment_rejected",
        "4111111111160001" | "5555551111130001" | "3530111111110001" => "invalid_security_code",
        _ => return None,
    })
}
