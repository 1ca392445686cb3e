//! The program's commands.

use std::io::{self, Write};
use std::path::PathBuf;

use cardseal::client::Pkey;
use clap::{Args, Parser, Subcommand};
use serde_json::json;
use thiserror::Error;

use crate::access::KeyKind;
use crate::access::client::Proxy;
use crate::access::limit::{Limits, Setting};
use crate::data_dir::DataDir;
use crate::id::{MerchantId, SecretKey, random_public_key};
use crate::keys::Sha256Digest;
use crate::merchant::{ClearCards, Merchant, Mode, Name, Origin};
use crate::server::{self, ServeError, Settings, TlsFiles};
use crate::store::{Location, NewKey, PostgresUrl, Store, StoreError};
use crate::time::Clock;
use crate::verify::{Check, VerifyError};

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
    Serve(Serve),
    /// Say who may use the vault
    #[command(subcommand)]
    Merchant(MerchantCommand),
    /// Compare what a running vault serves with a release; ends with 1 if anything differs
    Verify(Verify),
}

#[derive(Args, Debug)]
struct Serve {
    #[command(flatten)]
    database: Database,
    /// File of the key-encryption key, in base64; in the data folder by default
    #[arg(long, value_name = "FILE", required_unless_present = "data_dir")]
    kek: Option<PathBuf>,
    /// Folder pkg/ of a release, for the card form; may be given again for older releases that pages still load
    #[arg(long, value_name = "DIR")]
    assets: Vec<PathBuf>,
    /// Host and port to listen on; port 0 for any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4242")]
    listen: String,
    /// A rate limit in place of its default, such as `address=500/s burst 2000` or `address=off`; may be given again
    #[arg(long = "limit", value_name = "NAME=RATE")]
    limits: Vec<Setting>,
    /// Address or network of a proxy whose `X-Forwarded-For` tells where a request comes from; may be given again
    #[arg(long = "trusted-proxy", value_name = "NET")]
    trusted_proxies: Vec<Proxy>,
    /// Certificate chain (PEM), for TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// Where the vault's database is. The vault may be running.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
struct Database {
    /// Folder for the database and the keys; made when it is new
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// PostgreSQL database, instead of a folder: postgres://user:password@host/name
    #[arg(long, value_name = "URL")]
    database_url: Option<PostgresUrl>,
}

impl Database {
    fn location(self) -> Result<Location, CliError> {
        match self {
            Self { database_url: Some(url), .. } => Ok(Location::Postgres(url)),
            Self { data_dir, .. } => {
                let path = data_dir.unwrap_or_default();
                let dir = DataDir::open(&path).map_err(|source| CliError::DataDir { path, source })?;
                Ok(Location::Folder(dir))
            }
        }
    }

