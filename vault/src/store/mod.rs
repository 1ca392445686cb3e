//! What is durable: SQLite, one writer, many readers, and an answer only after the commit.
//!
//! The SQL is plain and its keys lead with the merchant. Nothing here encrypts: what comes in is ready to be stored.

mod charges;
mod keys;
mod merchants;
mod tokens;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};
use thiserror::Error;

use crate::data_dir::DataDir;

pub use charges::{Begun, NewCharge, StoredCharge};
pub use keys::{Purpose, WrappedKey};
pub use tokens::{Inserted, NewToken, SecurityCodeRow, StoredToken};

/// The vault's database.
#[derive(Clone, Debug)]
pub struct Store {
    /// One connection: SQLite writes one transaction at a time, and a queue here is fairer than its busy loop.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// Opens the folder's database and brings its tables up to date. Other processes may have it open too.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open(dir: &DataDir) -> Result<Self, StoreError> {
        let locked = tokio::task::spawn_blocking({
            let dir = dir.clone();
            move || dir.lock()
        });
        let lock = locked.await.map_err(io::Error::other).and_then(|lock| lock).map_err(StoreError::Lock)?;

        let file = SqliteConnectOptions::new()
            .filename(dir.database())
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let for_writing = file
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is on the disk before anybody hears of it.
            .synchronous(SqliteSynchronous::Full)
            // What is deleted is overwritten, not only unlinked: security codes are.
            .pragma("secure_delete", "ON");
        // A file's connection does not break or age, so none is tried before use or replaced.
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(BUSY_TIMEOUT)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let opening = |source| StoreError::Open { path: dir.database(), source };
        let writer = pool().max_connections(1).connect_with(for_writing).await.map_err(opening)?;
        sqlx::migrate!("migrations/sqlite").run(&writer).await?;
        let for_reading = file.pragma("query_only", "ON");
        let readers = pool().max_connections(READERS).connect_with(for_reading).await.map_err(opening)?;
        drop(lock);
        Ok(Self { writer, readers })
    }

    /// Writes what is still in the log into the database and lets go of its files.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// A transaction that holds the right to write from its first statement on, so that it cannot fail for it later.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// How long a request waits for a connection, and SQLite for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that only read.
const READERS: u32 = 8;

/// Why the store failed. Never the caller's fault.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A row holds what was never written there. The database was tampered with, or this is a bug.
    #[error("the database holds an unreadable {0}")]
    Corrupt(&'static str),
    /// The database failed. Trying again may help.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The folder could not be locked.
    #[error("the data folder cannot be locked: {0}")]
    Lock(io::Error),
    /// The tables could not be brought up to date, for example since a newer vault has been here.
    #[error("the database's tables cannot be brought up to date: {0}")]
    Migration(#[from] MigrateError),
    /// The file could not be opened.
    #[error("the database {path} cannot be opened: {source}", path = .path.display())]
    Open {
        /// The database's file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
}

impl StoreError {
    /// Whether the database was only too busy.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolTimedOut))
    }
}

/// Numbers that this store has written itself, back from SQLite's one type of number.
fn unsigned<T: TryFrom<i64>>(number: i64, what: &'static str) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| StoreError::Corrupt(what))
}
