use std::io::Write;
use std::path::PathBuf;

use cardseal::client::Pkey;
use clap::Args;

use super::CliError;
use crate::merchant::Origin;
use crate::sealing_keys::SealingKeys;
use crate::verify::Check;

#[derive(Args, Debug)]
pub(super) struct Verify {
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
    /// What `keys export` wrote: the sealing keys that the vault should show
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Where Omise takes cards, for a merchant with an account there: `https://vault.omise.co`
    #[arg(long, value_name = "URL", value_parser = Origin::parse)]
    omise: Option<Origin>,
}

impl Verify {
    pub(super) async fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        let Self { vault, key, assets, origins, keys, omise } = self;
        let keys = keys.map(read).transpose()?;
        let report = Check { vault, key, origins, omise, keys, assets }.run().await?;
        write!(out, "{report}").and_then(|()| out.flush())?;
        match report.differing() {
            (0, _) => Ok(()),
            (differing, of) => Err(CliError::Differs { differing, of }),
        }
    }
}

fn read(path: PathBuf) -> Result<SealingKeys, CliError> {
    match std::fs::read_to_string(&path) {
        Ok(json) => SealingKeys::parse(&json).ok_or(CliError::NoSealingKeys(path)),
        Err(source) => Err(CliError::Unreadable { path, source }),
    }
}
