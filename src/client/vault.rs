//! The flow from a card to a token.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU16;

use base64ct::{Base64UrlUnpadded, Encoding};
use thiserror::Error as ThisError;

use super::cardseal::{Billing, Token, VaultError, create_token};
use super::{Answer, Cache, Error, Lost, Method, Pkey, Policy, Refusal, Request, RequestId, Transport};
use crate::card::Card;
use crate::plain::{self, FromPlain};
use crate::seal::{self, Envelope, Jti, KeySet, PublicKey, SealError};

/// A vault as one merchant's page sees it.
#[derive(Debug)]
pub struct Vault<T> {
    transport: T,
    address: VaultAddress,
    merchant: Pkey,
    authorization: String,
    policy: Policy,
    /// The key to seal to, once it was fetched.
    key: RefCell<Option<PublicKey>>,
    /// How far the vault's clock is ahead of the device's, in seconds, once the vault said that they differ.
    clock_offset: Cell<i64>,
}

impl<T: Transport> Vault<T> {
    /// The vault at `address`, for the merchant with this public key. Nothing is sent yet.
    pub fn new(transport: T, address: VaultAddress, merchant: Pkey, policy: Policy) -> Self {
        let authorization = ["Basic ", &base64(&[merchant.as_str(), ":"].concat())].concat();
        Self {
            transport,
            address,
            merchant,
            authorization,
            policy,
            key: RefCell::default(),
            clock_offset: Cell::default(),
        }
    }

    /// The key is fetched ahead of its use, so that the cardholder does not wait for it. A failure is left to be met,
    /// and told, by the call that needs the key.
    pub async fn prepare(&self) {
        if let Ok(id) = RequestId::random() {
            let _ = self.key(Cache::Default, &id).await;
        }
    }

    /// Seals the card and exchanges it for a token.
    ///
    /// However often it has to send, the seal keeps one `jti`, for which the vault gives one token.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn tokenize(&self, card: Card, billing: &Billing, id: &RequestId) -> Result<Token, Error> {
        let mut envelope = self.envelope(card)?;
        let mut may_refetch_key = true;
        let mut may_set_clock = true;
        loop {
            let sealed = self.seal_envelope(&mut envelope, id).await?;
            let body = create_token(&sealed, billing);
            let answer = self.send(Method::Post(&body), "/tokens", Cache::Default, id).await?;
            let date = answer.date;
            match read(answer) {
                Err(Error::Refused { refusal: Refusal::UnknownKid, .. }) if may_refetch_key => {
                    may_refetch_key = false;
                    *self.key.borrow_mut() = None;
                    self.key(Cache::Reload, id).await?;
                }
                Err(Error::Refused { refusal: Refusal::ExpiredSeal, .. })
                    if may_set_clock && date.is_some() =>
                {
                    may_set_clock = false;
                    self.set_clock(date.unwrap_or_default());
                }
                token => return token,
            }
        }
    }

    /// Seals the card for this merchant, for a page that posts the seal itself.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn seal(&self, card: Card, id: &RequestId) -> Result<String, Error> {
        self.seal_envelope(&mut self.envelope(card)?, id).await
    }

    fn envelope(&self, card: Card) -> Result<Envelope, Error> {
        let id = Jti::random().map_err(|_| Error::Random)?;
        Ok(Envelope { card, merchant: self.merchant.clone(), issued_at: 0, id })
    }

    async fn seal_envelope(&self, envelope: &mut Envelope, id: &RequestId) -> Result<String, Error> {
        let key = self.key(Cache::Default, id).await?;
        envelope.issued_at = self.transport.now().saturating_add_signed(self.clock_offset.get());
        seal::seal(&key, envelope).map_err(|error| match error {
            SealError::Random => Error::Random,
            SealError::Key => Error::Key(seal::jwk::Unusable::Modulus),
        })
    }

    /// The key to seal to: the one at hand, else the vault's first usable one.
    async fn key(&self, cache: Cache, id: &RequestId) -> Result<PublicKey, Error> {
        if let Some(key) = &*self.key.borrow() {
            return Ok(key.clone());
        }
        let answer = self.send(Method::Get, "/.well-known/jwks.json", cache, id).await?;
        let key = read::<KeySet>(answer)?.sealing_key().map_err(Error::Key)?;
        *self.key.borrow_mut() = Some(key.clone());
        Ok(key)
    }

    fn set_clock(&self, vault_now: u64) {
        let (vault, device) = (i64::try_from(vault_now), i64::try_from(self.transport.now()));
        if let (Ok(vault), Ok(device)) = (vault, device) {
            self.clock_offset.set(vault - device);
        }
    }

    /// Sends until there is an answer to act on, as often as the policy allows.
    async fn send(
        &self,
        method: Method<'_>,
        path: &str,
        cache: Cache,
        id: &RequestId,
    ) -> Result<Answer, Error> {
        let url = [self.address.as_str(), path].concat();
        // The keys are anybody's to read, and without credentials the request needs no preflight.
        let authorization = matches!(method, Method::Post(_)).then_some(&*self.authorization);
        let request = Request { method, url: &url, authorization, cache, id };
        let mut attempt = 1;
        loop {
            let result = self.transport.send(&request, self.policy.timeout).await;
            let (failure, retry_after) = match result {
                Err(Lost::Network) => (Error::Network, None),
                Err(Lost::Timeout) => (Error::Timeout, None),
                Ok(answer) => match answer.status {
                    429 => (Error::RateLimited, answer.retry_after),
                    status @ 502..=504 => (Error::Unavailable { status }, answer.retry_after),
                    _ => return Ok(answer),
                },
            };
            match self.policy.wait(attempt, retry_after, self.transport.jitter()) {
                Some(time) => self.transport.wait(time).await,
                None => return Err(failure),
            }
            attempt += 1;
        }
    }
}

