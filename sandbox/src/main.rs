//! Starts the stand-ins of all four vendors, writes what a client needs to know of them into a folder, and runs until it is
//! told to stop.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks to its user on both"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use cardseal_sandbox::certificates::{Authority, Identity};
use cardseal_sandbox::{Control, Sandbox, Tap};
use lexopt::prelude::{Long, ValueExt};
use serde_json::json;

const HELP: &str = "\
cardseal-sandbox --folder DIR [--control-port N] [--tap URL --tap-port N]

  --folder        where certificates, keys and sandbox.json go
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
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    write(&folder, &sandbox, &control)?;
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

/// Everything that a vendor would hand over when a client begins.
fn write(folder: &Path, sandbox: &Sandbox, control: &Control) -> Result<()> {
    let file = |name: &str, text: &[u8]| {
        fs::write(folder.join(name), text).with_context(|| format!("writing {name}"))
    };
    let identity = |name: &str, Identity { certificate, key }: &Identity| {
        file(&format!("{name}-client.pem"), certificate.as_bytes())?;
        file(&format!("{name}-client-key.pem"), key.as_bytes())
    };
    let (pci, d1) = (&sandbox.thales_pci.credentials, &sandbox.thales_d1.credentials);
    file("thales-pci-authority.pem", pci.authority.as_bytes())?;
    file("thales-pci-sealing.pem", pci.certificate.as_bytes())?;
    file("thales-pci-own-key.der", &pci.own_key)?;
    identity("thales-pci", &pci.client)?;
    file("thales-d1-authority.pem", d1.authority.as_bytes())?;
    file("thales-d1-sealing.json", d1.sealing_key.to_string().as_bytes())?;
    file("thales-d1-signing-key.der", &d1.signing_key)?;
    identity("thales-d1", &d1.client)?;
    // For a client's server that Thales tells of changes: its certificate, and whose certificates it lets in.
    let receiver = Authority::new("Sandbox's receivers")?;
    let Identity { certificate, key } = receiver.server()?;
    file("callbacks-authority.pem", receiver.certificate().as_bytes())?;
    file("callbacks.pem", certificate.as_bytes())?;
    file("callbacks-key.pem", key.as_bytes())?;
    file("callbacks-clients.pem", format!("{}{}", pci.authority, d1.authority).as_bytes())?;
    let (omise, payment_options) = (&sandbox.omise.credentials, &sandbox.payment_options.credentials);
    let summary = json!({
        "control": control.url(),
        "omise": {
            "url": sandbox.omise.server.url(),
            "public_key": omise.public_key,
            "secret_key": omise.secret_key,
        },
        "payment-options": {
            "url": sandbox.payment_options.server.url(),
            "merchant_id": payment_options.merchant_id,
            "api_key": payment_options.api_key,
        },
        "thales-d1": {
            "url": sandbox.thales_d1.server.url(),
            "merchant_gateway_id": d1.merchant_gateway_id,
            "merchant_id": d1.merchant_id,
            "signing_kid": d1.signing_kid,
        },
        "thales-pci": {
            "url": sandbox.thales_pci.server.url(),
            "merchant_id": pci.merchant_id,
            "api_key": pci.api_key,
            "kid": pci.kid,
            "own_kid": pci.own_kid,
        },
    });
    file("sandbox.json", format!("{summary:#}\n").as_bytes())
}
