//! `/pci-tokens`, shaped like Thales's: for merchants' servers. What is sent is sealed to a key of
//! `/.well-known/jwks.json` and holds `{"fpan","exp":"MMYY","merchant","iat","jti"}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::auth::{Detokenizer, Secret};
use super::body::{BadRequest, Params};
use super::card::{JWE, SEALED_EXAMPLE};
use super::code::Code;
use super::error::ApiError;
use super::openapi::{Body, Key, Object, Operation, Routes, delete, get, post, schema};
use crate::Vault;
use crate::access::client::Client;
use crate::id::{MerchantId, PciTokenId};
use crate::merchant::Merchant;
use crate::pci_token::{self, CorrelationId, PciToken};
use crate::token::Line;
use crate::vault::PciTokenError;

/// `/pci-tokens`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let about = "Names the request. The same one again is the same request; another request has another one.";
    let mut correlation_id = schema::matching("^[!-~]+$", about);
    correlation_id["maxLength"] = CorrelationId::MAX_CHARS.into();
    let called = |operation: Operation| {
        operation.key(Key::Secret).needs_header("x-correlation-id", correlation_id.clone())
    };
    let of_one = |operation: Operation| {
        called(operation).path("id", schema::matching(&PciTokenId::pattern(), "The PCI token."))
    };
    let made = called(Operation::new(
        "createPciToken",
        "A PCI token for a card",
        "The card is `{\"fpan\":…,\"exp\":\"MMYY\",\"merchant\":…,\"iat\":…,\"jti\":…}`, sealed to a key of \
         `/.well-known/jwks.json`: `merchant` is a public key of the merchant, `iat` the time in seconds since 1970, and \
         `jti` 16 to 64 random characters of `A-Z a-z 0-9 _ -`. A seal is good for five minutes and for one token: sent \
         again it brings the same one.",
    ))
    .body(parameters())
    .answers(StatusCode::CREATED, "The PCI token.", Object::PciToken)
    .refuses(&[Code::ExpiredSeal, Code::InvalidCard, Code::InvalidSeal, Code::RepeatedRequest])
    .refuses(&[Code::ReplayedSeal, Code::UnknownKid, Code::WrongMerchant]);
    let look = of_one(Operation::new("showPciToken", "A PCI token", "What may be known of it.")).answers(
        StatusCode::OK,
        "The PCI token.",
        Object::PciToken,
    );
    let end = of_one(Operation::new("deletePciToken", "Delete a PCI token", "Its card is gone."))
        .says(StatusCode::NO_CONTENT, "It is deleted.")
        .refuses(&[Code::DeletedToken]);
    let about = "Takes a key with the scope `detokenize`. The audit keeps who asked, and the reason.";
    let example = json!({ "reason": "network tokenization" });
    let opened = of_one(Operation::new("detokenize", "The card in the clear", about))
        .body(Body::new(&[("reason", schema::line("Why the card is needed."))], &[], example))
        .answers(StatusCode::OK, "The card.", Object::ClearCard)
        .refuses(&[Code::DeletedToken]);
    Routes::about(
        "PCI tokens",
        "A PCI token stands for a card until it is deleted. In the shape of Thales's API.",
    )
    .at("/pci-tokens", [post(create, made)])
    .at("/pci-tokens/{id}", [get(show, look), delete(delete_one, end)])
    .at("/pci-tokens/{id}/detokenize", [post(detokenize, opened)])
}

/// What [`create`] reads.
fn parameters() -> Body {
    let merchant = "mrch_test_5fzbwqrkdn9g0e8yv3mxs7t2ha";
    Body::new(
        &[
            ("merchantId", schema::matching(&MerchantId::pattern(), "The key's merchant.")),
            ("encryptedData", schema::matching(JWE, "The sealed card.")),
        ],
        &[],
        json!({ "merchantId": merchant, "encryptedData": SEALED_EXAMPLE }),
    )
}

/// A PCI token under Thales's names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PciTokenObject {
    token_id: String,
    merchant_id: String,
    state: &'static str,
    card_last_digits: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_expiry_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_brand: Option<&'static str>,
    creation_timestamp: String,
    last_update_timestamp: String,
}

