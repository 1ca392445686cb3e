//! A newer version that migrates the database under an older one, which goes on and can be started again.

use std::path::Path;
use std::sync::Arc;

use cardseal_vault::store::Location;
use cardseal_vault::store::migrations;
use futures_util::future::try_join_all;
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::migrate::Migrator;

use super::UNDER_LOAD;
use super::asking::{JSON, payment, token};
use super::ledger::{Ledger, assert_none, lost};
use super::load::{Load, Persistence};
use super::random::Random;
use crate::support::Account;
use crate::support::home::{Home, rows, rows_where};
use crate::support::program::{Served, add_merchant_by, command};

/// Connections that ask meanwhile.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_serves_and_starts_beside_a_newer_one() {
    let home = Home::new().await;
    let mut add = command(&["merchant", "add"]);
    home.lead(&mut add);
    let account = add_merchant_by(add);
    let vault = serve(&home);
    let (http, ledger, mut random) = (Client::new(), Arc::new(Ledger::new()), Random::of_the_run());
    // Each statement is prepared while the tables are as it knows them.
    let customer = keep(&vault, &account);
    look_around(&vault, &account, &customer);
    let load = Load::start(CLIENTS, Persistence::GoesOn, &http, &vault.url(), &account, &ledger, &mut random);
    ledger.grow_to(20).await;
    assert_none(&lost(ledger.entries(), &http, &vault.url()).await);

    let location = home.setup().location;
    migrations::run(&location, newer(&location).await).await.unwrap();

    ledger.grow_to(ledger.len() + 20).await;
    load.stop().await;
    assert_none(&lost(ledger.entries(), &http, &vault.url()).await);
    look_around(&vault, &account, &customer);
    let other = keep(&vault, &account);
    vault.signal("TERM");
    let (status, _) = vault.wait();
    assert!(status.success());

    // What was rolled back starts again, and serves what the newer one has stored.
    let mut database = home.connect().await;
    assert_eq!(rows_where(&mut database, "_sqlx_migrations", "version > 1").await, 2);
    sqlx::raw_sql("UPDATE tokens SET note = 'of a newer version'").execute(&mut database).await.unwrap();
    let again = serve(&home);
    assert_none(&lost(ledger.entries(), &http, &again.url()).await);
    look_around(&again, &account, &customer);
    look_around(&again, &account, &other);
    let entry = token(&again, &account);
    payment(&again, &account, entry.object["id"].as_str().unwrap());
    assert_eq!(rows(&mut database, "notes").await, 0);
}

/// On PostgreSQL one of them makes an index that no transaction may be around, while the others wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn many_processes_migrate_at_the_same_time() {
    let home = Home::empty().await;
    let location = home.setup().location;
    let migrating = (0..6).map(|_| {
        let location = location.clone();
        async move { migrations::run(&location, newer(&location).await).await }
    });
    try_join_all(migrating).await.unwrap();
    assert_eq!(rows(&mut home.connect().await, "_sqlx_migrations").await, 3);
}

#[tokio::test]
async fn tables_that_were_made_otherwise_are_not_used() {
    let home = Home::new().await;
    let location = home.setup().location;
    let known = || migrations::of(&location);
    migrations::run(&location, known()).await.unwrap();
    let mut other: Vec<_> = known().iter().cloned().collect();
    other[0].checksum = vec![7; 48].into();
    let refused = migrations::run(&location, Migrator::with_migrations(other)).await;
    assert!(refused.unwrap_err().to_string().contains("tables cannot be brought up to date"));
    migrations::run(&location, known()).await.unwrap();
}

fn serve(home: &Home) -> Served {
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0"]);
    home.lead(&mut serve);
    serve.args(UNDER_LOAD);
    Served::run(serve)
}

/// This version's migrations and those of one to come.
async fn newer(location: &Location) -> Migrator {
    let folder = match location {
        Location::Folder(_) => "tests/durability/newer/sqlite",
        Location::Postgres(_) => "tests/durability/newer/postgres",
    };
    let later = Migrator::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).await.unwrap();
    Migrator::with_migrations(migrations::of(location).iter().chain(later.iter()).cloned().collect())
}

/// Keeps a card; gives the customer's path.
fn keep(vault: &Served, account: &Account) -> String {
    let kept = json!({ "email": "somchai@example.com", "card": token(vault, account).object["id"] });
    let customer = ask(vault, "POST", "/customers", &account.secret_key, &kept);
    customer["location"].as_str().unwrap().to_owned()
}

/// Looks at everything that may be looked at.
fn look_around(vault: &Served, account: &Account, customer: &str) {
    let secret = &account.secret_key;
    let get = |path: &str| ask(vault, "GET", path, secret, &Value::Null);
    let shown = get(customer);
    let card = shown["default_card"].as_str().unwrap();
    assert_eq!(shown["cards"]["total"], 1);
    assert_eq!(get(&format!("{customer}/cards/{card}"))["last_digits"], "4242");
    assert_eq!(get(&format!("{customer}/cards"))["total"], 1);
    assert!(get("/customers")["total"].as_u64().unwrap() > 0);
    ask(
        vault,
        "PATCH",
        customer,
        secret,
        &json!({ "description": "a customer", "card": token(vault, account).object["id"] }),
    );
    let charge = ask(
        vault,
        "POST",
        "/charges",
        secret,
        &json!({ "amount": 100, "currency": "thb", "customer": shown["id"] }),
    );
    assert_eq!(get(charge["location"].as_str().unwrap())["status"], "successful");
    assert!(get("/events")["total"].as_u64().unwrap() > 0);
    let webhook = ask(vault, "POST", "/webhooks", secret, &json!({ "url": "https://shop.example/" }));
    let webhook = format!("/webhooks/{}", webhook["id"].as_str().unwrap());
    get("/webhooks");
    ask(vault, "DELETE", &webhook, secret, &Value::Null);
}

#[track_caller]
fn ask(vault: &Served, method: &str, path: &str, key: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let reply = vault.request(method, path, key, JSON, &body);
    assert_eq!(reply.status, 200, "{method} {path}: {reply:?}");
    reply.json()
}
