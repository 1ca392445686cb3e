use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use cardseal::client::{Pkey, Profile};
use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::audit::merchant_id;
use super::table::Table;
use super::{CliError, open_existing, open_new_vault, open_vault};
use crate::access::{KeyKind, Permission, Scopes};
use crate::audit::By;
use crate::config::{PlaceFlags, VaultFlags};
use crate::id::{KeyId, MerchantId, SecretKey, random_public_key};
use crate::keys::Sha256Digest;
use crate::merchant::{self, ClearCards, Merchant, Mode, Name, Origin};
use crate::store::{NewKey, Store, StoredMerchant};
use crate::time::Timestamp;
use crate::vault::Vault;
use crate::vendor::Account;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a merchant and print its keys; the secret key is shown this once
    Add(Add),
    /// Connect a merchant with a vendor, so that its pages and charges may deal with it. A running vault obeys at once
    Connect(Connect),
    /// Forget a merchant's account with a vendor
    Disconnect(Disconnect),
    /// List a merchant's keys, add one, or revoke one. A running vault obeys at once; of public keys, within a second
    #[command(subcommand)]
    Keys(Keys),
    /// List the merchants
    List(List),
    /// Register the origins of a merchant's pages, in place of those registered before. A running vault obeys within a
    /// second
    Origins(Origins),
}

#[derive(Args, Debug)]
pub(super) struct Add {
    #[command(flatten)]
    vault: VaultFlags,
    #[command(flatten)]
    merchant: AddedMerchant,
}

/// The merchant to add.
#[derive(Args, Debug)]
pub(super) struct AddedMerchant {
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
    vault: VaultFlags,
    /// The merchant's public key
    #[arg(long, value_name = "PKEY", value_parser = Pkey::parse)]
    key: Pkey,
    /// Origin of the merchant's pages, such as `https://shop.example`; may be given several times
    #[arg(long = "origin", value_name = "URL", required = true, value_parser = Origin::parse)]
    origins: Vec<Origin>,
}

#[derive(Args, Debug)]
pub(super) struct Connect {
    #[command(flatten)]
    vault: VaultFlags,
    /// The merchant's id, mrch_…
    #[arg(long, value_name = "ID", value_parser = merchant_id)]
    merchant: MerchantId,
    /// The vendor: omise, payment-options, thales-d1 or thales-pci
    #[arg(long, value_name = "VENDOR", value_parser = vendor)]
    vendor: Profile,
    /// TOML file with what the vendor knows the merchant by; - for the standard input
    #[arg(long, value_name = "FILE")]
    account: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct Disconnect {
    #[command(flatten)]
    vault: VaultFlags,
    /// The merchant's id, mrch_…
    #[arg(long, value_name = "ID", value_parser = merchant_id)]
    merchant: MerchantId,
    /// The vendor: omise, payment-options, thales-d1 or thales-pci
    #[arg(long, value_name = "VENDOR", value_parser = vendor)]
    vendor: Profile,
}

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Add a key; a secret key is shown this once
    Add(AddKey),
    /// List a merchant's keys, revoked ones too
    List(ListKeys),
    /// Revoke a key, for good
    Revoke(RevokeKey),
}

#[derive(Args, Debug)]
pub(super) struct AddKey {
    #[command(flatten)]
    vault: VaultFlags,
    #[command(flatten)]
    key: AddedKey,
}

/// The key to add.
#[derive(Args, Debug)]
pub(super) struct AddedKey {
    /// The merchant's id, mrch_…
    #[arg(long, value_name = "ID", value_parser = merchant_id)]
    merchant: MerchantId,
    /// A public key, for pages, instead of a secret one
    #[arg(long)]
    public: bool,
    /// What the key may do: tokenize, use, detokenize, pay; may be given several times
    #[arg(long = "scope", value_name = "SCOPE", value_parser = permission)]
    scopes: Vec<Permission>,
    /// When the key ends by itself: a day, 2027-03-31, of which it is the last (UTC), or a time, 2027-03-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,
}

#[derive(Args, Debug)]
pub(super) struct ListKeys {
    #[command(flatten)]
    database: PlaceFlags,
    #[command(flatten)]
    keys: KeysOf,
}

/// Whose keys to list.
#[derive(Args, Debug)]
pub(super) struct KeysOf {
    /// The merchant's id, mrch_…
    #[arg(long, value_name = "ID", value_parser = merchant_id)]
    merchant: MerchantId,
}

#[derive(Args, Debug)]
pub(super) struct RevokeKey {
    #[command(flatten)]
    vault: VaultFlags,
    #[command(flatten)]
    key: RevokedKey,
}

/// The key to revoke.
#[derive(Args, Debug)]
pub(super) struct RevokedKey {
    /// The key's id, akey_…, as `merchant keys list` shows it
    #[arg(long, value_name = "ID", value_parser = key_id)]
    id: KeyId,
}

