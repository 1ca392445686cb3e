//! The consumer projects: checkouts as merchants build them, with the package as npm would publish it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::report::Verdict;
use crate::process::{execute, output};
use crate::{pkg, workspace};

/// Builds a copy of each project in target/consumers/, so that what is installed and built does not lie among the sources.
pub(super) fn build() -> Result<Verdict> {
    let built = workspace::target().join("consumers");
    fs::create_dir_all(&built).with_context(|| format!("making {}", built.display()))?;
    let package = pack(&built)?;
    for project in projects()? {
        let name = project.file_name().context("a project's folder has a name")?;
        println!("xtask: building the consumer project {}", name.display());
        let copy = built.join(name);
        if copy.exists() {
            fs::remove_dir_all(&copy).with_context(|| format!("removing {}", copy.display()))?;
        }
        copy_folder(&project, &copy)?;
        // The name by which package.json asks for it.
        fs::copy(&package, copy.join("cardseal.tgz"))?;
        execute(npm(&copy).args(["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]))?;
        execute(npm(&copy).args(["run", "build"]))?;
    }
    Ok(Verdict::Passed)
}

/// The folders of tests/consumers that have something to build.
fn projects() -> Result<Vec<PathBuf>> {
    let folder = workspace::root().join("tests/consumers");
    let mut projects = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        projects.push(entry?.path());
    }
    projects.retain(|project| project.join("package.json").is_file());
    projects.sort();
    ensure!(!projects.is_empty(), "{} has no project", folder.display());
    Ok(projects)
}

/// The tarball that `npm publish` would send.
fn pack(into: &Path) -> Result<PathBuf> {
    let _kept = pkg::keep(workspace::root())?;
    let name =
        output(npm(workspace::root()).args(["pack", "--ignore-scripts", "--pack-destination"]).arg(into))?;
    // The last line; what a script of the package's prints would come before it.
    Ok(into.join(name.lines().last().context("npm pack names no file")?))
}

pub(super) fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder).env("npm_config_loglevel", "error").env("NEXT_TELEMETRY_DISABLED", "1");
    command
}

/// Copies a project as it is tracked, without what somebody may have installed or built in it by hand.
pub(super) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            fs::copy(entry.path(), copy)?;
        } else if entry.file_name() != "node_modules" {
            copy_folder(&entry.path(), &copy)?;
        }
    }
    Ok(())
}
