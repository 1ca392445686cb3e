//! Faults of the world around a vault: machines that stop without dying or tell the wrong time, databases that are not there,
//! networks that say nothing, disks that are full. Each is one merchant's or nobody's business, every request gets its answer
//! in bounded time, and what was answered stays so.

#![expect(clippy::print_stderr, reason = "how long things took, for whoever wants to know")]

mod a_charge_answered_503;
mod a_clock_that_is_wrong;
mod a_cut_network;
mod a_deleted_card;
mod a_machine_that_stops;
mod a_million_that_expired;
mod a_standby_that_is_gone;
mod a_start_without_a_database;
pub(crate) mod network;
mod nothing_can_be_stored;
mod paid_after_all;

use std::time::Duration;

use axum::http::StatusCode;
use cardseal_vault::store::Waits;
use serde_json::json;

use crate::support::{Account, Answer, Asked};

/// As a vault that serves, but sooner.
const WAITS: Waits = Waits {
    place: Duration::from_secs(2),
    lock: Duration::from_millis(1200),
    shared_lock: Duration::from_millis(200),
    idle: Duration::from_millis(600),
    statement: Duration::from_millis(1500),
    answer: Duration::from_secs(2),
    commit: Duration::from_secs(1),
    probe: Duration::from_secs(1),
};

/// What a request may take: all that it waits for in turn, and a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer to a request, which comes.
async fn answer(answer: impl Future<Output = Answer>) -> Answer {
    tokio::time::timeout(PATIENCE, answer).await.expect("an answer in bounded time")
}

/// What `/readyz` says of the database.
async fn database(asked: &Asked) -> (StatusCode, String) {
    let answer = answer(asked.get("/readyz", "")).await;
    (answer.status, answer.json()["checks"]["database"].as_str().unwrap().to_owned())
}

/// Waits until `/readyz` says that all is well.
async fn ready(asked: &Asked) {
    wait_until(async || database(asked).await.0 == StatusCode::OK).await;
}

/// Waits until something is so.
async fn wait_until(is_so: impl AsyncFn() -> bool) {
    tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("it becomes so in bounded time");
}

/// Asks for a token of a page.
async fn tokenize(asked: &Asked, account: &Account) -> Answer {
    let card = crate::support::clear_card(crate::support::VISA);
    answer(asked.post("/tokens", &account.public_key, &card)).await
}

/// Asserts that a token can be had and charged.
async fn pays(asked: &Asked, account: &Account) {
    let token = asked.token(account, crate::support::VISA).await;
    let charge = answer(asked.charge(account, &token)).await;
    assert_eq!((charge.status, &charge.json()["status"]), (StatusCode::OK, &json!("successful")));
}
