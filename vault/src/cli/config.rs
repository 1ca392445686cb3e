use std::io::Write;

use clap::Subcommand;

use super::CliError;
use super::table::Table;
use crate::config::{Flags, Settings};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print what `serve` would do with the same flags, environment and file, and where each setting is from
    Check(Flags),
}

impl Command {
    pub(super) fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        let Self::Check(flags) = self;
        let (settings, origins) = Settings::load(flags)?;
        let mut table = Table::new(["SETTING", "VALUE", "FROM"]);
        for (key, value) in settings.shown() {
            let origin = origins.of(&key).to_string();
            table.row([key, value, origin]);
        }
        write!(out, "{table}")?;
        Ok(out.flush()?)
    }
}
