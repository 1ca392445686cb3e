//! Requests to a vault, sent as often as it takes.

use std::future::Future;
use std::pin::Pin;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::cardseal::VaultError;
use super::{
    Answer, Cache, Error, Lost, Method, Pkey, Policy, Refusal, Request, RequestId, Transport, VaultAddress,
};
use crate::plain::{FromPlain, Plain};

/// One merchant's line to cardseal's vault.
#[derive(Debug)]
pub(super) struct Connection<T> {
    transport: T,
    address: VaultAddress,
    authorization: String,
    policy: Policy,
}

/// What comes of a call. One type for all of them, or each would bring its own machinery wherever it is waited for.
pub(super) type Pending<'a, V> = Pin<Box<dyn Future<Output = Result<V, Error>> + 'a>>;

/// A request that may be sent more than once.
pub(super) struct Call<'a> {
    pub(super) url: String,
    /// What is posted; what goes to Omise has a card in it.
    pub(super) body: Option<Zeroizing<String>>,
    pub(super) headers: Vec<(&'static str, &'a str)>,
    pub(super) cache: Cache,
    pub(super) repeat: Repeat,
}

impl<T: Transport> Connection<T> {
    pub(super) fn new(transport: T, address: VaultAddress, merchant: &Pkey, policy: Policy) -> Self {
        Self { transport, address, authorization: basic(merchant), policy }
    }

    /// Seconds since 1970 by the device's clock.
    pub(super) fn now(&self) -> u64 {
        self.transport.now()
    }

    /// Asks for what is anybody's to read. Without credentials the request needs no preflight, so it goes without the id
    /// as well.
    pub(super) fn get_public(&self, path: &str, cache: Cache) -> Pending<'_, Answer> {
        let (url, headers) = (self.url(path), Vec::new());
        self.send(Call { url, body: None, headers, cache, repeat: Repeat::Passing })
    }

    /// Asks for something of the merchant's.
    pub(super) fn get<'a>(&'a self, path: &str, cache: Cache, id: &'a RequestId) -> Pending<'a, Answer> {
        let (url, headers) = (self.url(path), self.headers(id));
        self.send(Call { url, body: None, headers, cache, repeat: Repeat::Passing })
    }

    /// Posts JSON that the vault carries out once, however often it comes.
    pub(super) fn post<'a>(&'a self, path: &str, body: String, id: &'a RequestId) -> Pending<'a, Answer> {
        let (url, headers, body) = (self.url(path), self.headers(id), Some(Zeroizing::new(body)));
        self.send(Call { url, body, headers, cache: Cache::Default, repeat: Repeat::Passing })
    }

    /// Sends until there is an answer to act on, as often as the policy allows; then the last answer counts, whatever it
    /// is.
    pub(super) fn send<'a>(&'a self, call: Call<'a>) -> Pending<'a, Answer> {
        Box::pin(async move {
            let Call { url, body, headers, cache, repeat } = &call;
            let method = body.as_deref().map_or(Method::Get, |body| Method::Post(body));
            let request = Request { method, url, headers, cache: *cache };
            let mut attempt = 1;
            loop {
                let outcome = self.transport.send(&request, self.policy.timeout).await;
                if !repeat.is_due_after(&outcome) {
                    return Ok(outcome?);
                }
                let retry_after = outcome.as_ref().ok().and_then(|answer| answer.retry_after);
                match self.policy.wait(attempt, retry_after, self.transport.jitter()) {
                    Some(time) => self.transport.wait(time).await,
                    None => return Ok(outcome?),
                }
                attempt += 1;
            }
        })
    }

    fn url(&self, path: &str) -> String {
        [self.address.as_str(), path].concat()
    }

    fn headers<'a>(&'a self, id: &'a RequestId) -> Vec<(&'static str, &'a str)> {
        vec![("Authorization", &self.authorization), ("X-Request-Id", id.as_str())]
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

/// What an answer says.
pub(super) enum Said {
    /// It is done, and this came of it.
    Done(Plain),
    /// It will not be done (4xx).
    Refused(VaultError),
    /// It cannot be done for now (5xx), and perhaps why.
    Unavailable(Option<VaultError>),
}

impl Said {
    /// Hears a vault's answer, cardseal's or Omise's.
    pub(super) fn hear(answer: &Answer) -> Result<Self, Error> {
        let Answer { status, ref body, .. } = *answer;
        let plain = Plain::parse(body);
        let complaint = || plain.as_ref().ok().and_then(|plain| VaultError::from_plain(plain).ok());
        let said = match status {
            429 => return Err(Error::RateLimited),
            400..=499 => complaint().map(Self::Refused),
            500..=599 => Some(Self::Unavailable(complaint())),
            200..=299 => plain.ok().map(Self::Done),
            _ => None,
        };
        said.ok_or(Error::BadAnswer { status })
    }
}

/// What a vault's answer says: the value it was asked for, or why not.
pub(super) fn read<V: FromPlain>(answer: &Answer) -> Result<V, Error> {
    V::from_plain(&success(answer)?).map_err(|_| Error::BadAnswer { status: answer.status })
}

/// The content of an answer that says that it went well.
fn success(answer: &Answer) -> Result<Plain, Error> {
    let status = answer.status;
    match Said::hear(answer)? {
        Said::Done(plain) => Ok(plain),
        Said::Refused(VaultError { code, message, vendor }) => {
            Err(Error::Refused { refusal: Refusal::from_code(&code), status, message, vendor })
        }
        Said::Unavailable(Some(VaultError { code, vendor: Some(vendor), .. }))
            if code == "vendor_unavailable" =>
        {
            Err(Error::VendorUnavailable { status, vendor })
        }
        Said::Unavailable(_) => Err(Error::Unavailable { status }),
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
