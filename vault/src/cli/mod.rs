//! The program's commands.

mod ask;
mod audit;
mod config;
mod keys;
mod merchant;
mod serve;
mod status;
mod table;
mod unlock;
mod vendor_token;
mod verify;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use cardseal::client::{Pkey, Profile};
use clap::{Parser, Subcommand};
use thiserror::Error;

use crate::acquirer::Acquirers;
use crate::audit::{Actor, By, Origination, Person};
use crate::config::{ConfigError, Database, NoFolder, PlaceFlags, VaultFlags, VaultPlace};
use crate::data_dir::DataDir;
use crate::id::{KeyId, MerchantId};
use crate::keys::kek::{KekError, Source};
use crate::log::{self, Format};
use crate::merchant::{Origin, TooManyOrigins};
use crate::server::ServeError;
use crate::store::{Store, StoreError, Waits};
use crate::time::{Clock, Pauses};
use crate::user;
use crate::vault::{ConnectError, Failure, OpenError, Policy, Setup, Vault};
use crate::vendor;
use crate::vendor::account::{self, NotAnAccount};
use crate::verify::VerifyError;
use crate::webhook::Reach;

/// Keeps cards and answers with tokens.
#[derive(Debug, Parser)]
#[command(name = "cardseal-vault", version, about)]
pub struct Cli {
    /// Who runs this, for the audit [default: the user, or who became root by sudo]
    #[arg(long = "as", global = true, value_name = "NAME", value_parser = named)]
    person: Option<Person>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve tokens and charges until told to stop
    Serve(serve::Serve),
    /// Have a running vault do something: the way to it where custodians have brought its key-encryption key
    Ask(ask::Ask),
    /// Look at who did what, and whether anybody has tampered with that
    #[command(subcommand)]
    Audit(audit::Command),
    /// Look at the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Look at the vault's own keys, and replace them
    #[command(subcommand)]
    Keys(keys::Command),
    /// Say who may use the vault
    #[command(subcommand)]
    Merchant(merchant::Command),
    /// Look at a vault: its keys, what it keeps, how its server does, and the last errors
    Status(status::Status),
    /// Bring a custodian's share to a vault that waits for it
    Unlock(unlock::Unlock),
    /// Correct what is known of a vendor's token
    #[command(subcommand)]
    VendorToken(vendor_token::Command),
    /// Compare what a running vault serves with a release; ends with 1 if anything differs
    Verify(verify::Verify),
}

fn named(name: &str) -> Result<Person, &'static str> {
    Person::parse(name).ok_or("a name is one word of letters, digits and . _ - @ +, up to 64")
}

/// Carries a command out; what it prints goes to `out`.
///
/// # Errors
/// [`CliError`]
pub async fn run(cli: Cli, mut out: impl Write + Send) -> Result<(), CliError> {
    if !matches!(cli.command, Command::Serve(_)) {
        log::begin(Format::Text);
    }
    let person = cli.person.or_else(user::current);
    let actor = person.map_or(Actor::Unknown, Actor::Person);
    let by = By { actor, from: Origination::Machine };
    match cli.command {
        Command::Serve(serve) => serve.run(out).await,
        Command::Ask(ask) => ask.run(by, &mut out).await,
        Command::Audit(command) => command.run(by, &mut out).await,
        Command::Config(command) => command.run(&mut out),
        Command::Keys(command) => command.run(by, &mut out).await,
        Command::Merchant(command) => command.run(by, &mut out).await,
        Command::Status(status) => status.run(&mut out).await,
        Command::Unlock(unlock) => unlock.run(&mut out).await,
        Command::VendorToken(command) => command.run(by, &mut out).await,
        Command::Verify(verify) => verify.run(&mut out).await,
    }
}

/// The database of a vault that is there. The vault may be running.
async fn open_existing(flags: PlaceFlags) -> Result<Store, CliError> {
    open_database(Database::load(flags)?).await
}

async fn open_database(database: Database) -> Result<Store, CliError> {
    match database {
        Database::Folder(path) if !DataDir::is_vault(&path) => Err(CliError::NoVault(path)),
        database => Ok(Store::open(&database.location()?, Waits::COMMAND).await?),
    }
}

/// A vault that is there, to look at and to change, but not to serve. It may be running.
async fn open_vault(flags: VaultFlags) -> Result<Arc<Vault>, CliError> {
    let place = flags.load()?;
    if let Database::Folder(path) = &place.database
        && !DataDir::is_vault(path)
    {
        return Err(CliError::NoVault(path.clone()));
    }
    open_with(place).await
}

