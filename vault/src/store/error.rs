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
    /// The database could not be reached or written, as its log line says. Trying again may help.
    #[error("the database cannot be written")]
    Unavailable,
}

impl StoreError {
    /// Whether the database will do again what it cannot do now: it is busy, full, or away. Nothing was stored.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unavailable => true,
            Self::Database(error) => match error {
                sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
                sqlx::Error::WorkerCrashed => true,
                sqlx::Error::Database(error) => error.code().is_some_and(|code| is_temporary(&code)),
                _ => false,
            },
            Self::Corrupt(_)
            | Self::Heads { .. }
            | Self::Lock(_)
            | Self::Migration(_)
            | Self::Open { .. } => false,
        }
    }
}

/// PostgreSQL's codes have five characters (its manual, appendix A), SQLite's are numbers whose low byte says the kind
/// (sqlite.org/rescode.html).
fn is_temporary(code: &str) -> bool {
    if code.len() == 5 && !code.starts_with(char::is_whitespace) {
        // Lost connections, resources that ran out, an operator's intervention, lost races, and a server that became one
        // for reading only.
        let classes = ["08", "53", "57", "40", "25006", "55P03"];
        return classes.iter().any(|class| code.starts_with(class));
    }
    const BUSY: u32 = 5;
    const READ_ONLY: u32 = 8;
    const IO: u32 = 10;
    const FULL: u32 = 13;
    const CANNOT_OPEN: u32 = 14;
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, BUSY | READ_ONLY | IO | FULL | CANNOT_OPEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_will_pass_is_told_from_what_will_not() {
        for code in ["5", "13", "778", "53100", "57P01", "08006", "40001", "25006"] {
            assert!(is_temporary(code), "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42601", ""] {
            assert!(!is_temporary(code), "{code}");
        }
    }
}
