//! What has to be done from time to time. Every process does it; each step does no harm when another was first.

use std::ops::AddAssign;
use std::time::Duration;

use super::{Failure, Vault};
use crate::audit::{Action, By};
use crate::idempotency::KEPT_FOR;
use crate::keys::ACTIVATION_DELAY;
use crate::keys::ring::{Ring, State};
use crate::merchant::Mode;
use crate::seal::TIME_WINDOW;
use crate::store::{DELETED_AT_ONCE, Expired, Purpose};
use crate::time::Timestamp;

/// How long a vendor's key is still believed to be used when no process has it in its settings any more: they may be put back,
/// and not all processes get them at the same time.
const VENDOR_KEY_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What was deleted since its time was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Security codes whose time was over.
    pub security_codes: u64,
    /// Counted numbers whose day was over.
    pub counted_numbers: u64,
    /// Keys of requests whose time was over.
    pub idempotency_keys: u64,
    /// Events whose time was over.
    pub events: u64,
    /// Seals for vendors' keys whose time was over.
    pub passed_seals: u64,
    /// Unused tokens whose time was over, and used ones as old as events get.
    pub tokens: u64,
}

impl Done {
    /// Whether some of it was left for the next time.
    #[must_use]
    pub fn may_be_more(&self) -> bool {
        let Self { security_codes, counted_numbers, idempotency_keys, events, passed_seals, tokens } = *self;
        [security_codes, counted_numbers, idempotency_keys, events, passed_seals, tokens]
            .iter()
            .any(|rows| *rows >= u64::from(DELETED_AT_ONCE))
    }
}

impl AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.security_codes += other.security_codes;
        self.counted_numbers += other.counted_numbers;
        self.idempotency_keys += other.idempotency_keys;
        self.events += other.events;
        self.passed_seals += other.passed_seals;
        self.tokens += other.tokens;
    }
}

impl Vault {
    /// Reads the clock, learns of new keys, lets keys age, tells of what others have added to the audit, and deletes some of
    /// what has expired. Keys age, and a deleted person's rows are looked through, only by a clock that is trusted.
    ///
    /// # Errors
    /// [`Failure`]; what was not done is done the next time.
    pub async fn maintain(&self) -> Result<Done, Failure> {
        self.read_clock().await?;
        self.keys.refresh(&self.store).await?;
        if self.clock.trust().is_ok() {
            for mode in [Mode::Live, Mode::Test] {
                self.let_age(Purpose::Sealing(mode), self.policy.sealing_key_age).await?;
            }
            self.let_age(Purpose::Data, self.policy.data_key_age).await?;
        }
        self.count_encryptions(Process::GoesOn).await?;
        self.let_wear().await?;
        self.write_refusals().await?;
        self.write_key_uses().await?;
        self.store.tell_audit_heads(self.clock.now()).await?;
        if self.clock.trust().is_ok() {
            self.destroy_sealing_keys().await?;
            self.erase_due().await?;
        }
        self.expire().await
    }

    /// Deletes some of what has expired, a few rows of each kind at a time: others write meanwhile.
    ///
    /// Nothing brings back what a wrong clock deletes: a request whose key is gone charges again, a seal whose id is gone makes
    /// another token. So that is done only by a clock that is trusted. But security codes end by the vault's time, whatever
    /// this machine's own shows (PCI DSS 3.3.1): one that goes too early is a charge without it.
    ///
    /// # Errors
    /// [`Failure`]; what was not done is done the next time.
    pub async fn expire(&self) -> Result<Done, Failure> {
        let now = self.clock.now();
        let security_codes = self.store.delete_expired(Expired::SecurityCodes(now)).await?;
        if self.clock.trust().is_err() {
            return Ok(Done { security_codes, ..Done::default() });
        }
        self.store.see_vendor_keys(&self.vendors.sealing_keys(), now).await?;
        let delete = |expired| self.store.delete_expired(expired);
        let oldest = now.minus(self.policy.event_lifetime);
        // The id of a seal has to be remembered for as long as it would be opened again.
        let made_before = now.minus(2 * TIME_WINDOW);
        Ok(Done {
            security_codes,
            counted_numbers: delete(Expired::CountedNumbers(now)).await?,
            idempotency_keys: delete(Expired::IdempotencyKeys(now.minus(KEPT_FOR))).await?,
            events: delete(Expired::Events(oldest)).await?,
            // A seal for a vendor has no time in it, so it could come again for as long as its key opens it.
            passed_seals: delete(Expired::PassedSeals(now.minus(VENDOR_KEY_GRACE))).await?,
            tokens: delete(Expired::UnusedTokens { by: now, made_before }).await?
                + delete(Expired::UsedTokens(oldest)).await?,
        })
    }

