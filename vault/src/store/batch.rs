//! Many tokens in one commit: whoever comes while the disk is busy shares the next one with all the others.

use std::sync::Arc;

use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::tokens::{self, Inserted, NewToken};
use super::{Engine, LONGEST_WAIT, StoreError, begin};
use crate::id::MerchantId;

/// Takes tokens in and commits them together.
#[derive(Clone, Debug)]
pub(super) struct Batcher(mpsc::Sender<Job>);

#[derive(Debug)]
pub(super) struct Job {
    pub(super) merchant: MerchantId,
    pub(super) new: NewToken,
    done: oneshot::Sender<Result<Inserted, StoreError>>,
}

/// Most tokens of a commit.
const LARGEST_BATCH: usize = 64;

/// Most tokens that wait. A vault that is this far behind says so.
const LONGEST_QUEUE: usize = 1024;

/// Commits under way at once on PostgreSQL, where one does not keep the others waiting.
const COMMITTERS: usize = 4;

impl Batcher {
    /// Starts it. It ends when nobody holds it any more.
    pub(super) fn start(engine: Engine, pool: &AnyPool) -> Self {
        let (sender, receiver) = mpsc::channel(LONGEST_QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        let committers = match engine {
            Engine::Sqlite => 1,
            Engine::Postgres => COMMITTERS,
        };
        for _ in 0..committers {
            tokio::spawn(commit_all(engine, pool.clone(), Arc::clone(&receiver)));
        }
        Self(sender)
    }

    /// How many tokens wait.
    pub(super) fn queued(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }

    /// Keeps a token; it is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(super) async fn insert(&self, merchant: MerchantId, new: NewToken) -> Result<Inserted, StoreError> {
        let (done, outcome) = oneshot::channel();
        let job = Job { merchant, new, done };
        self.0.send_timeout(job, LONGEST_WAIT).await.map_err(|_| StoreError::Unavailable)?;
        outcome.await.map_err(|_| StoreError::Unavailable)?
    }
}

async fn commit_all(engine: Engine, pool: AnyPool, receiver: Arc<Mutex<mpsc::Receiver<Job>>>) {
    let mut jobs = Vec::with_capacity(LARGEST_BATCH);
    loop {
        if receiver.lock().await.recv_many(&mut jobs, LARGEST_BATCH).await == 0 {
            return;
        }
        match commit(engine, &pool, &jobs).await {
            Ok(outcomes) => {
                for (job, outcome) in jobs.drain(..).zip(outcomes) {
                    // Whoever waited may have hung up.
                    let _ = job.done.send(Ok(outcome));
                }
            }
            Err(error) if error.is_temporary() => {
                tracing::error!(%error, tokens = jobs.len(), "tokens were not stored");
                for job in jobs.drain(..) {
                    let _ = job.done.send(Err(StoreError::Unavailable));
                }
            }
            // One of them may be why the others failed.
            Err(_) => {
                for job in jobs.drain(..) {
                    let outcome = commit(engine, &pool, std::slice::from_ref(&job)).await;
                    let _ = job.done.send(outcome.and_then(|outcomes| {
                        outcomes.into_iter().next().ok_or(StoreError::Corrupt("batch"))
                    }));
                }
            }
        }
    }
}

async fn commit(engine: Engine, pool: &AnyPool, jobs: &[Job]) -> Result<Vec<Inserted>, StoreError> {
    let mut transaction: Transaction<'static, Any> = begin(engine, pool).await?;
    let outcomes = tokens::insert_all(&mut transaction, jobs).await?;
    transaction.commit().await?;
    Ok(outcomes)
}
