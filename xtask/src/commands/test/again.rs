//! Whether who builds the same sources gets the same files, as whoever compares a live page with a release must (PCI DSS
//! 11.6.1).

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::report::Verdict;
use crate::process::{execute, in_workspace, output};
use crate::workspace;

/// Builds once more, from a copy of the sources in another folder and from nothing, and compares every file's digest with
/// what the build before has left in pkg/.
pub(super) fn build_again() -> Result<Verdict> {
    let copy = workspace::root().join("target/again");
    if copy.exists() {
        fs::remove_dir_all(&copy).with_context(|| format!("emptying {}", copy.display()))?;
    }
    copy_sources(&copy)?;
    // The packages are inputs, held by package-lock.json.
    symlink(workspace::root().join("node_modules"), copy.join("node_modules"))?;
    // This very program, told that it stands in the copy.
    execute(
        in_workspace(env::current_exe()?)
            .arg("build")
            .env("CARGO_MANIFEST_DIR", copy.join("xtask"))
            .env("CARGO_TARGET_DIR", copy.join("target")),
    )?;
    let read = |root: &Path| {
        let path = root.join("pkg/integrity.json");
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    };
    let (first, second) = (read(workspace::root())?, read(&copy)?);
    if first != second {
        let differing = first.lines().zip(second.lines()).filter(|(first, second)| first != second);
        let lines: Vec<String> = differing.map(|(first, second)| format!("  {first}\n  {second}")).collect();
        bail!("two builds of the same sources differ; integrity.json has\n{}", lines.join("\n"));
    }
    fs::remove_dir_all(&copy).with_context(|| format!("removing {}", copy.display()))?;
    Ok(Verdict::Passed)
}

/// Copies what git knows of, and what it would, as it is in the working tree.
fn copy_sources(copy: &Path) -> Result<()> {
    let listed =
        output(in_workspace("git").args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]))?;
    for name in listed.split_terminator('\0') {
        let (from, to) = (workspace::root().join(name), copy.join(name));
        if !from.is_file() {
            // Deleted, but not yet so in git.
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&from, &to).with_context(|| format!("copying {name}"))?;
    }
    Ok(())
}
