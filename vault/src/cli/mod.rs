//! The program's commands.

mod config;
mod merchant;
mod serve;
mod table;
mod verify;

use std::io::{self, Write};
use std::path::PathBuf;

use cardseal::client::Pkey;
use clap::{Parser, Subcommand};
use thiserror::Error;

use crate::config::{ConfigError, Database, NoFolder, PlaceFlags};
use crate::data_dir::DataDir;
use crate::log::{self, Format};
use crate::merchant::Origin;
use crate::server::ServeError;
use crate::store::{Store, StoreError};
use crate::verify::VerifyError;

/// Keeps cards and answers with tokens.
#[derive(Debug, Parser)]
#[command(name = "cardseal-vault", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve tokens and charges until told to stop
    Serve(serve::Serve),
    /// Look at the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Say who may use the vault
    #[command(subcommand)]
    Merchant(merchant::Command),
    /// Compare what a running vault serves with a release; ends with 1 if anything differs
    Verify(verify::Verify),
}

/// Carries a command out; what it prints goes to `out`.
///
/// # Errors
/// [`CliError`]
pub async fn run(cli: Cli, mut out: impl Write) -> Result<(), CliError> {
    if !matches!(cli.command, Command::Serve(_)) {
        log::begin(Format::Text);
    }
    match cli.command {
        Command::Serve(serve) => serve.run(out).await,
        Command::Config(command) => command.run(&mut out),
        Command::Merchant(command) => command.run(&mut out).await,
        Command::Verify(verify) => verify.run(&mut out).await,
    }
}

/// The database of a vault that is there. The vault may be running.
async fn open_existing(flags: PlaceFlags) -> Result<Store, CliError> {
    match Database::load(flags)? {
        Database::Folder(path) if !DataDir::is_vault(&path) => Err(CliError::NoVault(path)),
        database => Ok(Store::open(&database.location()?).await?),
    }
}

/// The database of a vault, which is made when it is new.
async fn open(flags: PlaceFlags) -> Result<Store, CliError> {
    Ok(Store::open(&Database::load(flags)?.location()?).await?)
}

/// Why a command was not carried out. The operator's to put right.
#[derive(Debug, Error)]
pub enum CliError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder cannot be had.
    #[error(transparent)]
    DataDir(#[from] NoFolder),
    /// A vault does not serve what was released. Whoever changed it may read cards.
    #[error("{differing} of {of} are not what was released")]
    Differs {
        /// How many files and headers differ.
        differing: usize,
        /// How many were compared.
        of: usize,
    },
    /// A page for real cards has to come over TLS.
    #[error("{0} is not https: live keys are for pages that nobody can change on the way")]
    InsecureOrigin(Origin),
    /// There is no vault in the folder.
    #[error("there is no vault in {path}; `merchant add` and `serve` make one", path = .0.display())]
    NoVault(PathBuf),
    /// Nobody reads what the command prints.
    #[error("cannot write to the standard output: {0}")]
    Out(#[from] io::Error),
    /// The vault does not serve.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No merchant has this key.
    #[error("the vault has no merchant with the public key {key}; `merchant list` shows those it has", key = .0.as_str())]
    UnknownKey(Pkey),
    /// A vault was not compared with its release.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
