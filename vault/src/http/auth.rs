//! HTTP Basic (RFC 7617) with a key as user name, as Omise's clients send it; the password does not matter.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64ct::{Base64, Encoding};
use cardseal::client::Pkey;
use thiserror::Error;
use tracing::Span;
use zeroize::Zeroizing;

use super::cors::Caller;
use super::error::ApiError;
use crate::Vault;
use crate::access::Permission;
use crate::access::client::Client;
use crate::audit::{Action, Actor, By, Origination, Refusal};
use crate::id::SecretKey;
use crate::keys::Sha256Digest;
use crate::merchant::Merchant;
use crate::vault::{Failure, Refused};

/// The merchant whose page sent one of its public keys, from one of its own origins if a browser sent it.
pub(super) struct PublicKey {
    pub(super) merchant: Merchant,
    pub(super) key: Pkey,
}

/// The merchant whose server sent one of its secret keys, one that is for use.
pub(super) struct Secret {
    pub(super) merchant: Merchant,
    pub(super) by: By,
}

/// A page's key or a server's, where both may ask and are not shown the same.
pub(super) enum EitherKey {
    Public(PublicKey),
    Secret(Secret),
}

/// The merchant whose server sent a secret key that may see cards in the clear.
pub(super) struct Detokenizer {
    pub(super) merchant: Merchant,
    pub(super) by: By,
}

/// The merchant whose server sent a secret key that may pay with vendors' tokens.
pub(super) struct Payer {
    pub(super) merchant: Merchant,
    pub(super) by: By,
}

/// Why nobody is authenticated. The caller's fault each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum AuthenticationFailure {
    #[error("the Authorization header is not Basic with base64 of key and colon")]
    Malformed,
    #[error("no key was sent: it goes into the Authorization header, Basic, as user name")]
    Missing,
    #[error("a public key (pkey_…) was sent where the secret key (skey_…) belongs")]
    PublicForSecret,
    #[error(
        "a secret key (skey_…) was sent where the public key (pkey_…) belongs; if a page had it, it is secret no longer"
    )]
    SecretForPublic,
    #[error("the vault does not know this key")]
    Unknown,
}

impl FromRequestParts<Arc<Vault>> for PublicKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, vault: &Arc<Vault>) -> Result<Self, ApiError> {
        let (mut merchant, key) = match public(parts, vault).await? {
            Ok(known) => known,
            Err(failure) => return Err(turned_away(parts, vault, failure).await),
        };
        if let Some(Caller::Page(origin)) = parts.extensions.get()
            && !merchant.origins.contains(origin)
        {
            // It may have been registered since.
            merchant = self::merchant(vault, &key).await?.ok_or(AuthenticationFailure::Unknown)?;
            if !merchant.origins.contains(origin) {
                return Err(ApiError::OriginNotAllowed);
            }
        }
        Ok(Self { merchant, key })
    }
}

impl FromRequestParts<Arc<Vault>> for Secret {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, vault: &Arc<Vault>) -> Result<Self, ApiError> {
        let (merchant, by) = secret(parts, vault, Permission::Use).await?;
        Ok(Self { merchant, by })
    }
}

impl FromRequestParts<Arc<Vault>> for EitherKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, vault: &Arc<Vault>) -> Result<Self, ApiError> {
        // What a browser sends for a page is that page's, and it learns what pages do.
        let is_page = matches!(parts.extensions.get(), Some(Caller::Page(_)));
        if !is_page && key(&parts.headers)?.starts_with("skey_") {
            Secret::from_request_parts(parts, vault).await.map(Self::Secret)
        } else {
            PublicKey::from_request_parts(parts, vault).await.map(Self::Public)
        }
    }
}

impl FromRequestParts<Arc<Vault>> for Detokenizer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, vault: &Arc<Vault>) -> Result<Self, ApiError> {
        let (merchant, by) = secret(parts, vault, Permission::Detokenize).await?;
        Ok(Self { merchant, by })
    }
}

impl FromRequestParts<Arc<Vault>> for Payer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, vault: &Arc<Vault>) -> Result<Self, ApiError> {
        let (merchant, by) = secret(parts, vault, Permission::Pay).await?;
        Ok(Self { merchant, by })
    }
}