fn vendor(name: &str) -> Result<Profile, &'static str> {
    let vendor = Profile::parse(name).filter(|profile| *profile != Profile::Cardseal);
    vendor.ok_or("a vendor is omise, payment-options, thales-d1 or thales-pci")
}

fn permission(text: &str) -> Result<Permission, &'static str> {
    Permission::parse(text).ok_or("a scope is tokenize, use, detokenize or pay")
}

fn until(text: &str) -> Result<Timestamp, &'static str> {
    let day = || Timestamp::parse(&format!("{text}T23:59:59Z"));
    Timestamp::parse(text).or_else(day).ok_or("a day is 2027-03-31, a time 2027-03-31T12:00:00Z")
}

fn key_id(text: &str) -> Result<KeyId, &'static str> {
    KeyId::parse(text).ok_or("a key's id is akey_…, as `merchant keys list` shows it")
}

impl Connect {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let Self { vault, merchant, vendor, account: path } = self;
        let text =
            if path.as_os_str() == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(&path) };
        let unreadable = |source| CliError::Unreadable { path: path.clone(), source };
        let text = text.map(Zeroizing::new).map_err(unreadable)?;
        let vault = open_vault(vault).await?;
        let Some(merchant) = vault.merchant(&merchant).await? else {
            return Err(CliError::UnknownMerchant(merchant));
        };
        let account = Account::parse(vendor, &text, merchant.mode)
            .map_err(|why| CliError::NotAnAccount { path: path.clone(), why })?;
        vault.connect(&merchant, &account, by).await?;
        vault.close().await;
        let charges = if account.takes_charges() { "and takes its charges" } else { "and takes no charges" };
        writeln!(out, "{} knows {} {charges}", vendor.as_str(), merchant.id)?;
        Ok(out.flush()?)
    }
}

impl Disconnect {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let Self { vault, merchant, vendor } = self;
        let vault = open_vault(vault).await?;
        let Some(merchant) = vault.merchant(&merchant).await? else {
            return Err(CliError::UnknownMerchant(merchant));
        };
        let forgotten = vault.disconnect(&merchant, vendor, by).await?;
        vault.close().await;
        if !forgotten {
            return Err(CliError::NoAccount(vendor));
        }
        writeln!(out, "the account of {} with {} is forgotten", merchant.id, vendor.as_str())?;
        Ok(out.flush()?)
    }
}

impl Keys {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        match self {
            Self::Add(AddKey { vault, key }) => {
                let vault = open_vault(vault).await?;
                key.add(&vault, by, out).await?;
                vault.close().await;
                Ok(())
            }
            Self::List(ListKeys { database, keys }) => {
                let store = open_existing(database).await?;
                keys.list(&store, out).await?;
                store.close().await;
                Ok(())
            }
            Self::Revoke(RevokeKey { vault, key }) => {
                let vault = open_vault(vault).await?;
                key.revoke(&vault, by, out).await?;
                vault.close().await;
                Ok(())
            }
        }
    }
}

impl AddedKey {
    pub(super) async fn add(self, vault: &Vault, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let Some(merchant) = vault.merchant(&self.merchant).await? else {
            return Err(CliError::UnknownMerchant(self.merchant));
        };
        let mode = merchant.mode;
        let (public, secret) = (random_public_key(mode), SecretKey::random(mode));
        let (mut key, line) = if self.public {
            (NewKey::public(mode, &public), format!("pkey      {}", public.as_str()))
        } else {
            (NewKey::secret(mode, &secret), format!("skey      {}", secret.expose()))
        };
        if !self.scopes.is_empty() {
            key.scopes = Scopes::new(key.kind, self.scopes).ok_or(CliError::UnfitScope)?;
        }
        if self.until.is_some_and(|at| at <= vault.clock().now()) {
            return Err(CliError::AlreadyOver);
        }
        key.expires_at = self.until;
        vault.add_api_key(&merchant, &key, by).await?;
        writeln!(out, "key       {}\n{line}\nscopes    {}", key.id, key.scopes)?;
        if let Some(at) = self.until {
            writeln!(out, "until     {at}")?;
        }
        Ok(out.flush()?)
    }
}

impl KeysOf {
    pub(super) async fn list(self, store: &Store, out: &mut impl Write) -> Result<(), CliError> {
        let keys = store.api_keys(&self.merchant).await?;
        let mut table = Table::new(["ID", "KIND", "KEY", "SCOPES", "MADE", "UNTIL", "LAST USED", "REVOKED"]);
        for key in keys {
            table.row([
                key.id.to_string(),
                key.kind.as_str().into(),
                key.hint,
                key.scopes.to_string(),
                key.created_at.to_string(),
                moment(key.expires_at),
                moment(key.last_used_at),
                moment(key.revoked_at),
            ]);
        }
        write!(out, "{table}")?;
        Ok(out.flush()?)
    }
}

