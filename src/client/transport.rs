//! What the client needs of the world.

use std::fmt;
use std::time::Duration;

/// Sends requests, waits, and tells the time. In a browser `fetch`, `setTimeout` and `Date`.
#[expect(async_fn_in_trait, reason = "the futures stay on the one thread a page has; none needs to be Send")]
pub trait Transport {
    /// Sends a request once, and gives up after `timeout`.
    ///
    /// # Errors
    /// [`Lost`] when no answer came. An answer of any status is an answer.
    async fn send(&self, request: &Request<'_>, timeout: Duration) -> Result<Answer, Lost>;

    /// Returns when the time has passed.
    async fn wait(&self, time: Duration);

    /// Seconds since 1970 by the device's clock, which may be wrong.
    fn now(&self) -> u64;

    /// A number from 0 to 1 to spread retries with; not secret.
    fn jitter(&self) -> f64;
}

/// One HTTP request.
#[derive(Debug)]
pub struct Request<'a> {
    /// `GET`, or `POST` with a body.
    pub method: Method<'a>,
    /// The whole address.
    pub url: &'a str,
    /// Headers, besides what the body's type is.
    pub headers: &'a [(&'a str, &'a str)],
    /// Whether a stored answer will do.
    pub cache: Cache,
}

/// A method and what goes with it.
#[derive(Clone, Copy)]
pub enum Method<'a> {
    /// `GET`
    Get,
    /// `POST` with JSON.
    Post(&'a str),
}

/// Without the body: what goes to Omise has a card in it.
impl fmt::Debug for Method<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Get => "GET",
            Self::Post(_) => "POST",
        })
    }
}

/// The request's cache mode (Fetch standard, section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// A stored answer will do while it is fresh.
    Default,
    /// Ask the server, and store what it says.
    Reload,
}

/// One HTTP answer, of any status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Date`, in seconds since 1970, when the answer bore one.
    pub date: Option<u64>,
    /// `Retry-After`, when the answer bore one in seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: String,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// None could be had.
    Network,
    /// None came in time.
    Timeout,
}

/// Names a call in the vault's log, as `X-Request-Id`, so that a merchant's report finds its way to it. Says nothing of the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A fresh one.
    ///
    /// # Errors
    /// When the system has no random bytes to give.
    #[cfg(feature = "seal")]
    pub fn random() -> Result<Self, getrandom::Error> {
        // The same 128 random bits a seal's id has, drawn anew: the one must not tell the other.
        Ok(Self(crate::seal::Jti::random()?.as_str().into()))
    }

    /// Its text, 22 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
