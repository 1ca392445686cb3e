use std::io::Write;

use cardseal::client::Profile;
use clap::{Args, Subcommand};

use super::audit::merchant_id;
use super::{CliError, open_vault};
use crate::audit::By;
use crate::config::VaultFlags;
use crate::id::MerchantId;
use crate::token::Line;
use crate::vendor::account::Name;
use crate::vendor::token::{Relayed, State};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Give a vendor's token the state that the vendor has told you, where a message of its was lost or was not its. The audit
    /// keeps why. A running vault obeys at once
    Set(Set),
}

#[derive(Args, Debug)]
pub(super) struct Set {
    #[command(flatten)]
    vault: VaultFlags,
    /// The merchant's id, mrch_…
    #[arg(long, value_name = "ID", value_parser = merchant_id)]
    merchant: MerchantId,
    /// Whose token it is: thales-d1 or thales-pci
    #[arg(long, value_name = "NAME", value_parser = vendor)]
    vendor: Relayed,
    /// The vendor's name for it
    #[arg(long, value_name = "ID", value_parser = token)]
    token: Name,
    /// ACTIVE, SUSPENDED or DELETED
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: State,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", value_parser = Line::parse)]
    reason: Line,
}

fn vendor(text: &str) -> Result<Relayed, &'static str> {
    let relayed = Profile::ALL.into_iter().find(|profile| profile.as_str() == text).and_then(Relayed::of);
    relayed.ok_or("a vendor that has tokens of its own is thales-d1 or thales-pci")
}

fn token(text: &str) -> Result<Name, &'static str> {
    Name::parse(text).ok_or("a token has 1 to 128 letters, digits, hyphens, underscores, dots or ~")
}

fn state(text: &str) -> Result<State, &'static str> {
    let known = State::parse(text).filter(|state| *state != State::Unknown);
    known.ok_or("a state is ACTIVE, SUSPENDED or DELETED")
}

impl Command {
    pub(super) async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        match self {
            Self::Set(set) => set.run(by, out).await,
        }
    }
}

impl Set {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let Self { vault, merchant, vendor, token, state, reason } = self;
        let vault = open_vault(vault).await?;
        let Some(merchant) = vault.merchant(&merchant).await? else {
            return Err(CliError::UnknownMerchant(merchant));
        };
        let is_known = vault.set_vendor_token_state(&merchant, vendor, &token, &state, by, reason).await?;
        vault.close().await;
        if !is_known {
            return Err(CliError::NoVendorToken(token));
        }
        writeln!(out, "{} of {} is {}", token.as_str(), vendor.profile().as_str(), state.as_str())?;
        Ok(out.flush()?)
    }
}
