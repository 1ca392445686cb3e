//! What vendors tell of their tokens, on a listener of its own: whoever gets here has shown a certificate of theirs.
//!
//! | call | does |
//! | --- | --- |
//! | `POST /oauth2/token` | gives D1 an access token for its credentials (RFC 6749 section 4.4), if that is set up |
//! | `POST /merchant-gateways/{gateway}/merchants/{merchant}/tokens/{token}/notify-update` | D1 tells of a token |
//! | a path of the settings | Thales tells of a PCI token |
//!
//! 204 says that it is durable. A vendor may tell again, and out of order.
//!
//! Each vendor is known by its authority and its name in the certificate, and can tell of nothing but its own tokens. Who is
//! refused is written into the log and the audit, and limited by address.

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

use super::Parts;
use super::body;
use super::error::{self, ApiError};
use super::request;
use crate::Vault;
use crate::access::client::Client;
use crate::access::limit::{self, Caller, Limiter};
use crate::access::party::{Party, Shown};
use crate::audit::{Action, Actor, By, Origination, Refusal};
use crate::config::{ACCESS_PATH, Callbacks, OAuth, Parties};
use crate::keys::Sha256Digest;
use crate::vault::{CALLBACK_ACCESS, Refused, Subject, TakenIn};
use crate::vendor::account::Name;
use crate::vendor::token::{NotAnUpdate, Told, Update};

/// What notifications are taken in with.
#[derive(Clone, Debug)]
struct Desk {
    vault: Arc<Vault>,
    limiter: Arc<Limiter>,
    parties: Parties,
    oauth: Option<OAuth>,
}

/// Who asks.
#[derive(Clone, Debug)]
struct Sender {
    client: Client,
    shown: Option<Shown>,
}

/// Every route for vendors.
pub fn callbacks(parts: &Parts, settings: &Callbacks, parties: Parties) -> Router {
    let metrics = Arc::clone(&parts.metrics);
    let desk = Desk {
        vault: Arc::clone(&parts.vault),
        limiter: Arc::clone(&parts.limiter),
        parties,
        oauth: settings.thales_d1.as_ref().and_then(|d1| d1.oauth.clone()),
    };
    let notify = "/merchant-gateways/{gateway}/merchants/{merchant}/tokens/{token}/notify-update";
    let mut router = Router::new();
    if settings.thales_d1.is_some() {
        router = router.route(ACCESS_PATH, post(grant)).route(notify, post(update_of_d1));
    }
    if let Some(pci) = &settings.thales_pci {
        router = router.route(pci.path.as_str(), post(update_of_pci));
    }
    router
        .fallback(async || ApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(from_fn(request::limit_time))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(metrics, request::identify_and_log))
        .with_state(desk)
}

/// `POST /oauth2/token`. Errors are as in RFC 6749 section 5.2.
async fn grant(State(desk): State<Desk>, headers: HeaderMap, request: Request) -> Response {
    let from = Sender::of(&desk.limiter, &request);
    if let Err(refused) = desk.knows(desk.parties.thales_d1.as_ref(), &from).await {
        return refused.into_response();
    }
    let Some(oauth) = &desk.oauth else { return ApiError::NoSuchRoute.into_response() };
    let refused = |status, error: &str| {
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"cardseal-vault\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    };
    if !is_client(oauth, &headers) {
        desk.refuse(&from, "wrong client credentials").await;
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
    match desk.vault.grant_callbacks() {
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
    let from = Sender::of(&desk.limiter, &request);
    desk.knows(desk.parties.thales_d1.as_ref(), &from).await?;
    if !desk.admits(&headers) {
        desk.refuse(&from, "no access token").await;
        return Err(ApiError::NoCallbackAccess);
    }
    let Ok(Path(names)) = place else { return Err(ApiError::NoSuchVendorToken) };
    let [gateway, merchant_id, token_id] =
        [names.0, names.1, names.2].map(|name| Name::parse(&name).ok_or(ApiError::NoSuchVendorToken));
    let subject = Subject::ThalesD1 { gateway: gateway?, merchant_id: merchant_id?, token_id: token_id? };
    let update = Update::parse(&body::receive(request).await?)?;
    desk.take_in(&subject, &update).await
}

/// Thales's *Notify token update*. D1's access tokens are not for it.
async fn update_of_pci(State(desk): State<Desk>, request: Request) -> Result<StatusCode, ApiError> {
    let from = Sender::of(&desk.limiter, &request);
    desk.knows(desk.parties.thales_pci.as_ref(), &from).await?;
    let Told { token_id, merchant_id, update } = Told::parse(&body::receive(request).await?)?;
    desk.take_in(&Subject::ThalesPci { merchant_id, token_id }, &update).await
}

impl Desk {
    /// Lets pass who has shown this party's certificate.
    async fn knows(&self, party: Option<&Party>, from: &Sender) -> Result<(), ApiError> {
        let wait = self.limiter.wait(limit::Name::FailedAuthentications, from.caller());
        if let Some(wait) = wait {
            return Err(super::limit::Exceeded::of(limit::Name::FailedAuthentications, wait).into());
        }
        if from.shown.as_ref().is_some_and(|shown| party.is_some_and(|party| party.has_shown(shown))) {
            return Ok(());
        }
        self.refuse(from, "not the vendor's certificate").await;
        Err(ApiError::NoCallbackAccess)
    }

    /// Counts and tells that somebody was refused.
    async fn refuse(&self, from: &Sender, why: &'static str) {
        self.limiter.count(limit::Name::FailedAuthentications, from.caller());
        let certificate = from.certificate();
        tracing::warn!(address = %from.client, certificate, why, "a vendor's message was refused");
        let refused = Refused {
            merchant: None,
            by: By { actor: Actor::Unknown, from: Origination::Client(from.client) },
            action: Action::RefuseCallback,
            subject: certificate,
            why: Refusal::UnknownKey,
        };
        self.vault.refuse(refused).await;
    }

    /// Whether D1 has the access that it asked for, where it has to ask.
    fn admits(&self, headers: &HeaderMap) -> bool {
        if self.oauth.is_none() {
            return true;
        }
        let header = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        header.and_then(|header| header.split_once(' ')).is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && self.vault.admits_callback(token)
        })
    }

    async fn take_in(&self, subject: &Subject, update: &Update) -> Result<StatusCode, ApiError> {
        match self.vault.take_in(subject, update).await? {
            TakenIn::Durably => Ok(StatusCode::NO_CONTENT),
            TakenIn::Unknown => Err(ApiError::NoSuchVendorToken),
            TakenIn::Ahead => Err(NotAnUpdate::Ahead.into()),
        }
    }
}

impl Sender {
    fn of(limiter: &Limiter, request: &Request) -> Self {
        let shown = request.extensions().get::<Shown>().cloned();
        Self { client: super::limit::client(limiter, request), shown }
    }

    const fn caller(&self) -> Caller<'_> {
        Caller { client: self.client, key: None }
    }

    /// What the certificate is known by: the beginning of its SHA-256 digest.
    fn certificate(&self) -> String {
        let own = self.shown.as_ref().and_then(|Shown(certificates)| certificates.first());
        own.map_or_else(
            || "-".into(),
            |own| crate::audit::letters(Sha256Digest::of(own).as_bytes()).chars().take(32).collect(),
        )
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
