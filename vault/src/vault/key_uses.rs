//! When API keys were used last, to the hour: a key that nobody uses is one to revoke (PCI DSS 7.2.5.1, 8.6.3).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Failure, Vault};
use crate::id::KeyId;
use crate::time::Timestamp;

/// A key's uses are written no more often than this by a process, and in no request's way.
const WRITTEN_EVERY: Duration = Duration::from_secs(60 * 60);

/// The uses of keys that are the vault's own: there are no more of them than rows.
#[derive(Debug, Default)]
pub(super) struct KeyUses(Mutex<HashMap<KeyId, Use>>);

#[derive(Clone, Copy, Debug)]
struct Use {
    last: Timestamp,
    written: Option<Timestamp>,
}

impl KeyUses {
    pub(super) fn note(&self, key: &KeyId, now: Timestamp) {
        let mut uses = self.lock();
        match uses.get_mut(key) {
            Some(known) => known.last = now,
            None => drop(uses.insert(key.clone(), Use { last: now, written: None })),
        }
    }

    /// Those to write now.
    fn due(&self) -> Vec<(KeyId, Timestamp)> {
        let is_due = |known: &Use| known.written.is_none_or(|at| known.last.since(at) >= WRITTEN_EVERY);
        let uses = self.lock();
        uses.iter().filter(|(_, known)| is_due(known)).map(|(key, known)| (key.clone(), known.last)).collect()
    }

    fn written(&self, key: &KeyId, at: Timestamp) {
        if let Some(known) = self.lock().get_mut(key) {
            known.written = Some(at);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, Use>> {
        // Nothing is left half done under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault {
    /// Keeps when keys were used.
    pub(super) async fn write_key_uses(&self) -> Result<(), Failure> {
        for (key, at) in self.key_uses.due() {
            self.store.note_key_use(&key, at).await?;
            self.key_uses.written(&key, at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::Mode;

    #[test]
    fn a_key_in_use_is_written_once_an_hour() {
        let (uses, key) = (KeyUses::default(), KeyId::random(Mode::Test));
        let at = Timestamp::from_unix_seconds;
        let mut written = Vec::new();
        for second in (0..2 * 60 * 60).step_by(10) {
            uses.note(&key, at(second));
            for (key, last) in uses.due() {
                uses.written(&key, last);
                written.push(last.unix_seconds());
            }
        }
        assert_eq!(written, [0, 60 * 60]);
    }
}
