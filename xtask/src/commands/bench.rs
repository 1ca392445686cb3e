//! `bench`: what cardseal costs.

use anyhow::Result;

use crate::cli::Effort;
use crate::needs::postgres;
use crate::process::{cargo, execute, in_workspace};
use crate::workspace;

/// Builds the vault as it is released, and measures it.
pub(crate) fn run(effort: Effort) -> Result<()> {
    postgres::install()?;
    // What comes out of a debug build means nothing, and a test has one already.
    let (profile, folder, name) = match effort {
        Effort::Full => ("release", "release", "full"),
        Effort::Quick => ("dev", "debug", "quick"),
    };
    println!("xtask: building what is measured");
    let packages = ["--package", "cardseal-vault", "--package", "cardseal-bench"];
    execute(cargo().args(["build", "--profile", profile]).args(packages))?;
    let programs = workspace::target().join(folder);
    let mut bench = in_workspace(programs.join("cardseal-bench"));
    bench.args(["vault", "--effort", name]).arg("--program").arg(programs.join("cardseal-vault"));
    execute(bench.arg("--folder").arg(workspace::target().join("bench/vault")))
}
