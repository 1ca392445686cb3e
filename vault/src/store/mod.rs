//! What is durable: SQLite for one machine, PostgreSQL for many, and an answer only after the commit.
//!
//! The SQL is plain, the same for both, and its keys lead with the merchant. Nothing here encrypts: what comes in is ready
//! to be stored.

mod accounts;
mod api_keys;
mod audit;
mod batch;
mod census;
mod charges;
mod checkpoint;
mod clock;
mod counted_numbers;
mod customers;
mod erasures;
mod error;
mod events;
mod expiry;
mod idempotency;
mod keys;
mod load;
mod location;
mod merchants;
pub mod migrations;
mod outlet;
mod pci_tokens;
mod pool;
mod postgres;
mod probe;
mod reencrypt;
mod shares;
mod signs;
mod stored_methods;
mod tokens;
mod transaction;
mod vendor_tokens;
mod waits;
mod webhooks;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::Row;
use sqlx::any::{AnyPoolOptions, AnyRow};

use crate::id::MerchantId;
use crate::keys::data::Ciphertext;
use crate::keys::fingerprint::Fingerprint;
use crate::time::Timestamp;

pub use accounts::StoredAccount;
pub use api_keys::{KeyRow, NewKey};
pub use audit::Change;
pub use census::Census;
pub use charges::{Begun, Ended, NewCharge, Progress, StoredCharge};
pub use counted_numbers::CountedNumber;
pub use customers::{CardRenewal, CustomerUpdate, Keeping, Kept, StoredCustomer, Updated, WithCards};
pub use erasures::{Due, Personal, PersonalRow};
pub use error::{StoreError, Trouble};
pub use events::{NewEvent, StoredEvent, Tell};
pub use expiry::{DELETED_AT_ONCE, Expired};
pub use idempotency::Seen;
pub use keys::{KeyRecord, Purpose, WrappedKey};
pub use load::Load;
pub use location::{Location, NotPostgres, PostgresUrl};
pub use merchants::StoredMerchant;
pub use pci_tokens::{InsertedPci, StoredPciCard, StoredPciToken};
pub use reencrypt::{Cursor, EncryptedRow, Reencrypted, Table};
pub use stored_methods::{MethodChange, MethodRow, NewMethod};
pub use tokens::{Inserted, NewToken, SecurityCodeRow, StoredCard, StoredToken};
pub use vendor_tokens::{Passing, Seal, StoredVendorToken};
pub use waits::Waits;
pub use webhooks::StoredWebhook;

use batch::{Alone, Batcher};
use checkpoint::Checkpointer;
use outlet::Outlet;
use pool::Pool;
use probe::Probe;
use shares::Shares;
use signs::Signs;
use transaction::Transaction;

