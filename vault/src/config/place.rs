use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::Deserialize;

/// Where the database is, as far as the command line and the environment say: what every command needs to know.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// File with settings (TOML); flags and environment variables come before it
    #[arg(long, env = "CARDSEAL_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Folder for the database and the keys; made when it is new
    #[arg(long, env = "CARDSEAL_DATA_DIR", value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// PostgreSQL database, instead of a folder: postgres://user:password@host/name
    #[arg(long, env = "CARDSEAL_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(super) database_url: Option<Hidden>,
    /// File that holds the address of the PostgreSQL database, so that the password is in no list of processes
    #[arg(long, env = "CARDSEAL_DATABASE_URL_FILE", value_name = "FILE")]
    pub(super) database_url_file: Option<PathBuf>,
}

/// A text with a password in it. It is looked at only where no error would repeat it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Hidden(pub(super) String);

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hidden")
    }
}
