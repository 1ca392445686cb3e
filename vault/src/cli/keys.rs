use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::table::Table;
use super::{CliError, open_existing, open_vault};
use crate::audit::{Action, By};
use crate::config::{PlaceFlags, VaultFlags};
use crate::keys::ACTIVATION_DELAY;
use crate::keys::kek::{Opened, Source};
use crate::keys::ring::{Held, Ring, State};
use crate::merchant::Mode;
use crate::sealing_keys::SealingKeys;
use crate::store::{KeyRecord, Purpose, Store};
use crate::time::{Clock, Timestamp};
use crate::vault::Vault;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the public halves of the sealing keys as JSON, for `verify --keys`, and of the signing keys, for merchants' pages; again after each rotation
    Export(Export),
    /// List the vault's keys with their states
    List(List),
    /// Make the next key of a purpose; a running vault uses it a minute later and goes on opening what is under the old one
    Rotate(Rotate),
    /// Destroy a sealing or signing key that is no longer active: after a leak, or once no page knows it any more
    Retire(Retire),
    /// Make a key-encryption key where there is none: a file, a key in a token, or a share for each custodian
    InitKek(InitKek),
    /// Put the vault's keys under another key-encryption key; the vault has to be stopped
    Rewrap(Rewrap),
}

#[derive(Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    vault: VaultFlags,
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    database: PlaceFlags,
}

#[derive(Args, Debug)]
pub(super) struct Rotate {
    #[command(flatten)]
    vault: VaultFlags,
    #[command(flatten)]
    next: NextKey,
}

/// The key to make.
#[derive(Args, Debug)]
pub(super) struct NextKey {
    /// What the key is for
    #[arg(long, value_enum, default_value = "sealing-live")]
    purpose: PurposeName,
    /// Use it at once, after a leak: pages that have the old set of keys have to fetch it again
    #[arg(long)]
    now: bool,
}

#[derive(Args, Debug)]
pub(super) struct Retire {
    #[command(flatten)]
    vault: VaultFlags,
    #[command(flatten)]
    last: LastKey,
}

/// The key to destroy.
#[derive(Args, Debug)]
pub(super) struct LastKey {
    /// What the key is for
    #[arg(long, value_enum, default_value = "sealing-live")]
    purpose: Retirable,
    /// Its version, as `keys list` shows it
    #[arg(long, value_name = "N")]
    version: u32,
}

#[derive(Args, Debug)]
pub(super) struct InitKek {
    /// Where: file:PATH, pkcs11:…, shares:PATH,PATH
    #[arg(long, value_name = "SOURCE")]
    kek: Source,
}

#[derive(Args, Debug)]
pub(super) struct Rewrap {
    #[command(flatten)]
    vault: VaultFlags,
    /// The new key-encryption key, which `keys init-kek` makes
    #[arg(long, value_name = "SOURCE")]
    to: Source,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PurposeName {
    Access,
    Audit,
    Data,
    Fingerprint,
    SealingLive,
    SealingTest,
    Signing,
}

/// Nothing that is kept is under these.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Retirable {
    SealingLive,
    SealingTest,
    Signing,
}

impl Command {
    pub(super) async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        match self {
            Self::Export(Export { vault }) => export(vault, out).await,
            Self::List(List { database }) => list(database, out).await,
            Self::Rotate(rotate) => rotate.run(by, out).await,
            Self::Retire(retire) => retire.run(by, out).await,
            Self::InitKek(InitKek { kek }) => {
                kek.create()?;
                writeln!(out, "made {kek}; back it up, apart from the database")?;
                Ok(out.flush()?)
            }
            Self::Rewrap(rewrap) => rewrap.run(by, out).await,
        }
    }
}

async fn export(flags: VaultFlags, out: &mut impl Write) -> Result<(), CliError> {
    let vault = open_vault(flags).await?;
    let keys = SealingKeys::of(&vault.keys().rings());
    vault.close().await;
    let json = serde_json::to_string_pretty(&keys).map_err(std::io::Error::other)?;
    writeln!(out, "{json}")?;
    Ok(out.flush()?)
}

async fn list(database: PlaceFlags, out: &mut impl Write) -> Result<(), CliError> {
    let store = open_existing(database).await?;
    list_of(&store, out).await?;
    store.close().await;
    Ok(())
}

pub(super) async fn list_of(store: &Store, out: &mut impl Write) -> Result<(), CliError> {
    let records = store.keys().await?;
    write!(out, "{}", table(&records, Clock::system().now()))?;
    Ok(out.flush()?)
}

