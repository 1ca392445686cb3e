//! A key, or a password of the database, that another user of the machine can read or replace: a key-encryption key in a folder
//! that a group may write to, a private key for TLS or a database's address of mode 0644. Each is refused, with the cure.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cardseal_vault::server::{TlsError, TlsFiles};

use crate::support::program::{add_merchant, run};
use crate::support::write_secret;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What the program says to a command that it refuses.
fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_key_encryption_key_that_a_group_can_replace() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    add_merchant(&dir);
    for mode in [0o720, 0o770, 0o702] {
        chmod(&dir, mode);
        let said = refusal(&["audit", "verify", "--data-dir", dir.to_str().unwrap()]);
        assert!(said.contains("chmod go-w"), "{said}");
    }
    chmod(&dir, 0o700);
    assert!(run(&["audit", "verify", "--data-dir", dir.to_str().unwrap()]).status.success());
}

#[test]
fn a_private_key_for_tls_that_others_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["vault.test".to_owned()]).unwrap();
    let files = TlsFiles { certificate: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
    fs::write(&files.certificate, made.cert.pem()).unwrap();
    write_secret(&files.key, made.signing_key.serialize_pem());
    for mode in [0o644, 0o604, 0o660, 0o620, 0o602] {
        chmod(&files.key, mode);
        let refused = files.read().unwrap_err();
        assert!(matches!(refused, TlsError::Key(_)), "{refused}");
        assert!(refused.to_string().contains("chmod 640 "), "{refused}");
    }
    // The group of a service may read what root owns.
    for mode in [0o600, 0o400, 0o640] {
        chmod(&files.key, mode);
        assert!(files.read().is_ok(), "{mode:o}");
    }
    chmod(&files.key, 0o600);
    chmod(dir.path(), 0o770);
    assert!(files.read().unwrap_err().to_string().contains("chmod go-w"));
}

#[test]
fn a_password_of_the_database_that_others_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("database-url");
    write_secret(&path, "postgres://vault:s3cret@127.0.0.1:1/cards");
    chmod(&path, 0o644);
    let said = refusal(&["merchant", "list", "--database-url-file", path.to_str().unwrap()]);
    assert!(said.contains("chmod 640 ") && !said.contains("s3cret"), "{said}");
    chmod(&path, 0o640);
    let said = refusal(&["merchant", "list", "--database-url-file", path.to_str().unwrap()]);
    assert!(!said.contains("chmod"), "{said}");
}
