//! PostgreSQL's commits wait for a standby that is gone: requests are answered all the same, and nothing is taken for durable
//! that may not be.

use std::time::{Duration, Instant};

use cardseal_postgres::{Durability, Server};
use cardseal_vault::store::Location;
use cardseal_vault::vault::Setup;
use sqlx::{AnyConnection, Connection};

use super::{WAITS, answer, database, pays, ready, tokenize, wait_until};
use crate::support::home::connect;
use crate::support::{Asked, VISA};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_for_durable_and_all_goes_on_when_it_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), Durability::Full).unwrap();
    let location = Location::Postgres(server.url("postgres").parse().unwrap());
    let asked = Asked::new_with(|setup: &mut Setup| {
        setup.location = location;
        setup.waits = WAITS;
    })
    .await;
    let account = asked.merchant().await;
    pays(&asked, &account).await;
    let token = asked.token(&account, VISA).await;

    let mut operator = connect(&server.url("postgres")).await;
    standby(&mut operator, "'gone'").await;
    wait_until(async || tokenize(&asked, &account).await.status == 503).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        tokenize(&asked, &account).await.error(503, "service_unavailable");
    }
    answer(asked.charge(&account, &token)).await.error(503, "service_unavailable");
    assert_eq!(database(&asked).await.0, 503);

    standby(&mut operator, "''").await;
    let healed = Instant::now();
    ready(&asked).await;
    pays(&asked, &account).await;
    eprintln!("a payment {:?} after it is done without", healed.elapsed());
    operator.close().await.unwrap();
    asked.vault.close().await;
}

async fn standby(operator: &mut AnyConnection, name: &'static str) {
    let set = sqlx::AssertSqlSafe(format!("ALTER SYSTEM SET synchronous_standby_names = {name}"));
    // Its own commit would wait too.
    for sql in [
        sqlx::AssertSqlSafe("SET synchronous_commit = local".to_owned()),
        set,
        sqlx::AssertSqlSafe("SELECT pg_reload_conf()".to_owned()),
    ] {
        sqlx::raw_sql(sql).execute(&mut *operator).await.unwrap();
    }
}
