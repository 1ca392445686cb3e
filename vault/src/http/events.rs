//! `/events`: what happened, for merchants' servers.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};

use super::auth::Secret;
use super::body::Query;
use super::error::ApiError;
use super::list::{self, ListObject};
use super::object::EventObject;
use crate::Vault;
use crate::id::EventId;

/// `GET /events`: a page of what happened.
pub(super) async fn list(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    Query(params): Query,
) -> Result<Json<ListObject<EventObject>>, ApiError> {
    let page = vault.events(&merchant, list::window(params)?).await?;
    let show = |event| EventObject::new(event, merchant.mode);
    Ok(Json(ListObject::new(page, "/events".into(), vault.clock().now(), show)))
}

/// `GET /events/{id}`: one thing that happened.
pub(super) async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<EventObject>, ApiError> {
    let id = id.ok().and_then(|Path(id)| EventId::parse(&id)).ok_or(ApiError::NoSuchEvent)?;
    let event = vault.event(&merchant, &id).await?.ok_or(ApiError::NoSuchEvent)?;
    Ok(Json(EventObject::new(event, merchant.mode)))
}
