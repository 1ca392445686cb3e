//! A wait for a synchronous standby that an administrator cancels: PostgreSQL then says that all went well, with no more than
//! a warning. The vault does not say so.

use std::time::Duration;

use cardseal_postgres::{Durability, Server};
use sqlx::{AnyConnection, AssertSqlSafe};

use super::asking::{assert_unavailable, charge, payment, token, tokenize};
use super::cluster::eventually;
use crate::support::home::connect;
use crate::support::program::{Reply, Served, add_merchant_by, command};

/// Sessions that wait for the standby.
const WAITING: &str = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_primary_has_is_not_acknowledged_when_the_wait_for_the_standby_is_cancelled() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let postgres = Server::start(data.path(), Durability::Full).unwrap();
    let url = postgres.url("postgres");
    let kek = format!("file:{}", folder.path().join("kek").display());
    let account = add_merchant_by(command(&["merchant", "add", "--database-url", &url, "--kek", &kek]));
    let vault =
        Served::run(command(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url, "--kek", &kek]));
    let mut database = connect(&url).await;

    for how in ["pg_cancel_backend", "pg_terminate_backend"] {
        let uncharged = token(&vault, &account);
        let id = uncharged.object["id"].as_str().unwrap();
        wait_for(&mut database, "nobody").await;
        assert_unavailable(&ended_by(how, &mut database, || tokenize(&vault, &account)).await);
        assert_unavailable(&ended_by(how, &mut database, || charge(&vault, &account, id)).await);
        wait_for(&mut database, "").await;
    }
    // It goes on by itself.
    token(&vault, &account);
    let other = token(&vault, &account);
    payment(&vault, &account, other.object["id"].as_str().unwrap());
}

/// Asks, and meanwhile ends every wait for the standby, again and again.
async fn ended_by(
    how: &'static str,
    database: &mut AnyConnection,
    ask: impl FnOnce() -> Reply + Send,
) -> Reply {
    let mut ended = 0_i64;
    let reply = std::thread::scope(|scope| {
        let asking = scope.spawn(ask);
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(eventually(async || {
                let sql = format!("SELECT count({how}(pid)) {WAITING}");
                ended +=
                    sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(&mut *database).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                asking.is_finished()
            }))
        });
        asking.join().unwrap()
    });
    // Or else nothing was proved.
    assert!(ended > 0, "{how}: nobody waited");
    reply
}

/// Has the primary wait for a standby of this name, or for none.
async fn wait_for(database: &mut AnyConnection, standby: &str) {
    for sql in [
        format!("ALTER SYSTEM SET synchronous_standby_names = '{standby}'"),
        "SELECT pg_reload_conf()::int::bigint".to_owned(),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *database).await.unwrap();
    }
    let set = "SELECT current_setting('synchronous_standby_names')";
    assert!(
        eventually(async || {
            sqlx::query_scalar::<_, String>(set).fetch_one(&mut *database).await.unwrap() == standby
        })
        .await
    );
}
