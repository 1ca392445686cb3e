use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use cardseal_vault::keys::kek::shares::{Count, Refused, Share};
use cardseal_vault::keys::kek::unlock::{self, Progress, ShareAt, UnlockError};
use cardseal_vault::keys::kek::{Kek, KekError};
use cardseal_vault::store::WrappedKey;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::{open, opens, source, wrap, write_private};

/// A folder with files of shares, and a vault that waits in it.
struct Locked {
    dir: TempDir,
    said: std::sync::mpsc::Receiver<String>,
    vault: JoinHandle<Result<Kek, KekError>>,
}

/// Where the vault says that it is locked.
struct Said(std::sync::mpsc::Sender<String>);

impl Write for Said {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.send(String::from_utf8(text.to_vec()).unwrap()).unwrap();
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Locked {
    async fn new(count: u8, keys: Vec<WrappedKey>) -> Self {
        Self::start(tempfile::tempdir().unwrap(), count, keys).await
    }

    async fn start(dir: TempDir, count: u8, keys: Vec<WrappedKey>) -> Self {
        let (said, receiver) = std::sync::mpsc::channel();
        let path = dir.path().to_owned();
        let vault = tokio::spawn(async move {
            unlock::wait(&path, &source(&format!("custodians:{count}")), &keys, &mut Said(said)).await
        });
        let locked = Self { dir, said: receiver, vault };
        while !locked.socket().exists() {
            assert!(!locked.vault.is_finished());
            tokio::task::yield_now().await;
        }
        locked
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("unlock.sock")
    }

    async fn bring(&self, share: &Share) -> Result<Progress, Refused> {
        let path = self.dir.path().join("share");
        write_private(&path, &share.expose());
        match unlock::bring(self.dir.path(), &ShareAt::File(path)).await {
            Ok(progress) => Ok(progress),
            Err(KekError::Unlock(UnlockError::Refused(refused))) => Err(refused),
            Err(error) => panic!("{error}"),
        }
    }

    /// What the vault answers to these bytes.
    async fn answer(&self, bytes: Vec<u8>) -> String {
        let socket = self.socket();
        let talk = move || {
            let mut stream = UnixStream::connect(socket).unwrap();
            // A vault that has heard enough hangs up.
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            answer
        };
        tokio::task::spawn_blocking(talk).await.unwrap()
    }
}

fn set(count: u8) -> Vec<Share> {
    Share::new_set(Count::new(count).unwrap())
}

/// The key of a set, from files.
fn kek_of(shares: &[Share]) -> Kek {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<String> =
        (0..shares.len()).map(|n| dir.path().join(n.to_string()).display().to_string()).collect();
    for (path, share) in paths.iter().zip(shares) {
        write_private(Path::new(path), &share.expose());
    }
    open(&format!("shares:{}", paths.join(","))).unwrap()
}

#[tokio::test]
async fn the_vault_opens_when_all_shares_were_brought() {
    let shares = set(3);
    let key = wrap(&kek_of(&shares));
    let vault = Locked::new(3, vec![key.clone()]).await;
    assert_eq!(fs::metadata(vault.socket()).unwrap().permissions().mode() & 0o777, 0o600);

    assert_eq!(vault.bring(&shares[2]).await, Ok(Progress::Taken { taken: 1, needed: 3 }));
    assert_eq!(vault.bring(&shares[2]).await, Err(Refused::Again { index: 3 }));
    assert_eq!(vault.bring(&set(3)[0]).await, Err(Refused::OtherSet));
    assert_eq!(vault.bring(&set(2)[0]).await, Err(Refused::OtherCount { of: 2, needed: 3 }));
    assert_eq!(vault.bring(&shares[0]).await, Ok(Progress::Taken { taken: 2, needed: 3 }));
    assert!(!vault.vault.is_finished());
    assert_eq!(vault.bring(&shares[1]).await, Ok(Progress::Unlocked));

    let socket = vault.socket();
    let kek = vault.vault.await.unwrap().unwrap();
    assert!(opens(&kek, &key));
    assert!(!socket.exists());
    let said: String = vault.said.iter().collect();
    let expected = format!(
        "cardseal-vault is locked: each of 3 custodians types: cardseal-vault unlock --data-dir {}\n",
        vault.dir.path().display()
    );
    assert_eq!(said, expected);

    let path = vault.dir.path().join("share");
    match unlock::bring(vault.dir.path(), &ShareAt::File(path)).await {
        Err(KekError::Unlock(UnlockError::NobodyWaits(_))) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn shares_of_another_vault_do_not_open_this_one() {
    let (shares, others) = (set(2), set(2));
    let vault = Locked::new(2, vec![wrap(&kek_of(&shares))]).await;
    vault.bring(&others[0]).await.unwrap();
    assert_eq!(vault.bring(&others[1]).await, Err(Refused::WrongKey));
    // And all over again, with the right ones.
    assert_eq!(vault.bring(&shares[0]).await, Ok(Progress::Taken { taken: 1, needed: 2 }));
    assert_eq!(vault.bring(&shares[1]).await, Ok(Progress::Unlocked));
    vault.vault.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_no_share_changes_nothing() {
    let shares = set(2);
    let vault = Locked::new(2, Vec::new()).await;
    vault.bring(&shares[0]).await.unwrap();
    for bytes in [&b"\n"[..], b"swordfish\n", b"share.1of2\n", b"\xff\xfe\n", b"GET / HTTP/1.1\r\n\r\n"] {
        let answer = vault.answer(bytes.to_vec()).await;
        assert_eq!(answer, r#"{"answer":"refused","why":"malformed"}"#, "{bytes:?}");
    }
    // No line, or one without end.
    assert_eq!(vault.answer(Vec::new()).await, "");
    assert_eq!(vault.answer(b"share.2of2".to_vec()).await, "");
    let endless = vault.answer(vec![b'a'; 1 << 20]);
    assert!(matches!(&*endless.await, "" | r#"{"answer":"refused","why":"malformed"}"#));
    assert_eq!(vault.bring(&shares[1]).await, Ok(Progress::Unlocked));
    vault.vault.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_vault_waits_in_a_folder() {
    let first = Locked::new(2, Vec::new()).await;
    let second = unlock::wait(first.dir.path(), &source("custodians:2"), &[], &mut Vec::new()).await;
    assert!(matches!(second, Err(KekError::Unlock(UnlockError::AnotherWaits(_)))), "{second:?}");
    assert!(first.socket().exists());

    // Told to stop, it takes its socket away.
    first.vault.abort();
    assert!(first.vault.await.unwrap_err().is_cancelled());
    assert!(!first.dir.path().join("unlock.sock").exists());

    // One that was killed could not; and knows the shares that were brought to it no more.
    let shares = set(2);
    drop(std::os::unix::net::UnixListener::bind(first.dir.path().join("unlock.sock")).unwrap());
    let share = first.dir.path().join("share");
    write_private(&share, &shares[0].expose());
    let nobody = unlock::bring(first.dir.path(), &ShareAt::File(share)).await;
    assert!(matches!(nobody, Err(KekError::Unlock(UnlockError::NobodyWaits(_)))), "{nobody:?}");
    let path = first.dir.path().to_owned();
    let again =
        tokio::spawn(async move { unlock::wait(&path, &source("custodians:2"), &[], &mut Vec::new()).await });
    let again = Locked { dir: first.dir, said: first.said, vault: again };
    for share in &shares {
        let path = again.dir.path().join("share");
        write_private(&path, &share.expose());
        while let Err(error) = unlock::bring(again.dir.path(), &ShareAt::File(path.clone())).await {
            assert!(matches!(error, KekError::Unlock(UnlockError::NobodyWaits(_))), "{error}");
            tokio::task::yield_now().await;
        }
    }
    again.vault.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_share_that_cannot_be_sent_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let share = dir.path().join("share");
    write_private(&share, &set(2)[0].expose().replace(".1of2.", ".2of2."));
    let mistyped = unlock::bring(dir.path(), &ShareAt::File(share)).await;
    assert!(
        matches!(mistyped, Err(KekError::Unlock(UnlockError::Refused(Refused::Mistyped)))),
        "{mistyped:?}"
    );

    let long = dir.path().join("a".repeat(120));
    fs::create_dir(&long).unwrap();
    let waits = unlock::wait(&long, &source("custodians:2"), &[], &mut Vec::new()).await;
    assert!(matches!(waits, Err(KekError::Unlock(UnlockError::Socket { .. }))), "{waits:?}");
}

#[tokio::test]
async fn other_sources_open_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("file:{}", dir.path().join("kek").display());
    // A vault that has keys does not get another key-encryption key.
    let elsewhere = wrap(&kek_of(&set(2)));
    let missing = unlock::wait(dir.path(), &source(&text), &[elsewhere], &mut Vec::new()).await;
    assert!(missing.unwrap_err().to_string().contains("is missing"));
    let kek = unlock::wait(dir.path(), &source(&text), &[], &mut Vec::new()).await.unwrap();
    let again = unlock::wait(dir.path(), &source(&text), &[wrap(&kek)], &mut Vec::new()).await.unwrap();
    assert!(opens(&again, &wrap(&kek)));
}
