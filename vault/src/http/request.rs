//! What is common to all requests: an id, a line in the log, headers, an end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, DATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::code::Code;
use super::error::ApiError;
use crate::Vault;
use crate::id::random_letters;
use crate::log::redact;
use crate::metrics::{self, Metrics};
use crate::vault::AnswerBy;

/// The longest a request may take once its head is there.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Gives up on a request that takes too long. What it has begun to store is stored in full or not at all.
///
/// Whoever can say more of a request than that it takes too long does so before.
pub(super) async fn limit_time(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(AnswerBy::within(LONGEST_REQUEST));
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Busy.into_response(),
    }
}

/// Gives a request its ids, the answer the headers that all have, and the log its line: no path, query, header or body.
pub(super) async fn identify_and_log(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let id = sane_id(request.headers(), &REQUEST_ID, LONGEST_REQUEST_ID)
        .unwrap_or_else(|| random_letters(26).to_string());
    let correlation_id = sane_id(request.headers(), &CORRELATION_ID, LONGEST_CORRELATION_ID);
    // Every line about this request has the ids.
    // Whose it is, and from where, is found out on its way in.
    let (address, key) = (Empty, Empty);
    let span = tracing::info_span!("request", request_id = id, correlation_id, address, key);
    let mut record = Record {
        metrics,
        span: span.clone(),
        begun: Instant::now(),
        method: known_method(request.method()),
        route: request.extensions().get::<MatchedPath>().cloned(),
        status: CLIENT_CLOSED_REQUEST,
        error: None,
    };

    let mut response = next.run(request).instrument(span).await;

    record.status = response.status().as_u16();
    record.error = response.extensions().get::<Code>().copied();
    drop(record);
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

/// What log and metrics get to know of a request, once it is answered or its client has hung up.
struct Record {
    metrics: Arc<Metrics>,
    span: Span,
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: u16,
    error: Option<Code>,
}

/// The status of a request that could not be answered since its client had hung up. It is nginx's: there is none for
/// what nobody gets to see.
const CLIENT_CLOSED_REQUEST: u16 = 499;

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (method, status) = (self.method, self.status);
        let route = self.route.as_ref().map_or("-", MatchedPath::as_str);
        self.span.in_scope(|| tracing::info!(method, route, status, micros, "request"));
        let error = self.error.map(Code::as_str);
        self.metrics.requests().count(metrics::Request { method, route, status, error, took });
    }
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

/// Tells the time by which seals are judged, so that a form whose browser's clock is off can correct itself. Without this it
/// would be the machine's.
pub(super) async fn date(State(vault): State<Arc<Vault>>, mut response: Response) -> Response {
    if let Ok(date) = HeaderValue::from_str(&vault.clock().now().http_date()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}
