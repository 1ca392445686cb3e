//! What only one command in a checkout may do at a time, so that several can run side by side.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::{Context, Result};

/// Held until it is dropped. The system ends it with the process, too.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closing it ends the lock")] File);

impl Lock {
    /// For whoever changes something: nobody else has it meanwhile, neither to change nor to read.
    pub(crate) fn exclusive(root: &Path, name: &str) -> Result<Self> {
        let file = open(root, name)?;
        match file.try_lock() {
            Ok(()) => return Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                println!("xtask: waiting for another command of this checkout ({name})");
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("locking {name}")),
        }
        file.lock().with_context(|| format!("locking {name}"))?;
        Ok(Self(file))
    }

    /// For whoever reads it: nobody changes it meanwhile.
    pub(crate) fn shared(root: &Path, name: &str) -> Result<Self> {
        let file = open(root, name)?;
        file.lock_shared().with_context(|| format!("locking {name}"))?;
        Ok(Self(file))
    }
}

fn open(root: &Path, name: &str) -> Result<File> {
    let folder = root.join("target");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let path = folder.join(format!("{name}.lock"));
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))
}
