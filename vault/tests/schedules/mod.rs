//! Seeded schedules of what goes wrong in life (machines that stop and go on, clocks that are wrong, rows that somebody
//! holds, a network that is cut, answers that come late or never) over three vaults on one PostgreSQL, while shops ask for
//! tokens, charges, customers and deletions. After each schedule the books of bank, vault and merchants are compared.

mod bank;
mod books;
mod machine;
mod schedule;
mod shop;
mod wire;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cardseal_vault::audit::Heads;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use schedule::Report;
use world::World;

/// Worlds at once. A schedule waits most of its time.
const WORLDS: usize = 4;

/// How many schedules: thirty, unless `CARDSEAL_TEST_SCHEDULES` says otherwise.
fn schedules() -> u64 {
    std::env::var("CARDSEAL_TEST_SCHEDULES").map_or(30, |schedules| schedules.parse().unwrap())
}

/// The first seed: `CARDSEAL_TEST_SEED`, or always the same.
fn first_seed() -> u64 {
    std::env::var("CARDSEAL_TEST_SEED").map_or(1, |seed| seed.parse().unwrap())
}

#[expect(clippy::print_stdout, reason = "the figures, and the seed of a test that fails")]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_the_books_agree() {
    if std::env::var_os("CARDSEAL_TEST_LOG").is_some() {
        cardseal_vault::log::begin(cardseal_vault::log::Format::Text);
    }
    let next = Arc::new(AtomicU64::new(first_seed()));
    let mut worlds = JoinSet::new();
    for _ in 0..WORLDS {
        let (next, runtime) = (Arc::clone(&next), Handle::current());
        // Each on a thread of its own.
        worlds.spawn_blocking(move || runtime.block_on(run_in_a_world(&next)));
    }
    let mut total = Report::default();
    while let Some(report) = worlds.join_next().await {
        total.merge(report.unwrap());
    }
    println!("{total:#?}");
    assert!(total.differences.is_empty(), "{} differences", total.differences.len());
}

#[expect(clippy::print_stdout, reason = "the seed of a test that fails")]
async fn run_in_a_world(next: &AtomicU64) -> Report {
    let (mut total, end) = (Report::default(), first_seed() + schedules());
    let Some(world) = World::new().await else { return total };
    let world = Arc::new(world);
    loop {
        let seed = next.fetch_add(1, Ordering::SeqCst);
        if seed >= end {
            break;
        }
        let mut report = schedule::run(&world, seed).await;
        for difference in &mut report.differences {
            difference.insert_str(0, &format!("CARDSEAL_TEST_SEED={seed}: "));
            println!("{difference}");
        }
        total.merge(report);
    }
    let audited = world.office.verify_audit(&Heads::default()).await.unwrap();
    let flaws = audited.chains.iter().filter_map(|chain| chain.flaw.as_ref());
    total.differences.extend(flaws.map(|flaw| format!("the audit: {flaw:?}")));
    Arc::into_inner(world).unwrap().close().await;
    total
}
