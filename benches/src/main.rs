//! What cardseal costs. `cargo xtask bench` builds what is measured and runs this.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks to its user on both"
)]

mod vault;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use lexopt::prelude::{Long, Value, ValueExt};

const HELP: &str = "\
cardseal-bench vault --program FILE --folder DIR [--effort quick|full]

  --program  the vault's program
  --folder   where the report and the vaults' folders go; it is emptied
  --effort   how much is measured; `quick` shows that the bench works, and nothing else";

fn main() -> ExitCode {
    match parse().and_then(|setup| vault::run(&setup)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cardseal-bench: {error:#}\n\n{HELP}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Result<vault::Setup> {
    let mut parser = lexopt::Parser::from_env();
    let (mut program, mut folder, mut effort) = (None, None, vault::Effort::FULL);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(name) if name == "vault" => {}
            Long("program") => program = Some(PathBuf::from(parser.value()?)),
            Long("folder") => folder = Some(PathBuf::from(parser.value()?)),
            Long("effort") => effort = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(vault::Setup {
        program: program.context("--program is missing")?,
        folder: folder.context("--folder is missing")?,
        effort,
    })
}
