//! Python 3 with pip.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::system;
use crate::process::{execute, in_workspace, succeeds};

/// `python3`, with pip, installed when it is missing.
pub(crate) fn python() -> Result<Command> {
    if !succeeds(in_workspace("python3").args(["-m", "pip", "--version"])) {
        system::install("Python 3 with pip", &["python3", "python3-pip"])?;
    }
    Ok(in_workspace("python3"))
}

/// Installs the packages that `requirements` names, one `name==version` a line, into a folder of their own: for PYTHONPATH.
pub(crate) fn packages(requirements: &Path, folder: &Path) -> Result<()> {
    let installed: PathBuf = folder.join("requirements.txt");
    let wanted = fs::read(requirements).with_context(|| format!("reading {}", requirements.display()))?;
    // Written last.
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    println!("xtask: installing {} with pip", requirements.display());
    // Every package is named with its version, so none is to be looked for.
    let mut pip = python()?;
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"]);
    execute(pip.arg(folder).arg("--requirement").arg(requirements))?;
    Ok(fs::write(installed, wanted)?)
}
