//! Packages of the operating system, on Debian and its relatives.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

use crate::process::{execute, in_workspace, succeeds};

/// Installs `packages`; `what` says in words what is missing without them.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = || format!("{what} is missing; get it with `apt-get install {list}`");
    if find("apt-get").is_none() {
        bail!("{what} is missing, and this system has no apt-get to install it with");
    }
    let (program, first): (&str, &[&str]) = if geteuid().is_root() {
        ("env", &[])
    } else if succeeds(in_workspace("sudo").args(["--non-interactive", "true"])) {
        ("sudo", &["--non-interactive", "env"])
    } else {
        bail!("{}", by_hand());
    };
    println!("xtask: installing {list} with apt-get");
    let apt_get = |arguments: &[&str]| {
        let mut command = in_workspace(program);
        // A new machine may be busy with its own updates for some minutes.
        command.args(first).args([
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-qq",
            "-o",
            "DPkg::Lock::Timeout=600",
        ]);
        execute(command.args(arguments)).with_context(by_hand)
    };
    apt_get(&["update"])?;
    apt_get(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// The program of that name, with the package it comes in installed when it is missing.
pub(crate) fn program(name: &str, package: &str) -> Result<PathBuf> {
    if find(name).is_none() {
        install(name, &[package])?;
    }
    find(name).with_context(|| format!("{name} is still missing after the installation"))
}

/// Whether the system's browsers are snaps, which apt-get cannot install in a container.
pub(crate) fn is_ubuntu() -> bool {
    std::fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=ubuntu"))
}

/// The program of that name in PATH, or where Debian puts a server's, which is in root's only.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn finds_programs_only() {
        assert!(is_program(&find("sh").unwrap()));
        assert_eq!(find("no-such-program-as-this"), None);
        assert!(!is_program(Path::new("/etc/passwd")));
        assert!(!is_program(Path::new("/")));
    }
}
