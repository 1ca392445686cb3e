//! `/tokens`: for merchants' pages.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};

use super::auth::PublicKey;
use super::body::{BadRequest, Params};
use super::card;
use super::error::ApiError;
use super::object::TokenObject;
use crate::Vault;
use crate::id::TokenId;
use crate::merchant::ClearCards;

/// `POST /tokens`: a card, sealed or where the merchant may in the clear, for a token.
pub(super) async fn create(
    State(vault): State<Arc<Vault>>,
    PublicKey { merchant, key }: PublicKey,
    mut params: Params,
) -> Result<Json<TokenObject>, ApiError> {
    let card_params = params.params("card", "card.")?;
    params.finish()?;
    let mut card_params = card_params.ok_or(BadRequest::Missing("card"))?;
    let billing = card::billing(&mut card_params)?;
    let (card, seal) = match card_params.text("sealed")? {
        Some(jwe) => {
            if card::is_clear_too(&card_params) {
                return Err(BadRequest::SealedAndClear.into());
            }
            let holder = card::holder(&mut card_params)?;
            card_params.finish()?;
            let envelope = vault.open_seal(&key, jwe).await?;
            let mut card = envelope.card;
            card.holder = card.holder.or(holder);
            (card, Some(envelope.id))
        }
        None => {
            if merchant.clear_cards == ClearCards::Refused {
                return Err(ApiError::ClearCardNotAllowed);
            }
            let card = card::clear_card(&mut card_params, vault.month());
            card_params.finish()?;
            (card?, None)
        }
    };
    let token = vault.tokenize(&merchant, card, billing, seal).await?;
    Ok(Json(TokenObject::new(token, merchant.mode)))
}

/// `GET /tokens/{id}`: what may be known of a token.
pub(super) async fn show(
    State(vault): State<Arc<Vault>>,
    PublicKey { merchant, .. }: PublicKey,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<TokenObject>, ApiError> {
    let id = id.ok().and_then(|Path(id)| TokenId::parse(&id)).ok_or(ApiError::NoSuchToken)?;
    let token = vault.token(&merchant, &id).await?.ok_or(ApiError::NoSuchToken)?;
    Ok(Json(TokenObject::new(token, merchant.mode)))
}
