//! What a token costs the vault: processor time beside that of the RSA decryption that it cannot do without, tokens a
//! second, how long one waits for an answer, memory, and all that with few and with many tokens stored.

mod cards;
mod database;
mod decryption;
mod latency;
mod load;
mod process;
mod report;

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use cardseal::plain;
use cardseal::seal::{Algorithm, KeySet};
use tokio::runtime::Runtime;

use database::{Database, Kind};
use load::Client;
use process::Vault;
use report::{Figures, Report, micros};

/// What is measured.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) effort: Effort,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Tokens stored beforehand, few and many.
    stored: [u64; 2],
    /// Tokens asked for as fast as they come.
    burst: usize,
    /// How long they are asked for at half that rate.
    half_load: Duration,
    /// How often all that, of which the middle one counts.
    rounds: usize,
}

impl Effort {
    pub(crate) const FULL: Self =
        Self { stored: [10_000, 1_000_000], burst: 8_000, half_load: Duration::from_secs(10), rounds: 3 };
    const QUICK: Self =
        Self { stored: [100, 1_000], burst: 200, half_load: Duration::from_millis(200), rounds: 1 };
}

impl FromStr for Effort {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "quick" => Ok(Self::QUICK),
            "full" => Ok(Self::FULL),
            _ => bail!("`{text}` is neither quick nor full"),
        }
    }
}

/// Browsers that ask at once.
const BROWSERS: usize = 32;

/// Measures, prints, and writes `vault.json` into the folder.
pub(crate) fn run(setup: &Setup) -> Result<()> {
    if setup.folder.exists() {
        fs::remove_dir_all(&setup.folder).context("emptying the folder")?;
    }
    fs::create_dir_all(&setup.folder)?;
    let runtime = Runtime::new()?;
    let mut report = Report::default();
    for kind in Kind::ALL {
        let database = Database::new(kind, &setup.folder)?;
        for stored in setup.effort.stored {
            // Its tables have to be there to be filled.
            let log = setup.folder.join(format!("{}-{stored}.log", kind.name()));
            let vault = Vault::start(&setup.program, &database, &log)?;
            runtime.block_on(database.fill(stored))?;
            // A file that grows for the first time is not what a vault has every day.
            println!("{} with {stored} tokens: warming up", kind.name());
            runtime.block_on(measure(&vault, setup.effort))?;
            let mut rounds = Vec::with_capacity(setup.effort.rounds);
            for round in 1..=setup.effort.rounds {
                println!("{} with {stored} tokens: round {round}", kind.name());
                rounds.push(runtime.block_on(measure(&vault, setup.effort))?);
            }
            report.add(kind, stored, rounds);
        }
    }
    println!("\n{report}");
    fs::write(setup.folder.join("vault.json"), report.to_json()?).context("writing the report")
}

async fn measure(vault: &Vault, effort: Effort) -> Result<Figures> {
    let client = Client::new(vault.address, &vault.public_key);
    let keys = client.get("/.well-known/jwks.json").await?;
    let keys: KeySet = plain::parse(std::str::from_utf8(&keys)?).map_err(|_| anyhow!("no set of keys"))?;
    let key = keys.sealing_key(Algorithm::RsaOaep256, false)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);

    let bodies = cards::sealed(effort.burst, &key, &vault.public_key)?;
    let decryption = [decryption::processor_time(cores)?, decryption::processor_time(1)?];
    let before = vault.processor_time()?;
    let took = client.burst(&bodies, BROWSERS).await?;
    let processor = (vault.processor_time()? - before) / u32::try_from(effort.burst)?;

    let every = took * 2 / u32::try_from(effort.burst)?;
    let count = effort.half_load.as_micros() / every.as_micros().max(1);
    let bodies = cards::sealed(usize::try_from(count)?, &key, &vault.public_key)?;
    let before = vault.processor_time()?;
    let latencies = client.steadily(bodies, every).await?;
    let processor_at_half = (vault.processor_time()? - before) / u32::try_from(count.max(1))?;

    Ok(Figures {
        processor: micros(processor),
        decryption: decryption.map(micros),
        rate: effort.burst as f64 / took.as_secs_f64(),
        p50: micros(latencies.percentile(50)),
        p99: micros(latencies.percentile(99)),
        processor_at_half: micros(processor_at_half),
        memory: vault.memory()? as f64,
    })
}
