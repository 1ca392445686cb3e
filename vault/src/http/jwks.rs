//! The keys that browsers seal to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use axum::response::IntoResponse;
use cardseal::seal::KeySet;

use super::openapi::{Header, Object, Operation, Routes, get};
use crate::Vault;

/// `/.well-known/jwks.json`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let operation = Operation::new(
        "showKeys",
        "The keys to seal cards to",
        "A card is sealed as a JWE in compact form (RFC 7516) with RSA-OAEP-256 and A256GCM, to the first of these keys, \
         named by `kid`. Keys are replaced: fetch them for each page, and once more when a seal is refused with \
         `unknown_kid`.",
    );
    let operation = operation.answers(StatusCode::OK, "The keys.", Object::JwkSet).with(Header::CacheControl);
    Routes::about("Sealing keys", "Public keys that only the vault can open what is sealed to.")
        .at("/.well-known/jwks.json", [get(show, operation)])
}

/// `GET /.well-known/jwks.json`: public keys for any page, good for five minutes.
async fn show(State(vault): State<Arc<Vault>>) -> impl IntoResponse {
    let rings = vault.keys().rings();
    let active = rings.sealing.active(vault.clock().now());
    let set = KeySet { keys: active.map(|held| held.key.jwk().clone()).into_iter().collect() };
    ([(CACHE_CONTROL, "public, max-age=300"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(set))
}
