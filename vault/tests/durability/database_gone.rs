//! PostgreSQL that goes and comes back under a running vault.

use std::sync::Arc;

use cardseal_postgres::{Durability, Server, Stop};
use reqwest::Client;

use super::UNDER_LOAD;
use super::asking::{JSON, assert_unavailable, charge, payment, token, tokenize};
use super::ledger::{Ledger, assert_none, lost};
use super::load::{Load, Persistence};
use super::random::Random;
use crate::support::program::{Served, add_merchant_by, command};

/// Connections that ask meanwhile.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_while_the_database_is_away_and_served_when_it_is_back() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut postgres = Server::start(data.path(), Durability::Full).unwrap();
    let kek = format!("file:{}", folder.path().join("kek").display());
    let database = ["--database-url", &postgres.url("postgres"), "--kek", &kek];
    let mut add = command(&["merchant", "add"]);
    add.args(database);
    let account = add_merchant_by(add);
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.args(database).args(UNDER_LOAD);
    let (http, vault) = (Client::new(), Served::run(serve));
    let (mut random, ledger) = (Random::of_the_run(), Arc::new(Ledger::new()));
    let load = Load::start(CLIENTS, Persistence::GoesOn, &http, &vault.url(), &account, &ledger, &mut random);
    for how in [Stop::InOrder, Stop::OnTheSpot] {
        let entry = token(&vault, &account);
        let last = entry.object["id"].as_str().unwrap().to_owned();
        ledger.add(entry);
        ledger.grow_to(ledger.len() + 20).await;

        postgres.stop(how).unwrap();
        assert_eq!(vault.request("GET", "/livez", "", JSON, "").status, 200);
        assert_unavailable(&tokenize(&vault, &account));
        assert_unavailable(&charge(&vault, &account, &last));
        assert_unavailable(&vault.request("GET", &format!("/tokens/{last}"), &account.public_key, JSON, ""));

        postgres.start_again().unwrap();
        ledger.add(token(&vault, &account));
        ledger.add(payment(&vault, &account, &last));
        ledger.grow_to(ledger.len() + 20).await;
    }
    load.stop().await;
    assert_none(&lost(ledger.entries(), &http, &vault.url()).await);
}
