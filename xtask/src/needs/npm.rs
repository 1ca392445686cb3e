//! Node.js and the npm packages that package-lock.json names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::lock::Lock;
use crate::process::{execute, in_workspace, output};
use crate::workspace;

/// The oldest Node.js that is tested.
const OLDEST_NODE: u32 = 20;

/// `node`, with the packages installed.
pub(crate) fn node() -> Result<Command> {
    let missing = || {
        format!("Node.js {OLDEST_NODE} or newer is missing; get it from nodejs.org or your system's packages")
    };
    let version = output(in_workspace("node").arg("--version")).with_context(missing)?;
    match major(&version) {
        Some(major) if major >= OLDEST_NODE => {}
        _ => bail!("Node.js is {}, but {}", version.trim(), missing()),
    }
    packages()?;
    Ok(in_workspace("node"))
}

/// The script of an installed package's program.
pub(crate) fn program(name: &str) -> PathBuf {
    workspace::root().join("node_modules/.bin").join(name)
}

fn packages() -> Result<()> {
    let lock = workspace::root().join("package-lock.json");
    // npm writes this file last.
    let installed = workspace::root().join("node_modules/.package-lock.json");
    if is_newer(&installed, &lock) {
        return Ok(());
    }
    let _lock = Lock::exclusive(workspace::root(), "npm")?;
    if is_newer(&installed, &lock) {
        // Another command has installed them meanwhile.
        return Ok(());
    }
    println!("xtask: installing the npm packages (npm ci)");
    // No package here needs its install script, so none gets to run one.
    execute(in_workspace("npm").args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))
    .context("the npm packages are missing and `npm ci` could not install them")
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    modified(file).zip(modified(than)).is_some_and(|(file, than)| file >= than)
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20.20.2"), None);
        assert_eq!(major(""), None);
    }
}
