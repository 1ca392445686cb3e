//! Many tokens in one commit: whoever comes while the disk is busy shares the next one with all the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};

use super::checkpoint::Checkpointer;
use super::counted_numbers::{self, Verdict};
use super::pool::Pool;
use super::shares::{Share, Shares};
use super::tokens::{self, Inserted, NewToken};
use super::transaction::Transaction;
use super::{Engine, StoreError, Trouble, Waits};
use crate::id::MerchantId;

/// Takes tokens in and commits them together.
#[derive(Clone, Debug)]
pub(super) struct Batcher {
    jobs: mpsc::Sender<Job>,
    longest: Duration,
}

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

impl Batcher {
    /// Starts it: with connections of its own for `committers` commits at once, and where a token has to wait for others, with
    /// its merchant's share of the writers. It ends when nobody holds it any more.
    pub(super) fn start(
        committers: u32,
        pool: &Pool,
        alone: &Alone,
        checkpointer: Option<&Checkpointer>,
    ) -> Self {
        let (jobs, receiver) = mpsc::channel(LONGEST_QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..committers {
            let receiver = Arc::clone(&receiver);
            tokio::spawn(commit_all(pool.clone(), alone.clone(), receiver, checkpointer.cloned()));
        }
        Self { jobs, longest: alone.waits.place }
    }

    /// How many tokens wait.
    pub(super) fn queued(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Keeps a token; it is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(super) async fn insert(&self, merchant: MerchantId, new: NewToken) -> Result<Inserted, StoreError> {
        let (done, outcome) = oneshot::channel();
        let job = Job { merchant, new, done };
        let busy = StoreError::Unavailable(Trouble::Busy);
        if self.jobs.send_timeout(job, self.longest).await.is_err() {
            return Err(busy);
        }
        outcome.await.unwrap_or(Err(busy))
    }
}

/// What a token is kept with that is kept alone.
#[derive(Clone, Debug)]
pub(super) struct Alone {
    pub(super) engine: Engine,
    pub(super) waits: Waits,
    pub(super) writer: Pool,
    pub(super) shares: Shares,
}

impl Alone {
    async fn keep(self, job: Job) {
        let kept = async {
            let share = self.shares.take(&job.merchant, self.waits.place).await;
            let share = share.ok_or(StoreError::Unavailable(Trouble::Busy))?;
            let kept = commit(self.engine, &self.writer, Some(share), std::slice::from_ref(&job)).await?;
            kept.into_iter().next().ok_or(StoreError::Corrupt("batch"))
        };
        let kept = kept.await.inspect_err(|error| tracing::error!(%error, "a token was not stored"));
        // Whoever waited may have hung up.
        let _ = job.done.send(kept);
    }
}

async fn commit_all(
    pool: Pool,
    alone: Alone,
    receiver: Arc<Mutex<mpsc::Receiver<Job>>>,
    checkpointer: Option<Checkpointer>,
) {
    let mut jobs = Vec::with_capacity(LARGEST_BATCH);
    loop {
        if receiver.lock().await.recv_many(&mut jobs, LARGEST_BATCH).await == 0 {
            return;
        }
        checkpointer.iter().for_each(|checkpointer| checkpointer.count(jobs.len()));
        match commit(alone.engine, &pool, None, &jobs).await {
            Ok(outcomes) => {
                for (job, outcome) in jobs.drain(..).zip(outcomes) {
                    let _ = job.done.send(Ok(outcome));
                }
            }
            // One of them may be why the others failed, or have the others wait. Nobody waits for that one here.
            Err(error) if error.is_lock_timeout() || !error.is_temporary() => {
                for job in jobs.drain(..) {
                    tokio::spawn(alone.clone().keep(job));
                }
            }
            Err(error) => {
                tracing::error!(%error, tokens = jobs.len(), "tokens were not stored");
                for job in jobs.drain(..) {
                    let _ = job.done.send(Err(error.again()));
                }
            }
        }
    }
}

async fn commit(
    engine: Engine,
    pool: &Pool,
    mut share: Option<Share>,
    jobs: &[Job],
) -> Result<Vec<Inserted>, StoreError> {
    let counted: Vec<_> = jobs.iter().map(|job| job.new.counted.as_slice()).collect();
    for _ in 0..MOST_ATTEMPTS {
        let mut transaction = Transaction::begin(engine, pool, share).await?;
        let Some(verdicts) = counted_numbers::count(&mut transaction, &counted).await? else {
            share = transaction.rollback().await?;
            continue;
        };
        let passing = jobs.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Passes);
        let passing: Vec<_> = passing.map(|(job, _)| job).collect();
        let mut kept = tokens::insert_all(&mut transaction, &passing).await?.into_iter();
        transaction.commit().await?;
        let outcomes = verdicts.iter().map(|verdict| match verdict {
            Verdict::Passes => kept.next().ok_or(StoreError::Corrupt("batch")),
            Verdict::Refused => Ok(Inserted::TooManyAlike),
        });
        return outcomes.collect();
    }
    Err(StoreError::Unavailable(Trouble::Busy))
}

/// Whoever loses a race for a place among counted numbers finds it taken at the next attempt. This often nobody loses.
pub(super) const MOST_ATTEMPTS: usize = 20;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use cardseal::card::Brand;

    use super::*;
    use crate::id::{CardId, TokenId};
    use crate::keys::data::Ciphertext;
    use crate::keys::fingerprint::{Fingerprint, Tag};
    use crate::merchant::Mode;
    use crate::store::{CountedNumber, StoredCard, StoredToken};
    use crate::time::Timestamp;
    use crate::token::Usage;

    fn new() -> NewToken {
        let now = Timestamp::from_unix_seconds(0);
        let card = StoredCard {
            id: CardId::random(Mode::Test),
            created_at: now,
            brand: Brand::Visa,
            last_digits: "4242".into(),
            fingerprint: Fingerprint { key_version: 1, bytes: vec![0; 32] },
            security_code_check: false,
            pan: None,
            details: Ciphertext { key_version: 1, bytes: vec![0; 28] },
        };
        let token = StoredToken {
            id: TokenId::random(Mode::Test).hash(),
            card,
            created_at: now,
            expires_at: now,
            usage: Usage::Unused,
        };
        let tag = Tag::from_bytes(&[0; 32]).unwrap();
        let counted = CountedNumber { group: tag, number: tag, most: 1, expires_at: now };
        NewToken { token, seal: None, security_code: None, counted: vec![counted] }
    }

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_told_so_and_nothing_is_kept() {
        let merchant = MerchantId::random(Mode::Test);
        let (jobs, mut receiver) = mpsc::channel(1);
        let longest = Duration::from_millis(100);
        let batcher = Batcher { jobs, longest };
        let first = tokio::spawn({
            let (batcher, merchant) = (batcher.clone(), merchant.clone());
            async move { batcher.insert(merchant, new()).await }
        });
        while batcher.queued() == 0 {
            tokio::task::yield_now().await;
        }
        let refused = batcher.insert(merchant, new()).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(Trouble::Busy)) && refused.is_temporary());
        // The first was kept waiting, and is the only one that waits.
        receiver.recv().await.unwrap().done.send(Ok(Inserted::New)).unwrap();
        assert!(matches!(first.await.unwrap().unwrap(), Inserted::New));
        assert_eq!(batcher.queued(), 0);
    }
}
