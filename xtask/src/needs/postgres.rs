//! PostgreSQL: the system's programs, and a server of this checkout's own for the vault's tests.

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use anyhow::Result;
use cardseal_postgres::{Durability, Programs, Server, is_within_reach};

use super::system;
use crate::workspace;

/// The environment variable that names the server to the vault's tests; without it they run on SQLite.
pub(crate) const VARIABLE: &str = "CARDSEAL_TEST_POSTGRES";

/// Installs it when it is missing.
pub(crate) fn install() -> Result<()> {
    if Programs::find().is_err() {
        system::install("PostgreSQL", &["postgresql"])?;
        Programs::find()?;
    }
    Ok(())
}

/// Starts a server, and gives the address that [`VARIABLE`] takes. It stops when it is dropped.
pub(crate) fn start() -> Result<(Server, String)> {
    install()?;
    let server = Server::start(&folder(), Durability::OfProcess)?;
    let url = server.url("postgres");
    Ok((server, url))
}

/// Among what is built, or, where the server's user could not get in there, a folder that is always the same for this
/// checkout: a server that was left behind is found by its folder.
fn folder() -> PathBuf {
    let folder = workspace::target().join("postgres");
    if is_within_reach(&folder) {
        return folder;
    }
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    env::temp_dir().join(format!("cardseal-postgres-{:016x}", hasher.finish()))
}
