//! What the vault has acknowledged is there, whatever happens to its process, its disk or its database.

pub(crate) mod asking;
mod balancer;
mod cancelled_wait;
mod cluster;
mod database_gone;
pub(crate) mod disk;
mod failover;
mod full_disk;
mod kills;
mod ledger;
mod load;
mod newer_version;
pub(crate) mod random;
mod three_processes;

/// For `serve`: the load would reach the rate limits, and a night is longer than a token's lifetime.
const UNDER_LOAD: [&str; 10] = [
    "--limits-address",
    "off",
    "--limits-key",
    "off",
    "--limits-tokens-by-address",
    "off",
    "--limits-tokens-by-key",
    "off",
    "--token-lifetime",
    "1d",
];

/// How often processes are killed: fifty times, unless `CARDSEAL_TEST_KILLS` says otherwise.
fn kills() -> usize {
    std::env::var("CARDSEAL_TEST_KILLS").map_or(50, |kills| kills.parse().unwrap())
}
