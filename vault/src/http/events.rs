//! `/events`: what happened, for merchants' servers.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::auth::Secret;
use super::body::Query;
use super::error::ApiError;
use super::list;
use super::openapi::{Key, Object, Operation, Routes, get, schema};
use crate::Vault;
use crate::id::EventId;
use crate::object::{EventObject, ListObject};

/// `/events`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let page = Operation::new("listEvents", "What happened", "A page of your events.")
        .key(Key::Secret)
        .answers(StatusCode::OK, "The page.", Object::EventList);
    let look = Operation::new("showEvent", "An event", "As it was sent to webhooks.")
        .key(Key::Secret)
        .path("id", schema::matching(&EventId::pattern(), "The event."))
        .answers(StatusCode::OK, "The event.", Object::Event);
    Routes::about("Events", "What happened.")
        .at("/events", [get(list, list::described(page))])
        .at("/events/{id}", [get(show, look)])
}

/// `GET /events`: a page of what happened.
async fn list(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    Query(params): Query,
) -> Result<Json<ListObject<EventObject>>, ApiError> {
    let page = vault.events(&merchant, list::window(params)?).await?;
    let show = |event| EventObject::new(event, merchant.mode);
    Ok(Json(ListObject::new(page, "/events".into(), vault.clock().now(), show)))
}

/// `GET /events/{id}`: one thing that happened.
async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<EventObject>, ApiError> {
    let id = id.ok().and_then(|Path(id)| EventId::parse(&id)).ok_or(ApiError::NoSuchEvent)?;
    let event = vault.event(&merchant, &id).await?.ok_or(ApiError::NoSuchEvent)?;
    Ok(Json(EventObject::new(event, merchant.mode)))
}
