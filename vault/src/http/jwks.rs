//! The keys that browsers seal to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use axum::response::IntoResponse;
use cardseal::seal::KeySet;

use crate::Vault;

/// `GET /.well-known/jwks.json`: public keys for any page, good for five minutes.
pub(super) async fn show(State(vault): State<Arc<Vault>>) -> impl IntoResponse {
    let rings = vault.keys().rings();
    let active = rings.sealing.active(vault.clock().now());
    let set = KeySet { keys: active.map(|held| held.key.jwk().clone()).into_iter().collect() };
    ([(CACHE_CONTROL, "public, max-age=300"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(set))
}
