//! A machine stops in the midst of a merchant's transaction, or somebody holds that merchant's lock: it is no other merchant's
//! business, and not for long the merchant's.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use cardseal_vault::merchant::{ClearCards, Mode};
use futures_util::future::join_all;
use serde_json::json;
use sqlx::{AnyConnection, Connection};

use super::network::Network;
use super::{PATIENCE, WAITS, answer, database, pays, ready, tokenize};
use crate::support::{Account, Asked, SHOP, VISA, clear_card};

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_lock_on_a_merchant_is_no_other_merchants_business() {
    let asked = Asked::new_with(|setup| setup.waits = WAITS).await;
    if asked.dir.postgres().is_none() {
        return;
    }
    let (one, other) = (asked.merchant().await, asked.merchant().await);
    pays(&asked, &one).await;
    let mut tokens = Vec::new();
    for _ in 0..18 {
        tokens.push(asked.token(&one, VISA).await);
    }
    let without = times(&asked, &other, 12).await;

    let mut stranger = asked.dir.connect().await;
    lock(&mut stranger, &one).await;
    let charging = async {
        let begun = Instant::now();
        let charges = join_all(tokens.iter().map(|token| answer(asked.charge(&one, token)))).await;
        (charges, begun.elapsed())
    };
    let meanwhile = async {
        tokio::time::timeout(PATIENCE, waiting_for_a_lock(&asked)).await.expect("a charge that waits");
        assert_eq!(database(&asked).await, (StatusCode::OK, "ok".into()));
        times(&asked, &other, 12).await
    };
    let ((charges, took), with) = tokio::join!(charging, meanwhile);
    for charge in &charges {
        charge.error(503, "service_unavailable");
    }
    eprintln!(
        "18 charges refused within {took:?}; the other merchant's p50 and p99 {without:?} before, {with:?} with the lock"
    );
    for token in &tokens {
        let token = asked.get(&format!("/tokens/{token}"), &one.secret_key).await.json();
        assert_eq!(token["used"], false, "what is told to be undone is undone");
    }

    sqlx::raw_sql("ROLLBACK").execute(&mut stranger).await.unwrap();
    let charge = answer(asked.charge(&one, &tokens[0])).await;
    assert_eq!((charge.status, &charge.json()["status"]), (StatusCode::OK, &json!("successful")));
    stranger.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stands_still_in_a_transaction_loses_its_locks() {
    let running = Asked::new_with(|setup| setup.waits = WAITS).await;
    let Some(network) = Network::to(&running.dir).await else { return };
    let stopped = running
        .beside_with(|setup| {
            setup.location = network.location();
            setup.waits = WAITS;
        })
        .await;
    let (one, other) = (running.merchant().await, running.merchant().await);
    let tokens = [running.token(&one, VISA).await, running.token(&one, VISA).await];

    // It has the end of the merchant's audit, and comes no further.
    network.cut_before("INSERT INTO audit\n");
    let (refused, (charge, took)) = tokio::join!(answer(stopped.charge(&one, &tokens[0])), async {
        tokio::time::timeout(PATIENCE, network.is_cut()).await.unwrap();
        pays(&running, &other).await;
        let begun = Instant::now();
        (answer(running.charge(&one, &tokens[1])).await, begun.elapsed())
    });
    assert_eq!(
        (charge.status, &charge.json()["status"]),
        (StatusCode::OK, &json!("successful")),
        "{charge:?}"
    );
    assert!(took < WAITS.lock + Duration::from_secs(1), "{took:?}");
    refused.error(503, "service_unavailable");
    let token = running.get(&format!("/tokens/{}", tokens[0]), &one.secret_key).await.json();
    assert_eq!(token["used"], false);

    network.heal();
    let healed = Instant::now();
    ready(&stopped).await;
    pays(&stopped, &one).await;
    eprintln!(
        "charged {took:?} behind the one that stands still; a payment there {:?} after it goes on",
        healed.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_waits_for_a_lock_keeps_no_other_merchants_waiting() {
    let asked = Asked::new_with(|setup| setup.waits = WAITS).await;
    if asked.dir.postgres().is_none() {
        return;
    }
    let one = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let other = asked.merchant().await;
    // Numbers that may be somebody's are counted, and published test cards are not.
    let number = "4539578763621486";
    asked.token(&one, number).await;
    let mut stranger = asked.dir.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE counted_numbers").execute(&mut stranger).await.unwrap();
    let card = clear_card(number);
    let waiting = join_all((0..12).map(|_| answer(asked.post("/tokens", &one.public_key, &card))));
    let meanwhile = join_all((0..12).map(async |_| {
        let begun = Instant::now();
        (tokenize(&asked, &other).await, begun.elapsed())
    }));
    let (waiting, meanwhile) = tokio::join!(waiting, meanwhile);
    for refused in &waiting {
        refused.error(503, "service_unavailable");
    }
    for (made, _) in &meanwhile {
        assert_eq!(made.status, StatusCode::OK, "{made:?}");
    }
    eprintln!("others' tokens within {:?}", meanwhile.iter().map(|(_, took)| took).max().unwrap());
    sqlx::raw_sql("ROLLBACK").execute(&mut stranger).await.unwrap();
    asked.token(&one, number).await;
    stranger.close().await.unwrap();
}

/// Takes the end of the audit of an account's merchant, and keeps it.
async fn lock(stranger: &mut AnyConnection, account: &Account) {
    sqlx::raw_sql("BEGIN").execute(&mut *stranger).await.unwrap();
    let locked = sqlx::query(
        "UPDATE audit_heads SET seq = seq WHERE merchant_id = (SELECT merchant_id FROM api_keys WHERE hint = $1)",
    );
    let locked = locked.bind(&account.public_key).execute(stranger).await.unwrap();
    assert_eq!(locked.rows_affected(), 1);
}

/// Waits until somebody waits for a lock.
async fn waiting_for_a_lock(asked: &Asked) {
    let mut database = asked.dir.connect().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut database).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    database.close().await.unwrap();
}

/// How long a merchant's tokens and charges take, the middle and the longest of so many. All succeed.
async fn times(asked: &Asked, account: &Account, payments: u32) -> [Duration; 2] {
    let mut times = Vec::new();
    for _ in 0..payments {
        let begun = Instant::now();
        pays(asked, account).await;
        times.push(begun.elapsed());
    }
    times.sort();
    [times[times.len() / 2], times[times.len() - 1]]
}
