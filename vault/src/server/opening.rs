//! Waiting for a database that is not there yet.

use std::fmt::Display;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::notify;
use crate::http::{self, Waiting};
use crate::store::{Location, Store, StoreError, Waits};

/// How long a vault waits before it tries to reach its database again: twice as long each time, within these bounds.
const SOONEST_AGAIN: Duration = Duration::from_millis(250);
const LATEST_AGAIN: Duration = Duration::from_secs(5);

/// How long the service manager is asked for between two attempts: one may also wait for a network that says nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// What listeners answer until a vault is open.
pub(super) struct Lobby {
    switches: Vec<watch::Sender<axum::Router>>,
    /// What it waits for once its database is there.
    next: Waiting,
}

impl Lobby {
    /// One that waits for this once the database is there, before these listeners.
    pub(super) fn new(
        next: Waiting,
        switches: impl IntoIterator<Item = watch::Sender<axum::Router>>,
    ) -> Self {
        Self { switches: switches.into_iter().collect(), next }
    }

    /// Opens a store as soon as that can be done.
    ///
    /// # Errors
    /// [`StoreError`], where waiting does not help
    pub(super) async fn store(&self, location: &Location, waits: Waits) -> Result<Store, StoreError> {
        self.insist(async || Store::open(location, waits).await, StoreError::is_for_later).await
    }

    /// Does what the database is needed for as soon as that can be done.
    ///
    /// # Errors
    /// What waiting does not help with
    pub(super) async fn insist<T, E: Display>(
        &self,
        attempt: impl AsyncFn() -> Result<T, E>,
        is_for_later: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let mut pause = SOONEST_AGAIN;
        loop {
            match attempt().await {
                Err(error) if is_for_later(&error) => {
                    tracing::error!(%error, "waiting for the database; it is tried again");
                    notify::waiting(PATIENCE);
                    self.show(Waiting::Database);
                }
                ended => {
                    self.show(self.next);
                    return ended;
                }
            }
            sleep(pause).await;
            pause = LATEST_AGAIN.min(2 * pause);
        }
    }

    fn show(&self, why: Waiting) {
        for switch in &self.switches {
            drop(switch.send_replace(http::waiting(why)));
        }
    }
}
