//! Reading the clock that all vaults of a database have in common.

use super::{Failure, Vault};
use crate::store::{Store, StoreError};
use crate::time::{Clock, Reading};

/// How often it is read at the start: the fastest reading tells most.
const FIRST_READINGS: usize = 3;

/// Reads a clock for the first time.
pub(super) async fn set(clock: &Clock, store: &Store) -> Result<(), StoreError> {
    for _ in 0..FIRST_READINGS {
        let Some(reading) = clock.begin_reading() else { return Ok(()) };
        take_in(clock, store, reading).await?;
    }
    if let Some(last) = store.last_look_at_the_clock().await? {
        clock.compare_with_last(last);
    }
    Ok(())
}

async fn take_in(clock: &Clock, store: &Store, reading: Reading) -> Result<(), StoreError> {
    clock.take_in(reading, store.time().await?);
    Ok(())
}

impl Vault {
    /// Reads the clock once more, and tells of it when it begins or ceases to be trusted.
    pub(super) async fn read_clock(&self) -> Result<(), Failure> {
        let Some(reading) = self.clock.begin_reading() else { return Ok(()) };
        take_in(&self.clock, &self.store, reading).await?;
        let offset_seconds = self.clock.ahead();
        match self.clock.news() {
            Some(Err(doubt)) => tracing::error!(
                why = %doubt,
                offset_seconds,
                "the clock is not trusted: nothing is deleted by its age or taken over, and no key ages"
            ),
            Some(Ok(())) => tracing::info!(offset_seconds, "the clock is trusted again"),
            None => {}
        }
        if self.clock.trust().is_ok() {
            self.store.look_at_the_clock(self.clock.now()).await?;
        }
        Ok(())
    }
}
