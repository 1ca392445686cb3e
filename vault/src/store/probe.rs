use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
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
    last: Arc<Mutex<Option<(Instant, Result<(), Trouble>)>>>,
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
        if let Some((at, told)) = &*last
            && at.elapsed() < Self::EVERY
        {
            return *told;
        }
        let told = match timeout(self.longest, self.write()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.trouble().unwrap_or(Trouble::Busy)),
            Err(_) => Err(Trouble::Busy),
        };
        *last = Some((Instant::now(), told));
        told
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Leaves nothing behind, and its commit waits for all that others' wait for. Each has a row of its own: nobody waits
    /// for one who stands still in the midst of it.
    async fn write(&self) -> Result<(), StoreError> {
        let id = random_letters(26);
        let mut transaction = Transaction::begin(self.engine, &self.pool, None::<Share>).await?;
        for sql in ["INSERT INTO probes (id) VALUES ($1)", "DELETE FROM probes WHERE id = $1"] {
            sqlx::query(sql).bind(id.as_str()).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }
}
