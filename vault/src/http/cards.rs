//! `/customers/{id}/cards`: for merchants' servers.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;

use super::auth::Secret;
use super::body::{Params, Query};
use super::card;
use super::code::Code;
use super::error::ApiError;
use super::list;
use super::openapi::{Body, Key, Object, Operation, Routes, delete, get, patch, schema};
use crate::Vault;
use crate::id::{CardId, CustomerId};
use crate::object::{CardObject, ListObject, cards_location};

/// `/customers/{id}/cards`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let of_customer = |operation: Operation| {
        let whose = schema::matching(&CustomerId::pattern(), "The customer.");
        operation.key(Key::Secret).path("id", whose)
    };
    let of_card = |operation: Operation| {
        let which = schema::matching(&CardId::pattern(), "The card.");
        of_customer(operation).path("card", which).answers(StatusCode::OK, "The card.", Object::Card)
    };
    let page = Operation::new("listCards", "A customer's cards", "A page of them.");
    let page = of_customer(page).answers(StatusCode::OK, "The page.", Object::CardList);
    let look = of_card(Operation::new("showCard", "A card on file", "What may be known of it."));
    let about = "What is named is changed: expiry, name, address. The number stays.";
    let change = of_card(Operation::new("updateCard", "Change a card on file", about))
        .body(Body::new(&[], &card::changes(), json!({ "expiration_month": 12, "expiration_year": 2030 })))
        .refuses(&[Code::InvalidCard]);
    let end = of_card(Operation::new("deleteCard", "Delete a card on file", "Its number is gone."));
    Routes::about("Customers", "Who comes again, and the cards that were left.")
        .at("/customers/{id}/cards", [get(list, list::described(page))])
        .at("/customers/{id}/cards/{card}", [get(show, look), patch(update, change), delete(delete_one, end)])
}

/// `GET /customers/{id}/cards`: a page of the customer's cards.
async fn list(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
    Query(params): Query,
) -> Result<Json<ListObject<CardObject>>, ApiError> {
    let id = id.ok().and_then(|Path(id)| CustomerId::parse(&id)).ok_or(ApiError::NoSuchCustomer)?;
    let page = vault.cards(&merchant, &id, list::window(params)?).await?.ok_or(ApiError::NoSuchCustomer)?;
    let show = |card| CardObject::on_file(card, &id, merchant.mode);
    Ok(Json(ListObject::new(page, cards_location(&id), vault.clock().now(), show)))
}

/// `GET /customers/{id}/cards/{id}`: what may be known of a card.
async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    ids: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<CardObject>, ApiError> {
    let (customer, id) = card_id(ids)?;
    let card = vault.card(&merchant, &customer, &id).await?.ok_or(ApiError::NoSuchCard)?;
    Ok(Json(CardObject::on_file(card, &customer, merchant.mode)))
}

/// `PATCH /customers/{id}/cards/{id}`: what is named is changed: expiry, name, address.
async fn update(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    ids: Result<Path<(String, String)>, PathRejection>,
    mut params: Params,
) -> Result<Json<CardObject>, ApiError> {
    let (customer, id) = card_id(ids)?;
    let before = vault.card(&merchant, &customer, &id).await?.ok_or(ApiError::NoSuchCard)?;
    let expiry = (before.details.expiration_month, before.details.expiration_year);
    let change = card::change(&mut params, expiry, vault.month())?;
    params.finish()?;
    let card = vault.update_card(&merchant, &customer, &id, &change).await?.ok_or(ApiError::NoSuchCard)?;
    Ok(Json(CardObject::on_file(card, &customer, merchant.mode)))
}

/// `DELETE /customers/{id}/cards/{id}`: the card and its number are gone.
async fn delete_one(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    ids: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<CardObject>, ApiError> {
    let (customer, id) = card_id(ids)?;
    let deleted = vault.delete_card(&merchant, by, &customer, &id).await?;
    let deleted = deleted.ok_or(ApiError::NoSuchCard)?;
    Ok(Json(CardObject::deleted(deleted, &customer, merchant.mode)))
}

fn card_id(ids: Result<Path<(String, String)>, PathRejection>) -> Result<(CustomerId, CardId), ApiError> {
    let Ok(Path((customer, card))) = ids else { return Err(ApiError::NoSuchCard) };
    let customer = CustomerId::parse(&customer).ok_or(ApiError::NoSuchCustomer)?;
    Ok((customer, CardId::parse(&card).ok_or(ApiError::NoSuchCard)?))
}
