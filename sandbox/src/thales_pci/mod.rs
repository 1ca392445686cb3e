//! Thales's PCI tokens: `POST /pci-tokens` of its "ETP Server API".
//!
//! | what | how sure |
//! | --- | --- |
//! | TLS 1.2 with client certificates, `authorization: APIKEY …`, `x-correlation-id` of 1 to 36 characters, new each time | documented |
//! | JWE of `{"fpan","exp"}`, `RSA-OAEP-256` and `A256GCM`, `kid` agreed on | documented |
//! | `tokenId` of 1 to 128 characters; states `ACTIVE` and `DELETED` | documented |
//! | `merchantId` and `encryptedData` in the body, 201 | as at `POST /tokens` of the same API |
//! | `/tsh-cof` before the path | as in the same API's document |
//! | *Notify token update*, with a client certificate, `state`, `cardLastDigits`, `cardExpiryDate`, `lastUpdateTimestamp` | documented; where it goes is agreed on |
//! | `DELETE` of a token, all bodies of errors | not documented where we could read; here as REST has it, and empty |
//! | `POST …/detokenize`, which answers `{"encryptedData"}`: the card, sealed to the client's key as the client seals it | not documented where we could read; only that the client has a key for it |

mod lifecycle;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{delete, post};
use axum::{Json, middleware};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::callback::{Caller, Notification, Receiver};
use crate::certificates::{Authority, Identity};
use crate::clock;
use crate::jwe::RsaKey;
use crate::random::letters;
use crate::server::{Server, bare};

pub use lifecycle::Event;

/// The server.
#[derive(Debug)]
pub struct ThalesPci {
    /// Where it listens, what it was asked, how it answers.
    pub server: Server,
    /// What a client needs to know.
    pub credentials: Credentials,
    vault: Arc<Vault>,
    authority: Authority,
    caller: Caller,
}

/// What Thales and a client give each other when they begin.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Who the merchant is.
    pub merchant_id: String,
    /// What stands behind `APIKEY`.
    pub api_key: String,
    /// The certificate of the key that cards are sealed to, PEM.
    pub certificate: String,
    /// That key's name.
    pub kid: String,
    /// The client's own key, which cards are sealed to on their way back, PKCS#8 DER. The client would give its certificate.
    pub own_key: Vec<u8>,
    /// That key's name.
    pub own_kid: String,
    /// Whose signature the server's certificate has, and the one that it shows when it tells of changes, PEM.
    pub authority: String,
    /// The client's own certificate.
    pub client: Identity,
    /// The one that follows it.
    pub next_client: Identity,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A card.
    Active(Card),
    /// Nothing any more.
    Deleted,
}

/// A card as Thales keeps it.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its number.
    pub fpan: String,
    /// Its expiry, MMYY.
    pub exp: String,
}

/// No digit of it.
impl fmt::Debug for Card {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Card").finish_non_exhaustive()
    }
}

struct Vault {
    key: RsaKey,
    clients_key: RsaKey,
    merchant_id: String,
    api_key: String,
    seen: Mutex<HashSet<String>>,
    tokens: Mutex<HashMap<String, Token>>,
    notifications: Mutex<HashMap<String, Vec<Notification>>>,
    /// When something last happened, in milliseconds since 1970: no two things at once.
    last: Mutex<u64>,
}

