//! SQLite, and a process that is killed again and again.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use cardseal_vault::id::TokenId;
use reqwest::Client;
use serde_json::json;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use super::asking::{payment, token};
use super::ledger::{Entry, Ledger, assert_none, lost};
use super::load::{Load, Persistence};
use super::random::Random;
use super::{UNDER_LOAD, kills};
use crate::support::Account;
use crate::support::program::{Served, add_merchant, command};

/// Connections that ask at once.
const CLIENTS: usize = 4;

/// Most that is acknowledged between two kills.
const LONGEST_LIFE: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_however_often_the_process_is_killed() {
    let kills = kills();
    let mut random = Random::of_the_run();
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let (ledger, http) = (Arc::new(Ledger::new()), Client::new());
    let mut known = 0;
    for _ in 0..kills {
        if random.one_in(5) {
            kill_while_it_starts(&dir, &mut random);
        }
        let vault = start(&dir);
        assert_none(&lost(ledger.entries().split_off(known), &http, &vault.url()).await);
        known = ledger.len();
        let load = Load::start(
            CLIENTS,
            Persistence::EndsWithTheVault,
            &http,
            &vault.url(),
            &account,
            &ledger,
            &mut random,
        );
        ledger.grow_to(known + random.below(LONGEST_LIFE)).await;
        // Any moment of what is under way now is as good as another.
        tokio::time::sleep(random.shorter_than(Duration::from_millis(5))).await;
        vault.kill();
        load.ended().await;
    }
    let vault = start(&dir);
    let entries = ledger.entries();
    let tokens = entries.iter().filter(|entry| entry.object["object"] == "token").count();
    let charges = entries.len() - tokens;
    // Or else nothing was proved.
    assert!(tokens >= kills * LONGEST_LIFE / 4 && charges >= kills, "{tokens} tokens, {charges} charges");
    assert_none(&lost(entries.clone(), &http, &vault.url()).await);
    assert_can_be_charged(&entries, &vault, &account);
}

#[test]
fn a_vault_that_was_killed_while_it_was_made_can_be_opened() {
    let mut random = Random::of_the_run();
    for _ in 0..5 {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("vault");
        for _ in 0..3 {
            kill_while_it_starts(&dir, &mut random);
        }
        let account = add_merchant(&dir);
        token(&start(&dir), &account);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_noticed() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let vault = start(&dir);
    let http = Client::new();
    let mut entries: Vec<Entry> = (0..3).map(|_| token(&vault, &account)).collect();
    assert_none(&lost(entries.clone(), &http, &vault.url()).await);

    // Acknowledged by nobody.
    let mut invented = entries[0].clone();
    invented.object["location"] = json!("/tokens/tokn_test_0000000000000000000000000000");
    // Answered with, but as another card.
    let mut altered = entries[1].clone();
    altered.object["card"]["last_digits"] = json!("0000");
    // Gone from the disk.
    let removed = entries[2].clone();
    let id = TokenId::parse(removed.object["id"].as_str().unwrap()).unwrap();
    let file = SqliteConnectOptions::new().filename(dir.join("vault.sqlite")).foreign_keys(false);
    let pool = SqlitePool::connect_with(file).await.unwrap();
    let deleted = sqlx::query("DELETE FROM tokens WHERE id = $1")
        .bind(id.hash().as_str())
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(deleted.rows_affected(), 1);
    pool.close().await;

    entries.extend([invented, altered]);
    let lost = lost(entries, &http, &vault.url()).await;
    let ids: Vec<&str> = lost.iter().map(|lost| lost.entry.object["location"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3, "{lost:?}");
    assert!(ids[0].ends_with(id.as_str()), "{lost:?}");
    assert!(lost[1].answer.contains("not_found") && lost[2].answer.contains("4242"), "{lost:?}");
}

/// Ends it before it says that it is ready: while it looks into its folder, makes its tables, or reads its keys.
fn kill_while_it_starts(dir: &Path, random: &mut Random) {
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
    let mut vault = serve.arg(dir).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(random.shorter_than(Duration::from_millis(80)));
    vault.kill().unwrap();
    vault.wait().unwrap();
}

fn start(dir: &Path) -> Served {
    Served::start_with(dir, &UNDER_LOAD)
}

/// Of the tokens that nobody has charged, some from all along can be.
fn assert_can_be_charged(entries: &[Entry], vault: &Served, account: &Account) {
    let mut successful = 0;
    for entry in entries.iter().filter(|entry| entry.object["object"] == "token").step_by(entries.len() / 20)
    {
        let id = entry.object["id"].as_str().unwrap();
        let now = vault.request("GET", &format!("/tokens/{id}"), &account.public_key, "", "").json();
        if now["used"] == true {
            continue;
        }
        payment(vault, account, id);
        successful += 1;
    }
    assert!(successful > 0);
}
