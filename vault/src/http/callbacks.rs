//! What vendors tell of their tokens, on a listener of its own: whoever gets here has shown a certificate of theirs.
//!
//! | call | does |
//! | --- | --- |
//! | `POST /oauth2/token` | gives D1 an access token for its credentials (RFC 6749 section 4.4), if that is set up |
//! | `POST /merchant-gateways/{gateway}/merchants/{merchant}/tokens/{token}/notify-update` | D1 tells of a token |
//! | a path of the settings | Thales tells of a PCI token |
//!
//! 204 says that it is durable. A vendor may tell again, and out of order.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64ct::{Base64, Encoding};
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;
use zeroize::Zeroizing;

use super::body;
use super::error::{self, ApiError};
use super::request;
use crate::Vault;
use crate::config::{ACCESS_PATH, Callbacks, OAuth};
use crate::keys::Sha256Digest;
use crate::metrics::Metrics;
use crate::vault::{CALLBACK_ACCESS, Subject};
use crate::vendor::account::Name;
use crate::vendor::token::{Told, Update};

/// What notifications are taken in with.
#[derive(Clone, Debug)]
struct Desk {
    vault: Arc<Vault>,
    oauth: Option<OAuth>,
}

/// Every route for vendors.
pub fn callbacks(vault: Arc<Vault>, metrics: Arc<Metrics>, settings: &Callbacks) -> Router {
    let desk = Desk { vault, oauth: settings.oauth.clone() };
    let notify = "/merchant-gateways/{gateway}/merchants/{merchant}/tokens/{token}/notify-update";
    Router::new()
        .route(ACCESS_PATH, post(grant))
        .route(notify, post(update_of_d1))
        .route(settings.thales_pci_path.as_str(), post(update_of_pci))
        .fallback(async || ApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(from_fn(request::limit_time))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(metrics, request::identify_and_log))
        .with_state(desk)
}

/// `POST /oauth2/token`. Errors are as in RFC 6749 section 5.2.
async fn grant(State(Desk { vault, oauth }): State<Desk>, headers: HeaderMap, request: Request) -> Response {
    let Some(oauth) = oauth else { return ApiError::NoSuchRoute.into_response() };
    let refused = |status, error: &str| {
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"cardseal-vault\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    };
    if !is_client(&oauth, &headers) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let body = match body::receive(request).await {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    // A `scope` beside it asks for what everybody gets.
    if !body.split(|byte| *byte == b'&').any(|pair| pair == b"grant_type=client_credentials") {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    match vault.grant_callbacks() {
        Ok(token) => {
            let answer = json!({
                "access_token": &*token,
                "expires_in": CALLBACK_ACCESS.as_secs(),
                "token_type": "Bearer",
            });
            ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(failure) => ApiError::from(failure).into_response(),
    }
}

/// `POST /merchant-gateways/{gateway}/merchants/{merchant}/tokens/{token}/notify-update`
async fn update_of_d1(
    State(desk): State<Desk>,
    headers: HeaderMap,
    place: Result<Path<(String, String, String)>, PathRejection>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    desk.admits(&headers)?;
    let Ok(Path(names)) = place else { return Err(ApiError::NoSuchVendorToken) };
    let [gateway, merchant_id, token_id] =
        [names.0, names.1, names.2].map(|name| Name::parse(&name).ok_or(ApiError::NoSuchVendorToken));
    let subject = Subject::ThalesD1 { gateway: gateway?, merchant_id: merchant_id?, token_id: token_id? };
    let update = Update::parse(&body::receive(request).await?)?;
    desk.take_in(&subject, &update).await
}

/// Thales's *Notify token update*. D1's access tokens are not for it.
async fn update_of_pci(State(desk): State<Desk>, request: Request) -> Result<StatusCode, ApiError> {
    let Told { token_id, merchant_id, update } = Told::parse(&body::receive(request).await?)?;
    desk.take_in(&Subject::ThalesPci { merchant_id, token_id }, &update).await
}

impl Desk {
    /// Whether D1 has the access that it asked for, where it has to ask.
    fn admits(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if self.oauth.is_none() {
            return Ok(());
        }
        let header = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        match header.and_then(|header| header.split_once(' ')) {
            Some((scheme, token))
                if scheme.eq_ignore_ascii_case("bearer") && self.vault.admits_callback(token) =>
            {
                Ok(())
            }
            _ => Err(ApiError::NoCallbackAccess),
        }
    }

    async fn take_in(&self, subject: &Subject, update: &Update) -> Result<StatusCode, ApiError> {
        if self.vault.take_in(subject, update).await? {
            Ok(StatusCode::NO_CONTENT)
        } else {
            Err(ApiError::NoSuchVendorToken)
        }
    }
}

/// Whether a request has the client's credentials. Digests are compared, so that the time tells nothing of the secret.
fn is_client(oauth: &OAuth, headers: &HeaderMap) -> bool {
    let header = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let Some((scheme, credentials)) = header.and_then(|header| header.split_once(' ')) else { return false };
    let given = Base64::decode_vec(credentials.trim()).map(Zeroizing::new);
    let expected = Zeroizing::new(format!("{}:{}", oauth.client_id.as_str(), oauth.client_secret.expose()));
    scheme.eq_ignore_ascii_case("basic")
        && given.is_ok_and(|given| Sha256Digest::of(&given) == Sha256Digest::of(expected.as_bytes()))
}
