//! The key-encryption key, from each of its sources.

mod environment;
mod file;
mod pkcs11;
mod shares;
mod source;
mod unlock;

use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use cardseal_vault::keys::kek::{Kek, KekError, Opened, Source};
use cardseal_vault::merchant::Mode;
use cardseal_vault::store::{Purpose, WrappedKey};

/// A key to wrap: as long as an RSA-2048 key in PKCS#8.
const SECRET: [u8; 1218] = [0x5a; 1218];

fn source(text: &str) -> Source {
    text.parse().unwrap()
}

fn open(text: &str) -> Result<Kek, KekError> {
    match source(text).open()? {
        Opened::Kek(kek) => Ok(kek),
        Opened::Locked(locked) => panic!("{locked:?}"),
    }
}

fn refusal(text: &str) -> String {
    match open(text) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it opened"),
    }
}

fn wrap(kek: &Kek) -> WrappedKey {
    kek.wrap(Purpose::Data, 1, &SECRET).unwrap()
}

fn opens(kek: &Kek, key: &WrappedKey) -> bool {
    match kek.unwrap(key) {
        Ok(opened) => {
            assert_eq!(*opened, SECRET);
            true
        }
        Err(KekError::Unopened { purpose, version }) => {
            assert_eq!((purpose, version), (key.purpose, key.version));
            false
        }
        Err(error) => panic!("{error}"),
    }
}

/// What was wrapped opens as it was, and in no other way.
fn opens_only_what_was_wrapped(kek: &Kek) {
    let key = wrap(kek);
    assert!(opens(kek, &key));
    assert_ne!(wrap(kek).wrapped, key.wrapped, "the nonce is the same");
    assert_eq!(key.wrapped.len(), 12 + SECRET.len() + 16);

    assert!(!opens(kek, &WrappedKey { purpose: Purpose::Sealing(Mode::Live), ..key.clone() }));
    assert!(!opens(kek, &WrappedKey { version: 2, ..key.clone() }));
    for index in [0, 11, 12, 600, key.wrapped.len() - 17, key.wrapped.len() - 16, key.wrapped.len() - 1] {
        let mut wrapped = key.wrapped.clone();
        wrapped[index] ^= 1;
        assert!(!opens(kek, &WrappedKey { wrapped, ..key.clone() }), "byte {index}");
    }
    for length in [0, 1, 11, 12, 27, 28, key.wrapped.len() - 1] {
        let wrapped = key.wrapped[..length].to_vec();
        assert!(!opens(kek, &WrappedKey { wrapped, ..key.clone() }), "{length} bytes");
    }
    let longer = [&key.wrapped[..], &[0]].concat();
    assert!(!opens(kek, &WrappedKey { wrapped: longer, ..key.clone() }));
    // Failures leave nothing behind that is in the way.
    assert!(opens(kek, &key));
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Whether this is a process of `test` alone, with these variables. If it is not, runs one and looks that it went well:
/// variables are a whole process's, and so is what a PKCS#11 module reads of them.
fn alone(test: &str, variables: impl FnOnce() -> Vec<(&'static str, OsString)>) -> bool {
    const ALONE: &str = "CARDSEAL_TEST_ALONE";
    if env::var_os(ALONE).is_some_and(|name| name == *test) {
        return true;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(ALONE, test)
        .envs(variables())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "no such test: {text}");
    false
}

#[test]
fn is_changed_by_wrapping_all_keys_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("file:{}", dir.path().join(name).display());
    for name in ["old", "new"] {
        source(&path(name)).create().unwrap();
    }
    let (old, new) = (open(&path("old")).unwrap(), open(&path("new")).unwrap());
    let keys = [
        old.wrap(Purpose::Data, 1, &SECRET).unwrap(),
        old.wrap(Purpose::Data, 2, &SECRET).unwrap(),
        old.wrap(Purpose::Fingerprint, 1, &SECRET).unwrap(),
    ];
    let rewrapped = old.rewrap(&new, &keys).unwrap();
    assert_eq!(rewrapped.len(), keys.len());
    for (key, rewrapped) in keys.iter().zip(&rewrapped) {
        assert_eq!((key.purpose, key.version), (rewrapped.purpose, rewrapped.version));
        assert!(opens(&new, rewrapped) && !opens(&old, rewrapped));
    }
    // All or none.
    let mixed = [keys[0].clone(), rewrapped[1].clone()];
    let error = old.rewrap(&new, &mixed).unwrap_err();
    assert!(error.to_string().contains("data key 2"), "{error}");
}

#[test]
fn shows_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    write_private(&path, "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n");
    let kek = Kek::load(&path).unwrap();
    let shown = format!("{kek:?}");
    for secret in ["WlpaWlpa", "5a5a", "5A, 5A", "90, 90", "ZZZZ"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
