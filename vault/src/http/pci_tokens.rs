//! `/pci-tokens`, shaped like Thales's: for merchants' servers. What is sent is sealed to a key of
//! `/.well-known/jwks.json` and holds `{"fpan","exp":"MMYY"}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use zeroize::Zeroizing;

use super::auth::{Detokenizer, Secret};
use super::body::{BadRequest, Params};
use super::error::ApiError;
use crate::Vault;
use crate::audit::Actor;
use crate::id::PciTokenId;
use crate::merchant::Merchant;
use crate::pci_token::{self, CorrelationId, PciToken};
use crate::token::Line;
use crate::vault::PciTokenError;

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
pub(super) async fn create(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
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
    let token = vault.create_pci_token(&merchant, jwe, &request).await?;
    Ok((StatusCode::CREATED, Json(PciTokenObject::new(token, &merchant))))
}

/// `GET /pci-tokens/{tokenId}`: what may be known of a PCI token.
pub(super) async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<PciTokenObject>, ApiError> {
    let token = vault.pci_token(&merchant, &parse(id)?).await?.ok_or(ApiError::NoSuchPciToken)?;
    Ok(Json(PciTokenObject::new(token, &merchant)))
}

/// `DELETE /pci-tokens/{tokenId}`: forgets the card.
pub(super) async fn delete(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, key }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    vault.delete_pci_token(&merchant, Actor::Key(key), &parse(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /pci-tokens/{tokenId}/detokenize`: the card in the clear, for a key that may, and for a reason.
pub(super) async fn detokenize(
    State(vault): State<Arc<Vault>>,
    Detokenizer { merchant, key }: Detokenizer,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Json<ClearCardObject>, ApiError> {
    correlation_id(&headers)?;
    let id = parse(id)?;
    let reason = params.text("reason")?.ok_or(BadRequest::Missing("reason"))?;
    let reason = Line::parse(&reason).map_err(|why| params.malformed("reason", why))?;
    params.finish()?;
    let card = vault.detokenize(&merchant, Actor::Key(key), &id, reason).await?;
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
            PciTokenError::Refused(refused) => refused.into(),
            PciTokenError::Repeated => Self::RepeatedCorrelationId,
            PciTokenError::Unknown => Self::NoSuchPciToken,
        }
    }
}
