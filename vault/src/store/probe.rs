use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::pool::Pool;
use super::shares::Share;
use super::signs::{Sign, Signs};
use super::transaction::Transaction;
use super::{Engine, StoreError, Trouble};
use crate::id::random_letters;

/// Tells whether anything can be stored, by a small write of its own on a connection of its own.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    engine: Engine,
    pool: Pool,
    longest: Duration,
    signs: Arc<Signs>,
    last: Arc<Mutex<Last>>,
}

#[derive(Debug, Default)]
struct Last {
    told: Option<(Instant, Result<(), Trouble>)>,
    /// One that was not at its end when nobody waited for it any more. There is no other before it is.
    writing: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Probe {
    /// However many ask, it writes no more often.
    const EVERY: Duration = Duration::from_secs(1);

    pub(super) fn new(engine: Engine, pool: Pool, longest: Duration, signs: Arc<Signs>) -> Self {
        Self { engine, pool, longest, signs, last: Arc::default() }
    }

    /// Whether anything can be stored now, or why not.
    pub(super) async fn ask(&self) -> Result<(), Trouble> {
        if self.pool.is_closed() {
            return Err(Trouble::Busy);
        }
        match self.signs.tell() {
            Sign::Stored => return Ok(()),
            Sign::Failed(trouble) => return Err(trouble),
            Sign::None => {}
        }
        let mut last = self.last.lock().await;
        if let Some((at, told)) = last.told
            && at.elapsed() < Self::EVERY
        {
            return told;
        }
        let writing = last.writing.take();
        let mut writing = writing.unwrap_or_else(|| tokio::spawn(self.clone().write()));
        let told = match timeout(self.longest, &mut writing).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(error.trouble().unwrap_or(Trouble::Busy)),
            Ok(Err(_)) => Err(Trouble::Busy),
            Err(_) => {
                last.writing = Some(writing);
                Err(Trouble::Busy)
            }
        };
        last.told = Some((Instant::now(), told));
        told
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Leaves nothing behind, and its commit waits for all that others' wait for. Each has a row of its own: nobody waits
    /// for one who stands still in the midst of it.
    async fn write(self) -> Result<(), StoreError> {
        let id = random_letters(26);
        let mut transaction = Transaction::begin(self.engine, &self.pool, None::<Share>).await?;
        for sql in ["INSERT INTO probes (id) VALUES ($1)", "DELETE FROM probes WHERE id = $1"] {
            sqlx::query(sql).bind(id.as_str()).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }
}
