//! How a vault is set up: by flags, environment variables and one file, in this order of precedence.

mod address;
mod callbacks;
mod count;
mod database;
mod file;
mod flags;
mod given;
mod period;
mod place;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use thiserror::Error;

use crate::access::limit::{Limits, Name};
use crate::data_dir::DataDir;
use crate::keys::data::MOST_ENCRYPTIONS;
use crate::keys::kek::Source;
use crate::keys::kek::file::{FileError, Secret, check as file_check};
use crate::log::Format;
use crate::server::TlsFiles;
use crate::store::NotPostgres;
use crate::test_card::TestCards;
use crate::vault::{Guard, Policy};
use crate::vendor;
use crate::webhook::Reach;

pub use address::{Address, NotAnAddress};
pub(crate) use callbacks::ACCESS_PATH;
pub use callbacks::{Callbacks, Certified, FromThalesD1, FromThalesPci, OAuth, Parties};
pub use count::{Count, NotACount};
pub use database::{Database, NoFolder};
pub use flags::{Flags, PlaceFlags, VaultFlags, WatchFlags};
pub use period::{NotAPeriod, Period};

use file::File;
use flags::{Everything, Opening, Sourced, Watching};
use given::Given;
use place::{Hidden, Place};

/// How long the vault goes on serving after it was told to stop.
pub type ShutdownDelay = Period<0, 300, 0>;

/// How long a token can be used.
pub type TokenLifetime = Period<60, { 24 * HOUR }, { 30 * 60 }>;

/// How long a security code is kept at most (PCI DSS 3.3.1: no longer than it is needed).
pub type SecurityCodeLifetime = Period<1, { 15 * 60 }, { 15 * 60 }>;

/// How old a sealing key gets (NIST SP 800-57 part 1 section 5.3.6: up to two years for a key of this kind).
pub type SealingKeyAge = Period<HOUR, { 730 * DAY }, { 90 * DAY }>;

/// How long events are kept: longer than one that does not arrive is tried.
pub type EventLifetime = Period<{ 7 * DAY }, { 3660 * DAY }, { 90 * DAY }>;

/// How old a data key gets (NIST SP 800-57 part 1 section 5.3.6: up to two years).
pub type DataKeyAge = Period<HOUR, { 730 * DAY }, { 365 * DAY }>;

/// How long a sealing key opens seals after its successor took over: longer than browsers keep the set of keys, and
/// than people leave a checkout page open.
pub type DecryptOnly = Period<HOUR, { 30 * DAY }, DAY>;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// How many connections there may be.
pub type Connections = Count<1, 1_000_000, 4096>;

/// How many different numbers with the same first six and last four digits become a merchant's tokens in a day.
pub type AlikeByMerchant = Count<1, 1_000_000, 10>;

/// How many from one network.
pub type AlikeByNetwork = Count<1, 1_000_000, 5>;

/// How a vault is to serve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where its database is.
    pub database: Database,
    /// Where its key-encryption key is.
    pub kek: Source,
    /// Released folders, the current one first; without any there is no frame.
    pub assets: Vec<PathBuf>,
    /// Where it listens.
    pub listen: Address,
    /// Where its metrics are, for nobody but the operator; nowhere if it is not said.
    pub metrics_listen: Option<Address>,
    /// TLS, or none: then something in front of the vault must give it.
    pub tls: Option<TlsFiles>,
    /// How far test merchants' webhooks may lead.
    pub test_webhooks: Reach,
    /// How long it goes on serving after it was told to stop.
    pub shutdown_delay: ShutdownDelay,
    /// How long a token can be used.
    pub token_lifetime: TokenLifetime,
    /// How long a security code is kept.
    pub security_code_lifetime: SecurityCodeLifetime,
    /// How long events are kept.
    pub event_lifetime: EventLifetime,
    /// How old a sealing key gets.
    pub sealing_key_age: SealingKeyAge,
    /// How old a data key gets.
    pub data_key_age: DataKeyAge,
    /// How long a sealing key that is no longer active opens seals.
    pub decrypt_only: DecryptOnly,
    /// Which cards test merchants' keys take.
    pub test_cards: TestCards,
    /// How its log is written.
    pub log_format: Format,
    /// A file that the heads of the audit's chains are written into, beside the log.
    pub audit_heads: Option<PathBuf>,
    /// Where the vendors are.
    pub vendors: vendor::settings::Settings,
    /// Where vendors tell of what happens to their tokens; nowhere if it is not said.
    pub callbacks: Option<Callbacks>,
    /// How many connections there may be.
    pub connections: Connections,
    /// How many numbers that begin and end alike become tokens in a day.
    pub guard: Guard,
    /// How much one may ask for, and which proxies are believed.
    pub limits: Limits,
}

