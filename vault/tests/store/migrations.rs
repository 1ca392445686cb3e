//! What migrations do, by their texts and by the databases that they make.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cardseal_vault::store::migrations;
use sqlx::{AnyConnection, Row};

use crate::support::home::Home;

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

#[test]
fn both_databases_are_migrated_by_the_same_statements() {
    let [sqlite, postgres] = ENGINES.map(|engine| {
        files(engine).into_iter().map(|(name, sql)| (name, statements(&sql).collect::<Vec<_>>().join(";\n")))
    });
    let sqlite: Vec<_> = sqlite
        .map(|(name, sql)| {
            let words: Vec<_> = sql.split(' ').map(of_postgres).collect();
            (name, words.join(" ").replace(") STRICT", ")"))
        })
        .collect();
    let postgres: Vec<_> = postgres
        .map(|(name, sql)| (name, sql.replace(" CONCURRENTLY", "").replace(" UNLOGGED", "")))
        .collect();
    assert!(sqlite[0].1.contains("CREATE TABLE tokens ( merchant_id TEXT NOT NULL,"), "{}", sqlite[0].1);
    assert_eq!(sqlite, postgres);
}

/// A type of SQLite's as PostgreSQL calls it.
fn of_postgres(word: &str) -> String {
    let (name, comma) = word.strip_suffix(',').map_or((word, ""), |name| (name, ","));
    let name = match name {
        "INTEGER" => "BIGINT",
        "BLOB" => "BYTEA",
        name => name,
    };
    format!("{name}{comma}")
}

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let (folder, home) = (Home::in_folder(), Home::new().await);
    let location = folder.setup().location;
    migrations::run(&location, migrations::of(&location)).await.unwrap();
    let sqlite = sqlite_tables(&mut folder.connect().await).await;
    assert!(sqlite.len() > 10 && sqlite["tokens"].columns.len() > 10, "{sqlite:?}");
    if std::env::var_os("CARDSEAL_TEST_POSTGRES").is_some() {
        let postgres = postgres_tables(&mut home.connect().await).await;
        for (name, table) in &sqlite {
            assert_eq!(postgres.get(name), Some(table), "{name}");
        }
        assert_eq!(postgres.len(), sqlite.len());
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name, type and whether it may be null, in their order.
    columns: Vec<(String, String, bool)>,
    /// The columns of the primary key, in its order.
    key: Vec<String>,
    /// Columns of the others by name; whether each is unique, and is of some rows only.
    indexes: BTreeMap<String, (Vec<String>, bool, bool)>,
    checks: usize,
}

async fn sqlite_tables(database: &mut AnyConnection) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sql%'";
    for row in sqlx::query(sql).fetch_all(&mut *database).await.unwrap() {
        let (name, sql): (String, String) = (row.get(0), row.get(1));
        let checks = statements(&sql).map(|sql| sql.matches("CHECK").count()).sum();
        tables.insert(name, Table { checks, ..Table::default() });
    }
    for (name, table) in &mut tables {
        let sql = "SELECT name, type, \"notnull\", pk FROM pragma_table_info($1) ORDER BY cid";
        let mut key = BTreeMap::new();
        for row in sqlx::query(sql).bind(name.as_str()).fetch_all(&mut *database).await.unwrap() {
            let (column, kind): (String, String) = (row.get(0), row.get(1));
            if row.get::<i64, _>(3) > 0 {
                key.insert(row.get::<i64, _>(3), column.clone());
            }
            table.columns.push((column, of_postgres(&kind).to_lowercase(), row.get::<i64, _>(2) == 0));
        }
        table.key = key.into_values().collect();
        let sql = "SELECT list.name, list.\"unique\", list.partial, columns.name
             FROM pragma_index_list($1) AS list, pragma_index_info(list.name) AS columns
             WHERE list.origin <> 'pk' ORDER BY list.name, columns.seqno";
        for row in sqlx::query(sql).bind(name.as_str()).fetch_all(&mut *database).await.unwrap() {
            // One that a UNIQUE has made is called by the table and its column on PostgreSQL.
            let index: String = row.get(0);
            let column: String = row.get(3);
            let index =
                if index.starts_with("sqlite_autoindex") { format!("{name}_{column}_key") } else { index };
            let (unique, partial) = (row.get::<i64, _>(1) == 1, row.get::<i64, _>(2) == 1);
            table.indexes.entry(index).or_insert((Vec::new(), unique, partial)).0.push(column);
        }
    }
    tables
}

async fn postgres_tables(database: &mut AnyConnection) -> BTreeMap<String, Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let sql = "SELECT table_name::text, column_name::text, data_type::text, (is_nullable = 'YES')
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY table_name, ordinal_position";
    for row in sqlx::query(sql).fetch_all(&mut *database).await.unwrap() {
        let table = tables.entry(row.get(0)).or_default();
        table.columns.push((row.get(1), row.get(2), row.get(3)));
    }
    for (name, table) in &mut tables {
        let sql = "SELECT indexes.relname::text, pg_index.indisprimary, pg_index.indisunique,
                 (pg_index.indpred IS NOT NULL), attributes.attname::text
             FROM pg_index JOIN pg_class AS indexes ON indexes.oid = pg_index.indexrelid
             JOIN pg_attribute AS attributes ON attributes.attrelid = indexes.oid
             WHERE pg_index.indrelid = $1::regclass AND pg_index.indisvalid
             ORDER BY indexes.relname, attributes.attnum";
        for row in sqlx::query(sql).bind(name.as_str()).fetch_all(&mut *database).await.unwrap() {
            if row.get(1) {
                table.key.push(row.get(4));
            } else {
                let index = table.indexes.entry(row.get(0)).or_insert((Vec::new(), row.get(2), row.get(3)));
                index.0.push(row.get(4));
            }
        }
        let sql = "SELECT count(*) FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'";
        let checks: i64 =
            sqlx::query_scalar(sql).bind(name.as_str()).fetch_one(&mut *database).await.unwrap();
        table.checks = checks.try_into().unwrap();
    }
    tables
}