/// Nothing of what it keeps: those are cards.
impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl ThalesPci {
    /// Starts it at a port of this machine.
    ///
    /// # Errors
    /// When keys could not be made or the port not be had.
    pub async fn start(port: u16) -> Result<Self> {
        let authority = Authority::new("Sandbox of Thales PCI")?;
        let vault = Arc::new(Vault {
            key: RsaKey::generate("sandbox-1")?,
            clients_key: RsaKey::generate("sandbox-client-1")?,
            merchant_id: "sandbox-merchant".into(),
            api_key: letters(36),
            seen: Mutex::default(),
            tokens: Mutex::default(),
            notifications: Mutex::default(),
            last: Mutex::default(),
        });
        let credentials = Credentials {
            merchant_id: vault.merchant_id.clone(),
            api_key: vault.api_key.clone(),
            certificate: vault.key.certificate("Sandbox of Thales PCI")?,
            kid: vault.key.kid().into(),
            own_key: vault.clients_key.pkcs8().into(),
            own_kid: vault.clients_key.kid().into(),
            authority: authority.certificate().into(),
            client: authority.client("sandbox-client")?,
            next_client: authority.client("sandbox-client")?,
        };
        let caller = Caller::new(authority.client("sandbox-etp")?);
        let tls = authority.mutual_tls(&[&rustls::version::TLS12])?;
        let routes = Router::new()
            .route("/tsh-cof/pci-tokens", post(create))
            .route("/tsh-cof/pci-tokens/{id}", delete(remove))
            .route("/tsh-cof/pci-tokens/{id}/detokenize", post(detokenize))
            .fallback(async || bare(StatusCode::NOT_FOUND))
            .layer(middleware::from_fn_with_state(Arc::clone(&vault), check))
            .with_state(Arc::clone(&vault));
        Ok(Self {
            server: Server::start(port, Some(tls), routes).await?,
            credentials,
            vault,
            authority,
            caller,
        })
    }

    /// What stands behind a token.
    #[must_use]
    pub fn token(&self, id: &str) -> Option<Token> {
        self.vault.tokens().get(id).cloned()
    }

    /// A certificate of its authority for another customer, who is called this.
    ///
    /// # Errors
    /// When no key or certificate could be made.
    pub fn certify(&self, name: &str) -> Result<Identity> {
        self.authority.client(name)
    }

    /// Lets something happen to a token's card. Gives what is to be told of it; `None` if there is no such token.
    #[must_use]
    pub fn happen(&self, id: &str, event: Event) -> Option<Notification> {
        self.vault.happen(id, event)
    }

    /// What there was to tell of a token, in the order in which it happened.
    #[must_use]
    pub fn notifications(&self, id: &str) -> Vec<Notification> {
        self.vault.notifications().get(id).cloned().unwrap_or_default()
    }

    /// The certificate that it tells clients of changes with.
    #[must_use]
    pub const fn calls_as(&self) -> &Identity {
        self.caller.identity()
    }

    /// Tells a client. As often and in whatever order as one likes: notifications can come again and out of order.
    ///
    /// # Errors
    /// When it could not be reached.
    pub async fn tell(&self, receiver: &Receiver, notification: &Notification) -> Result<u16> {
        self.caller.tell(receiver, notification).await
    }
}

impl Vault {
    fn lets_in(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        let key = only(headers, "authorization").and_then(|header| header.strip_prefix("APIKEY "));
        if key != Some(&self.api_key) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let id = only(headers, "x-correlation-id").filter(|id| (1..=36).contains(&id.chars().count()));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match id {
            Some(id) if seen.insert(id.into()) => Ok(()),
            Some(_) | None => Err(StatusCode::BAD_REQUEST),
        }
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A moment later than the last one.
    fn later(&self) -> u64 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = clock::later_than(*last);
        *last
    }

    fn notifications(&self) -> MutexGuard<'_, HashMap<String, Vec<Notification>>> {
        self.notifications.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What every request needs.
async fn check(
    State(vault): State<Arc<Vault>>,
    request: axum::extract::Request,
    next: middleware::Next,
) -> Response<Body> {
    match vault.lets_in(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(status) => bare(status),
    }
}

/// A header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Create {
    merchant_id: String,
    encrypted_data: String,
}

async fn create(State(vault): State<Arc<Vault>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    match created(&vault, &headers, &body) {
        Some(id) => (StatusCode::CREATED, Json(json!({ "tokenId": id }))).into_response(),
        None => bare(StatusCode::BAD_REQUEST),
    }
}

fn created(vault: &Vault, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    only(headers, "content-type").filter(|kind| *kind == "application/json")?;
    let request: Create = serde_json::from_slice(body).ok()?;
    let fits = request.merchant_id == vault.merchant_id && (1..=8196).contains(&request.encrypted_data.len());
    let card = vault.key.open(&request.encrypted_data).ok().filter(|_| fits)?;
    let card: Card = serde_json::from_slice(&card).ok()?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let month: u8 = card.exp.get(..2).filter(|_| digits(&card.exp))?.parse().ok()?;
    if !digits(&card.fpan) || card.fpan.len() > 19 || card.exp.len() != 4 || !(1..=12).contains(&month) {
        return None;
    }
    let id = letters(32);
    vault.tokens().insert(id.clone(), Token::Active(card));
    Some(id)
}

async fn remove(State(vault): State<Arc<Vault>>, Path(id): Path<String>) -> Response<Body> {
    match vault.tokens().get_mut(&id) {
        Some(token @ Token::Active(_)) => {
            *token = Token::Deleted;
            StatusCode::NO_CONTENT.into_response()
        }
        Some(Token::Deleted) | None => bare(StatusCode::NOT_FOUND),
    }
}

async fn detokenize(State(vault): State<Arc<Vault>>, Path(id): Path<String>) -> Response<Body> {
    match vault.tokens().get(&id) {
        // EXPOSE: sealed to the key of whoever may have it.
        Some(Token::Active(card)) => match vault.clients_key.seal(json!(card).to_string().as_bytes()) {
            Ok(sealed) => Json(json!({ "encryptedData": sealed })).into_response(),
            Err(_) => bare(StatusCode::INTERNAL_SERVER_ERROR),
        },
        Some(Token::Deleted) | None => bare(StatusCode::NOT_FOUND),
    }
}
