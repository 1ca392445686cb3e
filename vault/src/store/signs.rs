use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::Trouble;

/// What the work itself tells of whether anything can be stored.
#[derive(Debug)]
pub(super) struct Signs {
    last: Mutex<Last>,
    /// Whose turn it is while commits get no answer.
    turn: Arc<Semaphore>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    committed: Option<Instant>,
    failed: Option<(Instant, Trouble)>,
    commits: Commits,
}

/// What came of the last commit that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Commits {
    #[default]
    Answered,
    /// It was given up. PostgreSQL may go on with it for ever, if it waits for a standby that is gone, and does not notice
    /// then that nobody waits for it: were each followed by another, they would take all the connections that it has.
    Unanswered,
}

/// Leave to write.
#[derive(Debug)]
pub(super) struct Turn {
    _only: Option<OwnedSemaphorePermit>,
}

/// What the work tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Something was stored a moment ago.
    Stored,
    /// Something could not be stored a moment ago, for a reason that stays.
    Failed(Trouble),
    /// Nothing was tried.
    None,
}

impl Default for Signs {
    fn default() -> Self {
        Self { last: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Signs {
    /// For how long a commit tells that there can be another.
    const COMMITS_TELL_FOR: Duration = Duration::from_secs(1);

    /// For how long a failure tells, even if something smaller was stored since: a disk that is full has room for a little
    /// here and there.
    const FAILURES_TELL_FOR: Duration = Duration::from_secs(2);

    pub(super) fn committed(&self) {
        self.last(|last| {
            last.committed = Some(Instant::now());
            last.commits = Commits::Answered;
        });
    }

    pub(super) fn commit_unanswered(&self) {
        self.last(|last| last.commits = Commits::Unanswered);
    }

    /// Leave to write; to one at a time after a commit that got no answer, until one does. None if it does not come to this
    /// one within that time.
    pub(super) async fn turn(&self, longest: Duration) -> Option<Turn> {
        let is_answered = || self.last(|last| last.commits == Commits::Answered);
        if is_answered() {
            return Some(Turn { _only: None });
        }
        let only = timeout(longest, Arc::clone(&self.turn).acquire_owned()).await.ok()?.ok()?;
        // Those that waited go on together once one has had an answer.
        Some(Turn { _only: (!is_answered()).then_some(only) })
    }

    pub(super) fn failed(&self, error: &sqlx::Error) {
        if let Some(trouble @ (Trouble::Full | Trouble::ReadOnly)) = Trouble::of(error) {
            self.last(|last| last.failed = Some((Instant::now(), trouble)));
        }
    }

    /// What it tells now.
    pub(super) fn tell(&self) -> Sign {
        let Last { committed, failed, commits: _ } = self.last(|last| *last);
        match (committed, failed) {
            (_, Some((at, trouble))) if at.elapsed() < Self::FAILURES_TELL_FOR => Sign::Failed(trouble),
            (Some(at), _) if at.elapsed() < Self::COMMITS_TELL_FOR => Sign::Stored,
            _ => Sign::None,
        }
    }

    fn last<T>(&self, look: impl FnOnce(&mut Last) -> T) -> T {
        look(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn after_a_commit_without_an_answer_one_at_a_time_tries_until_one_gets_it() {
        let (signs, soon) = (Signs::default(), Duration::from_millis(20));
        let together = [signs.turn(soon).await.unwrap(), signs.turn(soon).await.unwrap()];
        signs.commit_unanswered();
        drop(together);
        let only = signs.turn(soon).await.unwrap();
        assert!(signs.turn(soon).await.is_none());
        drop(only);
        let _next = signs.turn(soon).await.unwrap();
        signs.committed();
        let _together = [signs.turn(soon).await.unwrap(), signs.turn(soon).await.unwrap()];
    }

    #[test]
    fn what_stays_tells_longer_than_a_commit() {
        let signs = Signs::default();
        assert_eq!(signs.tell(), Sign::None);
        signs.failed(&sqlx::Error::PoolTimedOut);
        assert_eq!(signs.tell(), Sign::None, "a probe has to find out");
        signs.committed();
        assert_eq!(signs.tell(), Sign::Stored);
        signs.last(|last| last.failed = Some((Instant::now(), Trouble::Full)));
        signs.committed();
        assert_eq!(signs.tell(), Sign::Failed(Trouble::Full));
    }
}
