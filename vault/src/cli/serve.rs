use std::io::Write;

use clap::Args;

use super::{CliError, ask};
use crate::config::{Flags, Settings};
use crate::{log, server};

#[derive(Args, Debug)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub(super) async fn run(self, out: impl Write + Send) -> Result<(), CliError> {
        let (settings, _) = Settings::load(self.flags)?;
        let recent = log::begin(settings.log_format);
        Ok(server::serve(settings, recent, ask::answer, out).await?)
    }
}
