//! `/charges`: for merchants' servers.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::json;

use super::auth::Secret;
use super::body::{BadRequest, Params};
use super::code::Code;
use super::error::ApiError;
use super::idempotency::{self, IdempotencyKey, Replayed};
use super::limit::Declined;
use super::openapi::{Body, Key, Object, Operation, Routes, get, post, schema};
use crate::Vault;
use crate::audit::Actor;
use crate::charge::{Amount, ChargeStatus, Currency, Order, Source};
use crate::id::{CardId, ChargeId, CustomerId, TokenId};
use crate::object::ChargeObject;
use crate::vault::ChargeError;

/// `/charges`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let creation = Operation::new(
        "createCharge",
        "Take money with a card",
        "With a token, which it uses up, or with a customer's card on file. A charge that was declined is answered with \
         200 too, and `status` `failed`. One whose outcome is not known yet is `pending`: the vault finds out, and \
         never charges twice.",
    );
    let creation = creation
        .key(Key::Secret)
        .body(parameters())
        .answers(StatusCode::OK, "The charge, successful or not.", Object::Charge)
        .refuses(&[Code::AcquirerNotConfigured, Code::InvalidAmount, Code::MissingCard])
        .refuses(&[Code::NotFound, Code::UsedToken]);
    let look = Operation::new("showCharge", "A charge", "Tells what came of it.")
        .key(Key::Secret)
        .path("id", schema::matching(&ChargeId::pattern(), "The charge."))
        .answers(StatusCode::OK, "The charge.", Object::Charge);
    Routes::about("Charges", "Money taken with a card.")
        .at("/charges", [post(create, idempotency::described(creation))])
        .at("/charges/{id}", [get(show, look)])
}

/// What [`order`] reads.
fn parameters() -> Body {
    let mut amount = schema::number_or_text("In the currency's smallest unit: yen, satang.");
    amount["minimum"] = 1.into();
    amount["maximum"] = Amount::MAX.into();
    amount["pattern"] = "^[0-9]+$".into();
    let card = format!("{}|{}", TokenId::pattern(), CardId::pattern());
    Body::new(
        &[("amount", amount), ("currency", schema::matching("^[A-Za-z]{3}$", "Three letters (ISO 4217)."))],
        &[
            (
                "card",
                schema::optional(schema::matching(&card, "The token; or which of the customer's cards.")),
            ),
            (
                "customer",
                schema::optional(schema::matching(&CustomerId::pattern(), "Whose card on file is charged.")),
            ),
            ("description", schema::optional(schema::line("Yours."))),
            ("metadata", schema::nullable(schema::metadata())),
            (
                "capture",
                json!({ "enum": [true, "true", null], "description": "Money is always taken at once." }),
            ),
            ("ip", json!({ "description": "Not used." })),
            ("return_uri", json!({ "description": "Not used: nobody is sent anywhere by a charge." })),
        ],
        json!({ "amount": 1960, "currency": "JPY", "card": "tokn_test_5fzbwqrkdn9g0e8yv3mxs7t2ha" }),
    )
}

/// `POST /charges`: takes money with a token, once, or with a customer's card.
async fn create(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, key }: Secret,
    idempotency: IdempotencyKey,
    params: Params,
) -> Result<(Replayed, Option<Extension<Declined>>, Json<ChargeObject>), ApiError> {
    let request = idempotency.request("POST /charges", &params);
    let order = order(params)?;
    let mode = merchant.mode;
    let made =
        vault.charge(merchant, Actor::Key(key), order, request).await.map_err(|error| match error {
            ChargeError::Failure(failure) => failure.into(),
            ChargeError::Mismatch => ApiError::IdempotencyMismatch,
            ChargeError::NoAcquirer => ApiError::AcquirerNotConfigured,
            ChargeError::NoCard => ApiError::CustomerWithoutCard,
            ChargeError::UnknownCard => ApiError::NoSuchCard,
            ChargeError::UnknownCustomer => ApiError::NoSuchCustomer,
            ChargeError::UnknownToken => ApiError::NoSuchToken,
            ChargeError::Used { token, by } => ApiError::UsedToken { token, by },
        })?;
    let (replayed, charge) = idempotency::answer(made);
    let failed = matches!(charge.status, ChargeStatus::Failed(_));
    // Who asks again what came of a charge tries no other card.
    let declined = (failed && replayed.is_none()).then_some(Extension(Declined));
    Ok((replayed, declined, Json(ChargeObject::new(charge, mode))))
}

/// `GET /charges/{id}`: what came of a charge.
async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ChargeObject>, ApiError> {
    let id = id.ok().and_then(|Path(id)| ChargeId::parse(&id)).ok_or(ApiError::NoSuchCharge)?;
    let charge = vault.charge_of(&merchant, &id).await?.ok_or(ApiError::NoSuchCharge)?;
    Ok(Json(ChargeObject::new(charge, merchant.mode)))
}

fn order(mut params: Params) -> Result<Order, ApiError> {
    let amount = params.text_or_number("amount")?.ok_or(BadRequest::Missing("amount"))?;
    let is_whole = amount.bytes().all(|byte| byte.is_ascii_digit());
    let amount = amount.parse().ok().filter(|_| is_whole).and_then(Amount::new);
    let amount = amount.ok_or(ApiError::InvalidAmount)?;
    let currency = params.text("currency")?.ok_or(BadRequest::Missing("currency"))?;
    let currency = Currency::parse(&currency)
        .ok_or_else(|| params.wrong_type("currency", "a three-letter code (ISO 4217)"))?;
    let card = params.text("card")?;
    let customer = params.text("customer")?;
    let description = params.line("description")?;
    let metadata = params.metadata()?.unwrap_or_default();
    // A charge without capture, or from another source than a card, is another charge than this one.
    if params.truth("capture")? == Some(false) {
        return Err(BadRequest::Unsupported("capture=false").into());
    }
    if params.has("source") {
        return Err(BadRequest::Unsupported("source").into());
    }
    // Nobody is sent anywhere by a charge that ends at once.
    for name in ["ip", "return_uri", "source"] {
        params.ignore(name);
    }
    params.finish()?;
    let source = match (customer, card) {
        (Some(customer), card) => Source::Card {
            customer: CustomerId::parse(&customer).ok_or(ApiError::NoSuchCustomer)?,
            card: card.map(|card| CardId::parse(&card).ok_or(ApiError::NoSuchCard)).transpose()?,
        },
        (None, Some(token)) => Source::Token(TokenId::parse(&token).ok_or(ApiError::NoSuchToken)?),
        (None, None) => return Err(ApiError::MissingCard),
    };
    Ok(Order { amount, currency, source, description, metadata })
}