/// The vault's database.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    waits: Waits,
    /// On SQLite one connection: it writes one transaction at a time, and a queue here is fairer than its busy loop.
    writer: Pool,
    /// The batcher's; on SQLite the writer.
    tokens: Pool,
    readers: Pool,
    /// What each merchant may have of the writers.
    shares: Shares,
    batcher: Batcher,
    probe: Probe,
    /// SQLite's.
    checkpointer: Option<Checkpointer>,
    outlet: Outlet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Store {
    /// Opens the database and brings its tables up to date. Other processes may have it open too, with an older or a newer
    /// version of the vault as well (see [`migrations`]).
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open(location: &Location, waits: Waits) -> Result<Self, StoreError> {
        install_drivers();
        match location {
            Location::Folder(_) => {
                let lock = lock_folder(location).await?;
                let opened = Self::open_sqlite(location, waits).await;
                drop(lock);
                opened
            }
            Location::Postgres(_) => Self::open_postgres(location, waits).await,
        }
    }

    async fn open_sqlite(location: &Location, waits: Waits) -> Result<Self, StoreError> {
        // A file's connection does not break or age, so none is tried before use or replaced.
        let pool = |connections, pragmas: &'static str| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(waits.place)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
                .after_connect(move |connection, _| {
                    Box::pin(async move { sqlx::raw_sql(pragmas).execute(connection).await.map(drop) })
                })
        };
        migrations::run_locked(location, migrations::of(location)).await?;
        let opening = |source| StoreError::Open { location: location.clone(), source };
        let writer = pool(1, WRITER_PRAGMAS).connect(&location.url()).await.map_err(opening)?;
        let readers = pool(SQLITE_READERS, READER_PRAGMAS).connect(&location.url()).await.map_err(opening)?;
        let checkpointer = pool(1, CHECKPOINTER_PRAGMAS).connect(&location.url()).await.map_err(opening)?;
        let checkpointer = Some(Checkpointer::start(checkpointer));
        let signs = Arc::<Signs>::default();
        let [writer, readers] = [writer, readers].map(|pool| Pool::new(pool, waits, Arc::clone(&signs)));
        // There is one writer, so whoever probes waits in its queue.
        let pools = Pools { tokens: writer.clone(), probe: writer.clone(), writer, readers };
        Ok(Self::of(Engine::Sqlite, waits, pools, checkpointer, signs))
    }

    async fn open_postgres(location: &Location, waits: Waits) -> Result<Self, StoreError> {
        migrations::run_locked(location, migrations::of(location)).await?;
        let signs = Arc::<Signs>::default();
        let pool = |connections, lock| {
            let pool =
                postgres::options(waits, lock).max_connections(connections).connect_lazy(&location.url());
            let pool = pool.map_err(|source| StoreError::Open { location: location.clone(), source })?;
            Ok::<_, StoreError>(Pool::new(pool, waits, Arc::clone(&signs)))
        };
        let pools = Pools {
            writer: pool(WRITERS, waits.lock)?,
            tokens: pool(COMMITTERS, waits.shared_lock)?,
            readers: pool(READERS, waits.lock)?,
            probe: pool(1, waits.lock)?,
        };
        keep_codes_out_of_the_log(&pools.writer).await?;
        Ok(Self::of(Engine::Postgres, waits, pools, None, signs))
    }

    fn of(
        engine: Engine,
        waits: Waits,
        pools: Pools,
        checkpointer: Option<Checkpointer>,
        signs: Arc<Signs>,
    ) -> Self {
        let Pools { writer, tokens, readers, probe } = pools;
        let shares = Shares::new(SHARE);
        let committers = match engine {
            // Its commits keep each other waiting.
            Engine::Sqlite => 1,
            Engine::Postgres => COMMITTERS,
        };
        let alone = Alone { engine, waits, writer: writer.clone(), shares: shares.clone() };
        Self {
            batcher: Batcher::start(committers, &tokens, &alone, checkpointer.as_ref()),
            probe: Probe::new(engine, probe, waits.probe, signs),
            engine,
            waits,
            writer,
            tokens,
            readers,
            shares,
            checkpointer,
            outlet: Outlet::default(),
        }
    }

    /// The same, which also writes the heads of the audit's chains into a file.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn telling_heads(self, file: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Heads { path: file.into(), source };
        Ok(Self { outlet: Outlet::with_file(file).map_err(failed)?, ..self })
    }

    /// Writes what is still in SQLite's log into the database and lets go of its files, or of the connections.
    pub async fn close(&self) {
        for pool in [&self.readers, &self.tokens] {
            pool.close().await;
        }
        self.probe.close().await;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.close().await;
        }
        self.writer.close().await;
    }

    /// Whether anything can be stored now, or why not: a small write tells, if nothing else does. Anybody may ask at any time.
    ///
    /// # Errors
    /// [`Trouble`]
    pub async fn probe(&self) -> Result<(), Trouble> {
        self.probe.ask().await
    }

    /// Hears that something is deleted which SQLite's log must not keep: a security code, a person.
    fn forgot(&self) {
        self.checkpointer.iter().for_each(Checkpointer::deleted);
    }

    /// A transaction: a merchant's, within its share, or the vault's own.
    async fn write(&self, merchant: impl Into<Option<&MerchantId>>) -> Result<Transaction, StoreError> {
        let share = match merchant.into() {
            Some(merchant) => {
                let share = self.shares.take(merchant, self.waits.place).await;
                Some(share.ok_or(StoreError::Unavailable(Trouble::Busy))?)
            }
            None => None,
        };
        self.checkpointer.iter().for_each(|checkpointer| checkpointer.count(1));
        Transaction::begin(self.engine, &self.writer, share).await
    }
}

