//! Starts the stand-ins of all four vendors, writes what a client needs to know of them into a folder, and runs until it is
//! told to stop.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks to its user on both"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use cardseal_sandbox::{Control, Sandbox, Tap, handover};
use lexopt::prelude::{Long, ValueExt};

const HELP: &str = "\
cardseal-sandbox --folder DIR [--control-port N] [--tap URL --tap-port N]

  --folder        where certificates, keys, vendors.toml, account-NAME.toml and sandbox.json go
  --control-port  where it is told how to answer, and asked what it was asked; any free one unless given
  --tap           a vault to stand in front of, so that /wires shows what goes to it
  --tap-port      where to stand";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cardseal-sandbox: {error:#}\n\n{HELP}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let Options { folder, control_port, tap, tap_port } = parse()?;
    let sandbox = Sandbox::start().await?;
    let tap = match tap {
        Some(vault) => Some(Tap::start(tap_port, &vault).await?),
        None => None,
    };
    let control = Control::start(control_port, sandbox.clone(), tap).await?;
    handover::write(&folder, &sandbox, &control.url())?;
    for name in Sandbox::NAMES {
        let server = sandbox.server(name).context("a server without a name")?;
        println!("{name:16} {}", server.url());
    }
    println!("cardseal-sandbox listening on {}", control.url());
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")
}

struct Options {
    folder: PathBuf,
    control_port: u16,
    tap: Option<String>,
    tap_port: u16,
}

fn parse() -> Result<Options> {
    let mut parser = lexopt::Parser::from_env();
    let (mut folder, mut control_port, mut tap, mut tap_port) = (None, 0, None, 0);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("folder") => folder = Some(PathBuf::from(parser.value()?)),
            Long("control-port") => control_port = parser.value()?.parse()?,
            Long("tap") => tap = Some(parser.value()?.string()?),
            Long("tap-port") => tap_port = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Options { folder: folder.context("--folder is missing")?, control_port, tap, tap_port })
}
