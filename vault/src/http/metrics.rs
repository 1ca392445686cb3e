//! What only the operator may see, on a listener of its own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::log::Recent;
use crate::metrics::Metrics;

/// `GET /metrics`: Prometheus' text format (OpenMetrics 1.0).
pub(super) async fn show(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], metrics.to_string())
}

/// `GET /errors`: the log's last errors, as a JSON array, the newest last.
pub(super) async fn errors(State(recent): State<Recent>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], recent.to_string())
}
