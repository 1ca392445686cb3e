//! A locked start: the vault waits on a Unix socket in its folder until every custodian has brought a share
//! (`cardseal-vault unlock --data-dir DIR`).
//!
//! ```text
//! custodian → vault   share.2of3.…          one line
//! vault → custodian   {"answer":"taken",…}  one line of JSON, an `Answer`; then the connection ends
//! ```
//!
//! Only the vault's own user and root get at the socket. Shares stay in the memory of this process; a vault that is
//! stopped before the last has come needs all of them again.

use std::fmt;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use zeroize::Zeroizing;

use super::file::{self, Secret};
use super::shares::{Locked, MAX_TEXT_BYTES, Refused, Share, Taken};
use super::{Kek, KekError, Opened, Source};
use crate::store::WrappedKey;

/// How long a custodian's program may take to say its line; it has the share before it connects.
const LONGEST_TALK: Duration = Duration::from_secs(10);

/// The key-encryption key, from wherever it comes.
///
/// Where custodians bring it, this waits for them: it says so in a line to `out`, and takes their shares on the socket
/// `unlock.sock` in `dir`. Shares that make a key which does not open `keys` are dropped, and it waits on. Dropping the
/// future takes the socket away.
///
/// `keys` are those of the vault's database; where it has none yet, a key file that is missing is made.
///
/// # Errors
/// [`KekError`]
pub async fn wait(
    dir: &Path,
    source: &Source,
    keys: &[WrappedKey],
    out: &mut (impl Write + Send),
) -> Result<Kek, KekError> {
    let opening = tokio::task::spawn_blocking({
        let (source, new) = (source.clone(), keys.is_empty());
        move || if new { source.open_new() } else { source.open() }
    });
    match opening.await.map_err(|_| UnlockError::Stopped)?? {
        Opened::Kek(kek) => Ok(kek),
        Opened::Locked(locked) => {
            let door = Door::open(dir)?;
            writeln!(
                out,
                "cardseal-vault is locked: each of {} custodians types: cardseal-vault unlock --data-dir {}",
                locked.needed(),
                dir.display(),
            )
            .and_then(|()| out.flush())
            .map_err(UnlockError::Out)?;
            door.wait(locked, keys).await
        }
    }
}

/// Where a custodian's share is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareAt {
    /// A file, for its owner only.
    File(PathBuf),
    /// The terminal, where it is asked for and not shown.
    Prompt,
    /// The standard input.
    Stdin,
}

/// Brings a share to the vault that waits in `dir`.
///
/// # Errors
/// [`KekError::File`], [`KekError::Unlock`]
pub async fn bring(dir: &Path, share: &ShareAt) -> Result<Progress, KekError> {
    let share = Share::parse(&share.read()?).map_err(UnlockError::Refused)?;
    let path = socket(dir);
    let mut stream = UnixStream::connect(&path).await.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => UnlockError::NobodyWaits(path.clone()),
        _ => UnlockError::Socket { path: path.clone(), source },
    })?;
    let mut line = share.expose();
    line.push('\n');
    let talk = async {
        // EXPOSE: to the vault, which this share is for.
        stream.write_all(line.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(1024).read_to_end(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    };
    match talk.await.map_err(|source| UnlockError::Socket { path, source })? {
        Answer::Refused(refused) => Err(UnlockError::Refused(refused).into()),
        Answer::Taken { taken, needed } => Ok(Progress::Taken { taken, needed }),
        Answer::Unlocked => Ok(Progress::Unlocked),
    }
}

/// How far the vault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The share was taken, and the vault waits for more.
    Taken {
        /// How many it has.
        taken: u8,
        /// How many it needs.
        needed: u8,
    },
    /// It was the last share.
    Unlocked,
}

impl fmt::Display for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { taken, needed } => write!(formatter, "taken: {taken} of {needed} shares"),
            Self::Unlocked => formatter.write_str("taken: it was the last, and the vault is unlocked"),
        }
    }
}

/// What the vault says to a share.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Answer {
    Refused(Refused),
    Taken { taken: u8, needed: u8 },
    Unlocked,
}

impl ShareAt {
    fn read(&self) -> Result<Zeroizing<String>, KekError> {
        match self {
            Self::File(path) => Ok(file::read(Secret::Share, path)?),
            Self::Prompt => {
                let typed = rpassword::prompt_password("Share (it is not shown): ");
                Ok(Zeroizing::new(typed.map_err(UnlockError::Terminal)?))
            }
            Self::Stdin => {
                let mut text = Zeroizing::new(String::with_capacity(4 * MAX_TEXT_BYTES));
                let read = io::stdin().take(2 * MAX_TEXT_BYTES as u64).read_to_string(&mut text);
                read.map_err(UnlockError::Terminal)?;
                Ok(text)
            }
        }
    }
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("unlock.sock")
}

/// The socket, and the only one there is in its folder. It goes when this is dropped.
struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Of the folder: another vault that took the socket's place would leave this one waiting for ever.
    _lock: File,
}

