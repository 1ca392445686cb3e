use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::table::Table;
use super::{CliError, open_vault};
use crate::audit::{Action, By, Heads, chain};
use crate::config::VaultFlags;
use crate::id::MerchantId;
use crate::token::Line;
use crate::vault::{Audited, Vault};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look at every row, and at every merchant and key; ends with 1 if any was changed, removed, moved or put in
    Verify(Verify),
    /// List what was done with a merchant's cards, or with the vault itself
    List(List),
}

#[derive(Args, Debug)]
pub(super) struct Verify {
    #[command(flatten)]
    vault: VaultFlags,
    /// What left the database, to find what was cut off the end: the vault's log, or its file audit_heads; - for the
    /// standard input. May be given several times, once for each process of the vault
    #[arg(long = "heads", value_name = "FILE")]
    heads: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    vault: VaultFlags,
    #[command(flatten)]
    rows: Rows,
}

/// The rows to list.
#[derive(Args, Debug)]
pub(super) struct Rows {
    /// The merchant's id, mrch_…; without it, what was done with the vault itself
    #[arg(long, value_name = "ID", value_parser = merchant_id)]
    merchant: Option<MerchantId>,
    /// Rows after the one with this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
    /// Rows at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

pub(super) fn merchant_id(text: &str) -> Result<MerchantId, &'static str> {
    MerchantId::parse(text).ok_or("a merchant's id is mrch_…, as `merchant list` shows it")
}

impl Command {
    pub(super) async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        match self {
            Self::Verify(verify) => verify.run(by, out).await,
            Self::List(list) => list.run(by, out).await,
        }
    }
}

impl Verify {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let heads = read(self.heads.iter())?;
        let vault = open_vault(self.vault).await?;
        let verified = verify(&vault, &heads, by, out).await;
        vault.close().await;
        verified
    }
}

/// Verifies the audit of a vault that is open.
pub(super) async fn verify(
    vault: &Vault,
    heads: &Heads,
    by: By,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let Audited { chains, access, misplaced } = vault.verify_audit(heads).await?;
    // A chain that was tampered with may take no row.
    let noted = vault.audit(None, by, Action::ReadAudit, "verify", None).await;
    let mut table = Table::new(["CHAIN", "ROWS", "FOUND", "KNOWN", "ENDS WITH"]);
    for found in &chains {
        table.row([
            chain(found.merchant.as_ref()).into(),
            found.rows.to_string(),
            found.flaw.map_or("genuine".into(), |flaw| flaw.to_string()),
            found.known.map_or("-".into(), |seq| seq.to_string()),
            found.head.clone(),
        ]);
    }
    write!(out, "{table}")?;
    match misplaced.len() {
        0 => writeln!(out, "{access} merchants and keys are what the vault wrote last")?,
        _ => misplaced.iter().try_for_each(|misplaced| writeln!(out, "{misplaced}"))?,
    }
    if heads.unreadable() > 0 {
        writeln!(out, "{} heads could not be read: lines cut off, or from elsewhere", heads.unreadable())?;
    }
    if chains.iter().any(|found| found.known.is_none()) {
        writeln!(out, "{UNKNOWN}")?;
    }
    out.flush()?;
    match chains.iter().filter(|found| found.flaw.is_some()).count() + misplaced.len() {
        0 => Ok(noted?),
        tampered => Err(CliError::Tampered(tampered)),
    }
}

/// What cannot be known of a chain whose end was compared with nothing.
const UNKNOWN: &str = "nothing from outside of the database says how long the chains without KNOWN were: rows that \
                       were cut off their ends do not show; give --heads with the vault's log, or its file audit_heads";

/// What has left the database, from all these files together.
pub(super) fn read<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Result<Heads, CliError> {
    let mut heads = Heads::default();
    for path in files {
        let read = match path.as_os_str() == "-" {
            true => heads.read(io::stdin().lock()),
            false => File::open(path).and_then(|file| heads.read(BufReader::new(file))),
        };
        read.map_err(|source| CliError::Unreadable { path: path.clone(), source })?;
        // Of another vault's log, or of a broken one, nobody shall think that it vouches for anything.
        if heads.is_empty() {
            return Err(CliError::NoHeads(path.clone()));
        }
    }
    Ok(heads)
}

impl List {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let vault = open_vault(self.vault).await?;
        self.rows.list(&vault, by, out).await?;
        vault.close().await;
        Ok(())
    }
}

impl Rows {
    pub(super) async fn list(self, vault: &Vault, by: By, out: &mut impl Write) -> Result<(), CliError> {
        // First: nobody looks unseen.
        vault.audit(self.merchant.as_ref(), by, Action::ReadAudit, "list", None).await?;
        let rows = vault.store().audit_rows(self.merchant.as_ref(), self.after, self.limit).await?;
        let mut table = Table::new(["ROW", "AT", "WHO", "FROM", "DID", "TO", "OUTCOME", "TIMES", "BECAUSE"]);
        for row in rows {
            table.row([
                row.seq.to_string(),
                row.entry.at.to_string(),
                row.entry.by.actor.to_string(),
                row.entry.by.from.to_string(),
                row.entry.action.as_str().into(),
                row.entry.subject,
                row.entry.outcome.as_str().into(),
                row.entry.times.to_string(),
                row.entry.reason.as_ref().map_or("", Line::as_str).into(),
            ]);
        }
        write!(out, "{table}")?;
        Ok(out.flush()?)
    }
}
