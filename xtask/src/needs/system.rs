//! Packages of the operating system, on Debian and its relatives.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{execute, in_workspace, succeeds};

/// Installs `packages`; `what` says in words what is missing without them.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("{what} is missing; get it with `apt-get install {list}`");
    if find("apt-get").is_none() {
        bail!("{what} is missing, and this system has no apt-get to install it with");
    }
    // `true` by way of sudo tells whether sudo would ask for a password, which a script could not answer.
    let prefix: &[&str] = if succeeds(in_workspace("sh").args(["-c", "test \"$(id -u)\" -eq 0"])) {
        &[]
    } else if succeeds(in_workspace("sudo").args(["-n", "true"])) {
        &["sudo", "-n"]
    } else {
        bail!("{by_hand}");
    };
    println!("xtask: installing {list} with apt-get");
    for arguments in [&["update", "-qq"][..], &["install", "-qq", "-y", "--no-install-recommends"]] {
        let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
        let mut command = in_workspace(words[0]);
        command.args(&words[1..]);
        if arguments[0] == "install" {
            command.args(packages);
        }
        execute(&mut command).with_context(|| by_hand.clone())?;
    }
    Ok(())
}

/// Whether the system's browsers are snaps, which apt-get cannot install in a container.
pub(crate) fn is_ubuntu() -> bool {
    std::fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=ubuntu"))
}

/// The program of that name in PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| is_program(program))
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
