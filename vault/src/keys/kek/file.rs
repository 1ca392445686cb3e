//! A key-encryption key in a file, and what every file with a secret has to be like.

use std::env;
use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

use super::super::gcm;
use super::{Kek, KekError, decode_key, encode_key, random};

/// More than any secret here has.
const MAX_BYTES: usize = 4096;

impl Kek {
    /// Reads the key's file: 32 bytes in base64.
    ///
    /// # Errors
    /// [`KekError::File`]
    pub fn load(path: &Path) -> Result<Self, KekError> {
        let text = read(Secret::Key, path)?;
        let malformed = || FileError::Malformed { secret: Secret::Key, path: path.into() };
        let key = decode_key(&text).ok_or_else(malformed)?;
        Ok(Self::from_key(&key))
    }

    /// Reads the key's file, or writes a new key there when there is none.
    ///
    /// # Errors
    /// [`KekError::File`]
    pub fn load_or_create(path: &Path) -> Result<Self, KekError> {
        match create(path) {
            Ok(()) | Err(FileError::Exists { .. }) => Self::load(path),
            Err(error) => Err(error.into()),
        }
    }
}

/// Writes a new key where there is none.
///
/// It is written in full under another name first: nobody ever reads half a key, and of two processes that start at
/// once the second finds the key of the first.
pub(super) fn create(path: &Path) -> Result<(), FileError> {
    if path.exists() {
        return Err(FileError::Exists { secret: Secret::Key, path: path.into() });
    }
    // A name of its own for each attempt: one that was killed may have left its draft behind.
    let draft = path.with_extension(format!("draft-{:016x}", u64::from_be_bytes(*random())));
    let made = write_line(&draft, &encode_key(&gcm::random_key())).and_then(|()| {
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        linked?;
        // A key that encrypted something must not be lost with the power.
        sync_folder(path)
    });
    made.map_err(|source| unwritable(Secret::Key, path, source))
}

/// Writes one line to a new file that only its owner can read.
pub(super) fn write_new(secret: Secret, path: &Path, text: &str) -> Result<(), FileError> {
    let written = write_line(path, text).and_then(|()| sync_folder(path));
    written.map_err(|source| unwritable(secret, path, source))
}

fn write_line(path: &Path, text: &str) -> io::Result<()> {
    let mut line = Zeroizing::new(String::with_capacity(text.len() + 1));
    line.push_str(text);
    line.push('\n');
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).inspect_err(|_| {
        // Half a secret is of no use, and in the way of a second try.
        let _ = fs::remove_file(path);
    })
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn unwritable(secret: Secret, path: &Path, source: io::Error) -> FileError {
    match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists { secret, path: path.into() },
        _ => FileError::Unwritable { secret, path: path.into(), source },
    }
}

/// The text of a file that only its owner, who is this process's user or root, can read or replace.
pub(super) fn read(secret: Secret, path: &Path) -> Result<Zeroizing<String>, FileError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing { secret, path: path.into() },
        _ => FileError::Unreadable { secret, path: path.into(), source },
    };
    // To open a pipe would wait for its other end.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(FileError::Malformed { secret, path: path.into() });
    }
    let file = File::open(path).map_err(unreadable)?;
    check_rights(secret, path, &file.metadata().map_err(unreadable)?)?;
    check_folder(secret, path).map_err(unreadable)??;

    // As large as it may get: a text that moved would leave a copy.
    let mut text = Zeroizing::new(String::with_capacity(2 * MAX_BYTES));
    match file.take(MAX_BYTES as u64).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(FileError::Malformed { secret, path: path.into() })
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// Refuses a file with a secret that others than its owner, who is this process's user or root, can read or replace. One
/// that is not there is for its reader to tell of.
///
/// # Errors
/// [`FileError`]
pub fn check(secret: Secret, path: &Path) -> Result<(), FileError> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    check_rights(secret, path, &metadata)?;
    check_folder(secret, path).unwrap_or(Ok(()))
}

fn check_rights(secret: Secret, path: &Path, metadata: &Metadata) -> Result<(), FileError> {
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user && owner != 0 {
        return Err(FileError::Foreign { secret, path: path.into(), owner, user });
    }
    let others = if is_credential(path) || secret.is_for_a_group() { 0o037 } else { 0o077 };
    if metadata.mode() & others != 0 {
        let (mode, cure) = (metadata.mode() & 0o777, if secret.is_for_a_group() { 0o640 } else { 0o600 });
        return Err(FileError::Exposed { secret, path: path.into(), mode, cure });
    }
    Ok(())
}

