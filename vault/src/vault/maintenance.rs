//! What has to be done from time to time. Every process does it; each step does no harm when another was first.

use super::{Failure, Vault};
use crate::keys::ACTIVATION_DELAY;
use crate::keys::ring::State;
use crate::seal::TIME_WINDOW;
use crate::store::Purpose;

/// What maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Security codes whose time was over.
    pub security_codes: u64,
    /// Unused tokens whose time was over.
    pub tokens: u64,
}

impl Vault {
    /// Learns of new keys, lets keys age, and deletes what has expired.
    ///
    /// # Errors
    /// [`Failure`]; what was not done is done the next time.
    pub async fn maintain(&self) -> Result<Done, Failure> {
        self.keys.refresh(&self.store).await?;
        self.age_sealing_keys().await?;
        let now = self.clock.now();
        // The id of a seal has to be remembered for as long as it would be opened again.
        let made_before = now.minus(2 * TIME_WINDOW);
        Ok(Done {
            security_codes: self.store.delete_expired_security_codes(now).await?,
            tokens: self.store.delete_expired_tokens(now, made_before).await?,
        })
    }

    /// Makes the next sealing key in time, and destroys those that open nothing any more.
    async fn age_sealing_keys(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        let ring = &self.keys.rings().sealing;
        let pending = ring.iter().any(|key| ring.state(key, now) == State::Pending);
        let old =
            ring.active(now).is_some_and(|key| now.since(key.active_from) >= self.policy.sealing_key_age);
        if old && !pending {
            let version =
                self.keys.rotate(&self.store, Purpose::Sealing, now, now.plus(ACTIVATION_DELAY)).await?;
            tracing::info!(version, "the next sealing key is made");
        }
        for key in ring.iter() {
            let State::DecryptOnly { since } = ring.state(key, now) else { continue };
            if now.since(since) > self.policy.decrypt_only {
                self.store.destroy_key(Purpose::Sealing, key.version, now).await?;
                tracing::info!(version = key.version, "a sealing key is destroyed");
            }
        }
        Ok(())
    }
}