/// The same, but a vault that is not there is made.
async fn open_new_vault(flags: VaultFlags) -> Result<Arc<Vault>, CliError> {
    open_with(flags.load()?).await
}

async fn open_with(place: VaultPlace) -> Result<Arc<Vault>, CliError> {
    let VaultPlace { database, kek, audit_heads } = place;
    if let Source::Custodians(_) = kek {
        return Err(CliError::Custodians);
    }
    let setup = Setup {
        location: database.location()?,
        waits: Waits::COMMAND,
        kek,
        acquirers: Acquirers::default(),
        // A command asks no vendor.
        vendors: vendor::settings::Settings::default(),
        clock: Clock::system(),
        pauses: Pauses::system(),
        policy: Policy::default(),
        audit_heads,
        // Nor does it send events.
        test_webhooks: Reach::Public,
    };
    Ok(Vault::open(setup).await?)
}

/// Why a command was not carried out. The operator's to put right.
#[derive(Debug, Error)]
pub enum CliError {
    /// A command waits for nobody.
    #[error(
        "this command cannot wait for custodians; have the running vault do it: cardseal-vault ask --data-dir DIR …"
    )]
    Custodians,
    /// No vault that is open listens there.
    #[error("no vault can be asked at {path}: {source}", path = .path.display())]
    NobodyListens {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What the running vault said. It has done nothing.
    #[error("{0}")]
    Refused(String),
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
    /// There are more origins than a merchant has.
    #[error(transparent)]
    TooManyOrigins(#[from] TooManyOrigins),
    /// A page for real cards has to come over TLS.
    #[error("{0} is not https: live keys are for pages that nobody can change on the way")]
    InsecureOrigin(Origin),
    /// No sealing key has this version.
    #[error("there is no such key {0}; `keys list` shows those there are")]
    NoSuchKey(u32),
    /// A key that is used, or is to be, cannot go.
    #[error("key {0} is not decrypt_only: rotate first, with --now after a leak")]
    NotRetirable(u32),
    /// A file that is said to have sealing keys has none.
    #[error("{path} has no sealing keys; it takes what `keys export` writes", path = .0.display())]
    NoSealingKeys(PathBuf),
    /// There is no vault in the folder.
    #[error("there is no vault in {path}; `merchant add` and `serve` make one", path = .0.display())]
    NoVault(PathBuf),
    /// A file that is said to have heads of the audit has none.
    #[error("{path} tells of no head of the audit: it is neither the vault's log nor its file audit_heads", path = .0.display())]
    NoHeads(PathBuf),
    /// Nobody reads what the command prints.
    #[error("cannot write to the standard output: {0}")]
    Out(#[from] io::Error),
    /// The vault does not serve.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The key-encryption key cannot be had.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The vault cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Chains of the audit, merchants or keys are not what the vault wrote.
    #[error("{0} of the audit's chains, merchants and keys are not what the vault wrote")]
    Tampered(usize),
    /// No merchant has this id.
    #[error("the vault has no merchant {0}; `merchant list` shows those it has")]
    UnknownMerchant(MerchantId),
    /// There is no such key, or it was revoked before.
    #[error("the vault has no key {0} that could be revoked; `merchant keys list` shows those it has")]
    UnknownApiKey(KeyId),
    /// A key that nobody could use.
    #[error("--until is a time that has passed")]
    AlreadyOver,
    /// A public key is in every page.
    #[error("a public key can only tokenize")]
    UnfitScope,
    /// The merchant has no such token.
    #[error("the merchant has no token {token}", token = .0.as_str())]
    NoVendorToken(account::Name),
    /// The merchant has no account with this vendor.
    #[error("the merchant has no account with {}", .0.as_str())]
    NoAccount(Profile),
    /// An account could not be kept.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The file holds no account.
    #[error("{path} holds no account: {why}", path = .path.display())]
    NotAnAccount {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: NotAnAccount,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The vault failed. Trying again may help.
    #[error(transparent)]
    Vault(#[from] Failure),
    /// No merchant has this key.
    #[error("the vault has no merchant with the public key {key}; `merchant list` shows those it has", key = .0.as_str())]
    UnknownKey(Pkey),
    /// A vault was not compared with its release.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
