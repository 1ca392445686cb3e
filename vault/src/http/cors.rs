//! Which pages may talk to the vault (Fetch standard, CORS protocol): those of merchants, and only about tokens.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use crate::Vault;
use crate::merchant::Origin;

/// Who sent a request, as far as a browser tells. A request's extension.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// A page of this origin, which is one of some merchant's.
    Page(Origin),
    /// No page, or one of the vault's own.
    Other,
}

/// Turns away pages that are no merchant's, and lets the browsers of the others see the answers.
///
/// Errors may be read from any registered origin. Whether the page is this very merchant's shows with its key, and is
/// checked there.
pub(super) async fn check(State(vault): State<Arc<Vault>>, mut request: Request, next: Next) -> Response {
    if !is_about_tokens(request.uri().path()) {
        return next.run(request).await;
    }
    let mut response = match caller(&vault, request.headers()).await {
        Ok(Caller::Page(origin)) => {
            let mut response = if is_preflight(&request) {
                preflight()
            } else {
                request.extensions_mut().insert(Caller::Page(origin.clone()));
                next.run(request).await
            };
            if let Ok(origin) = HeaderValue::from_str(origin.as_str()) {
                response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            }
            response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            response
        }
        Ok(Caller::Other) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
    response
}

/// Lets any page see an answer that tells nothing about anybody.
pub(super) fn show_anybody(response: &mut Response) {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// What a page may see of an answer's headers beside those that every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static("Date, Retry-After, X-Request-Id");

pub(super) fn is_about_tokens(path: &str) -> bool {
    path == "/tokens" || path.starts_with("/tokens/") || path.starts_with("/profiles/")
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The browser keeps the answer for two hours, the longest that every one of them does.
fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Omise-Version, X-Request-Id"),
        (ACCESS_CONTROL_MAX_AGE, "7200"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

async fn caller(vault: &Vault, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let Some(header) = headers.get(ORIGIN) else { return Ok(Caller::Other) };
    let origin =
        header.to_str().ok().and_then(|text| Origin::parse(text).ok()).ok_or(ApiError::OriginNotAllowed)?;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| host.eq_ignore_ascii_case(origin.authority())) {
        return Ok(Caller::Other);
    }
    if vault.is_registered(&origin).await? {
        Ok(Caller::Page(origin))
    } else {
        Err(ApiError::OriginNotAllowed)
    }
}