/// What an answer says: the value it was asked for, or why not.
fn read<V: FromPlain>(answer: Answer) -> Result<V, Error> {
    let Answer { status, body, .. } = answer;
    match status {
        200..=299 => plain::parse(&body).map_err(|_| Error::BadAnswer { status }),
        400..=499 => {
            let VaultError { code, message } =
                plain::parse(&body).map_err(|_| Error::BadAnswer { status })?;
            Err(Error::Refused { refusal: Refusal::from_code(&code), status, message })
        }
        500..=599 => Err(Error::Unavailable { status }),
        _ => Err(Error::BadAnswer { status }),
    }
}

/// Base64 (RFC 4648 section 4) of a public key. It is ASCII without `>`, `?` and `~`, so none of the two characters comes
/// up in which base64url differs; a second alphabet in the wasm would only weigh.
fn base64(pkey: &str) -> String {
    let padding = ["", "==", "="][pkey.len() % 3];
    [&Base64UrlUnpadded::encode_string(pkey.as_bytes()), padding].concat()
}

/// Where a vault is: `https://host[:port]`, or `http://` on this very machine for tests and demonstrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultAddress(String);

/// Why a text is no vault's address. The merchant's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum BadAddress {
    /// A card, though sealed, goes over TLS only (PCI DSS 4.2.1).
    #[error("a vault's address begins with https:// (http:// is for localhost only)")]
    Insecure,
    /// More or less than a scheme, a host and a port.
    #[error("a vault's address is https://host or https://host:port and nothing more")]
    Malformed,
}

impl VaultAddress {
    /// Reads an address; one slash at its end is allowed.
    ///
    /// # Errors
    /// [`BadAddress`]
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (secure, plain) = (text.strip_prefix("https://"), text.strip_prefix("http://"));
        let authority = secure.or(plain).ok_or(BadAddress::Malformed)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port_ok = port.is_none_or(|port| !port.starts_with('+') && port.parse::<NonZeroU16>().is_ok());
        let host_ok = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            // Something like an IPv6 address; the browser knows better, and refuses what is none.
            Some(address) => {
                address.contains(':')
                    && address.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
            }
            None => {
                !host.is_empty()
                    && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
            }
        };
        if !port_ok || !host_ok {
            return Err(BadAddress::Malformed);
        }
        if secure.is_some() || matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            Ok(Self(text.into()))
        } else {
            Err(BadAddress::Insecure)
        }
    }

    /// Its text, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
