//! The disk is full, or the database is one that only reads: `/readyz` says so, so that requests go elsewhere, and so does each
//! refusal. What only reads is answered, and all goes on by itself.

use axum::http::StatusCode;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use super::{WAITS, answer, database, pays, ready, tokenize};
use crate::durability::asking::{JSON, assert_unavailable, token, tokenize as tokenize_at};
use crate::durability::disk::Disk;
use crate::support::program::{Served, add_merchant_by, command};
use crate::support::{Account, Asked, VISA};

#[test]
fn a_full_disk_is_said_by_readyz_and_by_each_refusal() {
    let disk = Disk::new(4);
    let on_disk =
        |arguments: &[&str]| disk.lead(command(arguments).arg("--data-dir").arg(disk.folder("vault")));
    let account = add_merchant_by(on_disk(&["merchant", "add"]));
    let vault = Served::run(on_disk(&["serve", "--listen", "127.0.0.1:0"]));
    let ready = || vault.request("GET", "/readyz", "", JSON, "");
    token(&vault, &account);
    assert_eq!((ready().status, &ready().json()["checks"]["database"]), (200, &"ok".into()));

    disk.fill();
    let refused = loop {
        let reply = tokenize_at(&vault, &account);
        if reply.status != 200 {
            break reply;
        }
    };
    assert_unavailable(&refused);
    assert_eq!(refused.json()["message"], "the vault's disk is full; try again");
    // Told by that refusal, and then, when nobody asks for a token any more, by what the vault tries itself.
    for _ in 0..30 {
        let reply = ready();
        assert_eq!((reply.status, &reply.json()["checks"]["database"]), (503, &"full".into()), "{reply:?}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }

    disk.free();
    let begun = std::time::Instant::now();
    while ready().status != 200 {
        assert!(begun.elapsed() < super::PATIENCE);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    eprintln!("ready {:?} after there is space again", begun.elapsed());
    token(&vault, &account);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_is_said_by_readyz_and_by_each_refusal() {
    let asked = Asked::new_with(|setup| setup.waits = WAITS).await;
    if asked.dir.postgres().is_none() {
        return;
    }
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    assert_eq!(database(&asked).await, (StatusCode::OK, "ok".into()));

    let mut operator = asked.dir.connect().await;
    // As a primary that becomes a standby: its sessions end, and new ones only read.
    begin_anew(&mut operator, "SET default_transaction_read_only = on").await;
    fails_as(&asked, &account, "read_only", "the vault's database takes nothing in at present; try again")
        .await;
    let look = answer(asked.get(&format!("/tokens/{token}"), &account.secret_key)).await;
    assert_eq!(look.status, StatusCode::OK, "what only reads is answered");
    answer(asked.charge(&account, &token)).await.error(503, "service_unavailable");

    begin_anew(&mut operator, "RESET default_transaction_read_only").await;
    ready(&asked).await;
    pays(&asked, &account).await;
    assert_eq!(answer(asked.charge(&account, &token)).await.status, StatusCode::OK);
    operator.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_postgresqls_is_said_by_readyz_and_by_each_refusal() {
    let asked = Asked::new_with(|setup| setup.waits = WAITS).await;
    if asked.dir.postgres().is_none() {
        return;
    }
    let account = asked.merchant().await;
    // The error that PostgreSQL has for it.
    asked
        .execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
             CREATE TRIGGER full_disk BEFORE INSERT ON tokens EXECUTE FUNCTION full_disk();
             CREATE TRIGGER full_disk BEFORE INSERT ON probes EXECUTE FUNCTION full_disk()",
        )
        .await;
    fails_as(&asked, &account, "full", "the vault's disk is full; try again").await;
    asked.execute("DROP FUNCTION full_disk CASCADE").await;
    ready(&asked).await;
    pays(&asked, &account).await;
}

/// Asserts that `/readyz` says why nothing can be stored before anybody has tried, and that those hear it who try.
async fn fails_as(asked: &Asked, account: &Account, why: &str, message: &str) {
    super::wait_until(async || database(asked).await == (StatusCode::SERVICE_UNAVAILABLE, why.into())).await;
    let refused = tokenize(asked, account).await;
    assert_eq!(refused.error(503, "service_unavailable"), message);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(database(asked).await, (StatusCode::SERVICE_UNAVAILABLE, why.into()));
}

/// Gives the database a setting, and ends all other sessions.
async fn begin_anew(operator: &mut AnyConnection, setting: &str) {
    for sql in [
        "SET default_transaction_read_only = off".to_owned(),
        format!("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {setting}', current_database()); END $$"),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()"
            .to_owned(),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *operator).await.unwrap();
    }
}
