//! A vault whose database is not there yet, or does not let it in: it listens, says what it waits for, and serves by itself
//! once it can. A service manager has nothing to do.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

use cardseal_postgres::{Durability, Server, Stop};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::NamedTempFile;

use crate::support::home::{connect, sqlite};
use crate::support::program::{Reply, Served, add_merchant, command, message};

/// A vault that does not serve yet. It is killed when a test is done with it.
struct Waiting {
    child: Child,
    log: NamedTempFile,
    address: SocketAddr,
}

impl Waiting {
    /// Starts one that finds no database, and waits until it says so.
    fn start(serve: Command) -> Self {
        let waiting = Self::begin(serve);
        let told = json!({ "status": "failing", "checks": { "database": "waiting" } });
        while waiting.ask("GET", "/readyz").json() != told {
            thread::yield_now();
        }
        waiting
    }

    /// Starts one, and waits until it listens.
    fn begin(mut serve: Command) -> Self {
        serve.args(["--listen", "127.0.0.1:0", "--log-format", "json"]);
        let log = NamedTempFile::new().unwrap();
        let child = serve.stdout(Stdio::piped()).stderr(log.reopen().unwrap()).spawn().unwrap();
        let mut waiting = Self { child, log, address: ([127, 0, 0, 1], 0).into() };
        waiting.address = loop {
            let address = waiting.lines().find_map(|line| Some(line["address"].as_str()?.parse().unwrap()));
            if let Some(address) = address {
                break address;
            }
            assert!(waiting.child.try_wait().unwrap().is_none(), "{}", waiting.text());
            thread::yield_now();
        };
        waiting
    }

    fn text(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    fn lines(&self) -> impl Iterator<Item = Value> + use<> {
        let lines: Vec<_> = self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter()
    }

    /// Waits for a line of the log with an error like this.
    fn says(&self, error: &str) {
        let says = |line: Value| line["error"].as_str().is_some_and(|text| text.contains(error));
        while !self.lines().any(says) {
            thread::yield_now();
        }
    }

    fn ask(&self, method: &str, path: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(message(method, path, "skey_test_0", "application/json", "{}").as_bytes()).unwrap();
        Reply::read(&mut stream)
    }

    fn assert_alive_but_not_open(&self) {
        assert_eq!(self.ask("GET", "/livez").status, 200);
        assert_eq!(self.ask("GET", "/readyz").status, 503);
        let refused = self.ask("POST", "/tokens");
        assert_eq!((refused.status, &refused.json()["code"]), (503, &json!("service_unavailable")));
    }

    /// Waits until it says that it serves.
    fn assert_serves(mut self) {
        let mut line = String::new();
        BufReader::new(self.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, format!("cardseal-vault listening on http://{}\n", self.address), "{}", self.text());
        assert_eq!(self.ask("GET", "/readyz").status, 200);
    }

    fn assert_stops(mut self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "{}", self.text());
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn on_postgres(url: &str, folder: &Path) -> Command {
    let mut serve = command(&["serve", "--database-url", url, "--kek"]);
    serve.arg(format!("file:{}", folder.join("kek").display()));
    serve
}

fn in_folder(folder: &Path) -> Command {
    let mut serve = command(&["serve", "--data-dir"]);
    serve.arg(folder);
    serve
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_waits_for_a_database_that_is_down_and_serves_when_it_comes() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut postgres = Server::start(data.path(), Durability::Full).unwrap();
    let url = postgres.url("postgres");
    postgres.stop(Stop::InOrder).unwrap();
    let (first, second) =
        (Waiting::start(on_postgres(&url, folder.path())), Waiting::start(on_postgres(&url, folder.path())));
    for vault in [&first, &second] {
        vault.assert_alive_but_not_open();
        vault.says("cannot be opened");
    }
    second.assert_stops();
    postgres.start_again().unwrap();
    first.assert_serves();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_database_does_not_let_in_is_said_until_it_does() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let postgres = Server::start(data.path(), Durability::Full).unwrap();
    let url = postgres.url("postgres");
    let mut stranger = PgConnection::connect(&url).await.unwrap();
    stranger.execute("CREATE ROLE late LOGIN PASSWORD 'another' CREATEDB").await.unwrap();
    let (_, place) = url.split_once('@').unwrap();
    let mine = format!("postgres://late:secret@{}", place.replacen("/postgres", "/nowhere", 1));

    let vault = Waiting::start(on_postgres(&mine, folder.path()));
    vault.says("password authentication failed");
    vault.assert_alive_but_not_open();
    stranger.execute("ALTER ROLE late PASSWORD 'secret'").await.unwrap();
    vault.says("database \"nowhere\" does not exist");
    vault.assert_alive_but_not_open();
    stranger.execute(AssertSqlSafe("CREATE DATABASE nowhere OWNER late")).await.unwrap();
    // It is no secret that its log tells.
    assert!(!vault.text().contains("secret"), "{}", vault.text());
    vault.assert_serves();
}

#[test]
fn a_vault_waits_for_whoever_opens_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    add_merchant(folder.path());
    let lock = fs::File::open(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let (first, second) =
        (Waiting::begin(in_folder(folder.path())), Waiting::begin(in_folder(folder.path())));
    first.assert_alive_but_not_open();
    second.assert_stops();
    drop(lock);
    first.assert_serves();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_waits_for_whoever_writes_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    add_merchant(folder.path());
    let mut stranger = connect(&sqlite(folder.path())).await;
    stranger.execute("BEGIN IMMEDIATE").await.unwrap();
    let (first, second) =
        (Waiting::start(in_folder(folder.path())), Waiting::start(in_folder(folder.path())));
    first.assert_alive_but_not_open();
    first.says("locked");
    second.assert_stops();
    stranger.execute("ROLLBACK").await.unwrap();
    first.assert_serves();
}

#[test]
fn what_waiting_does_not_help_with_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    Served::start(folder.path()).kill();
    fs::write(folder.path().join("vault.sqlite"), "no database").unwrap();
    let output = in_folder(folder.path()).args(["--listen", "127.0.0.1:0"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("not a database"));
}
