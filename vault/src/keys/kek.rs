//! The key-encryption key: a file that stands beside the database and is backed up apart from it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use thiserror::Error;
use zeroize::Zeroizing;

use super::aad::Aad;
use super::gcm::{self, Gcm, KEY_BYTES, Unopened};
use crate::store::{Purpose, WrappedKey};

/// Wraps the vault's other keys.
#[derive(Debug)]
pub struct Kek(Gcm);

impl Kek {
    /// Reads the key's file.
    ///
    /// # Errors
    /// [`KekError`]
    pub fn load(path: &Path) -> Result<Self, KekError> {
        let unreadable = |source| KekError::Unreadable { path: path.into(), source };
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => KekError::Missing { path: path.into() },
            _ => unreadable(error),
        })?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KekError::Exposed { path: path.into(), mode: mode & 0o777 });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let malformed = || KekError::Malformed { path: path.into() };
        let length = Base64::decode(text.trim_end(), &mut *key).map_err(|_| malformed())?.len();
        if length != KEY_BYTES {
            return Err(malformed());
        }
        Ok(Self(Gcm::new(&*key).ok_or_else(malformed)?))
    }

    /// Reads the key's file, or writes a new key there when there is none.
    ///
    /// # Errors
    /// [`KekError`]
    pub fn load_or_create(path: &Path) -> Result<Self, KekError> {
        if !path.exists() {
            create(path).map_err(|source| KekError::Unwritable { path: path.into(), source })?;
        }
        Self::load(path)
    }

    /// Encrypts a key, bound to what it is for and its version.
    #[must_use]
    pub fn wrap(&self, purpose: Purpose, version: u32, key: &[u8]) -> WrappedKey {
        WrappedKey { purpose, version, wrapped: self.0.encrypt(&aad(purpose, version), key) }
    }

    /// Decrypts a key.
    ///
    /// # Errors
    /// [`Unopened`]
    pub fn unwrap(&self, key: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        self.0.decrypt(&aad(key.purpose, key.version), &key.wrapped)
    }
}

fn aad(purpose: Purpose, version: u32) -> Vec<u8> {
    Aad::new("wrapped key").field(purpose.as_str()).version(version)
}

/// The key as one line of base64, written in full under another name first: nobody ever reads half a key, and of two
/// processes that start at once the second finds the key of the first.
fn create(path: &Path) -> io::Result<()> {
    let mut line = Zeroizing::new(String::with_capacity(64));
    line.push_str(&Zeroizing::new(Base64::encode_string(&*gcm::random_key())));
    line.push('\n');
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        linked => linked?,
    }
    // A key that encrypted something must not be lost with the power.
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// Why the key-encryption key cannot be had. The operator's to put right.
#[derive(Debug, Error)]
pub enum KekError {
    /// Others than the owner can get at it.
    #[error("the key file {path} can be read by others (mode {mode:o}); type: chmod 600 {path}", path = .path.display())]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error("the key file {path} does not hold 32 bytes in base64; restore it from its backup", path = .path.display())]
    Malformed {
        /// The key's file.
        path: PathBuf,
    },
    /// There are keys to unwrap, but there is no file.
    #[error("the key file {path} is missing and nothing else opens this database; restore it from its backup", path = .path.display())]
    Missing {
        /// The key's file.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("the key file {path} cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The key's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("the key file {path} cannot be written: {source}", path = .path.display())]
    Unwritable {
        /// The key's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