    /// The database of a vault that is there.
    async fn open_existing(self) -> Result<Store, CliError> {
        match &self.data_dir {
            Some(path) if !DataDir::is_vault(path) => Err(CliError::NoVault(path.clone())),
            _ => Ok(Store::open(&self.location()?).await?),
        }
    }
}

#[derive(Debug, Subcommand)]
enum MerchantCommand {
    /// Add a merchant and print its keys; the secret key is shown this once
    Add(Add),
    /// List the merchants
    List(List),
    /// Register the origins of a merchant's pages, in place of those registered before. A running vault obeys at once
    Origins(Origins),
}

#[derive(Args, Debug)]
struct Add {
    #[command(flatten)]
    database: Database,
    /// What people call the merchant
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    name: Name,
    /// Origin of the merchant's pages, such as `https://shop.example`; may be given several times
    #[arg(long = "origin", value_name = "URL", required = true, value_parser = Origin::parse)]
    origins: Vec<Origin>,
    /// Keys for real cards instead of test cards
    #[arg(long)]
    live: bool,
    /// Let it send cards that are not sealed (with test keys it may anyhow)
    #[arg(long)]
    clear_card: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    database: Database,
}

#[derive(Args, Debug)]
struct Origins {
    #[command(flatten)]
    database: Database,
    /// The merchant's public key
    #[arg(long, value_name = "PKEY", value_parser = Pkey::parse)]
    key: Pkey,
    /// Origin of the merchant's pages, such as `https://shop.example`; may be given several times
    #[arg(long = "origin", value_name = "URL", required = true, value_parser = Origin::parse)]
    origins: Vec<Origin>,
}

#[derive(Args, Debug)]
struct Verify {
    /// Address of the vault, such as `https://vault.example`
    #[arg(value_name = "URL", value_parser = Origin::parse)]
    vault: Origin,
    /// Public key of a merchant
    #[arg(long, value_name = "PKEY", value_parser = Pkey::parse)]
    key: Pkey,
    /// Folder pkg/ of the release that the vault should serve
    #[arg(long, value_name = "DIR")]
    assets: PathBuf,
    /// Origin that may show the merchant's frame; given for all of them, that no other may is checked too
    #[arg(long = "origin", value_name = "URL", value_parser = Origin::parse)]
    origins: Vec<Origin>,
}

/// Carries a command out; what it prints goes to `out`.
///
/// # Errors
/// [`CliError`]
pub async fn run(cli: Cli, mut out: impl Write) -> Result<(), CliError> {
    match cli.command {
        Command::Serve(Serve {
            database,
            kek,
            assets,
            listen,
            limits: set,
            trusted_proxies,
            tls_cert,
            tls_key,
        }) => {
            let location = database.location()?;
            let kek = match (&location, kek) {
                (_, Some(kek)) => kek,
                (Location::Folder(dir), None) => dir.kek(),
                (Location::Postgres(_), None) => return Err(CliError::NoKek),
            };
            let mut limits = Limits { trusted_proxies, ..Limits::default() };
            for Setting { name, limit } in set {
                *limits.limit_mut(name) = limit;
            }
            let tls = tls_cert.zip(tls_key).map(|(certificate, key)| TlsFiles { certificate, key });
            Ok(server::serve(Settings { location, kek, assets, listen, limits, tls }, out).await?)
        }
        Command::Merchant(MerchantCommand::Add(add)) => add_merchant(add, &mut out).await,
        Command::Merchant(MerchantCommand::List(List { database })) => {
            list_merchants(database, &mut out).await
        }
        Command::Merchant(MerchantCommand::Origins(origins)) => replace_origins(origins, &mut out).await,
        Command::Verify(Verify { vault, key, assets, origins }) => {
            let report = Check { vault, key, origins, assets }.run().await?;
            write!(out, "{report}").and_then(|()| out.flush())?;
            match report.differing() {
                (0, _) => Ok(()),
                (differing, of) => Err(CliError::Differs { differing, of }),
            }
        }
    }
}

async fn add_merchant(add: Add, out: &mut impl Write) -> Result<(), CliError> {
    let mode = if add.live { Mode::Live } else { Mode::Test };
    check_origins(mode, &add.origins)?;
    let clear = add.clear_card || mode == Mode::Test;
    let secret_key = SecretKey::random(mode);
    let merchant = Merchant {
        id: MerchantId::random(mode),
        name: add.name,
        mode,
        origins: add.origins,
        clear_cards: if clear { ClearCards::Allowed } else { ClearCards::Refused },
    };
    let public_key = random_public_key(mode);
    let keys = [NewKey::public(mode, &public_key), NewKey::secret(mode, &secret_key)];
    let store = Store::open(&add.database.location()?).await?;
    store.add_merchant(&merchant, &keys, Clock::system().now()).await?;
    store.close().await;

    let (id, public_key, secret_key) = (merchant.id.as_str(), public_key.as_str(), secret_key.expose());
    if add.json {
        writeln!(out, "{}", json!({ "merchant": id, "public_key": public_key, "secret_key": secret_key }))?;
    } else {
        writeln!(out, "merchant  {id}\npkey      {public_key}\nskey      {secret_key}")?;
    }
    Ok(out.flush()?)
}

async fn list_merchants(database: Database, out: &mut impl Write) -> Result<(), CliError> {
    let store = database.open_existing().await?;
    let merchants = store.merchants().await?;

    let mut table = vec![["MERCHANT", "NAME", "PKEY", "CLEAR CARDS", "ORIGINS"].map(String::from)];
    for merchant in merchants {
        let keys = store.api_keys(&merchant.id).await?;
        let public = keys.iter().filter(|key| key.kind == KeyKind::Public && key.revoked_at.is_none());
        table.push([
            merchant.id.to_string(),
            merchant.name.as_str().into(),
            public.map(|key| &*key.hint).collect::<Vec<_>>().join(" "),
            match merchant.clear_cards {
                ClearCards::Allowed => "allowed".into(),
                ClearCards::Refused => "refused".into(),
            },
            merchant.origins.iter().map(Origin::as_str).collect::<Vec<_>>().join(" "),
        ]);
    }
    store.close().await;
    let mut widths = [0; 5];
    for row in &table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &table {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(out.flush()?)
}

async fn replace_origins(
    Origins { database, key, origins }: Origins,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let store = database.open_existing().await?;
    let hash = Sha256Digest::of(key.as_str().as_bytes());
    let Some((merchant, _)) = store.key_holder(hash).await? else {
        return Err(CliError::UnknownKey(key));
    };
    check_origins(merchant.mode, &origins)?;
    store.replace_origins(&merchant.id, &origins).await?;
    store.close().await;
    writeln!(out, "merchant  {}", merchant.id)?;
    for origin in origins {
        writeln!(out, "origin    {origin}")?;
    }
    Ok(out.flush()?)
}

/// A page for real cards has to come over TLS.
fn check_origins(mode: Mode, origins: &[Origin]) -> Result<(), CliError> {
    match (mode, origins.iter().find(|origin| !origin.is_secure())) {
        (Mode::Live, Some(origin)) => Err(CliError::InsecureOrigin(origin.clone())),
        _ => Ok(()),
    }
}

/// Why a command was not carried out. The operator's to put right.
#[derive(Debug, Error)]
pub enum CliError {
    /// The folder cannot be had.
    #[error("the data folder {path} cannot be opened: {source}", path = .path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
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
    /// Nothing says where the key-encryption key is, which no database may hold.
    #[error("say where the key-encryption key is, with --kek FILE: the database does not hold it")]
    NoKek,
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
