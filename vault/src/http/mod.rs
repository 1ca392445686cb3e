//! What the outside sees: Omise's API for tokens and charges, the sealing keys, and the frame with its files.

mod assets;
mod auth;
mod body;
mod callbacks;
mod card;
mod cards;
mod charges;
mod code;
mod cors;
mod customers;
mod docs;
mod error;
mod events;
mod frame;
mod health;
mod idempotency;
mod jwks;
mod limit;
mod list;
mod metrics;
mod notices;
mod openapi;
mod pci_tokens;
mod profiles;
mod request;
mod signed;
mod tokens;
mod unreadable;
mod vendor_tokens;
mod waiting;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response_with_state};
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::Vault;
use crate::access::limit::Limiter;
use crate::assets::Assets;
use crate::log::Recent;
use crate::metrics::Metrics;

pub(crate) use unreadable::refusal;

pub use callbacks::callbacks;
pub use waiting::{Waiting, waiting};

use error::ApiError;
use frame::Frame;
use health::Ready;

/// What requests are answered with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The vault.
    pub vault: Arc<Vault>,
    /// The card form. Without it there is no frame, and the vault says so.
    pub assets: Option<Arc<Assets>>,
    /// How much one may ask for.
    pub limiter: Arc<Limiter>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the vault is told to stop.
    pub stopping: CancellationToken,
}

/// Every route of the vault but those for its operator.
pub fn router(parts: Parts) -> Router {
    let Parts { vault, assets, limiter, metrics, stopping } = parts;
    let frame = Frame { vault: Arc::clone(&vault), assets: assets.clone() };
    let ready = Ready { vault: Arc::clone(&vault), stopping };
    let routes = tokens::routes()
        .and(charges::routes())
        .and(customers::routes())
        .and(cards::routes())
        .and(pci_tokens::routes())
        .and(profiles::routes())
        .and(vendor_tokens::routes())
        .and(events::routes())
        .and(webhooks::routes())
        .and(notices::routes())
        .and(jwks::routes())
        .and(frame::routes().with_state(frame))
        .and(assets::routes().with_state(assets))
        .and(docs::routes())
        .and(health::routes().with_state(ready))
        .documented()
        .fallback(async || ApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed);
    layered(routes, &vault, limiter, metrics).with_state(vault)
}

/// The routes for the vault's operator. They are not for the network: who asks how a vault is also learns when it is weak.
pub fn operations(parts: &Parts, recent: Recent) -> Router {
    let ready = Ready { vault: Arc::clone(&parts.vault), stopping: parts.stopping.clone() };
    Router::new()
        .route("/livez", get(health::live))
        .merge(Router::new().route("/readyz", get(health::ready)).with_state(ready))
        .merge(Router::new().route("/metrics", get(metrics::show)).with_state(Arc::clone(&parts.metrics)))
        .merge(Router::new().route("/errors", get(metrics::errors)).with_state(recent))
        .fallback(async || ApiError::NoSuchRoute)
}

/// What happens to every request on its way in and out, outermost last.
fn layered(
    routes: Router<Arc<Vault>>,
    vault: &Arc<Vault>,
    limiter: Arc<Limiter>,
    metrics: Arc<Metrics>,
) -> Router<Arc<Vault>> {
    routes
        .layer(from_fn(request::limit_time))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(Arc::clone(vault), cors::check))
        .layer(from_fn_with_state((limiter, Arc::clone(vault)), limit::check))
        .layer(from_fn_with_state(metrics, request::identify_and_log))
        .layer(map_response_with_state(Arc::clone(vault), request::date))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::access::limit::Limits;
    use crate::config::Connections;
    use crate::data_dir::DataDir;
    use crate::server::Places;
    use crate::time::Stopwatch;
    use crate::vault::Setup;

    #[tokio::test]
    async fn a_panic_is_an_answer_that_says_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::open(folder.path()).unwrap();
        let vault = Vault::open(Setup::in_folder(dir)).await.unwrap();
        let routes =
            Router::new().route("/tokens", get(async || -> &'static str { panic!("4242424242424242") }));
        let limiter = Arc::new(Limiter::new(&Limits::default(), Stopwatch::start()));
        let metrics = Arc::new(Metrics::new(Arc::clone(&vault), Places::new(Connections::DEFAULT)));
        let router = layered(routes, &vault, limiter, metrics).with_state(vault);

        let request = Request::builder().uri("/tokens").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().contains_key("x-request-id"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.into()).unwrap();
        assert!(body.contains("internal_error") && !body.contains("4242"), "{body}");
    }
}
