//! `/v1/…`: the files that browsers load.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::code::Code;
use super::error::ApiError;
use super::openapi::{Header, Operation, Routes, get, schema};
use crate::assets::{Assets, Coding, Integrity, Named};

/// `/v1/{name}`
pub(super) fn routes() -> Routes<Option<Arc<Assets>>> {
    let operation = Operation::new(
        "showAsset",
        "A file of the card form",
        "Scripts, wasm and texts, under a stable name or one with a digest in it, in the coding that the browser takes. \
         A name may have slashes.",
    );
    let operation = operation
        .path("name", schema::matching("^[0-9A-Za-z._-]+(/[0-9A-Za-z._-]+)*$", "Such as `cardseal.js`."))
        .query(
            "integrity",
            schema::text("Its digest, `sha384-…`: the file of that name that has it, of whichever release."),
        )
        .shows(StatusCode::OK, "The file.", "text/javascript", json!({}))
        .with(Header::ETag)
        .with(Header::CacheControl)
        .also_shows("application/json", json!({}))
        .also_shows("application/wasm", json!({}))
        .says(StatusCode::NOT_MODIFIED, "It has not changed since the version in `If-None-Match`.")
        .with(Header::ETag)
        .with(Header::CacheControl)
        .refuses(&[Code::NotFound]);
    Routes::about("Card form", "What browsers load.").at("/v1/{*name}", [get(show, operation)])
}

/// `GET /v1/{name}`: a file under its stable or its hashed name, in the smallest coding that the browser takes.
async fn show(
    State(assets): State<Option<Arc<Assets>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let assets = assets.ok_or(ApiError::NoAssets)?;
    // As it came, undecoded: released files have no name that needs coding.
    let name = uri.path().strip_prefix("/v1/").unwrap_or_default();
    // A script asks so for what it loads: it comes with a digest, and the file may be an older release's.
    let query = uri.query().and_then(|query| query.strip_prefix("integrity="));
    let digest = query.and_then(|digest| Integrity::try_from(digest.to_owned()).ok());
    let named = match digest {
        Some(digest) => assets.of_digest(name, digest),
        None => assets.get(name).cloned(),
    };
    let Named { asset, naming } = named.ok_or(ApiError::NoSuchRoute)?;
    let coding = Coding::accepted(&values(&headers, ACCEPT_ENCODING));
    let mut answer = asset.headers(naming, coding);
    let tag = answer.get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    if values(&headers, IF_NONE_MATCH).into_iter().any(|known| names(known, tag)) {
        answer.remove(CONTENT_TYPE);
        answer.remove(CONTENT_ENCODING);
        return Ok((StatusCode::NOT_MODIFIED, answer).into_response());
    }
    Ok((answer, Body::from(asset.form(coding).bytes.clone())).into_response())
}

/// Whether an `If-None-Match` (RFC 9110 section 13.1.2) names an entity tag. The comparison is the weak one.
pub(super) fn names(known: &str, tag: &str) -> bool {
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// The values of a header that can be read.
pub(super) fn values(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
}
