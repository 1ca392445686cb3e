use std::time::Duration;

/// How long a store waits for what may never come: nothing in it waits for ever.
///
/// A request waits for its merchant's place, a connection, its statements and its commit in turn, so all four together are
/// less than the 30 seconds after which the vault gives up on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For a place among its merchant's transactions, and then for a connection; while commits get no answer, for leave to
    /// write.
    pub place: Duration,
    /// For a lock that another process holds. It is longer than `idle`: whoever waits for a process that stands still gets on
    /// once that has lost its locks. SQLite has its own (`busy_timeout`).
    pub lock: Duration,
    /// The same for what holds up others' tokens too: they are tried again one by one after it.
    pub shared_lock: Duration,
    /// How long a process may stand still within a transaction before PostgreSQL takes it back and lets go of its locks.
    /// Between two statements of a transaction the vault does nothing that takes a millisecond.
    pub idle: Duration,
    /// For one statement in PostgreSQL, locks included.
    pub statement: Duration,
    /// For the answers to all statements of a transaction, or to one without: a network that is cut says nothing. It is
    /// longer than `statement`, so that PostgreSQL's own word comes first.
    pub answer: Duration,
    /// For the answer to a commit, with the disk and a standby that it may wait for. PostgreSQL's time limit for statements
    /// ends before that wait.
    pub commit: Duration,
    /// For whether anything can be stored at all: less than a load balancer waits.
    pub probe: Duration,
}

impl Waits {
    /// Those of a vault that serves.
    pub const SERVING: Self = Self {
        place: Duration::from_secs(5),
        lock: Duration::from_secs(6),
        shared_lock: Duration::from_secs(1),
        idle: Duration::from_secs(4),
        statement: Duration::from_secs(10),
        answer: Duration::from_secs(12),
        commit: Duration::from_secs(5),
        probe: Duration::from_secs(2),
    };

    /// Those of a command, which may read everything, and whose operator can stop it.
    pub const COMMAND: Self = Self {
        statement: Duration::from_secs(60 * 60),
        answer: Duration::from_secs(60 * 60 + 10),
        ..Self::SERVING
    };
}

impl Default for Waits {
    fn default() -> Self {
        Self::SERVING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_hears_of_it_before_its_time_is_over() {
        let Waits { place, lock, shared_lock, idle, statement, answer, commit, .. } = Waits::SERVING;
        assert!(place + place + answer + commit < Duration::from_secs(30));
        assert!(shared_lock < lock && idle < lock && lock < statement && statement < answer);
    }
}
