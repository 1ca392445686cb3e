//! What the outside sees: Omise's API for tokens and charges, and the sealing keys.

mod auth;
mod body;
mod card;
mod charges;
mod cors;
mod error;
mod health;
mod jwks;
mod object;
mod request;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::Vault;
use error::ApiError;

pub use body::MAX_BODY_BYTES;

/// Every route of the vault.
pub fn router(vault: Arc<Vault>) -> Router {
    let routes = Router::new()
        .route("/.well-known/jwks.json", get(jwks::show))
        .route("/livez", get(health::live))
        .route("/tokens", post(tokens::create))
        .route("/tokens/{id}", get(tokens::show))
        .route("/charges", post(charges::create))
        .route("/charges/{id}", get(charges::show))
        .fallback(async || ApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed);
    layered(routes, &vault).with_state(vault)
}

/// What happens to every request on its way in and out, outermost last.
fn layered(routes: Router<Arc<Vault>>, vault: &Arc<Vault>) -> Router<Arc<Vault>> {
    routes
        .layer(from_fn(request::limit_time))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(Arc::clone(vault), cors::check))
        .layer(from_fn(request::identify_and_log))
}
