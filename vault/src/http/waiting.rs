//! What is answered before a vault is open.

use axum::http::header::{CACHE_CONTROL, CONNECTION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::error::ApiError;
use super::health;

/// What a vault waits for before it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Its database, which cannot be reached.
    Database,
    /// Its custodians, who bring the key-encryption key.
    Locked,
    /// Its keys and its tables.
    Starting,
}

impl Waiting {
    /// Its name in `/readyz` and in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "waiting",
            Self::Locked => "locked",
            Self::Starting => "starting",
        }
    }
}

/// Every route of a vault that is not open yet: it is alive and not ready, and everything else may be tried again.
pub fn waiting(why: Waiting) -> Router {
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(async move || ready(why)))
        .fallback(async || ApiError::NotOpen)
        .layer(map_response(conclude))
}

fn ready(why: Waiting) -> (StatusCode, Json<Value>) {
    let check = match why {
        Waiting::Database => "database",
        Waiting::Locked => "keys",
        Waiting::Starting => "serving",
    };
    let checks = json!({ check: why.as_str() });
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "failing", "checks": checks })))
}

/// Whoever asks again does so on another connection, which gets to the vault once that is open.
async fn conclude(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
