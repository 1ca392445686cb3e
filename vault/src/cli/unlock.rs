use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::keys::kek::unlock::{ShareAt, bring};

#[derive(Args, Debug)]
pub(super) struct Unlock {
    /// Folder where the vault waits: its data folder, or the folder that its message names
    #[arg(long, env = "CARDSEAL_DATA_DIR", value_name = "DIR")]
    data_dir: PathBuf,
    /// File with the share; - for the standard input; without it the share is asked for and not shown
    #[arg(long, value_name = "FILE")]
    share: Option<PathBuf>,
}

impl Unlock {
    pub(super) async fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        let share = match self.share {
            None => ShareAt::Prompt,
            Some(path) if path.as_os_str() == "-" => ShareAt::Stdin,
            Some(path) => ShareAt::File(path),
        };
        let progress = bring(&self.data_dir, &share).await?;
        writeln!(out, "{progress}")?;
        Ok(out.flush()?)
    }
}
