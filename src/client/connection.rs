//! Requests to a vault, sent as often as it takes.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::cardseal::VaultError;
use super::{
    Answer, Cache, Error, Lost, Method, Pkey, Policy, Refusal, Request, RequestId, Transport, VaultAddress,
};
use crate::plain::{self, FromPlain};

/// One merchant's line to cardseal's vault.
#[derive(Debug)]
pub(super) struct Connection<T> {
    pub(super) transport: T,
    address: VaultAddress,
    authorization: String,
    policy: Policy,
}

impl<T: Transport> Connection<T> {
    pub(super) fn new(transport: T, address: VaultAddress, merchant: &Pkey, policy: Policy) -> Self {
        Self { transport, address, authorization: basic(merchant), policy }
    }

    /// Asks for what is anybody's to read. Without credentials the request needs no preflight, so it goes without the id
    /// as well.
    pub(super) async fn get_public(&self, path: &str, cache: Cache) -> Result<Answer, Error> {
        let url = self.url(path);
        self.send(&Request { method: Method::Get, url: &url, headers: &[], cache }, Repeat::Passing).await
    }

    /// Asks for something of the merchant's.
    pub(super) async fn get(&self, path: &str, cache: Cache, id: &RequestId) -> Result<Answer, Error> {
        let url = self.url(path);
        let request = Request { method: Method::Get, url: &url, headers: &self.headers(id), cache };
        self.send(&request, Repeat::Passing).await
    }

    /// Posts JSON that the vault carries out once, however often it comes.
    pub(super) async fn post(&self, path: &str, body: &str, id: &RequestId) -> Result<Answer, Error> {
        let (method, url) = (Method::Post(body), self.url(path));
        let request = Request { method, url: &url, headers: &self.headers(id), cache: Cache::Default };
        self.send(&request, Repeat::Passing).await
    }

    /// Sends until there is an answer to act on, as often as the policy allows; then the last answer counts, whatever it
    /// is.
    pub(super) async fn send(&self, request: &Request<'_>, repeat: Repeat) -> Result<Answer, Error> {
        let mut attempt = 1;
        loop {
            let outcome = self.transport.send(request, self.policy.timeout).await;
            let retry_after = outcome.as_ref().ok().and_then(|answer| answer.retry_after);
            let wait = if repeat.is_due_after(&outcome) {
                self.policy.wait(attempt, retry_after, self.transport.jitter())
            } else {
                None
            };
            match wait {
                Some(time) => self.transport.wait(time).await,
                None => return outcome.map_err(Error::from),
            }
            attempt += 1;
        }
    }

    fn url(&self, path: &str) -> String {
        [self.address.as_str(), path].concat()
    }

    fn headers<'a>(&'a self, id: &'a RequestId) -> [(&'static str, &'a str); 2] {
        [("Authorization", &self.authorization), ("X-Request-Id", id.as_str())]
    }
}

/// After which outcomes the same request is sent again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Repeat {
    /// All that may pass, a lost answer among them.
    Passing,
    /// Those that say that nothing was done.
    Unprocessed,
}

impl Repeat {
    const fn is_due_after(self, outcome: &Result<Answer, Lost>) -> bool {
        match (self, outcome) {
            (Self::Passing, Ok(answer)) => matches!(answer.status, 429 | 502..=504),
            (Self::Passing, Err(_)) => true,
            (Self::Unprocessed, Ok(answer)) => matches!(answer.status, 429 | 503),
            (Self::Unprocessed, Err(_)) => false,
        }
    }
}

/// What a vault's answer says: the value it was asked for, or why not.
pub(super) fn read<V: FromPlain>(answer: Answer) -> Result<V, Error> {
    let Answer { status, body, .. } = answer;
    match status {
        200..=299 => plain::parse(&body).map_err(|_| Error::BadAnswer { status }),
        429 => Err(Error::RateLimited),
        400..=499 => {
            let VaultError { code, message, vendor } =
                plain::parse(&body).map_err(|_| Error::BadAnswer { status })?;
            Err(Error::Refused { refusal: Refusal::from_code(&code), status, message, vendor })
        }
        500..=599 => match plain::parse(&body) {
            Ok(VaultError { code, vendor: Some(vendor), .. }) if code == "vendor_unavailable" => {
                Err(Error::VendorUnavailable { status, vendor })
            }
            _ => Err(Error::Unavailable { status }),
        },
        _ => Err(Error::BadAnswer { status }),
    }
}

/// The value of `Authorization` for a public key, the user name of somebody without a password (RFC 7617).
pub(super) fn basic(merchant: &Pkey) -> String {
    ["Basic ", &base64(&[merchant.as_str(), ":"].concat())].concat()
}

/// Base64 (RFC 4648 section 4) of a public key. It is ASCII without `>`, `?` and `~`, so none of the two characters comes
/// up in which base64url differs; a second alphabet in the wasm would only weigh.
fn base64(pkey: &str) -> String {
    let padding = ["", "==", "="][pkey.len() % 3];
    [&Base64UrlUnpadded::encode_string(pkey.as_bytes()), padding].concat()
}
