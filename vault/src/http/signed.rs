//! What browsers seal to, with the vault's signatures: for pages that its signing key's public half was given to.

use std::time::Duration;

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::client::Pkey;
use serde::Serialize;
use serde_json::json;

use super::error::ApiError;
use super::openapi::{Operation, schema};
use crate::Vault;
use crate::vault::Failure;

/// How long signatures hold. Whoever has got hold of a sealing key that the vault uses no more can show a set with it for as
/// long; and a device's clock may be ahead by as much.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The JSON Serialization of a JWS (RFC 7515 section 7.2.1), with one signature by each signing key that is not destroyed: a
/// page that knows one of them takes it.
#[derive(Debug, Serialize)]
struct Signed {
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Serialize)]
struct Signature {
    protected: String,
    signature: String,
}

/// What is signed. It is no answer to another question, nor to another merchant's.
#[derive(Serialize)]
struct Claims<'a, T> {
    /// The path that was asked for.
    sub: &'a str,
    /// The public key that it was asked with, where the answer depends on that.
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    /// Until when it holds, in seconds since 1970.
    exp: u64,
    /// What is answered without signatures.
    answer: &'a T,
}

/// Adds to an operation that its answer may be asked for with signatures.
pub(super) fn also(operation: Operation) -> Operation {
    let base64url = |about| schema::matching("^[A-Za-z0-9_-]+$", about);
    let signature = schema::object(
        "One by each signing key.",
        &[
            ("protected", base64url("`alg`, `typ`, and `jwk`, the public half of the key.")),
            ("signature", base64url("ES256 (RFC 7518 section 3.4).")),
        ],
        &[],
    );
    let about = "`sub`, the path; `aud`, the public key, where one was sent; `exp`, until when it holds, in seconds since \
                 1970; and `answer`, what is answered without signatures.";
    let signed = schema::object(
        "The answer with the vault's signatures (RFC 7515 section 7.2.1).",
        &[("payload", base64url(about)), ("signatures", json!({ "type": "array", "items": signature }))],
        &[],
    );
    operation
        .also_shows(MEDIA_TYPE, signed)
        .query("jws", schema::text("If there, with whatever value, the answer has the vault's signatures."))
}

const MEDIA_TYPE: &str = "application/jose+json";

/// Whether the query of a request asks for signatures.
pub(super) fn is_asked(query: Option<&str>) -> bool {
    let members = query.unwrap_or_default().split('&');
    members.map(|member| member.split('=').next().unwrap_or_default()).any(|name| name == "jws")
}

/// An answer with signatures.
pub(super) fn answer(
    vault: &Vault,
    path: &str,
    audience: Option<&Pkey>,
    answer: &impl Serialize,
) -> Result<Response, ApiError> {
    let exp = vault.clock().now().plus(LIFETIME).unix_seconds();
    let claims = Claims { sub: path, aud: audience.map(Pkey::as_str), exp, answer };
    let json = serde_json::to_vec(&claims).map_err(|_| Failure::Unreadable("answer"))?;
    let payload = Base64UrlUnpadded::encode_string(&json);
    let mut signatures = Vec::new();
    for held in vault.keys().rings().signing.iter().rev() {
        let (protected, signature) = held.key.sign(&payload).ok_or(Failure::NoActiveKey("signing"))?;
        signatures.push(Signature { protected: protected.to_owned(), signature });
    }
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], Json(Signed { payload, signatures })).into_response())
}
