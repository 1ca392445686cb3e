//! The tables, and how they become what this version of the vault needs.
//!
//! Several versions use a database at the same time: while processes are replaced one by one, and when a version is taken
//! back. So each starts and serves whatever newer migrations the database has seen, reads columns by their names, never
//! `*`, and leaves out of an `INSERT` what it does not know. Whoever writes a migration keeps to this:
//! - **It only adds**: a table, an index, a column that may be null or has a constant default. What the version before it
//!   writes must still be accepted, and what it reads still be there.
//! - **What nobody uses any more goes a release later**: after the last version that reads or writes it. Such a file says so
//!   in a line `-- contracts: …` with that version, and a test refuses one that does not.
//! - **It is short.** Rows are filled by vaults while they serve, a few at a time, as re-encryption does.
//! - **On PostgreSQL it locks no table for long**: an index on a table that is there already is made by `CREATE INDEX
//!   CONCURRENTLY`. No transaction may be around it, so it is the only statement of a file whose first line is
//!   `-- no-transaction`. If it is cut off, it leaves an invalid index behind, and the next start fails over its name until
//!   an operator drops it (PostgreSQL's manual, "Building Indexes Concurrently").
//! - **Both folders make the same tables**, statement by statement; a test compares them.

use std::io;
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::{AnyConnection, Connection};
use tokio::time::timeout;

use super::{Location, StoreError, install_drivers, lock_folder, postgres};

/// The migrations of this version of the vault.
#[must_use]
pub fn of(location: &Location) -> Migrator {
    match location {
        Location::Folder(_) => sqlx::migrate!("migrations/sqlite"),
        Location::Postgres(_) => sqlx::migrate!("migrations/postgres"),
    }
}

/// Brings a database's tables up to date, one process at a time.
///
/// # Errors
/// [`StoreError`]
pub async fn run(location: &Location, migrations: Migrator) -> Result<(), StoreError> {
    let lock = lock_folder(location).await?;
    let run = run_locked(location, migrations).await;
    drop(lock);
    run
}

/// The same for whoever holds the folder's lock. Tables that are up to date need nothing, so that nobody who starts waits for
/// a newer version's migrations.
pub(super) async fn run_locked(location: &Location, mut migrations: Migrator) -> Result<(), StoreError> {
    install_drivers();
    let opening = |source| StoreError::Open { location: location.clone(), source };
    // A connection of its own: whatever happens, the lock ends with it.
    let url = location.url();
    let connection = timeout(LONGEST_CONNECT, AnyConnection::connect(&url)).await;
    let silent = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
    let mut connection = connection.map_err(silent).flatten().map_err(opening)?;
    if !is_up_to_date(&mut connection, &migrations).await {
        match location {
            Location::Folder(_) => {}
            Location::Postgres(_) => {
                postgres::notice_lost_clients(&mut connection).await?;
                lock(&mut connection).await?;
            }
        }
        migrations.set_ignore_missing(true).set_locking(false).run(&mut connection).await?;
    }
    Ok(connection.close().await?)
}

/// How long a database may take to let somebody in.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// Whether each migration was made. An empty database cannot tell.
async fn is_up_to_date(connection: &mut AnyConnection, migrations: &Migrator) -> bool {
    let Ok(made) = connection.list_applied_migrations(&migrations.table_name).await else { return false };
    migrations.iter().all(|migration| {
        made.iter().any(|made| made.version == migration.version && made.checksum == migration.checksum)
    })
}

/// Waits until no other process migrates. It asks again and again, since one that waits within a statement holds up
/// `CREATE INDEX CONCURRENTLY`, which waits for all statements that have begun before: neither would ever end. The driver's
/// own lock does that.
async fn lock(connection: &mut AnyConnection) -> Result<(), StoreError> {
    /// Any number that nothing else in the database uses: "cardseal".
    const LOCK: i64 = i64::from_be_bytes(*b"cardseal");
    const AGAIN: Duration = Duration::from_millis(100);
    let mut is_waiting = false;
    loop {
        let query = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK);
        if query.fetch_one(&mut *connection).await? {
            return Ok(());
        }
        if !is_waiting {
            tracing::info!("waiting for another process that brings the tables up to date");
            is_waiting = true;
        }
        tokio::time::sleep(AGAIN).await;
    }
}
