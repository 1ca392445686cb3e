//! Whose public keys and origins were looked up a moment ago: a page's every request would ask for the same four rows.
//! Nobody is refused by what was known before, and secret keys are looked up each time, as what they can do is worth
//! more than a query.

use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use crate::keys::Sha256Digest;
use crate::merchant::{Merchant, Origin};
use crate::store::KeyRow;

/// How long a public key that was revoked, or an origin that is registered no longer, may still be good for in a process that
/// did not do that itself.
pub const KNOWN_FOR: Duration = Duration::from_secs(1);

/// What is known for a moment. What is not there is not known to be missing: a new key is good at once.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) holders: Recent<Sha256Digest, (Merchant, KeyRow)>,
    pub(super) origins: Recent<Origin, ()>,
}

impl Known {
    pub(super) fn new() -> Self {
        Self { holders: Recent::new(), origins: Recent::new() }
    }

    /// Forgets everything, as something of it has changed.
    pub(super) fn forget(&self) {
        self.holders.0.clear();
        self.origins.0.clear();
    }
}

/// The answers of the last moment.
#[derive(Debug)]
pub(super) struct Recent<K, V>(Arc<Cache<K, (Instant, V)>>);

impl<K, V> Clone for Recent<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// A vault for more merchants than this looks some of them up more often.
    const MOST: usize = 10_000;

    fn new() -> Self {
        Self(Arc::new(Cache::new(Self::MOST)))
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        let (since, value) = self.0.get(key)?;
        (since.elapsed() < KNOWN_FOR).then_some(value)
    }

    /// Keeps what a question that was asked at `since` was answered with.
    pub(super) fn keep(&self, key: K, since: Instant, value: V) {
        self.0.insert(key, (since, value));
    }
}
