//! Thales's PCI tokens: `POST /pci-tokens` of its "ETP Server API".
//!
//! | what | how sure |
//! | --- | --- |
//! | TLS 1.2 with client certificates, `authorization: APIKEY …`, `x-correlation-id` of 1 to 36 characters, new each time | documented |
//! | JWE of `{"fpan","exp"}`, `RSA-OAEP-256` and `A256GCM`, `kid` agreed on | documented |
//! | `tokenId` of 1 to 128 characters; states `ACTIVE` and `DELETED` | documented |
//! | `merchantId` and `encryptedData` in the body, 201 | as at `POST /tokens` of the same API |
//! | `/tsh-cof` before the path | as in the same API's document |
//! | `DELETE` of a token, all bodies of errors | not documented where we could read; here as REST has it, and empty |

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
use serde::Deserialize;
use serde_json::json;

use crate::certificates::{Authority, Identity};
use crate::jwe::RsaKey;
use crate::random::letters;
use crate::server::{Server, bare};

/// The server.
#[derive(Debug)]
pub struct ThalesPci {
    /// Where it listens, what it was asked, how it answers.
    pub server: Server,
    /// What a client needs to know.
    pub credentials: Credentials,
    vault: Arc<Vault>,
}

/// What Thales gives to a client when they begin.
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
    /// Whose signature the server's certificate has, PEM.
    pub authority: String,
    /// The client's own certificate.
    pub client: Identity,
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
#[derive(Clone, PartialEq, Eq, Deserialize)]
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
    merchant_id: String,
    api_key: String,
    seen: Mutex<HashSet<String>>,
    tokens: Mutex<HashMap<String, Token>>,
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
            merchant_id: "sandbox-merchant".into(),
            api_key: letters(36),
            seen: Mutex::default(),
            tokens: Mutex::default(),
        });
        let credentials = Credentials {
            merchant_id: vault.merchant_id.clone(),
            api_key: vault.api_key.clone(),
            certificate: vault.key.certificate("Sandbox of Thales PCI")?,
            kid: vault.key.kid().into(),
            authority: authority.certificate().into(),
            client: authority.client("sandbox-client")?,
        };
        let tls = authority.mutual_tls(&[&rustls::version::TLS12])?;
        let routes = Router::new()
            .route("/tsh-cof/pci-tokens", post(create))
            .route("/tsh-cof/pci-tokens/{id}", delete(remove))
            .fallback(async || bare(StatusCode::NOT_FOUND))
            .layer(middleware::from_fn_with_state(Arc::clone(&vault), check))
            .with_state(Arc::clone(&vault));
        Ok(Self { server: Server::start(port, Some(tls), routes).await?, credentials, vault })
    }

    /// What stands behind a token.
    #[must_use]
    pub fn token(&self, id: &str) -> Option<Token> {
        self.vault.tokens().get(id).cloned()
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