fn moment(at: Option<Timestamp>) -> String {
    at.map_or("-".into(), |at| at.to_string())
}

impl RevokedKey {
    pub(super) async fn revoke(self, vault: &Vault, by: By, out: &mut impl Write) -> Result<(), CliError> {
        if !vault.revoke_api_key(&self.id, by).await? {
            return Err(CliError::UnknownApiKey(self.id));
        }
        writeln!(out, "{} is revoked", self.id)?;
        Ok(out.flush()?)
    }
}

impl Command {
    pub(super) async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        match self {
            Self::Add(Add { vault, merchant }) => {
                // Before a vault is made.
                check_origins(merchant.mode(), &merchant.origins)?;
                let vault = open_new_vault(vault).await?;
                merchant.add(&vault, by, out).await?;
                vault.close().await;
                Ok(())
            }
            Self::Connect(connect) => connect.run(by, out).await,
            Self::Disconnect(disconnect) => disconnect.run(by, out).await,
            Self::Keys(keys) => keys.run(by, out).await,
            Self::List(List { database }) => list(database, out).await,
            Self::Origins(origins) => replace_origins(origins, by, out).await,
        }
    }
}

impl AddedMerchant {
    const fn mode(&self) -> Mode {
        if self.live { Mode::Live } else { Mode::Test }
    }

    pub(super) async fn add(self, vault: &Vault, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let mode = self.mode();
        check_origins(mode, &self.origins)?;
        let clear = self.clear_card || mode == Mode::Test;
        let secret_key = SecretKey::random(mode);
        let merchant = Merchant {
            id: MerchantId::random(mode),
            name: self.name,
            mode,
            origins: self.origins,
            clear_cards: if clear { ClearCards::Allowed } else { ClearCards::Refused },
        };
        let public_key = random_public_key(mode);
        let keys = [NewKey::public(mode, &public_key), NewKey::secret(mode, &secret_key)];
        vault.add_merchant(&merchant, &keys, by).await?;

        let (id, public_key, secret_key) = (merchant.id.as_str(), public_key.as_str(), secret_key.expose());
        if self.json {
            writeln!(
                out,
                "{}",
                json!({ "merchant": id, "public_key": public_key, "secret_key": secret_key })
            )?;
        } else {
            writeln!(out, "merchant  {id}\npkey      {public_key}\nskey      {secret_key}")?;
        }
        Ok(out.flush()?)
    }
}

async fn list(database: PlaceFlags, out: &mut impl Write) -> Result<(), CliError> {
    let store = open_existing(database).await?;
    list_of(&store, out).await?;
    store.close().await;
    Ok(())
}

pub(super) async fn list_of(store: &Store, out: &mut impl Write) -> Result<(), CliError> {
    let merchants = store.merchants().await?;

    let mut table = Table::new(["MERCHANT", "NAME", "PKEY", "CLEAR CARDS", "VENDORS", "ORIGINS"]);
    for StoredMerchant { merchant, .. } in merchants {
        let keys = store.api_keys(&merchant.id).await?;
        let accounts = store.accounts(&merchant.id).await?;
        let public = keys.iter().filter(|key| key.kind == KeyKind::Public && key.revoked_at.is_none());
        table.row([
            merchant.id.to_string(),
            merchant.name.as_str().into(),
            public.map(|key| &*key.hint).collect::<Vec<_>>().join(" "),
            match merchant.clear_cards {
                ClearCards::Allowed => "allowed".into(),
                ClearCards::Refused => "refused".into(),
            },
            accounts.iter().map(|account| account.profile.as_str()).collect::<Vec<_>>().join(" "),
            merchant.origins.iter().map(Origin::as_str).collect::<Vec<_>>().join(" "),
        ]);
    }
    write!(out, "{table}")?;
    Ok(out.flush()?)
}

async fn replace_origins(
    Origins { vault, key, origins }: Origins,
    by: By,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let vault = open_vault(vault).await?;
    let hash = Sha256Digest::of(key.as_str().as_bytes());
    let Some((merchant, _)) = vault.key_holder(hash).await? else {
        return Err(CliError::UnknownKey(key));
    };
    check_origins(merchant.mode, &origins)?;
    vault.replace_origins(&merchant.id, &origins, by).await?;
    vault.close().await;
    writeln!(out, "merchant  {}", merchant.id)?;
    for origin in origins {
        writeln!(out, "origin    {origin}")?;
    }
    Ok(out.flush()?)
}

/// A page for real cards has to come over TLS.
fn check_origins(mode: Mode, origins: &[Origin]) -> Result<(), CliError> {
    merchant::check_origins(origins)?;
    match (mode, origins.iter().find(|origin| !origin.is_secure())) {
        (Mode::Live, Some(origin)) => Err(CliError::InsecureOrigin(origin.clone())),
        _ => Ok(()),
    }
}
