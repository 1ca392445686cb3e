//! A vault's database, with as many tokens in it as wanted.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use cardseal_postgres::{Durability, Server, is_within_reach};
use sqlx::{AnyConnection, Connection};
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

#[derive(Debug)]
pub(super) struct Database {
    folder: PathBuf,
    server: Option<(Server, Option<TempDir>)>,
}

impl Database {
    /// A new one in a folder that is there; PostgreSQL on a server of its own, which writes to the disk as in life.
    pub(super) fn new(kind: Kind, folder: &Path) -> Result<Self> {
        let folder = folder.join(kind.name());
        let server = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => {
                std::fs::create_dir(&folder)?;
                // The user that root's server runs as does not get everywhere.
                let data = folder.join("server");
                let elsewhere = if is_within_reach(&data) { None } else { Some(tempfile::tempdir()?) };
                let data = elsewhere.as_ref().map_or(data, |elsewhere| elsewhere.path().join("server"));
                Some((Server::start(&data, Durability::Full)?, elsewhere))
            }
        };
        Ok(Self { folder, server })
    }

    /// What names it to the vault's program, and beside it the key-encryption key, which has its place in a folder.
    pub(super) fn arguments(&self) -> Vec<String> {
        match &self.server {
            None => vec!["--data-dir".into(), self.folder.display().to_string()],
            Some((server, _)) => vec![
                "--database-url".into(),
                server.url("postgres"),
                "--kek".into(),
                format!("file:{}", self.folder.join("kek").display()),
            ],
        }
    }

    /// Adds tokens until there are so many. They are random bytes in every column that is, with keys as random as a
    /// vault's, and nobody has used them: the indexes are as large as they get.
    pub(super) async fn fill(&self, tokens: u64) -> Result<()> {
        sqlx::any::install_default_drivers();
        let url = match &self.server {
            None => format!("sqlite://{}/vault.sqlite", self.folder.display()),
            Some((server, _)) => server.url("postgres"),
        };
        let mut connection = AnyConnection::connect(&url).await?;
        let stored: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tokens").fetch_one(&mut connection).await?;
        let missing = i64::try_from(tokens)?.saturating_sub(stored);
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        let (fill, settle) = match &self.server {
            None => (FILL_SQLITE, "PRAGMA wal_checkpoint(TRUNCATE)"),
            Some(_) => (FILL_POSTGRES, "VACUUM ANALYZE"),
        };
        let filling = sqlx::query(fill).bind(missing).bind(now).bind(now + 24 * 60 * 60);
        filling.execute(&mut connection).await.context("filling the database")?;
        sqlx::raw_sql(settle).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

const FILL_SQLITE: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 1 WHERE $1 > 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
    INSERT INTO tokens (merchant_id, id, card_id, seal_id, brand, last_digits, fingerprint, fingerprint_key_version,
        security_code_check, data_key_version, pan, details, created_at, expires_at)
    SELECT (SELECT min(id) FROM merchants), 'tokh_' || lower(hex(randomblob(16))),
        'card_test_' || lower(hex(randomblob(13))), lower(hex(randomblob(16))), 'visa', '4242', randomblob(32), 1, 0, 1,
        randomblob(44), randomblob(176), $2, $3
    FROM numbers";

const FILL_POSTGRES: &str = "
    INSERT INTO tokens (merchant_id, id, card_id, seal_id, brand, last_digits, fingerprint, fingerprint_key_version,
        security_code_check, data_key_version, pan, details, created_at, expires_at)
    SELECT (SELECT min(id) FROM merchants), 'tokh_' || md5(random()::text),
        'card_test_' || left(md5(random()::text), 26), md5(random()::text), 'visa', '4242',
        decode(repeat(md5(random()::text), 2), 'hex'), 1, 0, 1, decode(repeat(md5(random()::text), 3), 'hex'),
        decode(repeat(md5(random()::text), 11), 'hex'), $2, $3
    FROM generate_series(1, $1)";
