use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::geteuid;

/// Whom the server runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// As this process does.
    Own,
    /// As somebody with fewer rights.
    Other { user: u32, group: u32 },
}

impl Account {
    /// PostgreSQL refuses to run as root.
    pub(crate) fn unprivileged() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
        let [user, group] = ["postgres", "nobody"]
            .iter()
            .find_map(|name| ids(&accounts, name))
            .context("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")?;
        Ok(Self::Other { user, group })
    }

    pub(crate) fn lead(self, command: &mut Command) {
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
    }

    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group } => chown(path, Some(user), Some(group)),
        }
    }
}

/// Whether a server could work in a new folder here: the user that root's server runs as gets into no folder that only root
/// may enter.
#[must_use]
pub fn is_within_reach(folder: &Path) -> bool {
    const OTHERS_MAY_ENTER: u32 = 0o001;
    let may_enter = |folder: &Path| {
        folder.metadata().is_ok_and(|metadata| metadata.permissions().mode() & OTHERS_MAY_ENTER != 0)
    };
    // Those that are not there yet will be made, for everybody. Links are followed, as what they lead to counts.
    let parent = folder.ancestors().skip(1).find_map(|folder| fs::canonicalize(folder).ok());
    !geteuid().is_root() || parent.is_some_and(|parent| parent.ancestors().all(may_enter))
}

/// User and group of a line `name:x:user:group:…`.
fn ids(accounts: &str, name: &str) -> Option<[u32; 2]> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2);
    Some([ids.next()?.parse().ok()?, ids.next()?.parse().ok()?])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn reads_an_account() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgres-exporter:x:7:7::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(ids(accounts, "postgres"), Some([101, 104]));
        assert_eq!(ids(accounts, "nobody"), None);
    }

    #[test]
    fn folders_of_the_owners_only_are_out_of_roots_servers_reach() {
        let closed = tempfile::tempdir().unwrap();
        fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(is_within_reach(closed.path()));
        assert_eq!(is_within_reach(&closed.path().join("new")), !geteuid().is_root());
        assert_eq!(is_within_reach(&closed.path().join("new/and/more")), !geteuid().is_root());
    }
}
