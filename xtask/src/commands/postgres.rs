//! `postgres`: a server for the vault's tests, for whoever runs some of them by hand.

use std::process::ExitCode;

use anyhow::Result;

use crate::needs::postgres::{self, VARIABLE};
use crate::process::interrupt;

/// Serves until Ctrl-C.
pub(crate) fn run() -> Result<ExitCode> {
    let interrupt = interrupt()?;
    let (server, url) = postgres::start()?;
    println!(
        "\n  {VARIABLE}={url}\n\nWith this, `cargo test -p cardseal-vault` runs on PostgreSQL. Ctrl-C stops it."
    );
    // An error is the end of the handler, with nothing left to wait for.
    let _ = interrupt.recv();
    println!("\nstopping");
    drop(server);
    Ok(ExitCode::SUCCESS)
}
