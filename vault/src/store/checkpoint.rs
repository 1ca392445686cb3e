//! Moving what is committed out of SQLite's log into its database, beside the writing: a commit that has to do so itself
//! keeps everybody waiting behind it (sqlite.org/wal.html, "Avoiding Excessively Large WAL Files").

use std::sync::Arc;
use std::time::Duration;

use sqlx::AnyPool;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is moved. The log has to be small enough by then for a fast disk to keep up.
const EVERY: Duration = Duration::from_millis(500);

/// Moves until nobody holds it any more.
#[derive(Clone, Debug)]
pub(super) struct Checkpointer {
    pool: AnyPool,
    _moving: Arc<Moving>,
}

impl Checkpointer {
    pub(super) fn start(pool: AnyPool) -> Self {
        let moving = tokio::spawn(keep_moving(pool.clone())).abort_handle();
        Self { pool, _moving: Arc::new(Moving(moving)) }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// It moves as far as others' reading lets it, and nobody waits for it. If it fails, the next attempt moves more; if all
/// do, the writer moves by itself in the end.
async fn keep_moving(pool: AnyPool) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !pool.is_closed() {
        ticks.tick().await;
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
