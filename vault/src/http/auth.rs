//! HTTP Basic (RFC 7617) with a key as user name, as Omise's clients send it; the password does not matter.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64ct::{Base64, Encoding};
use cardseal::client::Pkey;
use thiserror::Error;
use zeroize::Zeroizing;

use super::cors::Caller;
use super::error::ApiError;
use crate::Vault;
use crate::access::Permission;
use crate::id::{KeyId, SecretKey};
use crate::keys::Sha256Digest;
use crate::merchant::Merchant;
use crate::vault::Failure;

/// The merchant whose page sent one of its public keys, from one of its own origins if a browser sent it.
pub(super) struct PublicKey {
    pub(super) merchant: Merchant,
    pub(super) key: Pkey,
}

/// The merchant whose server sent one of its secret keys, one that is for use.
pub(super) struct Secret {
    pub(super) merchant: Merchant,
    pub(super) key: KeyId,
}

/// A page's key or a server's, where both may ask and are not shown the same.
pub(super) enum EitherKey {
    Public(PublicKey),
    Secret(Secret),
}

/// The merchant whose server sent a secret key that may see cards in the clear.
pub(super) struct Detokenizer {
    pub(super) merchant: Merchant,
    pub(super) key: KeyId,
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
        let key = key(&parts.headers)?;
        if key.starts_with("skey_") {
            return Err(AuthenticationFailure::SecretForPublic.into());
        }
        let key = Pkey::parse(&key).map_err(|_| AuthenticationFailure::Unknown)?;
        let hash = Sha256Digest::of(key.as_str().as_bytes());
        let holder = vault.recent_key_holder(hash).await?;
        let (mut merchant, _) = holder.ok_or(AuthenticationFailure::Unknown)?;
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
        let (merchant, key) = secret(parts, vault, Permission::Use).await?;
        Ok(Self { merchant, key })
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
        let (merchant, key) = secret(parts, vault, Permission::Detokenize).await?;
        Ok(Self { merchant, key })
    }
}

/// The merchant with the secret key that was sent, if that key is for something.
async fn secret(parts: &Parts, vault: &Vault, permission: Permission) -> Result<(Merchant, KeyId), ApiError> {
    let key = key(&parts.headers)?;
    if key.starts_with("pkey_") {
        return Err(AuthenticationFailure::PublicForSecret.into());
    }
    let key = SecretKey::parse(&key).ok_or(AuthenticationFailure::Unknown)?;
    let holder = vault.key_holder(key.hash()).await?;
    let (merchant, key) = holder.ok_or(AuthenticationFailure::Unknown)?;
    if key.scopes.allow(permission) { Ok((merchant, key.id)) } else { Err(ApiError::NotPermitted) }
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
