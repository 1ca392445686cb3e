use std::path::Path;
use std::process::Command;

use cardseal_vault::data_dir::DataDir;
use cardseal_vault::store::Location;
use cardseal_vault::vault::Setup;
use cardseal_vault::webhook::Reach;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;

use super::postgres::Database;

/// Where a vault keeps its things: a folder, and its database in it or on PostgreSQL.
pub(crate) struct Home {
    folder: TempDir,
    database: Option<Database>,
}

impl Home {
    /// A new one, with the database that the tests run on.
    pub(crate) async fn new() -> Self {
        Self { database: Database::new().await, ..Self::in_folder() }
    }

    /// A new one whose database has no tables yet.
    pub(crate) async fn empty() -> Self {
        Self { database: Database::empty().await, ..Self::in_folder() }
    }

    /// A new one with everything in the folder.
    pub(crate) fn in_folder() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    /// Whether its database is on PostgreSQL, which has a clock of its own.
    pub(crate) const fn is_on_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The address of its database, if that is PostgreSQL's.
    pub(crate) fn postgres(&self) -> Option<String> {
        self.database.as_ref().map(Database::url)
    }

    /// A vault that lives here.
    pub(crate) fn setup(&self) -> Setup {
        let folder = Setup::in_folder(DataDir::open(self.path()).unwrap());
        // The tests' receivers are on this machine.
        let setup = Setup { test_webhooks: Reach::Loopback, ..folder };
        match &self.database {
            Some(database) => {
                Setup { location: Location::Postgres(database.url().parse().unwrap()), ..setup }
            }
            None => setup,
        }
    }

    /// Names it to a command of the program.
    pub(crate) fn lead(&self, command: &mut Command) {
        match &self.database {
            Some(database) => command
                .args(["--database-url", &database.url()])
                .arg("--kek")
                .arg(format!("file:{}", self.path().join("kek").display())),
            None => command.arg("--data-dir").arg(self.path()),
        };
    }

    /// The way to the database behind a vault's back.
    pub(crate) async fn connect(&self) -> AnyConnection {
        match &self.database {
            Some(database) => connect(&database.url()).await,
            None => connect(&sqlite(self.path())).await,
        }
    }
}

/// The address of the database in a vault's folder.
pub(crate) fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("vault.sqlite").display())
}

pub(crate) async fn connect(database: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(database).await.unwrap()
}

/// How many rows a table has.
pub(crate) async fn rows(database: &mut AnyConnection, table: &'static str) -> i64 {
    rows_where(database, table, "1 = 1").await
}

/// How many rows of a table are so.
pub(crate) async fn rows_where(
    database: &mut AnyConnection,
    table: &'static str,
    condition: &'static str,
) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE {condition}"));
    sqlx::query_scalar(sql).fetch_one(database).await.unwrap()
}