/// The merchant with the public key that was sent.
async fn public(
    parts: &Parts,
    vault: &Vault,
) -> Result<Result<(Merchant, Pkey), AuthenticationFailure>, ApiError> {
    let key = key(&parts.headers)?;
    if key.starts_with("skey_") {
        return Ok(Err(AuthenticationFailure::SecretForPublic));
    }
    let Ok(key) = Pkey::parse(&key) else { return Ok(Err(AuthenticationFailure::Unknown)) };
    let hash = Sha256Digest::of(key.as_str().as_bytes());
    let Some((merchant, row)) = vault.recent_key_holder(hash).await? else {
        return Ok(Err(AuthenticationFailure::Unknown));
    };
    Span::current().record("key", row.id.as_str());
    Ok(Ok((merchant, key)))
}

/// The merchant with the secret key that was sent, if that key is for something. The log and, of a refusal, the audit say
/// whose request it was.
async fn secret(parts: &Parts, vault: &Vault, permission: Permission) -> Result<(Merchant, By), ApiError> {
    let key = key(&parts.headers)?;
    if key.starts_with("pkey_") {
        return Err(turned_away(parts, vault, AuthenticationFailure::PublicForSecret).await);
    }
    let holder = match SecretKey::parse(&key) {
        Some(key) => vault.key_holder(key.hash()).await?,
        None => None,
    };
    let Some((merchant, key)) = holder else {
        return Err(turned_away(parts, vault, AuthenticationFailure::Unknown).await);
    };
    Span::current().record("key", key.id.as_str());
    let by = By { actor: Actor::Key(key.id), from: origination(parts) };
    if key.scopes.allow(permission) {
        return Ok((merchant, by));
    }
    let (action, subject, why) = (Action::Access, route(parts), Refusal::MissingScope);
    vault.refuse(Refused { merchant: Some(merchant.id), by, action, subject, why }).await;
    Err(ApiError::NotPermitted)
}

/// Tells of a request with a key that is none here. The key is told to nobody.
async fn turned_away(parts: &Parts, vault: &Vault, failure: AuthenticationFailure) -> ApiError {
    let why = match failure {
        // Nobody said who they are.
        AuthenticationFailure::Malformed | AuthenticationFailure::Missing => return failure.into(),
        AuthenticationFailure::PublicForSecret | AuthenticationFailure::SecretForPublic => Refusal::WrongKind,
        AuthenticationFailure::Unknown => Refusal::UnknownKey,
    };
    let by = By { actor: Actor::Unknown, from: origination(parts) };
    let (action, subject) = (Action::Access, route(parts));
    vault.refuse(Refused { merchant: None, by, action, subject, why }).await;
    failure.into()
}

/// Where a request is from, as the limits have found out.
fn origination(parts: &Parts) -> Origination {
    parts.extensions.get().map_or(Origination::Machine, |client: &Client| Origination::Client(*client))
}

/// What a request asks for: its method and route, with nothing of the caller's.
fn route(parts: &Parts) -> String {
    let route = parts.extensions.get().map_or("-", MatchedPath::as_str);
    format!("{} {route}", parts.method)
}

/// The merchant with this public key.
pub(super) async fn merchant(vault: &Vault, key: &Pkey) -> Result<Option<Merchant>, Failure> {
    let holder = vault.key_holder(Sha256Digest::of(key.as_str().as_bytes())).await?;
    Ok(holder.map(|(merchant, _)| merchant))
}

/// The key in the one Authorization header: Basic's user name, or as Thales's clients send it, `APIKEY` and the key.
pub(super) fn key(headers: &HeaderMap) -> Result<Zeroizing<String>, AuthenticationFailure> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let header = headers.next().ok_or(AuthenticationFailure::Missing)?;
    if headers.next().is_some() {
        return Err(AuthenticationFailure::Malformed);
    }
    let (scheme, credentials) = header
        .to_str()
        .ok()
        .and_then(|header| header.split_once(' '))
        .ok_or(AuthenticationFailure::Malformed)?;
    if scheme.eq_ignore_ascii_case("apikey") {
        return Ok(Zeroizing::new(credentials.trim().into()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(AuthenticationFailure::Malformed);
    }
    let decoded = Base64::decode_vec(credentials.trim()).map_err(|_| AuthenticationFailure::Malformed)?;
    let decoded = Zeroizing::new(decoded);
    let text = std::str::from_utf8(&decoded).map_err(|_| AuthenticationFailure::Malformed)?;
    let (user, _) = text.split_once(':').ok_or(AuthenticationFailure::Malformed)?;
    if user.is_empty() { Err(AuthenticationFailure::Missing) } else { Ok(Zeroizing::new(user.into())) }
}