/// Where a vault is.
#[derive(Clone, Debug)]
pub struct VaultPlace {
    /// Where its database is.
    pub database: Database,
    /// Where its key-encryption key is.
    pub kek: Source,
    /// A file that the heads of the audit's chains are written into, beside the log.
    pub audit_heads: Option<PathBuf>,
}

impl Settings {
    /// The settings that the command line, the environment and the file add up to, and where each is from.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn load(flags: Flags) -> Result<(Self, Origins), ConfigError> {
        let Sourced { arguments: Everything { place, given }, sources } = flags;
        let (given, origins) = add_up(place, given, sources)?;
        let database = database(&given, &origins)?;
        let kek = kek(&given, &database, &origins)?;
        let tls = match (given.tls_cert, given.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(origins.missing("tls_key", "tls_cert")),
            (None, Some(_)) => return Err(origins.missing("tls_cert", "tls_key")),
        };
        let mut limits =
            Limits { trusted_proxies: given.trusted_proxies.unwrap_or_default(), ..Limits::default() };
        for (name, limit) in given.limits.rates() {
            let default = *limits.limit_mut(name);
            *limits.limit_mut(name) = limit.unwrap_or(default);
        }
        let settings = Self {
            database,
            kek,
            assets: given.assets.unwrap_or_default(),
            listen: given.listen.unwrap_or_default(),
            metrics_listen: given.metrics_listen,
            tls,
            test_webhooks: given.test_webhooks.unwrap_or_default(),
            shutdown_delay: given.shutdown_delay.unwrap_or_default(),
            token_lifetime: given.token_lifetime.unwrap_or_default(),
            security_code_lifetime: given.security_code_lifetime.unwrap_or_default(),
            event_lifetime: given.event_lifetime.unwrap_or_default(),
            sealing_key_age: given.sealing_key_age.unwrap_or_default(),
            data_key_age: given.data_key_age.unwrap_or_default(),
            decrypt_only: given.decrypt_only.unwrap_or_default(),
            test_cards: given.test_cards.unwrap_or_default(),
            log_format: given.log_format.unwrap_or_default(),
            audit_heads: given.audit_heads,
            vendors: given.vendors,
            callbacks: given.callbacks,
            connections: given.limits.connections.unwrap_or_default(),
            guard: Guard {
                merchant: given.limits.alike_by_merchant.unwrap_or_default().into(),
                network: given.limits.alike_by_network.unwrap_or_default().into(),
            },
            limits,
        };
        Ok((settings, origins))
    }

    /// How long the vault keeps what.
    #[must_use]
    pub const fn policy(&self) -> Policy {
        Policy {
            token_lifetime: self.token_lifetime.duration(),
            security_code_lifetime: self.security_code_lifetime.duration(),
            event_lifetime: self.event_lifetime.duration(),
            sealing_key_age: self.sealing_key_age.duration(),
            data_key_age: self.data_key_age.duration(),
            data_key_encryptions: MOST_ENCRYPTIONS,
            decrypt_only: self.decrypt_only.duration(),
            guard: self.guard,
            test_cards: self.test_cards,
        }
    }

    /// Every setting that has a value, by its key, without passwords.
    #[must_use]
    pub fn shown(&self) -> Vec<(String, String)> {
        let path = |path: &Path| path.display().to_string();
        let mut shown = Vec::new();
        let mut show = |key: &str, value: String| shown.push((key.to_owned(), value));
        match &self.database {
            Database::Folder(folder) => show("data_dir", path(folder)),
            Database::Postgres(url) => show("database_url", url.to_string()),
        }
        show("kek", self.kek.to_string());
        self.assets.iter().for_each(|folder| show("assets", path(folder)));
        show("listen", self.listen.to_string());
        if let Some(address) = &self.metrics_listen {
            show("metrics_listen", address.to_string());
        }
        if let Some(TlsFiles { certificate, key }) = &self.tls {
            show("tls_cert", path(certificate));
            show("tls_key", path(key));
        }
        self.limits.trusted_proxies.iter().for_each(|proxy| show("trusted_proxies", proxy.to_string()));
        show("test_webhooks", self.test_webhooks.to_string());
        show("shutdown_delay", self.shutdown_delay.to_string());
        show("token_lifetime", self.token_lifetime.to_string());
        show("security_code_lifetime", self.security_code_lifetime.to_string());
        show("event_lifetime", self.event_lifetime.to_string());
        show("sealing_key_age", self.sealing_key_age.to_string());
        show("data_key_age", self.data_key_age.to_string());
        show("decrypt_only", self.decrypt_only.to_string());
        show("test_cards", self.test_cards.to_string());
        show("log_format", self.log_format.as_str().into());
        self.audit_heads.iter().for_each(|file| show("audit_heads", path(file)));
        show("limits.connections", self.connections.to_string());
        show("limits.alike_by_merchant", self.guard.merchant.to_string());
        show("limits.alike_by_network", self.guard.network.to_string());
        self.vendors.shown(&mut show);
        self.callbacks.iter().for_each(|callbacks| callbacks.shown(&mut show));
        for name in Name::ALL {
            show(&format!("limits.{}", name.as_str()), self.limits.limit(name).to_string());
        }
        shown
    }
}

