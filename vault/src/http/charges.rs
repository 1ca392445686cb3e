//! `/charges`: for merchants' servers.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::auth::Secret;
use super::body::{BadRequest, Params};
use super::code::Code;
use super::error::ApiError;
use super::idempotency::{self, IdempotencyKey, Replayed};
use super::limit::Declined;
use super::openapi::{Body, Key, Object, Operation, Routes, get, post, schema};
use crate::Vault;
use crate::charge::{Amount, ChargeStatus, Currency, Order, Source};
use crate::id::{CardId, ChargeId, CustomerId, TokenId};
use crate::merchant::Mode;
use crate::object::ChargeObject;
use crate::shopper::{Browser, BrowserText, ChallengeWindow, NotAReturnUri, ReturnUri, Shopper};
use crate::vault::{AnswerBy, ChargeError};

/// `/charges`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let creation = Operation::new(
        "createCharge",
        "Take money with a card",
        "With a token, which it uses up, or with a customer's card on file. A charge that was declined is answered with \
         200 too, and `status` `failed`. One whose outcome is not known yet is `pending`: the vault finds out, and \
         never charges twice. One that is `pending` with an `authorize_uri` waits for the shopper, who is sent there; it \
         fails if that does not happen within a day.",
    );
    let creation = creation
        .key(Key::Secret)
        .body(parameters())
        .answers(StatusCode::OK, "The charge, successful or not.", Object::Charge)
        .refuses(&[Code::AcquirerNotConfigured, Code::InvalidAmount, Code::InvalidCard, Code::MissingCard])
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
            ("ip", schema::optional(schema::text("The shopper's IP address, for the bank."))),
            (
                "return_uri",
                schema::optional(schema::text(
                    "Where the shopper comes back to when the bank wants to see them (3-D Secure).",
                )),
            ),
            ("browser_info", browser()),
        ],
        json!({ "amount": 1960, "currency": "JPY", "card": "tokn_test_5fzbwqrkdn9g0e8yv3mxs7t2ha" }),
    )
}

/// What [`read_browser`] reads: Payment Options' names.
fn browser() -> Value {
    let text = |about| schema::matching("^[ -~]+$", about);
    let browser = schema::object(
        "The shopper's browser, all of it, for banks that want to see the shopper (3-D Secure). With `return_uri`, \
         Payment Options may answer with an `authorize_uri`.",
        &[
            ("acceptHeader", text("Its header Accept.")),
            ("userAgent", text("Its header User-Agent.")),
            ("language", text("`navigator.language`.")),
            (
                "javaEnabled",
                json!({ "enum": [true, false, "true", "false"], "description": "Whether it runs Java." }),
            ),
            ("screenColorDepth", schema::number_or_text("`screen.colorDepth`.")),
            ("screenHeight", schema::number_or_text("`screen.height`.")),
            ("screenWidth", schema::number_or_text("`screen.width`.")),
            (
                "challengeWindow",
                schema::number_or_text(
                    "How large the bank's page may be: 1 is 250 by 400 pixels, 2 390 by 400, 3 500 by 600, 4 600 by \
                     400, 5 the whole screen.",
                ),
            ),
        ],
        &[],
    );
    schema::nullable(browser)
}

/// `POST /charges`: takes money with a token, once, or with a customer's card.
async fn create(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    idempotency: IdempotencyKey,
    Extension(answer_by): Extension<AnswerBy>,
    params: Params,
) -> Result<(Replayed, Option<Extension<Declined>>, Json<ChargeObject>), ApiError> {
    let request = idempotency.request("POST /charges", &params);
    let (order, shopper) = order(params, merchant.mode)?;
    let mode = merchant.mode;
    let made = vault.charge(merchant, by, order, shopper, request, answer_by).await;
    let made = made.map_err(|error| match error {
        ChargeError::Failure(failure) => failure.into(),
        ChargeError::Mismatch => ApiError::IdempotencyMismatch,
        ChargeError::NoAcquirer => ApiError::AcquirerNotConfigured,
        ChargeError::NotBegun => ApiError::NotCharged,
        ChargeError::NoCard => ApiError::CustomerWithoutCard,
        ChargeError::Unacceptable(why) => why.into(),
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

fn order(mut params: Params, mode: Mode) -> Result<(Order, Shopper), ApiError> {
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
    params.ignore("source");
    let shopper = shopper(&mut params, mode)?;
    params.finish()?;
    let source = match (customer, card) {
        (Some(customer), card) => Source::Card {
            customer: CustomerId::parse(&customer).ok_or(ApiError::NoSuchCustomer)?,
            card: card.map(|card| CardId::parse(&card).ok_or(ApiError::NoSuchCard)).transpose()?,
        },
        (None, Some(token)) => Source::Token(TokenId::parse(&token).ok_or(ApiError::NoSuchToken)?),
        (None, None) => return Err(ApiError::MissingCard),
    };
    Ok((Order { amount, currency, source, description, metadata }, shopper))
}

fn shopper(params: &mut Params, mode: Mode) -> Result<Shopper, BadRequest> {
    let ip = match params.text("ip")? {
        Some(ip) => Some(ip.parse().map_err(|_| params.wrong_type("ip", "an IP address"))?),
        None => None,
    };
    let return_uri = match params.text("return_uri")? {
        Some(uri) => Some(ReturnUri::parse(&uri, mode).map_err(|NotAReturnUri| {
            params.wrong_type(
                "return_uri",
                "an https:// address of up to 255 characters, without a card number",
            )
        })?),
        None => None,
    };
    let browser = match params.params("browser_info", "browser_info.")? {
        Some(mut params) => {
            let browser = read_browser(&mut params)?;
            params.finish()?;
            Some(browser)
        }
        None => None,
    };
    Ok(Shopper { ip, browser, return_uri })
}

fn read_browser(params: &mut Params) -> Result<Browser, BadRequest> {
    let mut given = |name, what| {
        let text = params.text_or_number(name)?;
        text.ok_or_else(|| params.wrong_type(name, what))
    };
    const TEXT: &str = "a text of up to 2048 visible characters of ASCII";
    const NUMBER: &str = "a whole number";
    const WINDOW: &str = "a number from 1 to 5";
    let accept_header = given("acceptHeader", TEXT)?;
    let user_agent = given("userAgent", TEXT)?;
    let language = given("language", TEXT)?;
    let color_depth = given("screenColorDepth", NUMBER)?;
    let screen_height = given("screenHeight", NUMBER)?;
    let screen_width = given("screenWidth", NUMBER)?;
    let challenge_window = given("challengeWindow", WINDOW)?;
    let java_enabled = params.truth("javaEnabled")?;
    let text = |name, text: &str| BrowserText::parse(text).ok_or_else(|| params.wrong_type(name, TEXT));
    Ok(Browser {
        accept_header: text("acceptHeader", &accept_header)?,
        user_agent: text("userAgent", &user_agent)?,
        language: text("language", &language)?,
        color_depth: color_depth.parse().map_err(|_| params.wrong_type("screenColorDepth", NUMBER))?,
        screen_height: screen_height.parse().map_err(|_| params.wrong_type("screenHeight", NUMBER))?,
        screen_width: screen_width.parse().map_err(|_| params.wrong_type("screenWidth", NUMBER))?,
        challenge_window: ChallengeWindow::parse(&challenge_window)
            .ok_or_else(|| params.wrong_type("challengeWindow", WINDOW))?,
        java_enabled: java_enabled.ok_or_else(|| params.wrong_type("javaEnabled", "true or false"))?,
    })
}
