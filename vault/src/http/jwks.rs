//! The keys that browsers seal to.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::openapi::{Header, Object, Operation, Routes, get};
use super::signed;
use crate::Vault;
use crate::sealing_keys::SealingKeys;

/// `/.well-known/jwks.json`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let operation = Operation::new(
        "showKeys",
        "The keys to seal cards to",
        "A card is sealed as a JWE in compact form (RFC 7516) with RSA-OAEP-256 and A256GCM, to the one of these keys \
         whose `livemode` is that of the public key, named by `kid`: a seal to the other one is not known. Keys are \
         replaced: fetch them for each page, and once more when a seal is refused with \
         `unknown_kid`.",
    );
    let operation = operation.answers(StatusCode::OK, "The keys.", Object::JwkSet).with(Header::CacheControl);
    let operation = signed::also(operation);
    Routes::about("Sealing keys", "Public keys that only the vault can open what is sealed to.")
        .at(PATH, [get(show, operation)])
}

const PATH: &str = "/.well-known/jwks.json";

/// `GET /.well-known/jwks.json`: public keys for any page, good for five minutes.
async fn show(
    State(vault): State<Arc<Vault>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ApiError> {
    // One document for both modes, so that there is one to cache and to compare. Each key says its mode, and the form takes
    // the one of its public key's mode.
    let set = SealingKeys::of(&vault.keys().rings()).published(vault.clock().now());
    let answer: Response = match signed::is_asked(query.as_deref()) {
        true => signed::answer(&vault, PATH, None, &set)?,
        false => Json(set).into_response(),
    };
    Ok(([(CACHE_CONTROL, "public, max-age=300"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], answer))
}
