//! Whether what was asked for may still begin, when whoever asked has been told that it did not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When a request has to be answered.
#[derive(Clone, Copy, Debug)]
pub struct AnswerBy {
    /// From then on nothing is begun any more.
    pub(super) begin_by: Instant,
    /// From then on what was begun is told of as it is.
    pub(super) tell_by: Instant,
}

impl AnswerBy {
    /// What is left for an answer that is already there.
    const TO_ANSWER: Duration = Duration::from_secs(2);

    /// What is left for a commit that is under way.
    const TO_COMMIT: Duration = Duration::from_secs(8);

    /// So long from now: what the time is needed for at its end takes half of it at most.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        let now = Instant::now();
        let before = |needed: Duration| now + (time - needed.min(time / 2));
        Self { begin_by: before(Self::TO_COMMIT + Self::TO_ANSWER), tell_by: before(Self::TO_ANSWER) }
    }
}

/// Shared by whoever carries a request out and whoever answers it: one of them is first, and the other goes by that. Whoever
/// carries it out looks at the time, too: the whole process may have stood still.
#[derive(Clone, Debug)]
pub(super) struct Cancellation {
    progress: Arc<Mutex<Progress>>,
    answer_by: AnswerBy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    /// Nothing is done yet, and what is being done can be taken back.
    #[default]
    Waiting,
    /// It is being made durable: whether it will be, nobody knows yet.
    Committing,
    /// It is durable, and goes on.
    Begun,
    /// Whoever asked was told that nothing comes of it.
    Cancelled,
}

/// Whoever asked was told that nothing comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cancelled;

impl Cancellation {
    pub(super) fn new(answer_by: AnswerBy) -> Self {
        Self { progress: Arc::default(), answer_by }
    }

    /// The request is made durable next.
    pub(super) fn commit(&self) -> Result<(), Cancelled> {
        self.go_on(Progress::Committing, self.answer_by.begin_by)
    }

    /// The request is durable; what cannot be taken back comes next.
    pub(super) fn begin(&self) -> Result<(), Cancelled> {
        self.go_on(Progress::Begun, self.answer_by.tell_by)
    }

    /// Cancels it if nothing of it can have been made durable, and says whether it is cancelled.
    pub(super) fn cancel(&self) -> bool {
        self.cancel_if(|progress| progress == Progress::Waiting)
    }

    /// Cancels it if nothing has been done that cannot be taken back, and says whether it is cancelled.
    pub(super) fn cancel_late(&self) -> bool {
        self.cancel_if(|progress| progress != Progress::Begun)
    }

    /// Cancels it when nobody waits for the answer any more, if nothing of it can have been made durable.
    pub(super) fn cancelling_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }

    fn go_on(&self, next: Progress, by: Instant) -> Result<(), Cancelled> {
        let mut progress = self.lock();
        if Instant::now() > by {
            *progress = Progress::Cancelled;
        }
        if *progress == Progress::Cancelled {
            return Err(Cancelled);
        }
        *progress = next;
        Ok(())
    }

    fn cancel_if(&self, may: impl FnOnce(Progress) -> bool) -> bool {
        let mut progress = self.lock();
        if may(*progress) {
            *progress = Progress::Cancelled;
        }
        *progress == Progress::Cancelled
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        // Nothing is left half done under the lock.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cancels when it is dropped.
#[derive(Debug)]
pub(super) struct CancelOnDrop(Cancellation);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_made_durable_is_not_cancelled_but_late() {
        let cancellation = in_time();
        assert_eq!(cancellation.commit(), Ok(()));
        assert!(!cancellation.cancel());
        assert!(cancellation.cancel_late());
        assert_eq!(cancellation.begin(), Err(Cancelled));
    }

    #[test]
    fn what_is_cancelled_neither_commits_nor_begins() {
        let cancellation = in_time();
        drop(cancellation.cancelling_on_drop());
        assert_eq!((cancellation.commit(), cancellation.begin()), (Err(Cancelled), Err(Cancelled)));
    }

    #[test]
    fn what_has_begun_is_not_cancelled() {
        let cancellation = in_time();
        assert_eq!((cancellation.commit(), cancellation.begin()), (Ok(()), Ok(())));
        assert!(!cancellation.cancel_late());
    }

    #[test]
    fn there_is_time_left_to_commit_and_to_answer() {
        let usual = AnswerBy::within(Duration::from_secs(30));
        assert_eq!(usual.tell_by - usual.begin_by, Duration::from_secs(8));
        let short = AnswerBy::within(Duration::from_secs(3));
        assert_eq!(short.tell_by - short.begin_by, Duration::ZERO);
    }

    #[test]
    fn whoever_was_stopped_for_too_long_goes_no_further() {
        let late = || Cancellation::new(AnswerBy::within(Duration::ZERO));
        let (first, second) = (late(), late());
        while Instant::now() <= second.answer_by.tell_by {}
        assert_eq!((first.commit(), second.begin()), (Err(Cancelled), Err(Cancelled)));
        assert!(first.cancel(), "who answers goes by that");
    }

    fn in_time() -> Cancellation {
        Cancellation::new(AnswerBy::within(Duration::from_secs(60)))
    }
}