impl Drop for Door {
    fn drop(&mut self) {
        // The next one removes it too.
        let _ = fs::remove_file(&self.path);
    }
}

impl Door {
    fn open(dir: &Path) -> Result<Self, UnlockError> {
        let path = socket(dir);
        let failed = |source| UnlockError::Socket { path: path.clone(), source };
        let lock = File::open(dir).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => UnlockError::AnotherWaits(path.clone()),
            TryLockError::Error(source) => failed(source),
        })?;
        match fs::remove_file(&path) {
            // One that a killed vault left behind.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, path, _lock: lock })
    }

    async fn wait(self, mut locked: Locked, keys: &[WrappedKey]) -> Result<Kek, KekError> {
        loop {
            let (stream, _) = self.listener.accept().await.map_err(|source| self.failed(source))?;
            match tokio::time::timeout(LONGEST_TALK, talk(stream, &mut locked, keys)).await {
                Ok(Ok(Some(kek))) => return Ok(kek),
                Ok(Ok(None)) => {}
                // A custodian who went away may come again.
                Ok(Err(error)) => tracing::warn!(%error, "a custodian's connection ended early"),
                Err(_) => tracing::warn!("a custodian's connection said nothing"),
            }
        }
    }

    fn failed(&self, source: io::Error) -> UnlockError {
        UnlockError::Socket { path: self.path.clone(), source }
    }
}

/// Takes one share, answers, and gives the key if there is one now.
async fn talk(mut stream: UnixStream, locked: &mut Locked, keys: &[WrappedKey]) -> io::Result<Option<Kek>> {
    // Before the socket had its rights, somebody else may have connected.
    let (peer, user) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    if peer != user && peer != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("of user {peer}")));
    }
    let line = read_line(&mut stream).await?;
    let taken = match line {
        Some(line) => Share::parse(&line).and_then(|share| locked.take(&share)),
        None => Err(Refused::Malformed),
    };
    let (answer, kek) = match taken {
        // Custodians' keys are in this process, so to unwrap does not block.
        Ok(Taken::All(kek)) if keys.iter().all(|key| kek.unwrap(key).is_ok()) => {
            (Answer::Unlocked, Some(kek))
        }
        Ok(Taken::All(_)) => (Answer::Refused(Refused::WrongKey), None),
        Ok(Taken::More(taken)) => (Answer::Taken { taken, needed: locked.needed().get() }, None),
        Err(refused) => (Answer::Refused(refused), None),
    };
    match &answer {
        Answer::Refused(refused) => tracing::warn!(why = %refused, "a share was not taken"),
        Answer::Taken { taken, needed } => tracing::info!(taken, needed, "a share was taken"),
        Answer::Unlocked => tracing::info!("the last share was taken: unlocked"),
    }
    let told = match serde_json::to_vec(&answer) {
        Ok(text) => stream.write_all(&text).await,
        Err(error) => Err(error.into()),
    };
    match (kek, told) {
        // Unlocked it is, whether the last custodian hears of it or not.
        (Some(kek), _) => Ok(Some(kek)),
        (None, told) => told.map(|()| None),
    }
}

/// A line; `None` if it is longer than any share or no text.
async fn read_line(stream: &mut UnixStream) -> io::Result<Option<Zeroizing<String>>> {
    let mut buffer = Zeroizing::new([0; 2 * MAX_TEXT_BYTES]);
    let mut length = 0;
    while !buffer[..length].contains(&b'\n') {
        match stream.read(&mut buffer[length..]).await? {
            0 if length == buffer.len() => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => length += read,
        }
    }
    Ok(std::str::from_utf8(&buffer[..length]).ok().map(|line| Zeroizing::new(line.to_owned())))
}

/// Why custodians cannot bring their shares. The operator's to put right, but for
/// [`Refused`](UnlockError::Refused), which is the custodian's.
#[derive(Debug, Error)]
pub enum UnlockError {
    /// A vault is waiting in this folder.
    #[error(
        "another vault waits for its custodians at {path}; stop it, or give this one a folder of its own",
        path = .0.display()
    )]
    AnotherWaits(PathBuf),
    /// No vault is waiting in this folder.
    #[error(
        "no vault waits for its custodians at {path}: it is unlocked, or not started with custodians:N, or in \
         another folder", path = .0.display()
    )]
    NobodyWaits(PathBuf),
    /// Nobody reads what the vault has to say.
    #[error("cannot write to the standard output: {0}")]
    Out(io::Error),
    /// The share does not help.
    #[error("the share was not taken: {0}")]
    Refused(#[from] Refused),
    /// The socket cannot be had or failed.
    #[error("the socket {path} failed: {source}", path = .path.display())]
    Socket {
        /// Where it is.
        path: PathBuf,
        /// What the system said; a path of more than 107 bytes is no socket's.
        source: io::Error,
    },
    /// The vault was stopped.
    #[error("the vault was stopped while its key-encryption key was being opened")]
    Stopped,
    /// The share cannot be read.
    #[error(
        "the share cannot be read: {0}; name a file with --share-file, or pipe it in with --share-file -"
    )]
    Terminal(io::Error),
}
