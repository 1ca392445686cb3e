//! The operator's socket: a Unix socket in the vault's folder, on which a person has the running vault do what a command of
//! their own cannot, since custodians have brought the key-encryption key to this process alone (PCI DSS 3.7.6, 12.10).
//!
//! ```text
//! person → vault   {"arguments":["merchant","keys","revoke",…],"name":null}   one line
//! vault → person   {"printed":"…","failed":null}                              one line; then the connection ends
//! ```
//!
//! The socket is for the vault's user and group (mode 0660); who else gets to it, the folder says. The system tells whose
//! process asks, and that person is in the audit: only root may say another name.

use std::env;
use std::fs::{self, Permissions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::audit::{Actor, By, Origination, Person};
use crate::keys::kek::Source;
use crate::store::Location;
use crate::user;
use crate::vault::Vault;

/// Does what somebody asks of a vault.
pub type Answer = fn(Arc<Vault>, By, Vec<String>) -> Pin<Box<dyn Future<Output = Answered> + Send>>;

/// What came of it.
#[derive(Debug, Deserialize, Serialize)]
pub struct Answered {
    /// What there is to show.
    pub printed: String,
    /// Why it was not done.
    pub failed: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Asked {
    arguments: Vec<String>,
    /// Who asks, if it is root.
    name: Option<String>,
}

/// The longest line that is read: of a person, and of the vault.
const LONGEST_QUESTION: u64 = 8 * 1024;
const LONGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// Persons who are answered at once. Others wait.
const MOST_TALKS: usize = 8;

/// How long a person's program may take to say its line, and to hear the vault's.
const LONGEST_TALK: Duration = Duration::from_secs(10);

/// The folder of the socket; none where a vault has no folder of its own and its commands need none.
pub(super) fn place(kek: &Source, location: &Location) -> Option<PathBuf> {
    let has_folder = matches!(location, Location::Folder(_)) || env::var_os("RUNTIME_DIRECTORY").is_some();
    (has_folder || matches!(kek, Source::Custodians(_))).then(|| location.door())
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("operate.sock")
}

/// Answers for as long as it is polled. A vault without its socket serves all the same.
pub(super) async fn serve(folder: PathBuf, vault: Arc<Vault>, answer: Answer) {
    let listening = match OperatorSocket::open(&folder) {
        Ok(opened) => opened,
        Err(error) => {
            let place = socket(&folder);
            tracing::warn!(%error, place = %place.display(), "nobody can ask this vault through its socket");
            return;
        }
    };
    let talks = Arc::new(Semaphore::new(MOST_TALKS));
    loop {
        // It is never closed.
        let Ok(talk) = Arc::clone(&talks).acquire_owned().await else { return };
        match listening.listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(attend(stream, Arc::clone(&vault), answer, talk))),
            Err(error) => {
                tracing::warn!(%error, "the vault's socket fails");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn attend(stream: UnixStream, vault: Arc<Vault>, answer: Answer, _talk: OwnedSemaphorePermit) {
    if let Err(error) = talk(stream, vault, answer).await {
        // Not in its own words: they may have what was sent in them.
        tracing::warn!(error = %error.kind(), "who asked through the vault's socket got no answer");
    }
}

async fn talk(mut stream: UnixStream, vault: Arc<Vault>, answer: Answer) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let line = timeout(LONGEST_TALK, read_line(&mut stream)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    let Asked { arguments, name } = serde_json::from_slice(&line)?;
    let named = if peer == 0 { name.as_deref().and_then(Person::parse) } else { None };
    let actor = named.or_else(|| user::of(peer)).map_or(Actor::Unknown, Actor::Person);
    let answered = answer(vault, By { actor, from: Origination::Machine }, arguments).await;
    let mut line = serde_json::to_vec(&answered)?;
    line.push(b'\n');
    let told = async {
        stream.write_all(&line).await?;
        stream.shutdown().await
    };
    timeout(LONGEST_TALK, told).await.map_err(|_| io::ErrorKind::TimedOut)?
}

async fn read_line(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut stream = stream.take(LONGEST_QUESTION);
    while !line.ends_with(b"\n") {
        if stream.read_buf(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(line)
}

/// The socket. It goes when this is dropped, unless another process has put its own there.
struct OperatorSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The file's own number.
    inode: u64,
}

impl OperatorSocket {
    fn open(folder: &Path) -> io::Result<Self> {
        let path = socket(folder);
        // Nobody connects before it has its rights.
        let making = folder.join(format!("operate.{}", std::process::id()));
        remove(&making)?;
        let listener = UnixListener::bind(&making)?;
        fs::set_permissions(&making, Permissions::from_mode(0o660))?;
        fs::rename(&making, &path)?;
        let inode = fs::metadata(&path)?.ino();
        Ok(Self { listener, path, inode })
    }
}

impl Drop for OperatorSocket {
    fn drop(&mut self) {
        if fs::metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            // The next one replaces it, too.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Asks the vault that runs in a folder. `name` says who asks, if that is root.
///
/// # Errors
/// The socket, and what the system said of it.
pub async fn ask(
    folder: &Path,
    arguments: Vec<String>,
    name: Option<String>,
) -> Result<Answered, (PathBuf, io::Error)> {
    let path = socket(folder);
    let talk = async {
        let mut stream = UnixStream::connect(&path).await?;
        let mut line = serde_json::to_vec(&Asked { arguments, name })?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    };
    talk.await.map_err(|source| (path.clone(), source))
}
