//! Three vaults on one PostgreSQL, behind one address, of which one after the other is killed.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cardseal_postgres::{Durability, Server};
use cardseal_vault::audit::Heads;
use cardseal_vault::data_dir::DataDir;
use cardseal_vault::store::Location;
use cardseal_vault::vault::{Setup, Vault};
use reqwest::Client;

use super::balancer::Balancer;
use super::ledger::{Ledger, assert_none, lost};
use super::load::{Load, Persistence};
use super::random::Random;
use super::{UNDER_LOAD, kills};
use crate::support::home::{connect, rows};
use crate::support::program::{Served, add_merchant_by, command};

const VAULTS: usize = 3;

/// Connections that ask at once.
const CLIENTS: usize = 6;

/// Most that is acknowledged between two kills, and while one is away.
const LONGEST_LIFE: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn of_three_vaults_one_after_the_other_is_killed_and_nobody_notices() {
    let mut random = Random::of_the_run();
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let postgres = Server::start(data.path(), Durability::Full).unwrap();
    let url = postgres.url("postgres");
    let kek = format!("file:{}", folder.path().join("kek").display());
    let account = add_merchant_by(command(&["merchant", "add", "--database-url", &url, "--kek", &kek]));
    let mut vaults: Vec<Served> = (0..VAULTS).map(|_| serve(&url, folder.path())).collect();
    let balancer = Balancer::start(vaults.iter().map(|vault| vault.address).collect()).await;
    let address = format!("http://{}", balancer.address);
    let (http, ledger) = (Client::new(), Arc::new(Ledger::new()));
    let load = Load::start(CLIENTS, Persistence::GoesOn, &http, &address, &account, &ledger, &mut random);

    let kills = kills() / 5;
    for _ in 0..kills {
        ledger.grow_to(ledger.len() + random.below(LONGEST_LIFE)).await;
        // Any moment of what is under way now is as good as another.
        tokio::time::sleep(random.shorter_than(Duration::from_millis(5))).await;
        let victim = random.below(VAULTS);
        vaults.remove(victim).kill();
        // The others serve meanwhile.
        ledger.grow_to(ledger.len() + random.below(LONGEST_LIFE)).await;
        vaults.insert(victim, serve(&url, folder.path()));
        balancer.replace(victim, vaults[victim].address);
    }
    load.stop().await;

    let entries = ledger.entries();
    let charges: Vec<_> = entries.iter().filter(|entry| entry.object["object"] == "charge").collect();
    let tokens = entries.len() - charges.len();
    // Or else nothing was proved.
    assert!(tokens >= kills * LONGEST_LIFE / 4 && charges.len() >= kills, "{tokens} tokens, {charges:?}");
    assert_none(&lost(entries.clone(), &http, &address).await);
    // However often a charge was asked for, its money was taken once.
    let ids: HashSet<&str> = charges.iter().map(|charge| charge.object["id"].as_str().unwrap()).collect();
    let mut database = connect(&url).await;
    let made = rows(&mut database, "charges").await;
    assert_eq!((ids.len(), i64::try_from(charges.len()).unwrap()), (charges.len(), made));
    assert_audit_is_genuine(&url, folder.path(), made).await;
}

pub(super) fn serve(database: &str, folder: &Path) -> Served {
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--database-url", database]);
    serve.args(UNDER_LOAD).arg("--kek").arg(format!("file:{}", folder.join("kek").display()));
    Served::run(serve)
}

/// Every charge is in the merchant's audit, whose rows three processes have added.
pub(super) async fn assert_audit_is_genuine(database: &str, folder: &Path, charges: i64) {
    let location = Location::Postgres(database.parse().unwrap());
    let setup = Setup { location, ..Setup::in_folder(DataDir::open(folder).unwrap()) };
    let vault = Vault::open(setup).await.unwrap();
    let chains = vault.verify_audit(&Heads::default()).await.unwrap().chains;
    assert!(chains.iter().all(|chain| chain.flaw.is_none()), "{chains:?}");
    assert!(chains.iter().any(|chain| i64::try_from(chain.rows).unwrap() >= charges), "{chains:?}");
    vault.close().await;
}
