use std::io;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;
use thiserror::Error;

use super::Location;

/// Why the store failed. Never the caller's fault.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A row holds what was never written there. The database was tampered with, or this is a bug.
    #[error("the database holds an unreadable {0}")]
    Corrupt(&'static str),
    /// The database failed. Trying again may help.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The file for the heads of the audit's chains could not be had. The operator's to put right.
    #[error("the heads of the audit cannot be written into {path}: {source}", path = .path.display())]
    Heads {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder could not be locked.
    #[error("the data folder cannot be locked: {0}")]
    Lock(io::Error),
    /// The tables could not be brought up to date: a migration failed, or what was made before is not what it was.
    #[error("the database's tables cannot be brought up to date: {0}")]
    Migration(#[from] MigrateError),
    /// The database could not be opened.
    #[error("the database {location} cannot be opened: {source}")]
    Open {
        /// Where it should be.
        location: Location,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The database could not be reached or written, as its log line says. Nothing was stored; trying again may help.
    #[error("the database cannot be written: it {}", .0.as_str())]
    Unavailable(Trouble),
    /// The database was told to make something durable and did not answer: it may be, or not. Looking tells, later.
    #[error("the database did not say whether something was stored")]
    Uncertain,
}

/// Why a database does not do now what it will do again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is away, or has too much to do. Asking again soon helps.
    Busy,
    /// Its disk is full. The operator's to put right.
    Full,
    /// It is one that only reads: a standby, or a primary that was made one. The operator's to put right, or what switches
    /// between them does so.
    ReadOnly,
}

impl StoreError {
    /// Whether the database will do again what it cannot do now. Nothing was stored, unless it is
    /// [`Uncertain`](Self::Uncertain).
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Uncertain) || self.trouble().is_some()
    }

    /// Why the database does not do now what it will do again. Nothing was stored.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Unavailable(trouble) => Some(*trouble),
            Self::Database(error) => Trouble::of(error),
            Self::Corrupt(_)
            | Self::Heads { .. }
            | Self::Lock(_)
            | Self::Migration(_)
            | Self::Open { .. }
            | Self::Uncertain => None,
        }
    }

    /// The same for another who failed with it.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Uncertain => Self::Uncertain,
            error => Self::Unavailable(error.trouble().unwrap_or(Trouble::Busy)),
        }
    }

    /// Whether it waited in vain for a lock that somebody else has.
    pub(super) fn is_lock_timeout(&self) -> bool {
        const LOCK_NOT_AVAILABLE: &str = "55P03";
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| code == LOCK_NOT_AVAILABLE)
    }

    /// Whether a database that could not be opened may be there later: it is away or starts, or a server does not let the vault
    /// in. Waiting helps, or whoever puts the password, the name or the certificate right.
    #[must_use]
    pub fn is_for_later(&self) -> bool {
        match self {
            Self::Open { location: Location::Postgres(_), source } => {
                !matches!(source, sqlx::Error::Configuration(_))
            }
            Self::Open { source, .. } => Trouble::of(source).is_some(),
            Self::Migration(MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)) => {
                Trouble::of(source).is_some()
            }
            _ => self.is_temporary(),
        }
    }
}

impl Trouble {
    /// What a driver's error is, if it is one that passes.
    pub(super) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed => Some(Self::Busy),
            sqlx::Error::Database(error) => Self::of_code(&error.code()?),
            _ => None,
        }
    }

    /// PostgreSQL's codes have five characters (its manual, appendix A), SQLite's are numbers whose low byte says the kind
    /// (sqlite.org/rescode.html).
    fn of_code(code: &str) -> Option<Self> {
        if code.len() == 5 && !code.starts_with(char::is_whitespace) {
            // Lost connections, resources that ran out, an operator's intervention, lost races, locks that nobody let go of,
            // and a transaction that stood still for too long.
            const PASSING: [&str; 6] = ["08", "53", "57", "40", "55P03", "25P03"];
            return match code {
                "53100" => Some(Self::Full),
                "25006" => Some(Self::ReadOnly),
                _ => PASSING.iter().any(|class| code.starts_with(class)).then_some(Self::Busy),
            };
        }
        const BUSY: u32 = 5;
        const READ_ONLY: u32 = 8;
        const IO: u32 = 10;
        const FULL: u32 = 13;
        const CANNOT_OPEN: u32 = 14;
        match code.parse::<u32>().ok()? & 0xff {
            BUSY | IO | CANNOT_OPEN => Some(Self::Busy),
            FULL => Some(Self::Full),
            READ_ONLY => Some(Self::ReadOnly),
            _ => None,
        }
    }

    /// What the database does or is.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "does not answer in time",
            Self::Full => "has a full disk",
            Self::ReadOnly => "only reads",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_will_pass_is_told_from_what_will_not() {
        for (code, trouble) in [
            ("5", Trouble::Busy),
            ("778", Trouble::Busy),
            ("13", Trouble::Full),
            ("8", Trouble::ReadOnly),
            ("53100", Trouble::Full),
            ("53300", Trouble::Busy),
            ("57P01", Trouble::Busy),
            ("57014", Trouble::Busy),
            ("08006", Trouble::Busy),
            ("40001", Trouble::Busy),
            ("55P03", Trouble::Busy),
            ("25P03", Trouble::Busy),
            ("25006", Trouble::ReadOnly),
        ] {
            assert_eq!(Trouble::of_code(code), Some(trouble), "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42601", "25P02", ""] {
            assert_eq!(Trouble::of_code(code), None, "{code}");
        }
    }
}