impl Database {
    /// Where the database is, as the command line, the environment and the file say.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn load(flags: PlaceFlags) -> Result<Self, ConfigError> {
        let Sourced { arguments: place, sources } = flags;
        let (given, origins) = add_up(place, Given::default(), sources)?;
        database(&given, &origins)
    }
}

impl VaultFlags {
    /// Where a vault is, as the command line, the environment and the file say.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn load(self) -> Result<VaultPlace, ConfigError> {
        let Self { arguments: Opening { place, kek: given, audit_heads }, sources } = self;
        let given = Given { kek: given, audit_heads, ..Given::default() };
        let (given, origins) = add_up(place, given, sources)?;
        let database = database(&given, &origins)?;
        let kek = kek(&given, &database, &origins)?;
        Ok(VaultPlace { database, kek, audit_heads: given.audit_heads })
    }
}

impl WatchFlags {
    /// Where the database and the metrics are, as the command line, the environment and the file say.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn load(self) -> Result<(Database, Option<Address>), ConfigError> {
        let Self { arguments: Watching { place, metrics_listen }, sources } = self;
        let (given, origins) = add_up(place, Given { metrics_listen, ..Given::default() }, sources)?;
        Ok((database(&given, &origins)?, given.metrics_listen))
    }
}

fn kek(given: &Given, database: &Database, origins: &Origins) -> Result<Source, ConfigError> {
    match (&given.kek, database) {
        (Some(kek), _) => Ok(kek.clone()),
        (None, Database::Folder(path)) => Ok(Source::File(DataDir::kek_in(path.as_path()))),
        // The database must not hold the key that its keys are encrypted with.
        (None, Database::Postgres(_)) => {
            let key = if given.database_url.is_some() { "database_url" } else { "database_url_file" };
            Err(origins.missing("kek", key))
        }
    }
}

fn add_up(
    place: Place,
    given: Given,
    sources: HashMap<String, ValueSource>,
) -> Result<(Given, Origins), ConfigError> {
    let Place { config, data_dir, database_url, database_url_file } = place;
    let file = config.as_deref().map(File::read).transpose()?.unwrap_or_default();
    let given = Given { data_dir, database_url, database_url_file, ..given }.or(file.given);
    Ok((given, Origins { sources, file: config, lines: file.lines }))
}

