//! `/webhooks`: where merchants' servers are told of events.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;

use super::auth::Secret;
use super::body::{BadRequest, Params, Query};
use super::error::ApiError;
use super::openapi::{Body, Key, Object, Operation, Routes, delete, get, post, schema};
use crate::Vault;
use crate::id::WebhookId;
use crate::object::{DeletedWebhookObject, NewWebhookObject, WebhookList, WebhookObject};
use crate::vault::{MOST_WEBHOOKS, WebhookError};
use crate::webhook::WebhookUrl;

/// `/webhooks`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let which = || schema::matching(&WebhookId::pattern(), "The webhook.");
    let mut url = schema::text(
        "A public address with https. With test keys, the vault's operator may allow http on the vault's own machine.",
    );
    url["maxLength"] = WebhookUrl::MAX_BYTES.into();
    let example = json!({ "url": "https://shop.example/events" });
    let about = format!("It gets the events from now on. There are at most {MOST_WEBHOOKS}.");
    let made = Operation::new("createWebhook", "Hear of events", &about)
        .key(Key::Secret)
        .body(Body::new(&[("url", url)], &[], example))
        .answers(StatusCode::OK, "The webhook, with its secret, this once.", Object::NewWebhook);
    let all = Operation::new("listWebhooks", "Your webhooks", "All of them.").key(Key::Secret).answers(
        StatusCode::OK,
        "The webhooks.",
        Object::WebhookList,
    );
    let look = Operation::new("showWebhook", "A webhook", "Tells whether events arrive.")
        .key(Key::Secret)
        .path("id", which())
        .answers(StatusCode::OK, "The webhook.", Object::Webhook);
    let about = "The secret before it signs beside it for 24 hours: each message then has a `v1` for either.";
    let next = Operation::new("rotateWebhookSecret", "The next secret", about)
        .key(Key::Secret)
        .path("id", which())
        .reads()
        .answers(StatusCode::OK, "The webhook, with its new secret, this once.", Object::NewWebhook);
    let end = Operation::new("deleteWebhook", "Delete a webhook", "Events are no longer sent to it.")
        .key(Key::Secret)
        .path("id", which())
        .answers(StatusCode::OK, "What was the webhook.", Object::DeletedWebhook);
    Routes::about("Webhooks", "Where your server is told of events.")
        .at("/webhooks", [get(list, all), post(create, made)])
        .at("/webhooks/{id}", [get(show, look), delete(delete_one, end)])
        .at("/webhooks/{id}/rotate_secret", [post(rotate_secret, next)])
}

/// `POST /webhooks`: has events sent to an address from now on. The answer alone shows the secret.
async fn create(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    mut params: Params,
) -> Result<Json<NewWebhookObject>, ApiError> {
    let url = params.text("url")?.ok_or(BadRequest::Missing("url"))?;
    params.finish()?;
    let url = WebhookUrl::parse(&url, merchant.mode, vault.test_webhooks())?;
    match vault.add_webhook(&merchant, by, url).await {
        Ok((webhook, secret)) => Ok(Json(NewWebhookObject::new(webhook, &secret, merchant.mode))),
        Err(WebhookError::Failure(failure)) => Err(failure.into()),
        Err(WebhookError::TooMany) => Err(ApiError::TooManyWebhooks),
    }
}

/// `GET /webhooks`: all of a merchant's.
async fn list(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
) -> Result<Json<WebhookList>, ApiError> {
    let webhooks = vault.webhooks(&merchant).await?;
    Ok(Json(WebhookList::new(webhooks, merchant.mode)))
}

/// `GET /webhooks/{id}`
async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<WebhookObject>, ApiError> {
    let id = read(id)?;
    let webhook = vault.webhooks(&merchant).await?.into_iter().find(|webhook| webhook.id == id);
    Ok(Json(WebhookObject::new(webhook.ok_or(ApiError::NoSuchWebhook)?, merchant.mode)))
}

/// `POST /webhooks/{id}/rotate_secret`: a new secret, which the answer alone shows. The one before signs beside it for a day.
async fn rotate_secret(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    id: Result<Path<String>, PathRejection>,
    Query(params): Query,
) -> Result<Json<NewWebhookObject>, ApiError> {
    params.finish()?;
    let rotated = vault.rotate_webhook_secret(&merchant, by, &read(id)?).await?;
    let (webhook, secret) = rotated.ok_or(ApiError::NoSuchWebhook)?;
    Ok(Json(NewWebhookObject::new(webhook, &secret, merchant.mode)))
}

/// `DELETE /webhooks/{id}`: has no more events sent to its address.
async fn delete_one(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<DeletedWebhookObject>, ApiError> {
    let id = read(id)?;
    if !vault.delete_webhook(&merchant, by, &id).await? {
        return Err(ApiError::NoSuchWebhook);
    }
    Ok(Json(DeletedWebhookObject::new(&id, merchant.mode)))
}

fn read(id: Result<Path<String>, PathRejection>) -> Result<WebhookId, ApiError> {
    id.ok().and_then(|Path(id)| WebhookId::parse(&id)).ok_or(ApiError::NoSuchWebhook)
}
