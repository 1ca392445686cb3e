use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Trouble;

/// What the work itself tells of whether anything can be stored.
#[derive(Debug, Default)]
pub(super) struct Signs(Mutex<Last>);

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    committed: Option<Instant>,
    failed: Option<(Instant, Trouble)>,
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

impl Signs {
    /// For how long a commit tells that there can be another.
    const COMMITS_TELL_FOR: Duration = Duration::from_secs(1);

    /// For how long a failure tells, even if something smaller was stored since: a disk that is full has room for a little
    /// here and there.
    const FAILURES_TELL_FOR: Duration = Duration::from_secs(2);

    pub(super) fn committed(&self) {
        self.last(|last| last.committed = Some(Instant::now()));
    }

    pub(super) fn failed(&self, error: &sqlx::Error) {
        if let Some(trouble @ (Trouble::Full | Trouble::ReadOnly)) = Trouble::of(error) {
            self.last(|last| last.failed = Some((Instant::now(), trouble)));
        }
    }

    /// What it tells now.
    pub(super) fn tell(&self) -> Sign {
        let Last { committed, failed } = self.last(|last| *last);
        match (committed, failed) {
            (_, Some((at, trouble))) if at.elapsed() < Self::FAILURES_TELL_FOR => Sign::Failed(trouble),
            (Some(at), _) if at.elapsed() < Self::COMMITS_TELL_FOR => Sign::Stored,
            _ => Sign::None,
        }
    }

    fn last<T>(&self, look: impl FnOnce(&mut Last) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