/// Whether systemd gave it to this service alone (`LoadCredential=`): it says so by an access list, which shows in the
/// file's mode as if its group could read it, and nobody else gets into the folder.
fn is_credential(path: &Path) -> bool {
    env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|folder| path.starts_with(folder))
}

/// Whoever may write to the folder can put another file in the place of this one, unless the folder is sticky.
fn check_folder(secret: Secret, path: &Path) -> io::Result<Result<(), FileError>> {
    let path = fs::canonicalize(path)?;
    let folder = folder(&path);
    let mode = fs::metadata(folder)?.mode();
    if mode & 0o022 != 0 && mode & 0o1000 == 0 {
        return Ok(Err(FileError::Replaceable { secret, path: path.clone(), folder: folder.into() }));
    }
    Ok(Ok(()))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The address of a database, with a password.
    Address,
    /// A private key for TLS, or for a vendor.
    ClientKey,
    /// A key-encryption key.
    Key,
    /// The PIN of a PKCS#11 token.
    Pin,
    /// One custodian's share of a key-encryption key.
    Share,
}

impl Secret {
    /// Whether a group may read it: one that has the service's user in it, where the file is root's.
    const fn is_for_a_group(self) -> bool {
        matches!(self, Self::Address | Self::ClientKey)
    }

    const fn form(self) -> &'static str {
        match self {
            Self::Address => "the address of a database",
            Self::ClientKey => "a private key",
            Self::Key => "32 bytes in base64",
            Self::Pin => "one line with a PIN",
            Self::Share => "a share",
        }
    }

    const fn cure(self) -> &'static str {
        match self {
            Self::Address => "put postgres://user:password@host/name there",
            Self::ClientKey => "put the certificate's private key there",
            Self::Key => "nothing else opens this database; restore it from its backup",
            Self::Pin => "put the token's PIN there, or name another file in pin-source",
            Self::Share => "without every share nothing opens this database; restore it from its backup",
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Address => "file with the database's address",
            Self::ClientKey => "private key",
            Self::Key => "key file",
            Self::Pin => "PIN file",
            Self::Share => "share file",
        })
    }
}

/// Why a file with a secret is not used. The operator's to put right.
#[derive(Debug, Error)]
pub enum FileError {
    /// There is a file where a new one was to be written.
    #[error(
        "the {secret} {path} is there already and may be in use; name another, or move it away",
        path = .path.display()
    )]
    Exists {
        /// What was to be written.
        secret: Secret,
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner can get at it.
    #[error(
        "the {secret} {path} can be read by others (mode {mode:o}); type: chmod {cure:o} {path}",
        path = .path.display()
    )]
    Exposed {
        /// What it holds.
        secret: Secret,
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Those that it should have.
        cure: u32,
    },
    /// It belongs to somebody else, who can read and change it.
    #[error(
        "the {secret} {path} belongs to user {owner}, and this process runs as user {user}; run it as user \
         {owner}, or type: chown {user} {path}", path = .path.display()
    )]
    Foreign {
        /// What it holds.
        secret: Secret,
        /// The file.
        path: PathBuf,
        /// The number of the user that it belongs to.
        owner: u32,
        /// The number of this process's user.
        user: u32,
    },
    /// The file holds something else.
    #[error(
        "the {secret} {path} does not hold {form}; {cure}",
        path = .path.display(), form = .secret.form(), cure = .secret.cure()
    )]
    Malformed {
        /// What it should hold.
        secret: Secret,
        /// The file.
        path: PathBuf,
    },
    /// There is no file.
    #[error("the {secret} {path} is missing; {cure}", path = .path.display(), cure = .secret.cure())]
    Missing {
        /// What it should hold.
        secret: Secret,
        /// The file.
        path: PathBuf,
    },
    /// Others can put another file in its place.
    #[error(
        "others can put another file in the place of the {secret} {path}; type: chmod go-w {folder}",
        path = .path.display(), folder = .folder.display()
    )]
    Replaceable {
        /// What it holds.
        secret: Secret,
        /// The file.
        path: PathBuf,
        /// The folder it is in.
        folder: PathBuf,
    },
    /// The file could not be read.
    #[error("the {secret} {path} cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// What it holds.
        secret: Secret,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("the {secret} {path} cannot be written: {source}", path = .path.display())]
    Unwritable {
        /// What was to be written.
        secret: Secret,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
