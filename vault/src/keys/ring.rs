//! Keys of one purpose, with their times.

use std::fmt;
use std::sync::Arc;

use crate::time::Timestamp;

/// All keys of one purpose that are not destroyed, oldest first. Which one is used follows from the time alone, so that
/// every process that knows the keys uses the same one.
#[derive(Clone, Debug)]
pub struct Ring<K>(Vec<Held<K>>);

/// A key in a ring.
#[derive(Debug)]
pub struct Held<K> {
    /// Its version.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is the one that is used.
    pub active_from: Timestamp,
    /// The key.
    pub key: Arc<K>,
}

/// What a key does at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits until every process knows it.
    Pending,
    /// It encrypts and decrypts.
    Active,
    /// A newer one has taken over since this moment; it only decrypts what it encrypted.
    DecryptOnly {
        /// When the newer one did.
        since: Timestamp,
    },
    /// It is gone.
    Destroyed,
}

impl<K> Ring<K> {
    /// A ring of these.
    #[must_use]
    pub fn new(mut keys: Vec<Held<K>>) -> Self {
        keys.sort_by_key(|key| key.version);
        Self(keys)
    }

    /// The key that is used now: of those whose time has come, the one whose time came last.
    #[must_use]
    pub fn active(&self, now: Timestamp) -> Option<&Held<K>> {
        self.0.iter().filter(|key| key.active_from <= now).max_by_key(|key| (key.active_from, key.version))
    }

    /// The key of this version.
    #[must_use]
    pub fn version(&self, version: u32) -> Option<&Held<K>> {
        self.0.iter().find(|key| key.version == version)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Held<K>> {
        self.0.iter()
    }

    /// What one of its keys does now.
    #[must_use]
    pub fn state(&self, key: &Held<K>, now: Timestamp) -> State {
        let order = |key: &Held<K>| (key.active_from, key.version);
        if key.active_from > now {
            return State::Pending;
        }
        let taken_over = self
            .0
            .iter()
            .filter(|other| other.active_from <= now && order(other) > order(key))
            .map(|other| other.active_from)
            .min();
        taken_over.map_or(State::Active, |since| State::DecryptOnly { since })
    }
}

impl<K> Clone for Held<K> {
    fn clone(&self) -> Self {
        let Self { version, created_at, active_from, key } = self;
        Self { version: *version, created_at: *created_at, active_from: *active_from, key: Arc::clone(key) }
    }
}

impl State {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::DecryptOnly { .. } => "decrypt_only",
            Self::Destroyed => "destroyed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn held(version: u32, active_from: u64) -> Held<()> {
        Held { version, created_at: at(0), active_from: at(active_from), key: Arc::new(()) }
    }

    #[test]
    fn keys_take_turns() {
        let ring = Ring::new(vec![held(2, 100), held(1, 0), held(3, 200)]);
        let states = |now| ring.iter().map(|key| ring.state(key, at(now))).collect::<Vec<_>>();
        let since = |seconds| State::DecryptOnly { since: at(seconds) };
        assert_eq!(states(99), [State::Active, State::Pending, State::Pending]);
        assert_eq!(states(100), [since(100), State::Active, State::Pending]);
        assert_eq!(states(500), [since(100), since(200), State::Active]);
        let active = |now| ring.active(at(now)).map(|key| key.version);
        assert_eq!([active(0), active(150), active(200)], [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn of_two_that_begin_at_once_the_newer_is_used() {
        let ring = Ring::new(vec![held(1, 100), held(2, 100)]);
        assert_eq!(ring.active(at(100)).map(|key| key.version), Some(2));
        assert_eq!(ring.active(at(99)).map(|key| key.version), None);
    }
}
