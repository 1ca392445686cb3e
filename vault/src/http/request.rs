//! What is common to all requests: an id, a line in the log, headers, an end.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::error::ApiError;
use crate::id::random_letters;
use crate::log::redact;

/// The longest a request may take once its head is there.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Gives up on a request that takes too long. What it has begun to store is stored in full or not at all.
pub(super) async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Busy.into_response(),
    }
}

/// Gives a request its ids, the answer the headers that all have, and the log its line: no path, query, header or body.
pub(super) async fn identify_and_log(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = sane_id(request.headers(), &REQUEST_ID, LONGEST_REQUEST_ID)
        .unwrap_or_else(|| random_letters(26).to_string());
    let correlation_id = sane_id(request.headers(), &CORRELATION_ID, LONGEST_CORRELATION_ID);
    let method = known_method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    // Every line about this request has the ids.
    let span = tracing::info_span!("request", request_id = id, correlation_id);

    let mut response = next.run(request).instrument(span.clone()).await;

    let status = response.status().as_u16();
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    span.in_scope(|| tracing::info!(method, route, status, micros, "request"));
    let headers = response.headers_mut();
    for (name, id) in [(REQUEST_ID, Some(id)), (CORRELATION_ID, correlation_id)] {
        if let Some(Ok(id)) = id.map(HeaderValue::try_from) {
            headers.insert(name, id);
        }
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The request's id, the caller's own or one of the vault's.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_REQUEST_ID: usize = 64;

/// What ties a request to others of the same session. Its length is Thales's: a UUID with hyphens.
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const LONGEST_CORRELATION_ID: usize = 36;

/// The caller's own id for the request, if it is one that may stand in a log.
fn sane_id(headers: &HeaderMap, name: &HeaderName, longest: usize) -> Option<String> {
    let id = headers.get(name)?.to_str().ok()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let sane = (1..=longest).contains(&id.len()) && id.bytes().all(allowed) && redact(id) == id;
    sane.then(|| id.into())
}

/// A method is any word the caller likes, so only those that mean something are logged.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        _ => "-",
    }
}
