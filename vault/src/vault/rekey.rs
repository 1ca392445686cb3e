//! Putting what is stored under the newest keys, while the vault serves, and destroying keys that nothing needs.

use std::time::Duration;

use cardseal::card::Number;

use super::{Failure, Vault};
use crate::audit::{Action, By};
use crate::keys::data::{DataKey, Part, Place};
use crate::keys::fingerprint::FingerprintKey;
use crate::keys::ring::{Held, Ring, State};
use crate::store::{Cursor, EncryptedRow, Purpose, Reencrypted, Table};
use crate::time::Timestamp;

/// Rows that one call puts under new keys at most: a call that takes long keeps other maintenance waiting.
const AT_ONCE: u32 = 200;

/// How long a key outlives what it encrypted: a process that has not heard of the newer one may still use it.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// Where the search for rows under older keys stands.
#[derive(Debug, Default)]
pub(super) struct Rekeying {
    /// The newest versions of data and fingerprint key when it began.
    versions: (u32, u32),
    table: usize,
    cursor: Cursor,
    /// Whether it has found anything since it began.
    found: bool,
    /// When it began.
    begun_at: Option<Timestamp>,
    /// Whether it has come to the end without finding anything: then nothing was left under older keys when it began.
    done: bool,
}

impl Vault {
    /// Puts some rows under the newest keys, and says how many. None means that all are, or that there is nothing newer.
    ///
    /// # Errors
    /// [`Failure`]; what was not done is done the next time.
    pub async fn rekey(&self) -> Result<u64, Failure> {
        let now = self.clock.now();
        let rings = self.keys.rings();
        let data = rings.data.active(now).ok_or(Failure::NoActiveKey("data"))?;
        let fingerprint = rings.fingerprint.active(now).ok_or(Failure::NoActiveKey("fingerprint"))?;
        if rings.data.iter().count() == 1 && rings.fingerprint.iter().count() == 1 {
            return Ok(0);
        }
        let versions = (data.version, fingerprint.version);
        let mut search = self.rekeying.lock().await;
        if search.versions != versions {
            *search = Rekeying { versions, begun_at: Some(now), ..Rekeying::default() };
        }
        if search.done {
            if self.destroy_older_keys(search.begun_at.unwrap_or(now)).await? == Older::BegunTooSoon {
                *search = Rekeying { versions, begun_at: Some(now), ..Rekeying::default() };
            }
            return Ok(0);
        }
        let mut changed = 0;
        while let Some(table) = Table::ALL.get(search.table).copied() {
            let rows = self.store.under_other_keys(table, versions, &search.cursor, AT_ONCE).await?;
            let Some(last) = rows.last() else {
                search.table += 1;
                search.cursor = Cursor::default();
                continue;
            };
            let cursor = last.cursor();
            search.found = true;
            let mut new = Vec::with_capacity(rows.len());
            // Told before it is done, as every opening of a card is.
            let subject = format!("{} rows under data key {}", rows.len(), data.version);
            self.audit(None, By::VAULT, Action::Reencrypt, &subject, None).await?;
            for row in rows {
                let reencrypted = self.reencrypted(&row, data, fingerprint).await?;
                new.push((row, reencrypted));
            }
            changed += self.store.reencrypt(table, &new).await?;
            search.cursor = cursor;
            return Ok(changed.max(1));
        }
        // Rows may have come under an older key while this looked: only a search that finds nothing says that none is.
        *search = match search.found {
            true => Rekeying { versions, begun_at: Some(now), ..Rekeying::default() },
            false => Rekeying { done: true, ..std::mem::take(&mut *search) },
        };
        Ok(0)
    }

    /// Destroys the keys that nothing was under when a search began, if no process could still use them then.
    async fn destroy_older_keys(&self, begun_at: Timestamp) -> Result<Older, Failure> {
        let now = self.clock.now();
        let rings = self.keys.rings();
        let active = rings.data.active(now).ok_or(Failure::NoActiveKey("data"))?;
        let mut older: Vec<_> = older_keys(Purpose::Data, &rings.data, now);
        older.extend(older_keys(Purpose::Fingerprint, &rings.fingerprint, now));
        if older.iter().any(|key| begun_at < key.since.plus(GRACE) && now >= key.since.plus(GRACE)) {
            return Ok(Older::BegunTooSoon);
        }
        let in_use = self.store.has_security_codes_under_other_keys(active.version).await?;
        for OlderKey { purpose, version, since } in older {
            if now >= since.plus(GRACE) && !(purpose == Purpose::Data && in_use) {
                self.destroy(purpose, version, By::VAULT).await?;
            }
        }
        Ok(Older::Judged)
    }

    /// Destroys a key, for good.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn destroy(&self, purpose: Purpose, version: u32, by: By) -> Result<(), Failure> {
        let subject = format!("{} {version}", purpose.as_str());
        self.audit(None, by, Action::DestroyKey, &subject, None).await?;
        self.store.destroy_key(purpose, version, self.clock.now()).await?;
        self.keys.refresh(&self.store).await?;
        tracing::info!(purpose = purpose.as_str(), version, "a key is destroyed");
        Ok(())
    }

    async fn reencrypted(
        &self,
        row: &EncryptedRow,
        data: &Held<DataKey>,
        fingerprints: &Held<FingerprintKey>,
    ) -> Result<Reencrypted, Failure> {
        let mut new = Reencrypted { key_version: data.version, pan: None, fingerprint: None, details: None };
        for (part, ciphertext) in row.parts() {
            let place = Place { merchant: &row.merchant, owner: &row.owner, part };
            let plaintext = self.decrypt(place, ciphertext).await?;
            let encrypted = data.key.encrypt(place, &plaintext);
            if part != Part::Pan {
                new.details = Some(encrypted);
                continue;
            }
            let number = std::str::from_utf8(&plaintext).ok().and_then(|text| Number::parse(text).valid());
            let number = number.ok_or(Failure::Unreadable("card number"))?;
            new.fingerprint = Some(fingerprints.key.fingerprint(&row.merchant, &number));
            new.pan = Some(encrypted);
        }
        Ok(new)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Older {
    /// The search began while some process could still have used one of them; it has to be done again.
    BegunTooSoon,
    /// Those that nothing needs are destroyed.
    Judged,
}

struct OlderKey {
    purpose: Purpose,
    version: u32,
    /// When a newer one took over.
    since: Timestamp,
}

fn older_keys<K>(purpose: Purpose, ring: &Ring<K>, now: Timestamp) -> Vec<OlderKey> {
    let older = ring.iter().filter_map(|key| match ring.state(key, now) {
        State::DecryptOnly { since } => Some(OlderKey { purpose, version: key.version, since }),
        State::Pending | State::Active | State::Destroyed => None,
    });
    older.collect()
}
