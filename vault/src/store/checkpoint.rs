//! Moving what is committed out of SQLite's log into its database, beside the writing: a commit that has to do so itself
//! keeps everybody waiting behind it (sqlite.org/wal.html, "Avoiding Excessively Large WAL Files"). And emptying the log of
//! what was deleted: it keeps pages as they were before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::{AnyPool, Row};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often it is moved, if there is enough of it.
const EVERY: Duration = Duration::from_millis(500);

/// How many tokens, or other changes, are worth it: a few megabytes.
const ENOUGH: usize = 256;

/// How often the log is emptied, if something was deleted that must not stay there. Whoever wants to write waits meanwhile
/// for those who read, up to the connection's time-out.
const EMPTY_EVERY: Duration = Duration::from_secs(5);

/// Moves until nobody holds it any more.
#[derive(Clone, Debug)]
pub(super) struct Checkpointer {
    pool: AnyPool,
    written: Arc<AtomicUsize>,
    /// Whether something was deleted that is still in the log.
    deleted: Arc<AtomicBool>,
    _moving: Arc<Moving>,
}

impl Checkpointer {
    pub(super) fn start(pool: AnyPool) -> Self {
        let (written, deleted) = (Arc::default(), Arc::default());
        let moving = keep_moving(pool.clone(), Arc::clone(&written), Arc::clone(&deleted));
        let moving = tokio::spawn(moving).abort_handle();
        Self { pool, written, deleted, _moving: Arc::new(Moving(moving)) }
    }

    /// Hears of so many changes that are written.
    pub(super) fn count(&self, changes: usize) {
        self.written.fetch_add(changes, Ordering::Relaxed);
    }

    /// Hears that something is deleted that must not stay in the log.
    pub(super) fn deleted(&self) {
        self.deleted.store(true, Ordering::Relaxed);
    }

    /// Empties the log at once of what was deleted, unless somebody is reading it.
    pub(super) async fn empty(&self) {
        empty(&self.pool, &self.deleted).await;
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// It moves as far as others' reading lets it, and nobody waits for it. If it fails, the next attempt moves more; if all
/// do, the writer moves by itself in the end.
async fn keep_moving(pool: AnyPool, written: Arc<AtomicUsize>, deleted: Arc<AtomicBool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut emptied = Instant::now();
    while !pool.is_closed() {
        ticks.tick().await;
        if emptied.elapsed() >= EMPTY_EVERY {
            empty(&pool, &deleted).await;
            emptied = Instant::now();
        }
        if written.load(Ordering::Relaxed) < ENOUGH {
            continue;
        }
        written.store(0, Ordering::Relaxed);
        let _ = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await;
    }
}

/// If it does not come to an end, the next attempt may.
async fn empty(pool: &AnyPool, deleted: &AtomicBool) {
    // First, since what is deleted from now on may come too late.
    if !deleted.swap(false, Ordering::Relaxed) {
        return;
    }
    let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(pool).await;
    let is_empty = emptied.and_then(|row| row.try_get::<i64, _>(0)).is_ok_and(|busy| busy == 0);
    if !is_empty {
        deleted.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Moving(AbortHandle);

impl Drop for Moving {
    fn drop(&mut self) {
        self.0.abort();
    }
}
