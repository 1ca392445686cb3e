//! What came in and went out, so that a test can look at what a relay really sent.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// A request and its answer. Bodies are as they were: they may hold cards, which are test cards.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Exchange {
    /// Its number among what all servers of this process answered.
    pub number: u64,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers, their names in lower case, in the order of their coming.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The client's certificate, as the hexadecimal SHA-256 of its DER form; none on a connection without.
    pub client: Option<String>,
    /// The answer; none if the connection ended instead.
    pub answer: Option<Answer>,
}

/// What was answered.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Without the bodies and headers, which may hold cards and keys.
impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, answer, .. } = self;
        let mut shown = formatter.debug_struct("Exchange");
        shown.field("method", method).field("path", path).field("answer", answer).finish_non_exhaustive()
    }
}

/// Without the body.
impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Exchange {
    /// The value of the first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| &**value)
    }
}

/// Everything that a server was asked, in the order in which it answered.
#[derive(Clone, Debug, Default)]
pub struct Records(Arc<Mutex<Vec<Exchange>>>);

impl Records {
    /// A copy of them.
    #[must_use]
    pub fn all(&self) -> Vec<Exchange> {
        self.exchanges().clone()
    }

    /// Forgets them.
    pub fn clear(&self) {
        self.exchanges().clear();
    }

    pub(crate) fn add(&self, exchange: Exchange) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.exchanges().push(Exchange { number, ..exchange });
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_not_shown_by_accident() {
        let exchange = Exchange {
            number: 0,
            method: "POST".into(),
            path: "/tokens".into(),
            headers: vec![("authorization".into(), "secret".into())],
            body: "4242424242424242".into(),
            client: None,
            answer: Some(Answer { status: 200, body: "4242424242424242".into() }),
        };
        let records = Records::default();
        records.add(exchange);
        let shown = format!("{records:?}");
        assert!(shown.contains("/tokens") && !shown.contains("4242") && !shown.contains("secret"), "{shown}");
    }
}