    /// Makes the next key of a purpose once the one that is used has become `age` old.
    async fn let_age(&self, purpose: Purpose, age: Duration) -> Result<(), Failure> {
        let now = self.clock.now();
        let rings = self.keys.rings();
        let aged = match purpose {
            Purpose::Access => has_aged(&rings.access, age, now),
            Purpose::Audit => has_aged(&rings.audit, age, now),
            Purpose::Data => has_aged(&rings.data, age, now),
            Purpose::Fingerprint => has_aged(&rings.fingerprint, age, now),
            Purpose::Sealing(mode) => has_aged(rings.sealing.of(mode), age, now),
            Purpose::Signing => has_aged(&rings.signing, age, now),
        };
        if aged {
            self.rotate(purpose, By::VAULT, now.plus(ACTIVATION_DELAY)).await?;
        }
        Ok(())
    }

    /// Reserves what this process will encrypt with the data keys that are used or about to be, and tells of what it has
    /// encrypted with others.
    pub(super) async fn count_encryptions(&self, process: Process) -> Result<(), Failure> {
        let now = self.clock.now();
        let ring = &self.keys.rings().data;
        for held in ring.iter() {
            let goes_on =
                process == Process::GoesOn && matches!(ring.state(held, now), State::Active | State::Pending);
            if let Some(more) = held.key.lacks(goes_on) {
                let wear = self.store.reserve_encryptions(held.version, more).await?;
                held.key.reserved(more, wear);
            }
        }
        Ok(())
    }

    /// Makes the next data key once the one that is used has encrypted enough, whichever processes did.
    async fn let_wear(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        let records = self.store.keys().await?;
        let rings = self.keys.rings();
        let Some(active) = rings.data.active(now) else { return Ok(()) };
        let record = records.iter().find(|key| key.purpose == Purpose::Data && key.version == active.version);
        let encryptions = record.map_or(0, |record| record.encryptions);
        active.key.reserved(0, encryptions);
        if !waits(&rings.data, now) && encryptions >= self.policy.data_key_encryptions {
            tracing::info!(version = active.version, encryptions, "a data key has encrypted enough");
            self.rotate(Purpose::Data, By::VAULT, now.plus(ACTIVATION_DELAY)).await?;
        }
        Ok(())
    }

    /// Makes the next key of a purpose, which takes over at `active_from`, and tells its version.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn rotate(&self, purpose: Purpose, by: By, active_from: Timestamp) -> Result<u32, Failure> {
        let version = self.keys.rotate(&self.store, purpose, self.clock.now(), active_from).await?;
        let subject = format!("{} {version}", purpose.as_str());
        self.audit(None, by, Action::RotateKey, &subject, None).await?;
        tracing::info!(purpose = purpose.as_str(), version, "the next key is made");
        Ok(version)
    }

    /// Destroys the sealing keys that open nothing any more.
    async fn destroy_sealing_keys(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        for (mode, ring) in self.keys.rings().sealing.each() {
            for key in ring.iter() {
                let State::DecryptOnly { since } = ring.state(key, now) else { continue };
                if now.since(since) > self.policy.decrypt_only {
                    self.destroy(Purpose::Sealing(mode), key.version, By::VAULT).await?;
                }
            }
        }
        Ok(())
    }
}

/// Whether the key that is used is older than `age` and no other waits to take over.
fn has_aged<K>(ring: &Ring<K>, age: Duration, now: Timestamp) -> bool {
    !waits(ring, now) && ring.active(now).is_some_and(|key| now.since(key.active_from) >= age)
}

/// Whether a key waits to take over.
fn waits<K>(ring: &Ring<K>, now: Timestamp) -> bool {
    ring.iter().any(|key| ring.state(key, now) == State::Pending)
}

/// Whether a process will encrypt more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Process {
    /// It will.
    GoesOn,
    /// It is about to end.
    Ends,
}
