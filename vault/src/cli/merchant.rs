use std::io::Write;

use cardseal::client::Pkey;
use clap::{Args, Subcommand};
use serde_json::json;

use super::table::Table;
use super::{CliError, open, open_existing};
use crate::access::KeyKind;
use crate::config::PlaceFlags;
use crate::id::{MerchantId, SecretKey, random_public_key};
use crate::keys::Sha256Digest;
use crate::merchant::{ClearCards, Merchant, Mode, Name, Origin};
use crate::store::NewKey;
use crate::time::Clock;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a merchant and print its keys; the secret key is shown this once
    Add(Add),
    /// List the merchants
    List(List),
    /// Register the origins of a merchant's pages, in place of those registered before. A running vault obeys at once
    Origins(Origins),
}

#[derive(Args, Debug)]
pub(super) struct Add {
    #[command(flatten)]
    database: PlaceFlags,
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
pub(super) struct List {
    #[command(flatten)]
    database: PlaceFlags,
}

#[derive(Args, Debug)]
pub(super) struct Origins {
    #[command(flatten)]
    database: PlaceFlags,
    /// The merchant's public key
    #[arg(long, value_name = "PKEY", value_parser = Pkey::parse)]
    key: Pkey,
    /// Origin of the merchant's pages, such as `https://shop.example`; may be given several times
    #[arg(long = "origin", value_name = "URL", required = true, value_parser = Origin::parse)]
    origins: Vec<Origin>,
}

impl Command {
    pub(super) async fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        match self {
            Self::Add(merchant) => add(merchant, out).await,
            Self::List(List { database }) => list(database, out).await,
            Self::Origins(origins) => replace_origins(origins, out).await,
        }
    }
}

async fn add(add: Add, out: &mut impl Write) -> Result<(), CliError> {
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
    let store = open(add.database).await?;
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

async fn list(database: PlaceFlags, out: &mut impl Write) -> Result<(), CliError> {
    let store = open_existing(database).await?;
    let merchants = store.merchants().await?;

    let mut table = Table::new(["MERCHANT", "NAME", "PKEY", "CLEAR CARDS", "ORIGINS"]);
    for merchant in merchants {
        let keys = store.api_keys(&merchant.id).await?;
        let public = keys.iter().filter(|key| key.kind == KeyKind::Public && key.revoked_at.is_none());
        table.row([
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
    write!(out, "{table}")?;
    Ok(out.flush()?)
}

async fn replace_origins(
    Origins { database, key, origins }: Origins,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let store = open_existing(database).await?;
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
