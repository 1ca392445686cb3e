//! pkg/, which a build makes while others may be reading it: it is built beside and swapped in whole.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::lock::Lock;

const LOCK: &str = "pkg";

/// The one build of a checkout. What lies in target/ between its steps is its own as well.
#[derive(Debug)]
pub(crate) struct Building {
    root: PathBuf,
    _lock: Lock,
}

impl Building {
    /// Begins, once no other build is under way and nobody reads.
    pub(crate) fn begin(root: &Path) -> Result<Self> {
        Ok(Self { _lock: Lock::exclusive(root, LOCK)?, root: root.into() })
    }

    /// An empty folder to build into.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let folder = self.root.join("pkg.new");
        // One that did not come to its end has left it.
        remove(&folder)?;
        fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    /// Puts what was built into that folder in pkg/'s place.
    pub(crate) fn publish(self, folder: &Path) -> Result<()> {
        let pkg = self.root.join("pkg");
        let old = self.root.join("pkg.old");
        remove(&old)?;
        if !pkg.exists() || renameat_with(CWD, folder, CWD, &pkg, RenameFlags::EXCHANGE).is_err() {
            // A file system that cannot exchange two folders has none in its place for a moment, which only those notice
            // that do not take the lock.
            if pkg.exists() {
                fs::rename(&pkg, &old).with_context(|| format!("moving {}", pkg.display()))?;
            }
            fs::rename(folder, &pkg).with_context(|| format!("moving {}", folder.display()))?;
        }
        remove(folder)?;
        remove(&old)
    }
}

/// Keeps pkg/ as it is until it is dropped.
pub(crate) fn keep(root: &Path) -> Result<Lock> {
    Lock::shared(root, LOCK)
}

fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    const FILES: [&str; 3] = ["cardseal.js", "cardseal.js.br", "integrity.json"];

    fn build(root: &Path, text: &str) {
        let building = Building::begin(root).unwrap();
        let folder = building.folder().unwrap();
        for file in FILES {
            // Two builds in one folder would find each other's here.
            assert!(!folder.join(file).exists());
            fs::write(folder.join(file), text).unwrap();
            thread::yield_now();
        }
        building.publish(&folder).unwrap();
    }

    #[test]
    fn builds_and_readers_at_once_do_not_break_each_other() {
        let root = std::env::temp_dir().join(format!("cardseal-pkg-{}", std::process::id()));
        remove(&root).unwrap();
        fs::create_dir_all(&root).unwrap();
        build(&root, "first");
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let builders = ["one", "other"].map(|name| {
                let root = &root;
                scope.spawn(move || (0..100).for_each(|round| build(root, &format!("{name} {round}"))))
            });
            // As a demo starts its vault.
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let _kept = keep(&root).unwrap();
                    let texts = FILES.map(|file| fs::read_to_string(root.join("pkg").join(file)).unwrap());
                    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
                }
            });
            // As a test or an operator reads it, who knows of no lock: each file is there.
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    fs::read_to_string(root.join("pkg/integrity.json")).unwrap();
                }
            });
            let ended = builders.map(|builder| builder.join());
            over.store(true, Ordering::Relaxed);
            assert!(ended.iter().all(Result::is_ok));
        });
        let left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "pkg and target: {left:?}");
        remove(&root).unwrap();
    }
}
