use std::collections::HashMap;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::Address;
use super::given::Given;
use super::place::Place;
use crate::keys::kek::Source;

/// What the command line and the environment say of every setting.
pub type Flags = Sourced<Everything>;

/// What they say of where the database is.
pub type PlaceFlags = Sourced<Place>;

/// Where a vault's database and its key-encryption key are.
pub type VaultFlags = Sourced<Opening>;

/// Where a vault's database and its metrics are.
pub type WatchFlags = Sourced<Watching>;

/// Arguments, and which of them are from the command line and which from the environment.
#[derive(Clone, Debug)]
pub struct Sourced<T> {
    pub(super) arguments: T,
    /// By the settings' keys.
    pub(super) sources: HashMap<String, ValueSource>,
}

/// What [`Flags`] are read from.
#[derive(Args, Clone, Debug)]
pub struct Everything {
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    pub(super) given: Given,
}

/// What [`VaultFlags`] are read from.
#[derive(Args, Clone, Debug)]
pub struct Opening {
    #[command(flatten)]
    pub(super) place: Place,
    /// Where the key-encryption key is: file:PATH, env:NAME, pkcs11:…, shares:PATH,PATH
    /// [default: the file kek in the data folder]
    #[arg(long, env = "CARDSEAL_KEK", value_name = "SOURCE")]
    pub(super) kek: Option<Source>,
    /// File that each change appends the audit's new head to
    #[arg(long, env = "CARDSEAL_AUDIT_HEADS", value_name = "FILE")]
    pub(super) audit_heads: Option<PathBuf>,
}

/// What [`WatchFlags`] are read from.
#[derive(Args, Clone, Debug)]
pub struct Watching {
    #[command(flatten)]
    pub(super) place: Place,
    /// Where the running server has its metrics
    #[arg(long, env = "CARDSEAL_METRICS_LISTEN", value_name = "ADDR")]
    pub(super) metrics_listen: Option<Address>,
}

impl<T: Args> Args for Sourced<T> {
    fn augment_args(command: Command) -> Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}

impl<T: FromArgMatches> FromArgMatches for Sourced<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let source = |id: &clap::Id| Some((id.as_str().into(), matches.value_source(id.as_str())?));
        Ok(Self {
            arguments: T::from_arg_matches(matches)?,
            sources: matches.ids().filter_map(source).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