/// A card in the clear, under Thales's names; wiped once it is sent.
#[derive(Serialize)]
pub(super) struct ClearCardObject {
    fpan: Zeroizing<String>,
    exp: String,
}

/// `POST /pci-tokens`: a sealed card for a PCI token.
async fn create(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<(StatusCode, Json<PciTokenObject>), ApiError> {
    let request = correlation_id(&headers)?;
    let whose = params.text("merchantId")?.ok_or(BadRequest::Missing("merchantId"))?;
    let jwe = params.text("encryptedData")?.ok_or(BadRequest::Missing("encryptedData"))?;
    params.finish()?;
    if *whose != merchant.id.as_str() {
        return Err(ApiError::WrongMerchantId);
    }
    let token = vault.create_pci_token(&merchant, &jwe, &request, client).await?;
    Ok((StatusCode::CREATED, Json(PciTokenObject::new(token, &merchant))))
}

/// `GET /pci-tokens/{tokenId}`: what may be known of a PCI token.
async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<PciTokenObject>, ApiError> {
    let token = vault.pci_token(&merchant, &parse(id)?).await?.ok_or(ApiError::NoSuchPciToken)?;
    Ok(Json(PciTokenObject::new(token, &merchant)))
}

/// `DELETE /pci-tokens/{tokenId}`: forgets the card.
async fn delete_one(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    vault.delete_pci_token(&merchant, by, &parse(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /pci-tokens/{tokenId}/detokenize`: the card in the clear, for a key that may, and for a reason.
async fn detokenize(
    State(vault): State<Arc<Vault>>,
    Detokenizer { merchant, by }: Detokenizer,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Json<ClearCardObject>, ApiError> {
    correlation_id(&headers)?;
    let id = parse(id)?;
    let reason = params.text("reason")?.ok_or(BadRequest::Missing("reason"))?;
    let reason = Line::parse(&reason).map_err(|why| params.malformed("reason", why))?;
    params.finish()?;
    let card = vault.detokenize(&merchant, by, &id, reason).await?;
    // EXPOSE: this is what was asked for, by a key that may, and the audit says so.
    let fpan = Zeroizing::new(card.number.expose().to_owned());
    Ok(Json(ClearCardObject { fpan, exp: card.expiry.mmyy() }))
}

fn parse(id: Result<Path<String>, PathRejection>) -> Result<PciTokenId, ApiError> {
    id.ok().and_then(|Path(id)| PciTokenId::parse(&id)).ok_or(ApiError::NoSuchPciToken)
}

fn correlation_id(headers: &HeaderMap) -> Result<CorrelationId, ApiError> {
    let id = headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    Ok(CorrelationId::parse(id)?)
}

impl PciTokenObject {
    fn new(token: PciToken, merchant: &Merchant) -> Self {
        let (state, expiry, brand) = match token.state {
            pci_token::State::Active { brand, expiry } => ("ACTIVE", Some(expiry.mmyy()), Some(brand.name())),
            pci_token::State::Deleted => ("DELETED", None, None),
        };
        Self {
            token_id: token.id.to_string(),
            merchant_id: merchant.id.to_string(),
            state,
            card_last_digits: token.last_digits,
            card_expiry_date: expiry,
            card_brand: brand,
            creation_timestamp: token.created_at.to_string(),
            last_update_timestamp: token.updated_at.to_string(),
        }
    }
}

impl From<PciTokenError> for ApiError {
    fn from(error: PciTokenError) -> Self {
        match error {
            PciTokenError::Deleted => Self::DeletedPciToken,
            PciTokenError::Failure(failure) => failure.into(),
            PciTokenError::NotATestCard(no_test_card) => no_test_card.into(),
            PciTokenError::Refused(refused) => refused.into(),
            PciTokenError::Repeated => Self::RepeatedCorrelationId,
            PciTokenError::Replayed => Self::ReplayedSeal,
            PciTokenError::TooManyAlike(alike) => alike.into(),
            PciTokenError::Unknown => Self::NoSuchPciToken,
        }
    }
}
