//! `/customers`: for merchants' servers.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::auth::Secret;
use super::body::{BadRequest, Params, Query};
use super::code::Code;
use super::error::ApiError;
use super::idempotency::{self, IdempotencyKey, Replayed};
use super::list;
use super::openapi::{Body, Key, Object, Operation, Routes, delete, get, patch, post, schema};
use crate::Vault;
use crate::customer::{Change, CustomerChange, Profile};
use crate::id::{CardId, CustomerId, TokenId};
use crate::object::{CustomerObject, DeletedCustomerObject, ListObject};
use crate::token::Line;

/// `/customers`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let whose = || schema::matching(&CustomerId::pattern(), "The customer.");
    let made = Operation::new(
        "createCustomer",
        "A customer",
        "With the card of a token, which is used up, if one is given.",
    )
    .key(Key::Secret)
    .body(parameters(&[]))
    .answers(StatusCode::OK, "The customer.", Object::Customer)
    .refuses(&[Code::NotFound, Code::UsedToken]);
    let page = Operation::new("listCustomers", "Your customers", "A page of them.").key(Key::Secret).answers(
        StatusCode::OK,
        "The page.",
        Object::CustomerList,
    );
    let look = Operation::new("showCustomer", "A customer", "With the first of the cards.")
        .key(Key::Secret)
        .path("id", whose())
        .answers(StatusCode::OK, "The customer.", Object::Customer);
    let default_card = schema::matching(&CardId::pattern(), "Which card is charged when none is named.");
    let change = Operation::new(
        "updateCustomer",
        "Change a customer",
        "What is named is changed, and to nothing by null or the empty text. A token's card is added, and is the default \
         one if it is the first; of a card with the same number it replaces expiry, name and address.",
    )
    .key(Key::Secret)
    .path("id", whose())
    .body(parameters(&[("default_card", schema::optional(default_card))]))
    .answers(StatusCode::OK, "The customer.", Object::Customer)
    .refuses(&[Code::UsedToken]);
    let end = Operation::new("deleteCustomer", "Delete a customer", "All cards are gone with it.")
        .key(Key::Secret)
        .path("id", whose())
        .answers(StatusCode::OK, "What was the customer.", Object::DeletedCustomer);
    Routes::about("Customers", "Who comes again, and the cards that were left.")
        .at("/customers", [get(list, list::described(page)), post(create, idempotency::described(made))])
        .at("/customers/{id}", [get(show, look), patch(update, change), delete(delete_one, end)])
}

/// What is said of a customer.
fn parameters(others: &[(&str, Value)]) -> Body {
    let card = schema::matching(&TokenId::pattern(), "A token whose card is kept.");
    let mut optional = vec![
        ("card", schema::optional(card)),
        ("email", schema::optional(schema::line("E-mail address."))),
        ("description", schema::optional(schema::line("Yours."))),
        ("metadata", schema::nullable(schema::metadata())),
    ];
    optional.extend_from_slice(others);
    let example = json!({ "email": "somchai@example.com", "card": "tokn_test_5fzbwqrkdn9g0e8yv3mxs7t2ha" });
    Body::new(&[], &optional, example)
}

/// `POST /customers`: somebody who comes again, with the card of a token if one is given.
async fn create(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    idempotency: IdempotencyKey,
    mut params: Params,
) -> Result<(Replayed, Json<CustomerObject>), ApiError> {
    let request = idempotency.request("POST /customers", &params);
    let profile = Profile {
        email: params.line("email")?,
        description: params.line("description")?,
        metadata: params.metadata()?.unwrap_or_default(),
    };
    let token = token(&mut params)?;
    params.finish()?;
    let made = vault.create_customer(&merchant, by, profile, token, request).await?;
    let (replayed, customer) = idempotency::answer(made);
    Ok((replayed, Json(CustomerObject::new(customer, merchant.mode, vault.clock().now()))))
}

/// `GET /customers`: a page of the merchant's customers.
async fn list(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    Query(params): Query,
) -> Result<Json<ListObject<CustomerObject>>, ApiError> {
    let page = vault.customers(&merchant, list::window(params)?).await?;
    let now = vault.clock().now();
    let show = |customer| CustomerObject::new(customer, merchant.mode, now);
    Ok(Json(ListObject::new(page, "/customers".into(), now, show)))
}

/// `GET /customers/{id}`: a customer with the first of its cards.
async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CustomerObject>, ApiError> {
    let customer = vault.customer(&merchant, customer_id(id)?).await?.ok_or(ApiError::NoSuchCustomer)?;
    Ok(Json(CustomerObject::new(customer, merchant.mode, vault.clock().now())))
}

/// `PATCH /customers/{id}`: what is named is changed, and to nothing by null; a token's card is added.
async fn update(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    id: Result<Path<String>, PathRejection>,
    mut params: Params,
) -> Result<Json<CustomerObject>, ApiError> {
    let id = customer_id(id)?;
    let change = CustomerChange {
        email: line(&mut params, "email")?,
        description: line(&mut params, "description")?,
        metadata: if params.names("metadata") {
            Change::To(params.metadata()?.unwrap_or_default())
        } else {
            Change::Keep
        },
        token: token(&mut params)?,
        default_card: match params.text("default_card")? {
            Some(card) => Some(CardId::parse(&card).ok_or(ApiError::NoSuchCard)?),
            None => None,
        },
    };
    params.finish()?;
    let customer = vault.update_customer(&merchant, by, id, change).await?;
    Ok(Json(CustomerObject::new(customer, merchant.mode, vault.clock().now())))
}

/// `DELETE /customers/{id}`: the customer and all its cards are gone.
async fn delete_one(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<DeletedCustomerObject>, ApiError> {
    let deleted = vault.delete_customer(&merchant, by, &customer_id(id)?).await?;
    let deleted = deleted.ok_or(ApiError::NoSuchCustomer)?;
    Ok(Json(DeletedCustomerObject::new(&deleted, merchant.mode)))
}

fn customer_id(id: Result<Path<String>, PathRejection>) -> Result<CustomerId, ApiError> {
    id.ok().and_then(|Path(id)| CustomerId::parse(&id)).ok_or(ApiError::NoSuchCustomer)
}

fn token(params: &mut Params) -> Result<Option<TokenId>, ApiError> {
    let Some(token) = params.text("card")? else { return Ok(None) };
    TokenId::parse(&token).map(Some).ok_or(ApiError::NoSuchToken)
}

fn line(params: &mut Params, name: &'static str) -> Result<Change<Option<Line>>, BadRequest> {
    if params.names(name) { Ok(Change::To(params.line(name)?)) } else { Ok(Change::Keep) }
}
