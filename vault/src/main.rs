//! `cardseal-vault`: see `cardseal-vault --help`.

use std::io;
use std::process::ExitCode;

use cardseal_vault::cli::{self, Cli};
use cardseal_vault::{log, process};
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    log::tell_panics();
    if let Err(error) = process::protect_memory() {
        log::say(&format!("cardseal-vault: its memory is not protected from other processes: {error}"));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    match cli::run(cli, io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::say(&format!("cardseal-vault: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Help and version are asked for; the rest is wrong, and repeats what was typed.
fn refuse(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        log::say(error.to_string().trim_end());
    } else {
        // Where nobody reads the standard output there is nobody to help.
        let _ = error.print();
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}
