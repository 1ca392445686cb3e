//! The document as it is sent.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::objects::Object;
use super::operation::{Header, Key, Operation};
use crate::assets::Integrity;
use crate::http::assets::{names, values};
use crate::http::body::{MAX_BODY_BYTES, MAX_MEMBERS};

/// The bytes of the document and their entity tag.
#[derive(Clone, Debug)]
pub(super) struct Document {
    bytes: Bytes,
    tag: Arc<str>,
}

impl Document {
    pub(super) fn new(
        paths: &Map<String, Value>,
        refusals: &Map<String, Value>,
        tags: &[(&str, &str)],
    ) -> Self {
        let tags: Vec<_> =
            tags.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect();
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "cardseal vault",
                "summary": "Cards in, tokens out, in the shape of Omise's API.",
                "description": introduction(),
                "version": env!("CARGO_PKG_VERSION"),
            },
            "servers": [{ "url": "/", "description": "The vault that this document came from." }],
            "tags": tags,
            "paths": paths,
            "webhooks": { "event": { "post": webhook() } },
            "components": {
                "schemas": Object::schemas(),
                "responses": refusals,
                "headers": Header::components(),
                "securitySchemes": Key::all_schemes(),
            },
        });
        let bytes = Bytes::from(document.to_string());
        let tag = format!("\"{}\"", Integrity::of(&bytes).short()).into();
        Self { bytes, tag }
    }

    /// For any page, as long good as the sealing keys are.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let known = values(headers, IF_NONE_MATCH).into_iter().any(|known| names(known, &self.tag));
        let headers =
            [(CACHE_CONTROL, "public, max-age=300"), (ETAG, &*self.tag), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        if known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(CONTENT_TYPE, "application/json")], Body::from(self.bytes.clone())).into_response()
    }
}

/// What the document says of itself.
pub(super) fn operation() -> Operation {
    Operation::new("showOpenApi", "This document", "Generated from the vault's code. Any page may read it.")
        .shows(StatusCode::OK, "The document.", "application/json", json!({ "type": "object" }))
        .with(Header::ETag)
        .with(Header::CacheControl)
        .says(StatusCode::NOT_MODIFIED, "It has not changed since the version in `If-None-Match`.")
        .with(Header::ETag)
        .with(Header::CacheControl)
}

fn introduction() -> String {
    format!(
        "Pages and servers of merchants talk to the vault with keys of theirs: the public key, `pkey_…`, and the \
         secret key, `skey_…`. Keys with `test_` are for published test cards only.\n\n\
         Bodies are JSON or a form (`card[number]=…` for a member of an object), in UTF-8, with at most \
         {MAX_BODY_BYTES} bytes and {MAX_MEMBERS} parameters. A parameter that is null or an empty text is as good as \
         none. What is not a parameter is refused, so that a slip in a name is not lost.\n\n\
         Every answer has the header `X-Request-Id`: your own, if you sent one, or the vault's. Every refusal is an \
         `Error`; `/docs/errors` lists all codes. A path that there is not is refused with 404 `not_found`, a method \
         that a path does not take with 405 `method_not_allowed`, and a head that is too large or makes no sense with \
         431 `head_too_large` or 400 `bad_request`. What can be got can be asked for with HEAD too. Browsers' \
         preflights are answered at `/tokens` and `/tokens/{{id}}`, for the origins of merchants."
    )
}

/// What the vault sends to merchants' servers.
fn webhook() -> Value {
    json!({
        "operationId": "event",
        "summary": "Something happened",
        "description": "Sent to every webhook of the merchant, one event after the other, until it is answered with a \
                        status of 200 to 299 or three days have gone by. It may come twice.",
        "parameters": [{
            "name": "Cardseal-Signature",
            "in": "header",
            "required": true,
            "description": "`t=<seconds since 1970>,v1=<hexadecimal>`, where `v1` is the HMAC-SHA-256 of time, full \
                            stop and body under the webhook's secret. After `rotateWebhookSecret` there are several \
                            for a day, and one of them is under the secret that you know.",
            "schema": { "type": "string", "pattern": "^t=[0-9]+(,v1=[0-9a-f]{64})+$" },
        }],
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": Object::Event.reference() } },
        },
        "responses": { "2XX": { "description": "It arrived." } },
        "security": [],
    })
}
