use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use cardseal_vault::acquirer::Acquirers;
use cardseal_vault::data_dir::DataDir;
use cardseal_vault::keys::kek::Kek;
use cardseal_vault::time::Clock;
use cardseal_vault::vault::{OpenError, Setup, Vault};

use super::{open, opens, opens_only_what_was_wrapped, source, wrap};
use crate::support::Asked;

#[tokio::test]
async fn the_folder_and_its_files_are_for_their_owner_only() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("new/vault");
    let vault = Vault::open(Setup::in_folder(DataDir::open(&path).unwrap())).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["kek", "lock", "vault.sqlite", "vault.sqlite-shm", "vault.sqlite-wal"]);
    vault.close().await;
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused_with_the_cure() {
    let asked = Asked::in_folder().await;
    asked.vault.close().await;
    let kek = asked.dir.path().join("kek");
    for mode in [0o640, 0o604, 0o620, 0o644] {
        fs::set_permissions(&kek, Permissions::from_mode(mode)).unwrap();
        let message = refusal(asked.dir.path()).await;
        let path = fs::canonicalize(&kek).unwrap();
        assert!(message.contains(&format!("chmod 600 {}", path.display())), "{message}");
        assert!(message.contains(&format!("{mode:o}")), "{message}");
    }
    fs::set_permissions(&kek, Permissions::from_mode(0o400)).unwrap();
    Asked::reopen(asked.dir, Acquirers::default()).await;
}

#[tokio::test]
async fn a_lost_key_is_not_made_anew() {
    let asked = Asked::in_folder().await;
    asked.vault.close().await;
    let kek = asked.dir.path().join("kek");
    let key = fs::read_to_string(&kek).unwrap();
    fs::remove_file(&kek).unwrap();
    assert!(refusal(asked.dir.path()).await.contains("is missing"));
    assert!(!kek.exists());

    let other = Asked::in_folder().await;
    fs::copy(other.dir.path().join("kek"), &kek).unwrap();
    assert!(refusal(asked.dir.path()).await.contains("does not open this database's keys"));

    for text in ["", "AAAA", "no base64", &key.repeat(2), key.trim_end().trim_end_matches('=')] {
        fs::write(&kek, text).unwrap();
        assert!(refusal(asked.dir.path()).await.contains("does not hold 32 bytes"), "{text:?}");
    }
    fs::write(&kek, key).unwrap();
    Asked::reopen(asked.dir, Acquirers::default()).await;
}

#[tokio::test]
async fn vaults_that_start_at_once_on_a_new_folder_have_the_same_keys() {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    let open = || Vault::open(Setup::in_folder(dir.clone()));
    let (a, b, c) = tokio::join!(open(), open(), open());
    let kids = [a, b, c].map(|vault| {
        let rings = vault.unwrap().keys().rings();
        rings.sealing.test.active(Clock::system().now()).unwrap().key.kid().to_owned()
    });
    assert_eq!((&kids[0], &kids[0]), (&kids[1], &kids[2]));
}

async fn refusal(dir: &Path) -> String {
    let opened = Vault::open(Setup::in_folder(DataDir::open(dir).unwrap())).await;
    match opened {
        Err(error @ OpenError::Keys(_)) => error.to_string(),
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it opened"),
    }
}

#[test]
fn a_key_file_opens_only_what_it_wrapped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    let kek = Kek::load_or_create(&path).unwrap();
    opens_only_what_was_wrapped(&kek);
    assert!(opens(&Kek::load(&path).unwrap(), &wrap(&kek)));
    assert!(!opens(&Kek::load_or_create(&dir.path().join("other")).unwrap(), &wrap(&kek)));
}

#[test]
fn a_key_file_is_made_whole_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    let text = format!("file:{}", path.display());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Kek::load_or_create(&path).unwrap());
        }
    });
    let key = fs::read_to_string(&path).unwrap();
    let message = source(&text).create().unwrap_err().to_string();
    assert!(message.contains("is there already"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "a draft is left");
    assert!(open(&text).is_ok());

    let message = source("file:/nowhere/kek").create().unwrap_err().to_string();
    assert!(message.contains("/nowhere/kek cannot be written"), "{message}");
}

#[test]
fn a_key_file_that_others_can_replace_is_refused_with_the_cure() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    Kek::load_or_create(&path).unwrap();
    let folder = |mode| fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
    for mode in [0o702, 0o720, 0o770, 0o777] {
        folder(mode);
        let message = Kek::load(&path).unwrap_err().to_string();
        assert!(message.contains("chmod go-w"), "{message}");
    }
    // Sticky, as /tmp is, or for its owner: nobody else takes the file away.
    for mode in [0o1777, 0o755, 0o700] {
        folder(mode);
        Kek::load(&path).unwrap();
    }
}

#[test]
fn only_a_file_is_a_key_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    fs::create_dir(&path).unwrap();
    assert!(Kek::load(&path).unwrap_err().to_string().contains("does not hold 32 bytes"));
    fs::remove_dir(&path).unwrap();

    // Nobody writes to the pipe: reading it would take for ever.
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(Kek::load(&path).unwrap_err().to_string().contains("does not hold 32 bytes"));
    fs::remove_file(&path).unwrap();

    for bytes in [&[0xff; 32][..], &[b'A'; 1 << 20]] {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(Kek::load(&path).unwrap_err().to_string().contains("does not hold 32 bytes"));
    }
}

#[test]
fn a_file_of_another_user_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    Kek::load_or_create(&path).unwrap();
    let (owner, other) = (fs::metadata(&path).unwrap().uid(), 65534);
    if std::os::unix::fs::chown(&path, Some(other), None).is_err() {
        // Only root gives files away. Root's own are everybody's, as root can read all: so is this one.
        assert_ne!(owner, 0);
        return;
    }
    let message = Kek::load(&path).unwrap_err().to_string();
    assert!(message.contains(&format!("belongs to user {other}")), "{message}");
    assert!(message.contains(&format!("chown {owner} {}", path.display())), "{message}");
}
