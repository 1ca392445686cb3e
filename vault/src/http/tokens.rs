//! `/tokens`: made by merchants' pages, looked at by their servers too.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use cardseal::client::Profile;
use serde_json::json;

use super::auth::{EitherKey, PublicKey, Secret};
use super::body::{BadRequest, Params};
use super::card;
use super::code::Code;
use super::error::ApiError;
use super::openapi::{Body, Key, Object, Operation, Routes, get, post, schema};
use crate::Vault;
use crate::access::client::Client;
use crate::acquirer::PaymentOptions;
use crate::id::TokenId;
use crate::merchant::ClearCards;
use crate::object::TokenObject;

/// `/tokens`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let example = json!({ "card": { "sealed": card::SEALED_EXAMPLE, "city": "Bangkok", "country": "TH" } });
    let profile = schema::one_of(
        [Profile::Cardseal, Profile::PaymentOptions].map(Profile::as_str),
        "What the card is to become. With `payment-options` a card that Payment Options could not take is refused.",
    );
    let creation = Operation::new(
        "createToken",
        "A token for a card",
        "Called by pages. The card is sealed to a key of `/.well-known/jwks.json`, or in the clear, as Omise's clients \
         send it, where the merchant may. A token is used once, and expires if it is not. The same seal again brings \
         the same token.",
    );
    let creation = creation
        .key(Key::Public)
        .body(Body::new(&[("card", card::schema())], &[("profile", schema::optional(profile))], example))
        .answers(StatusCode::OK, "The token.", Object::PageToken)
        .refuses(&[
            Code::ClearCardNotAllowed,
            Code::InvalidCard,
            Code::ProfileNotAllowed,
            Code::WrongMerchant,
        ])
        .refuses(&[Code::ExpiredSeal, Code::InvalidSeal, Code::ReplayedSeal, Code::UnknownKid]);
    let either = [Object::PageToken, Object::Token].map(Object::reference);
    let either = json!({ "anyOf": either });
    let look =
        Operation::new("showToken", "A token", "Tells whether it was used, and what became of its charge.")
            .key(Key::Either)
            .path("id", schema::matching(&TokenId::pattern(), "The token."))
            .shows(
                StatusCode::OK,
                "The token. With the secret key it has all of the card's members.",
                "application/json",
                either,
            );
    Routes::about("Tokens", "A token stands for a card, once.")
        .at("/tokens", [post(create, creation)])
        .at("/tokens/{id}", [get(show, look)])
}

/// `POST /tokens`: a card, sealed or where the merchant may in the clear, for a token.
async fn create(
    State(vault): State<Arc<Vault>>,
    PublicKey { merchant, key }: PublicKey,
    Extension(client): Extension<Client>,
    mut params: Params,
) -> Result<Json<TokenObject>, ApiError> {
    let card_params = params.params("card", "card.")?;
    let profile = profile(&mut params)?;
    params.finish()?;
    if profile != Profile::Cardseal && vault.offer(&merchant, profile).await?.is_none() {
        return Err(ApiError::ProfileNotAllowed(profile));
    }
    let mut card_params = card_params.ok_or(BadRequest::Missing("card"))?;
    let billing = card::billing(&mut card_params)?;
    let (card, seal) = match card_params.text("sealed")? {
        Some(jwe) => {
            if card::is_clear_too(&card_params) {
                return Err(BadRequest::SealedAndClear.into());
            }
            let holder = card::holder(&mut card_params)?;
            card_params.finish()?;
            let envelope = vault.open_seal(&key, &jwe)?;
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
    if profile == Profile::PaymentOptions {
        // EXPOSE: to count its digits.
        PaymentOptions::check_card(Some(card.number.expose().len()), &billing)?;
    }
    let token = vault.tokenize(&merchant, card, billing, seal, client).await?;
    Ok(Json(TokenObject::for_page(token, merchant.mode)))
}

/// What the card is to become. What Thales and Omise make of it they make elsewhere.
fn profile(params: &mut Params) -> Result<Profile, BadRequest> {
    let Some(name) = params.text("profile")? else { return Ok(Profile::Cardseal) };
    let profile = Profile::parse(&name);
    let here = profile.filter(|profile| matches!(profile, Profile::Cardseal | Profile::PaymentOptions));
    here.ok_or_else(|| params.wrong_type("profile", "cardseal or payment-options"))
}

/// `GET /tokens/{id}`: what may be known of a token: by a page little, by the merchant's server all but the number.
async fn show(
    State(vault): State<Arc<Vault>>,
    key: EitherKey,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<TokenObject>, ApiError> {
    let id = id.ok().and_then(|Path(id)| TokenId::parse(&id)).ok_or(ApiError::NoSuchToken)?;
    let (merchant, show): (_, fn(_, _) -> _) = match key {
        EitherKey::Public(PublicKey { merchant, .. }) => (merchant, TokenObject::for_page),
        EitherKey::Secret(Secret { merchant, .. }) => (merchant, TokenObject::for_merchant),
    };
    let token = vault.token(&merchant, &id).await?.ok_or(ApiError::NoSuchToken)?;
    Ok(Json(show(token, merchant.mode)))
}
