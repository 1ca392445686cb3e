//! `/webhooks`: where merchants' servers are told of events.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};

use super::auth::Secret;
use super::body::{BadRequest, Params};
use super::error::ApiError;
use super::object::{DeletedWebhookObject, NewWebhookObject, WebhookList, WebhookObject};
use crate::Vault;
use crate::audit::Actor;
use crate::id::WebhookId;
use crate::vault::WebhookError;
use crate::webhook::WebhookUrl;

/// `POST /webhooks`: has events sent to an address from now on. The answer alone shows the secret.
pub(super) async fn create(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, key }: Secret,
    mut params: Params,
) -> Result<Json<NewWebhookObject>, ApiError> {
    let url = params.text("url")?.ok_or(BadRequest::Missing("url"))?;
    params.finish()?;
    let url = WebhookUrl::parse(&url, merchant.mode)?;
    match vault.add_webhook(&merchant, Actor::Key(key), url).await {
        Ok((webhook, secret)) => Ok(Json(NewWebhookObject::new(webhook, &secret, merchant.mode))),
        Err(WebhookError::Failure(failure)) => Err(failure.into()),
        Err(WebhookError::TooMany) => Err(ApiError::TooManyWebhooks),
    }
}

/// `GET /webhooks`: all of a merchant's.
pub(super) async fn list(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
) -> Result<Json<WebhookList>, ApiError> {
    let webhooks = vault.webhooks(&merchant).await?;
    Ok(Json(WebhookList::new(webhooks, merchant.mode)))
}

/// `GET /webhooks/{id}`
pub(super) async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<WebhookObject>, ApiError> {
    let id = read(id)?;
    let webhook = vault.webhooks(&merchant).await?.into_iter().find(|webhook| webhook.id == id);
    Ok(Json(WebhookObject::new(webhook.ok_or(ApiError::NoSuchWebhook)?, merchant.mode)))
}

/// `DELETE /webhooks/{id}`: has no more events sent to its address.
pub(super) async fn delete(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, key }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<DeletedWebhookObject>, ApiError> {
    let id = read(id)?;
    if !vault.delete_webhook(&merchant, Actor::Key(key), &id).await? {
        return Err(ApiError::NoSuchWebhook);
    }
    Ok(Json(DeletedWebhookObject::new(&id, merchant.mode)))
}

fn read(id: Result<Path<String>, PathRejection>) -> Result<WebhookId, ApiError> {
    id.ok().and_then(|Path(id)| WebhookId::parse(&id)).ok_or(ApiError::NoSuchWebhook)
}