#[test]
fn no_migration_takes_away_what_the_version_before_it_uses() {
    for engine in ENGINES {
        // The first meets an empty database.
        for (name, sql) in files(engine).into_iter().skip(1).chain(later(engine)) {
            assert_eq!(fault(&sql, engine), None, "{name} for {engine:?}; see store/migrations.rs");
        }
    }
}

#[test]
fn what_a_migration_must_not_do_is_seen() {
    for sql in [
        "DROP TABLE tokens",
        "drop index tokens_by_seal",
        "ALTER TABLE tokens DROP COLUMN pan",
        "ALTER TABLE tokens RENAME TO cards",
        "ALTER TABLE tokens RENAME COLUMN pan TO number",
        "ALTER TABLE tokens ALTER COLUMN seal_id SET NOT NULL",
        "ALTER TABLE tokens ALTER COLUMN seal_id TYPE BYTEA",
        "ALTER TABLE tokens ADD COLUMN note TEXT NOT NULL",
        "ALTER TABLE tokens ADD COLUMN note TEXT UNIQUE",
        "ALTER TABLE tokens ADD COLUMN note TEXT, DROP COLUMN pan",
        "ALTER TABLE tokens ADD CONSTRAINT few CHECK (amount > 7)",
        "CREATE UNIQUE INDEX few ON tokens (merchant_id)",
        "CREATE TABLE notes (id TEXT); DELETE FROM tokens",
        "UPDATE tokens SET note = ''",
        "-- contracts:\nDROP TABLE notes",
    ] {
        for engine in ENGINES {
            assert!(fault(sql, engine).is_some(), "{sql} for {engine:?}");
        }
    }
    for sql in [
        "CREATE INDEX tokens_by_note ON tokens (note)",
        "CREATE INDEX CONCURRENTLY tokens_by_note ON tokens (note)",
        "-- no-transaction\nALTER TABLE tokens ADD COLUMN note TEXT;\nCREATE INDEX CONCURRENTLY a ON tokens (note)",
    ] {
        assert!(fault(sql, Engine::Postgres).is_some(), "{sql}");
    }
    for sql in [
        "CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY); CREATE UNIQUE INDEX notes_by_id ON notes (id);",
        "ALTER TABLE tokens ADD COLUMN note TEXT;",
        "ALTER TABLE tokens ADD COLUMN notes BIGINT NOT NULL DEFAULT 0",
        "-- contracts: notes, which 0.9 reads for the last time\nDROP TABLE notes",
    ] {
        for engine in ENGINES {
            assert_eq!(fault(sql, engine), None, "{sql} for {engine:?}");
        }
    }
}

/// Versions beside a newer one would read other columns than they mean, or none at all on PostgreSQL ("cached plan must not
/// change result type").
#[test]
fn the_store_reads_columns_by_their_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        seen += text.matches("SELECT ").count();
        for everything in ["SELECT *", "RETURNING *", ".*,", ".* "] {
            assert!(!text.contains(everything), "{everything} in {}", path.display());
        }
    }
    assert!(seen > 20, "{seen}");
}

/// What is wrong with a migration of a database that is in use. It knows few statements, and takes those alone.
fn fault(sql: &str, engine: Engine) -> Option<String> {
    let contracts =
        sql.lines().any(|line| line.strip_prefix("-- contracts: ").is_some_and(|why| !why.is_empty()));
    if contracts {
        return None;
    }
    let alone = sql.starts_with("-- no-transaction");
    let statements: Vec<_> = statements(sql).map(|sql| sql.to_uppercase()).collect();
    if alone && statements.len() != 1 {
        return Some("more than one statement without a transaction".into());
    }
    let mut made = Vec::new();
    statements.into_iter().find(|statement| {
        let words: Vec<_> = statement.split([' ', '(']).filter(|word| !word.is_empty()).collect();
        let fine = match *words {
            ["CREATE", "TABLE", name, ..] => {
                made.push(name.to_owned());
                true
            }
            ["CREATE", "INDEX", "CONCURRENTLY", _, "ON", ..] => engine == Engine::Postgres && alone,
            ["CREATE", "INDEX", _, "ON", table, ..] => {
                engine == Engine::Sqlite || made.iter().any(|made| made == table)
            }
            ["CREATE", "UNIQUE", "INDEX", _, "ON", table, ..] => made.iter().any(|made| made == table),
            ["ALTER", "TABLE", _, "ADD", "COLUMN", _, _] => true,
            ["ALTER", "TABLE", _, "ADD", "COLUMN", _, _, "NOT", "NULL", "DEFAULT", _] => true,
            _ => false,
        };
        !fine
    })
}

/// The statements of a file, without comments, with one space between words.
fn statements(sql: &str) -> impl Iterator<Item = String> {
    let text: Vec<_> = sql.lines().map(|line| line.split("--").next().unwrap()).collect();
    let statements: Vec<_> = text
        .join(" ")
        .split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|statement| !statement.is_empty())
        .collect();
    statements.into_iter()
}

/// The migrations for a database, in their order.
fn files(engine: Engine) -> Vec<(String, String)> {
    read(match engine {
        Engine::Sqlite => "migrations/sqlite",
        Engine::Postgres => "migrations/postgres",
    })
}

/// Those of the tests.
fn later(engine: Engine) -> Vec<(String, String)> {
    read(match engine {
        Engine::Sqlite => "tests/durability/newer/sqlite",
        Engine::Postgres => "tests/durability/newer/postgres",
    })
}

fn read(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}
