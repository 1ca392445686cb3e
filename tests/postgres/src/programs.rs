use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where PostgreSQL's programs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs(PathBuf);

impl Programs {
    /// Debian's newest, which are not in PATH, or else those in PATH.
    ///
    /// # Errors
    /// PostgreSQL is not installed.
    pub fn find() -> Result<Self> {
        newest(Path::new("/usr/lib/postgresql"))
            .or_else(|| env::split_paths(&env::var_os("PATH")?).find(|folder| is_complete(folder)))
            .map(Self)
            .context("PostgreSQL is missing; get it with `apt-get install postgresql`")
    }

    /// The folder that they are in, `psql` and `pg_dump` among them.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }
}

/// The programs of the highest version in a folder with one folder for each.
fn newest(versions: &Path) -> Option<PathBuf> {
    let version = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let mut installed: Vec<u32> =
        fs::read_dir(versions).ok()?.filter_map(|entry| version(entry.ok()?)).collect();
    installed.sort_unstable();
    let programs = |version: &u32| versions.join(version.to_string()).join("bin");
    installed.iter().rev().map(programs).find(|folder| is_complete(folder))
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_is_complete_is_found() {
        let versions = tempfile::tempdir().unwrap();
        for (version, programs) in
            [("9", &["initdb", "postgres"][..]), ("15", &["initdb", "postgres"]), ("17", &["psql"])]
        {
            let folder = versions.path().join(version).join("bin");
            fs::create_dir_all(&folder).unwrap();
            for program in programs {
                fs::write(folder.join(program), "").unwrap();
            }
        }
        assert_eq!(newest(versions.path()), Some(versions.path().join("15/bin")));
        assert_eq!(newest(&versions.path().join("nowhere")), None);
    }
}