/// The keys as a table for a person.
pub(super) fn table(records: &[KeyRecord], now: Timestamp) -> Table<6> {
    let mut table = Table::new(["PURPOSE", "VERSION", "STATE", "AGE", "ACTIVE FROM", "ENCRYPTIONS"]);
    for record in records {
        let state = state(records, record, now);
        table.row([
            record.purpose.as_str().into(),
            record.version.to_string(),
            state.to_string(),
            days(now.since(record.created_at)),
            record.active_from.to_string(),
            match record.purpose {
                Purpose::Data => record.encryptions.to_string(),
                _ => "-".into(),
            },
        ]);
    }
    table
}

/// What a key does now, from what is kept of all of them.
pub(super) fn state(records: &[KeyRecord], record: &KeyRecord, now: Timestamp) -> State {
    if record.destroyed_at.is_some() {
        return State::Destroyed;
    }
    let held = |record: &KeyRecord| Held {
        version: record.version,
        created_at: record.created_at,
        active_from: record.active_from,
        key: ().into(),
    };
    let ring = records.iter().filter(|key| key.purpose == record.purpose).map(held).collect();
    Ring::new(ring).state(&held(record), now)
}

fn days(age: Duration) -> String {
    const HOUR: u64 = 60 * 60;
    match age.as_secs() / HOUR {
        hours if hours < 48 => format!("{hours} h"),
        hours => format!("{} d", hours / 24),
    }
}

impl Rotate {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let vault = open_vault(self.vault).await?;
        self.next.make(&vault, by, out).await?;
        vault.close().await;
        Ok(())
    }
}

impl NextKey {
    pub(super) async fn make(self, vault: &Vault, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let purpose = match self.purpose {
            PurposeName::Access => Purpose::Access,
            PurposeName::Audit => Purpose::Audit,
            PurposeName::Data => Purpose::Data,
            PurposeName::Fingerprint => Purpose::Fingerprint,
            PurposeName::SealingLive => Purpose::Sealing(Mode::Live),
            PurposeName::SealingTest => Purpose::Sealing(Mode::Test),
            PurposeName::Signing => Purpose::Signing,
        };
        let now = vault.clock().now();
        let active_from = if self.now { now } else { now.plus(ACTIVATION_DELAY) };
        let version = vault.rotate(purpose, by, active_from).await?;
        writeln!(out, "{} key {version} is used from {active_from} on", purpose.as_str())?;
        Ok(out.flush()?)
    }
}

impl Retire {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let vault = open_vault(self.vault).await?;
        self.last.destroy(&vault, by, out).await?;
        vault.close().await;
        Ok(())
    }
}

impl LastKey {
    pub(super) async fn destroy(self, vault: &Vault, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let now = vault.clock().now();
        let records = vault.store().keys().await?;
        let purpose = match self.purpose {
            Retirable::SealingLive => Purpose::Sealing(Mode::Live),
            Retirable::SealingTest => Purpose::Sealing(Mode::Test),
            Retirable::Signing => Purpose::Signing,
        };
        let of_version = |key: &&KeyRecord| key.purpose == purpose && key.version == self.version;
        let record = records.iter().find(of_version).ok_or(CliError::NoSuchKey(self.version))?;
        let State::DecryptOnly { .. } = state(&records, record, now) else {
            return Err(CliError::NotRetirable(self.version));
        };
        vault.destroy(purpose, self.version, by).await?;
        writeln!(out, "{} key {} is destroyed", purpose.as_str(), self.version)?;
        Ok(out.flush()?)
    }
}

impl Rewrap {
    async fn run(self, by: By, out: &mut impl Write) -> Result<(), CliError> {
        let vault = open_vault(self.vault).await?;
        let Opened::Kek(new) = self.to.open()? else { return Err(CliError::Custodians) };
        let subject = self.to.to_string();
        vault.audit(None, by, Action::RewrapKeys, &subject, None).await?;
        let records = vault.store().keys().await?;
        let wrapped: Vec<_> = records.iter().filter_map(KeyRecord::wrapped_key).collect();
        let rewrapped = vault.keys().kek().rewrap(&new, &wrapped)?;
        vault.store().rewrap_keys(&rewrapped).await?;
        vault.close().await;
        writeln!(
            out,
            "{} keys are under {} now; start the vault with --kek {}",
            rewrapped.len(),
            self.to,
            self.to
        )?;
        Ok(out.flush()?)
    }
}
