//! What a person has a running vault do. Whatever comes over its socket is one of these operations, or refused.

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use super::{CliError, audit, keys, merchant};
use crate::audit::{Actor, By};
use crate::server::{self, Answered};
use crate::vault::Vault;

#[derive(Args, Debug)]
pub(super) struct Ask {
    /// Folder of the running vault: its data folder, or /run/cardseal
    #[arg(long, env = "CARDSEAL_DATA_DIR", value_name = "DIR")]
    data_dir: PathBuf,
    /// What to do: audit list|verify, keys list|rotate|retire, merchant add|list, merchant keys add|list|revoke, each with
    /// the options of the command of this name
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    arguments: Vec<String>,
}

impl Ask {
    pub(super) async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let name = match by.actor {
            Actor::Person(person) => Some(person.as_str().to_owned()),
            Actor::Key(_) | Actor::Unknown | Actor::Vault => None,
        };
        let answered = server::ask(&self.data_dir, self.arguments, name).await;
        let Answered { printed, failed } =
            answered.map_err(|(path, source)| CliError::NobodyListens { path, source })?;
        write!(out, "{printed}")?;
        out.flush()?;
        failed.map_or(Ok(()), |why| Err(CliError::Refused(why)))
    }
}

#[derive(Debug, Parser)]
#[command(name = "cardseal-vault ask", disable_version_flag = true)]
struct Asked {
    #[command(subcommand)]
    operation: Operation,
}

/// What a running vault does for a person. None of it names a file: the vault would read or write it as itself.
#[derive(Debug, Subcommand)]
enum Operation {
    #[command(subcommand)]
    Audit(Audit),
    #[command(subcommand)]
    Keys(Keys),
    #[command(subcommand)]
    Merchant(Merchant),
}

#[derive(Debug, Subcommand)]
enum Audit {
    List(audit::Rows),
    Verify,
}

#[derive(Debug, Subcommand)]
enum Keys {
    List,
    Rotate(keys::NextKey),
    Retire(keys::LastKey),
}

#[derive(Debug, Subcommand)]
enum Merchant {
    Add(merchant::AddedMerchant),
    List,
    #[command(subcommand)]
    Keys(MerchantKeys),
}

#[derive(Debug, Subcommand)]
enum MerchantKeys {
    Add(merchant::AddedKey),
    List(merchant::KeysOf),
    Revoke(merchant::RevokedKey),
}

/// Does what a person asks of a running vault.
pub(super) fn answer(
    vault: Arc<Vault>,
    by: By,
    arguments: Vec<String>,
) -> Pin<Box<dyn Future<Output = Answered> + Send>> {
    Box::pin(async move {
        let operation = match Asked::try_parse_from(std::iter::once("ask".to_owned()).chain(arguments)) {
            Ok(Asked { operation }) => operation,
            Err(error) => return Answered { printed: String::new(), failed: Some(error.to_string()) },
        };
        let mut printed = Vec::new();
        let done = operation.run(&vault, by, &mut printed).await;
        let failed = done.err().map(|error| error.to_string());
        Answered { printed: String::from_utf8_lossy(&printed).into_owned(), failed }
    })
}

impl Operation {
    async fn run(self, vault: &Vault, by: By, out: &mut Vec<u8>) -> Result<(), CliError> {
        match self {
            Self::Audit(Audit::List(rows)) => rows.list(vault, by, out).await,
            Self::Audit(Audit::Verify) => {
                // The vault's own file: one that somebody names might be anything.
                let heads = audit::read(vault.audit_heads())?;
                audit::verify(vault, &heads, by, out).await
            }
            Self::Keys(Keys::List) => keys::list_of(vault.store(), out).await,
            Self::Keys(Keys::Rotate(next)) => next.make(vault, by, out).await,
            Self::Keys(Keys::Retire(last)) => last.destroy(vault, by, out).await,
            Self::Merchant(Merchant::Add(merchant)) => merchant.add(vault, by, out).await,
            Self::Merchant(Merchant::List) => merchant::list_of(vault.store(), out).await,
            Self::Merchant(Merchant::Keys(MerchantKeys::Add(key))) => key.add(vault, by, out).await,
            Self::Merchant(Merchant::Keys(MerchantKeys::List(keys))) => keys.list(vault.store(), out).await,
            Self::Merchant(Merchant::Keys(MerchantKeys::Revoke(key))) => key.revoke(vault, by, out).await,
        }
    }
}
