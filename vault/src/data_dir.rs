//! The folder a vault keeps everything in.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A folder that is there, with a database file that only its owner can read.
///
/// ```text
/// vault.sqlite (-wal, -shm)   the database
/// kek                         the key-encryption key; back it up apart from the database
/// lock                        held while the database is being opened
/// ```
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Opens the folder, and makes it, for its owner only, when it is new.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        }
        // As an absolute path, errors name the folder wherever they are read.
        let dir = Self(fs::canonicalize(path)?);
        // SQLite gives its other files the permissions of this one.
        private_file(&dir.database())?;
        Ok(dir)
    }

    /// Whether there is a vault in this folder.
    #[must_use]
    pub fn is_vault(path: &Path) -> bool {
        Self(path.into()).database().is_file()
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("vault.sqlite")
    }

    /// The key-encryption key's file.
    #[must_use]
    pub fn kek(&self) -> PathBuf {
        Self::kek_in(&self.0)
    }

    /// The key-encryption key's file in this folder, which need not be there.
    #[must_use]
    pub fn kek_in(path: &Path) -> PathBuf {
        path.join("kek")
    }

    /// Sees to it that no other process opens the folder's database until the file is dropped; none if another one is at it.
    ///
    /// # Errors
    /// What the system said.
    pub fn try_lock(&self) -> io::Result<Option<File>> {
        let file = private_file(&self.0.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}
