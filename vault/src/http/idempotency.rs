//! The header `Idempotency-Key`: whoever lost the answer to a request sends it again, and gets what the first one made.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};

use super::body::Params;
use super::code::Code;
use super::error::ApiError;
use super::openapi::{Header, Operation, schema};
use crate::idempotency::{Key, Made, NotAKey, Request};

/// The key of a request, if it has one.
pub(super) struct IdempotencyKey(Option<Key>);

impl IdempotencyKey {
    /// The request that came with the key; `route` says what is done with its parameters.
    pub(super) fn request(&self, route: &str, params: &Params) -> Option<Request> {
        self.0.map(|key| Request::new(key, params.digest(route)))
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut headers = parts.headers.get_all(HeaderName::from_static("idempotency-key")).iter();
        match (headers.next(), headers.next()) {
            (None, _) => Ok(Self(None)),
            (Some(key), None) => Ok(Self(Some(Key::parse(key.as_bytes())?))),
            (Some(_), Some(_)) => Err(NotAKey::Malformed.into()),
        }
    }
}

/// An operation that may be asked for again with the same key.
pub(super) fn described(operation: Operation) -> Operation {
    let about = "Your name for this request, known for a day. The same request with the same name again brings what the \
                 first one made.";
    let mut key = schema::matching("^[!-~]+$", about);
    key["maxLength"] = Key::MAX_CHARS.into();
    operation
        .header("Idempotency-Key", key)
        .with(Header::IdempotencyReplayed)
        .refuses(&[Code::BadRequest, Code::IdempotencyMismatch])
}

/// The header of an answer that tells of something that an earlier request made.
pub(super) type Replayed = Option<[(HeaderName, HeaderValue); 1]>;

/// What was made, with the header that says by which request.
pub(super) fn answer<T>(made: Made<T>) -> (Replayed, T) {
    const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
    match made {
        Made::Now(made) => (None, made),
        Made::Before(made) => (Some([(REPLAYED, HeaderValue::from_static("true"))]), made),
    }
}