/// Apart, so that nobody waits for what others do with theirs.
struct Pools {
    writer: Pool,
    /// The batcher's.
    tokens: Pool,
    readers: Pool,
    probe: Pool,
}

/// SQLite's connections that only read.
const SQLITE_READERS: u32 = 8;

/// One process's connections to PostgreSQL, which has 100 for all by default: those that write, those that keep tokens, those
/// that only read. Whoever asks whether anything can be stored has one more.
const WRITERS: u32 = 8;
const COMMITTERS: u32 = 4;
const READERS: u32 = 7;

/// A merchant's transactions at once: a quarter of the writers. More would only wait for each other, for the end of the
/// merchant's audit. On SQLite it is what others wait for at most in the writer's queue.
const SHARE: usize = 2;

/// A commit is on the disk before anybody hears of it. What is deleted is overwritten, not only unlinked: security codes
/// are. The time-out is for other processes' transactions. The log is emptied by the checkpointer; the writer does so itself
/// only when it has come to 64 MiB.
const WRITER_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 16384";

/// It has everybody wait while it empties the log, so it gives up soon.
const CHECKPOINTER_PRAGMAS: &str = "PRAGMA busy_timeout = 100; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON";

const READER_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON";

/// Sees to it that security codes are in no archive of PostgreSQL's log, no replica and no physical backup: the migration
/// has made their table so, and an operator may have changed it.
async fn keep_codes_out_of_the_log(pool: &Pool) -> Result<(), StoreError> {
    const LOGGED: &str = "SELECT 1 FROM pg_class
        WHERE oid = 'security_codes'::regclass AND relpersistence = 'p' AND relkind = 'r'";
    if sqlx::query(LOGGED).fetch_optional(pool).await?.is_some() {
        // What is in it opens for nobody who has the log and every key. So a database that cannot do this serves all the same.
        match sqlx::query("ALTER TABLE security_codes SET UNLOGGED").execute(pool).await {
            Ok(_) => tracing::warn!("the table security_codes was logged; it is UNLOGGED now"),
            Err(error) => {
                tracing::error!(%error, "the table security_codes is logged, and cannot be made UNLOGGED")
            }
        }
    }
    Ok(())
}

/// Waits for whoever makes or opens the database in the same folder. PostgreSQL has no need of it. It asks again and again: a
/// thread that waited within the system would outlast a process that is told to stop.
async fn lock_folder(location: &Location) -> Result<Option<File>, StoreError> {
    const AGAIN: Duration = Duration::from_millis(20);
    let Location::Folder(dir) = location else { return Ok(None) };
    let mut is_waiting = false;
    loop {
        if let Some(lock) = dir.try_lock().map_err(StoreError::Lock)? {
            return Ok(Some(lock));
        }
        if !is_waiting {
            tracing::info!("waiting for another process that opens the database in the folder");
            is_waiting = true;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn install_drivers() {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
}

/// Numbers that this store has written itself, back from its one type of number.
fn unsigned<T: TryFrom<i64>>(row: &AnyRow, column: &'static str) -> Result<T, StoreError> {
    T::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Corrupt(column))
}

fn timestamp(row: &AnyRow, column: &'static str) -> Result<Timestamp, StoreError> {
    unsigned(row, column).map(Timestamp::from_unix_seconds)
}

fn text(row: &AnyRow, column: &'static str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

/// A text that some type reads.
fn parsed<T>(
    row: &AnyRow,
    column: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    parse(&text(row, column)?).ok_or(StoreError::Corrupt(column))
}

fn flag(row: &AnyRow, column: &'static str) -> Result<bool, StoreError> {
    match row.try_get::<i64, _>(column)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(StoreError::Corrupt(column)),
    }
}

fn ciphertext(row: &AnyRow, column: &'static str) -> Result<Ciphertext, StoreError> {
    Ok(Ciphertext { key_version: unsigned(row, "data_key_version")?, bytes: row.try_get(column)? })
}

fn fingerprint(row: &AnyRow) -> Result<Fingerprint, StoreError> {
    let key_version = unsigned(row, "fingerprint_key_version")?;
    Ok(Fingerprint { key_version, bytes: row.try_get("fingerprint")? })
}

fn seconds(time: Timestamp) -> i64 {
    // No later than the year 9999.
    i64::try_from(time.unix_seconds()).unwrap_or(i64::MAX)
}
