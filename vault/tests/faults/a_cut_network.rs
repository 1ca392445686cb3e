//! The network between a vault and PostgreSQL is cut and says nothing: every request gets its answer all the same, and when it
//! is healed the vault goes on by itself.

use std::time::Instant;

use axum::http::StatusCode;
use futures_util::future::join_all;

use super::network::Network;
use super::{PATIENCE, WAITS, answer, database, pays, ready, tokenize, wait_until};
use crate::support::{Asked, VISA};

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_while_it_is_cut_and_served_when_it_is_healed() {
    let here = Asked::new_with(|setup| setup.waits = WAITS).await;
    let Some(network) = Network::to(&here.dir).await else { return };
    let there = here
        .beside_with(|setup| {
            setup.location = network.location();
            setup.waits = WAITS;
        })
        .await;
    let account = there.merchant().await;
    let token = there.token(&account, VISA).await;
    pays(&there, &account).await;

    network.cut();
    let cut = Instant::now();
    // What was stored just now tells for a moment.
    wait_until(async || database(&there).await == (StatusCode::SERVICE_UNAVAILABLE, "failing".into())).await;
    let noticed = cut.elapsed();
    // More than there are connections.
    let asked = Instant::now();
    let tokens = join_all((0..30).map(|_| tokenize(&there, &account)));
    let charges = join_all((0..30).map(|_| answer(there.charge(&account, &token))));
    let path = format!("/tokens/{token}");
    let looks = join_all((0..30).map(|_| answer(there.get(&path, &account.secret_key))));
    let (tokens, charges, looks) = tokio::join!(tokens, charges, looks);
    for refused in tokens.iter().chain(&charges).chain(&looks) {
        refused.error(503, "service_unavailable");
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
    }
    let longest = asked.elapsed();
    // Others are not on that network.
    pays(&here, &account).await;

    network.heal();
    let healed = Instant::now();
    pays(&there, &account).await;
    let first = healed.elapsed();
    ready(&there).await;
    eprintln!(
        "not ready {noticed:?} after the cut, 90 requests answered within {longest:?}; a payment {first:?} after healing, ready {:?}",
        healed.elapsed()
    );
    assert!(first < PATIENCE);
    let charge = answer(there.charge(&account, &token)).await;
    assert_eq!(charge.status, StatusCode::OK, "{charge:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hears_that_nobody_knows_gets_what_was_made_by_asking_again() {
    let here = Asked::new_with(|setup| setup.waits = WAITS).await;
    let Some(network) = Network::to(&here.dir).await else { return };
    let there = here
        .beside_with(|setup| {
            setup.location = network.location();
            setup.waits = WAITS;
        })
        .await;
    let account = there.merchant().await;
    let jwe = there.seal(&account).await;
    pays(&there, &account).await;

    network.cut_after("COMMIT");
    let silent = answer(there.tokenize_sealed(&account, &jwe)).await;
    let message = silent.error(503, "service_unavailable");
    assert!(message.contains("did not say whether this was done"), "{message}");
    network.heal();
    let token = answer(here.tokenize_sealed(&account, &jwe)).await;
    assert_eq!(token.status, StatusCode::OK, "{token:?}");
    ready(&there).await;
    assert_eq!(answer(there.tokenize_sealed(&account, &jwe)).await.json()["id"], token.json()["id"]);
    assert_eq!(here.count("tokens").await, 2);
}
