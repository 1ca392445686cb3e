//! `cardseal-vault`: see `cardseal-vault --help`.

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::process::ExitCode;

use cardseal_vault::cli::{self, Cli};
use clap::Parser;
use tracing::Level;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    match cli::run(cli, io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads the standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "cardseal-vault: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The level is fixed: finer ones show what libraries carry, and that is cards.
fn log_to_stderr() {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_max_level(Level::INFO)
        .with_target(false)
        .init();
    // What a panic says may come from anywhere; where it was is enough to find it.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
