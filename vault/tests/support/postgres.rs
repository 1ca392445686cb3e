//! Databases on the PostgreSQL that `CARDSEAL_TEST_POSTGRES` names: `cargo xtask test` starts one, and so does
//! `cargo xtask postgres` for whoever runs tests by hand. Without it tests run on SQLite.

use std::sync::atomic::{AtomicU32, Ordering};

use cardseal_vault::store::{Location, Store, Waits};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::runtime;
use tokio::sync::OnceCell;

/// A database of a test's own, with the vault's tables in it. It goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// None where tests run on SQLite.
    pub(crate) async fn new() -> Option<Self> {
        static TEMPLATE: OnceCell<Database> = OnceCell::const_new();
        let server = server()?;
        // The tables are made once: a copy of a database takes a fraction of the time.
        let template = TEMPLATE.get_or_init(|| Self::template(&server)).await;
        Some(Self::copy(&server, &next_name(), &template.name).await)
    }

    /// One without tables.
    pub(crate) async fn empty() -> Option<Self> {
        Some(Self::copy(&server()?, &next_name(), "template1").await)
    }

    pub(crate) fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    async fn template(server: &str) -> Self {
        let template = Self::copy(server, "template", "template1").await;
        Store::open(&Location::Postgres(template.url().parse().unwrap()), Waits::SERVING)
            .await
            .unwrap()
            .close()
            .await;
        template
    }

    /// No other process uses the name; an earlier one of this number may have.
    async fn copy(server: &str, name: &str, of: &str) -> Self {
        let name = format!("cardseal_{}_{name}", std::process::id());
        execute(server, format!("DROP DATABASE IF EXISTS {name}")).await;
        execute(server, format!("CREATE DATABASE {name} TEMPLATE {of}")).await;
        Self { server: server.to_owned(), name }
    }
}

fn server() -> Option<String> {
    std::env::var("CARDSEAL_TEST_POSTGRES").ok()
}

fn next_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed).to_string()
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // On a thread of its own, as the test's runtime may be what is dropping this.
        let dropping = std::thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, format!("DROP DATABASE {name} WITH (FORCE)")));
        });
        // A test that fails has more to say than this.
        let _ = dropping.join();
    }
}

async fn execute(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}
