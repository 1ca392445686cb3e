//! The vault's process, and what it uses.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::database::Database;

/// Where the merchant's pages come from.
pub(super) const ORIGIN_OF_PAGES: &str = "https://shop.example";

/// A vault that serves. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Vault {
    child: Child,
    pub(super) address: SocketAddr,
    pub(super) public_key: String,
}

#[derive(Deserialize)]
struct Merchant {
    public_key: String,
}

impl Vault {
    /// Adds a merchant, and serves. There is one user on this machine, so its rate limits are off.
    pub(super) fn start(program: &Path, database: &Database, log: &Path) -> Result<Self> {
        let mut add = Command::new(program);
        add.args(["merchant", "add", "--name", "A shop", "--json", "--origin", ORIGIN_OF_PAGES]);
        let output = add.args(database.arguments()).output().context("starting the vault's program")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "adding a merchant failed: {said}");
        let merchant: Merchant = serde_json::from_slice(&output.stdout)?;

        let mut serve = Command::new(program);
        serve.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--limits-address",
            "off",
            "--limits-key",
            "off",
            "--limits-tokens-by-address",
            "off",
            "--limits-tokens-by-key",
            "off",
        ]);
        serve.args(database.arguments()).stdout(Stdio::piped()).stderr(File::create(log)?);
        let mut child = serve.spawn()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let address = line.trim().rsplit_once("//").and_then(|(_, address)| address.parse().ok());
        let address = address.with_context(|| format!("the vault did not start; see {}", log.display()))?;
        Ok(Self { child, address, public_key: merchant.public_key })
    }

    /// The processor time it has used so far, its own and the system's for it.
    pub(super) fn processor_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // proc_pid_stat(5): the name, in parentheses, may have anything in it; utime and stime are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(") ").context("no stat")?;
        let ticks: u64 = fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
        Ok(Duration::from_secs(ticks) / u32::try_from(clock_ticks_per_second())?)
    }

    /// The memory that it has, in bytes.
    pub(super) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}
