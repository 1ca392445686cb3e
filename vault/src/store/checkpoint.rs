//! Moving what is committed out of SQLite's log into its database, beside the writing: a commit that has to do so itself
//! keeps everybody waiting behind it (sqlite.org/wal.html, "Avoiding Excessively Large WAL Files").

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::AnyPool;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is moved, if there is enough of it.
const EVERY: Duration = Duration::from_millis(500);

/// How many tokens, or other changes, are worth it: a few megabytes.
const ENOUGH: usize = 256;

/// Moves until nobody holds it any more.
#[derive(Clone, Debug)]
pub(super) struct Checkpointer {
    pool: AnyPool,
    written: Arc<AtomicUsize>,
    _moving: Arc<Moving>,
}

impl Checkpointer {
    pub(super) fn start(pool: AnyPool) -> Self {
        let written = Arc::default();
        let moving = tokio::spawn(keep_moving(pool.clone(), Arc::clone(&written))).abort_handle();
        Self { pool, written, _moving: Arc::new(Moving(moving)) }
    }

    /// Hears of so many changes that are written.
    pub(super) fn count(&self, changes: usize) {
        self.written.fetch_add(changes, Ordering::Relaxed);
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// It moves as far as others' reading lets it, and nobody waits for it. If it fails, the next attempt moves more; if all
/// do, the writer moves by itself in the end.
async fn keep_moving(pool: AnyPool, written: Arc<AtomicUsize>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !pool.is_closed() {
        ticks.tick().await;
        if written.load(Ordering::Relaxed) < ENOUGH {
            continue;
        }
        written.store(0, Ordering::Relaxed);
        let _ = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await;
    }
}

#[derive(Debug)]
struct Moving(AbortHandle);

impl Drop for Moving {
    fn drop(&mut self) {
        self.0.abort();
    }
}