fn database(given: &Given, origins: &Origins) -> Result<Database, ConfigError> {
    let postgres = |Hidden(text): &Hidden, key| {
        let wrong = |why| match why {
            NotPostgres::Malformed => ConfigError::NotPostgres(origins.of(key)),
            NotPostgres::Unencrypted => ConfigError::Unencrypted(origins.of(key)),
        };
        Ok(Database::Postgres(text.trim_end().parse().map_err(wrong)?))
    };
    match (&given.data_dir, &given.database_url, &given.database_url_file) {
        (Some(path), None, None) => Ok(Database::Folder(path.clone())),
        (None, Some(url), None) => postgres(url, "database_url"),
        (None, None, Some(path)) => {
            file_check(Secret::Address, path)?;
            let text = fs::read_to_string(path);
            let text = text.map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
            postgres(&Hidden(text), "database_url_file")
        }
        (None, None, None) => Err(ConfigError::NoDatabase),
        (Some(_), Some(_), _) => Err(origins.both("data_dir", "database_url")),
        (Some(_), None, Some(_)) => Err(origins.both("data_dir", "database_url_file")),
        (None, Some(_), Some(_)) => Err(origins.both("database_url", "database_url_file")),
    }
}

/// Where each setting is from.
#[derive(Clone, Debug)]
pub struct Origins {
    sources: HashMap<String, ValueSource>,
    file: Option<PathBuf>,
    lines: HashMap<String, usize>,
}

impl Origins {
    /// Where the setting with this key is from.
    #[must_use]
    pub fn of(&self, key: &str) -> Origin {
        match (self.sources.get(key), &self.file, self.lines.get(key)) {
            (Some(ValueSource::EnvVariable), ..) => Origin::Environment(variable(key)),
            (Some(_), ..) => Origin::Flag(flag(key)),
            (None, Some(path), Some(line)) => Origin::File(path.clone(), *line),
            _ => Origin::Default,
        }
    }

    fn missing(&self, key: &'static str, needed_by: &str) -> ConfigError {
        ConfigError::Missing { key, needed_by: self.of(needed_by) }
    }

    fn both(&self, one: &str, other: &str) -> ConfigError {
        ConfigError::Both { one: self.of(one), other: self.of(other) }
    }
}

/// Where a setting is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// This variable.
    Environment(String),
    /// This line of the file, from 1.
    File(PathBuf, usize),
    /// This flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Environment(name) | Self::Flag(name) => formatter.write_str(name),
            Self::File(path, line) => write!(formatter, "{}:{line}", path.display()),
        }
    }
}

fn flag(key: &str) -> String {
    format!("--{}", key.replace(['_', '.'], "-"))
}

fn variable(key: &str) -> String {
    format!("CARDSEAL_{}", key.replace('.', "_").to_ascii_uppercase())
}

/// Why there are no settings. The operator's to put right.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The database is said to be in two places.
    #[error("{one} and {other} each say where the database is; leave one of them out")]
    Both {
        /// The first.
        one: Origin,
        /// The second.
        other: Origin,
    },
    /// A setting is needed that nobody made.
    #[error(
        "{key} is missing, which {needed_by} needs: give {flag}, {variable}, or {key} in the file",
        flag = flag(.key),
        variable = variable(.key)
    )]
    Missing {
        /// Its key.
        key: &'static str,
        /// The one that needs it.
        needed_by: Origin,
    },
    /// Nobody says where the database is.
    #[error(
        "nothing says where the database is: give --data-dir (CARDSEAL_DATA_DIR, data_dir in the file) for a folder, or \
         --database-url-file (CARDSEAL_DATABASE_URL_FILE, database_url_file) for PostgreSQL"
    )]
    NoDatabase,
    /// The address of the database is none. It is not shown, since it has a password in it.
    #[error(
        "what {0} says is not the address of a PostgreSQL database, postgres://user:password@host:port/name"
    )]
    NotPostgres(Origin),
    /// Others can get at a file with a secret.
    #[error(transparent)]
    Secret(#[from] FileError),
    /// The way to the database can be listened to.
    #[error(
        "what {0} says leads to another machine without TLS, where card data and the password can be read and changed on \
             the way; add ?sslmode=verify-full&sslrootcert=FILE to the address, with the certificate of the database's authority"
    )]
    Unencrypted(Origin),
    /// A file cannot be read.
    #[error("the file {path} cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no TOML, has a key that is none, or a value that is none.
    #[error("{path}:{line}: {key}{why}", path = .path.display(), key = key.as_deref().map(|key| format!("{key}: ")).unwrap_or_default())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The setting's key.
        key: Option<String>,
        /// What is wrong with it.
        why: String,
    },
}
