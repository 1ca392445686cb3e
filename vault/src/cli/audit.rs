use std::io::Write;

use clap::{Args, Subcommand};

use super::table::Table;
use super::{CliError, open_existing, open_vault};
use crate::config::{PlaceFlags, VaultFlags};
use crate::id::MerchantId;
use crate::token::Line;
use crate::vault::Audited;

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
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    database: PlaceFlags,
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
    pub(super) async fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        match self {
            Self::Verify(Verify { vault }) => verify(vault, out).await,
            Self::List(list) => list.run(out).await,
        }
    }
}

/// The last column is to be kept somewhere else: a database that is put back as a whole shows by it.
async fn verify(vault: VaultFlags, out: &mut impl Write) -> Result<(), CliError> {
    let vault = open_vault(vault).await?;
    let Audited { chains, access, misplaced } = vault.verify_audit().await?;
    vault.close().await;
    let mut table = Table::new(["CHAIN", "ROWS", "FOUND", "ENDS WITH"]);
    for chain in &chains {
        table.row([
            chain.merchant.as_ref().map_or("vault".into(), MerchantId::to_string),
            chain.rows.to_string(),
            chain.flaw.map_or("genuine".into(), |flaw| flaw.to_string()),
            chain.head.clone(),
        ]);
    }
    write!(out, "{table}")?;
    match misplaced.len() {
        0 => writeln!(out, "{access} merchants and keys are what the vault wrote last")?,
        _ => misplaced.iter().try_for_each(|misplaced| writeln!(out, "{misplaced}"))?,
    }
    out.flush()?;
    match chains.iter().filter(|chain| chain.flaw.is_some()).count() + misplaced.len() {
        0 => Ok(()),
        tampered => Err(CliError::Tampered(tampered)),
    }
}

impl List {
    async fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        let store = open_existing(self.database).await?;
        let rows = store.audit_rows(self.merchant.as_ref(), self.after, self.limit).await?;
        store.close().await;
        let mut table = Table::new(["ROW", "AT", "WHO", "DID", "TO", "BECAUSE"]);
        for row in rows {
            table.row([
                row.seq.to_string(),
                row.entry.at.to_string(),
                row.entry.actor.to_string(),
                row.entry.action.as_str().into(),
                row.entry.subject,
                row.entry.reason.as_ref().map_or("", Line::as_str).into(),
            ]);
        }
        write!(out, "{table}")?;
        Ok(out.flush()?)
    }
}
