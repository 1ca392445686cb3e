//! What an operator does with keys and the audit, while the vault serves.

use std::path::Path;
use std::process::Output;

use serde_json::json;

use crate::support::program::{Served, run};
use crate::support::{VISA, clear_card};

const JSON: &str = "application/json";

#[test]
fn keys_are_listed_rotated_and_retired() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let _vault = Served::start(&dir);
    let listed = said(vault(&dir, &["keys", "list"]));
    for purpose in ["access", "audit", "data", "fingerprint", "sealing-live", "sealing-test", "signing"] {
        let row = format!("{purpose} 1 active 0 h");
        assert!(words(&listed).contains(&row), "{listed}");
    }

    let refused = vault(&dir, &["keys", "retire", "--version", "1"]);
    assert!(complained(refused).contains("rotate first"));
    let refused = vault(&dir, &["keys", "retire", "--version", "9"]);
    assert!(complained(refused).contains("there is no such key 9"));
    said(vault(&dir, &["keys", "rotate"]));
    let listed = said(vault(&dir, &["keys", "list"]));
    assert!(
        words(&listed).contains("sealing-live 1 active") && words(&listed).contains("sealing-live 2 pending")
    );
    said(vault(&dir, &["keys", "rotate", "--now"]));
    let listed = said(vault(&dir, &["keys", "list"]));
    assert!(words(&listed).contains("sealing-live 3 active"), "{listed}");
    said(vault(&dir, &["keys", "retire", "--version", "1"]));
    let listed = said(vault(&dir, &["keys", "list"]));
    assert!(words(&listed).contains("sealing-live 1 destroyed"), "{listed}");
    said(vault(&dir, &["keys", "rotate", "--purpose", "sealing-test", "--now"]));
    said(vault(&dir, &["keys", "retire", "--purpose", "sealing-test", "--version", "1"]));
    let listed = said(vault(&dir, &["keys", "list"]));
    assert!(words(&listed).contains("sealing-test 1 destroyed"), "{listed}");
    said(vault(&dir, &["keys", "rotate", "--purpose", "signing", "--now"]));
    said(vault(&dir, &["keys", "retire", "--purpose", "signing", "--version", "1"]));
    let listed = said(vault(&dir, &["keys", "list"]));
    assert!(words(&listed).contains("signing 1 destroyed"), "{listed}");
}

#[test]
fn a_keys_scope_is_given_and_its_revocation_obeyed_at_once() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let serving = Served::start(&dir);
    let added = said(vault(&dir, &["merchant", "add", "--name", "A", "--origin", "http://localhost:1"]));
    let merchant = added.lines().next().unwrap().split_whitespace().nth(1).unwrap();
    let add = ["merchant", "keys", "add", "--merchant", merchant];
    let key = said(vault(&dir, &[&add[..], &["--scope", "use"]].concat()));
    let part = |line: usize| key.lines().nth(line).unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let (id, secret) = (part(0), part(1));
    let status = |key: &str| serving.request("GET", "/charges/chrg_test_0", key, JSON, "").status;
    assert_eq!(status(&secret), 404);

    let listed = said(vault(&dir, &["merchant", "keys", "list", "--merchant", merchant]));
    assert!(listed.contains(&id) && !listed.contains(&secret), "{listed}");
    assert_eq!(listed.lines().count(), 4);
    said(vault(&dir, &["merchant", "keys", "revoke", "--id", &id]));
    assert_eq!(status(&secret), 401);
    let again = vault(&dir, &["merchant", "keys", "revoke", "--id", &id]);
    assert!(complained(again).contains("no key"));

    let ending = said(vault(&dir, &[&add[..], &["--until", "2099-03-31"]].concat()));
    assert!(ending.contains("until     2099-03-31T23:59:59Z"), "{ending}");
    let listed = said(vault(&dir, &["merchant", "keys", "list", "--merchant", merchant]));
    assert!(listed.contains("2099-03-31T23:59:59Z"), "{listed}");
    let over = vault(&dir, &[&add[..], &["--until", "2020-01-01"]].concat());
    assert!(complained(over).contains("--until is a time that has passed"));

    let unfit = vault(&dir, &[&add[..], &["--public", "--scope", "detokenize"]].concat());
    assert!(complained(unfit).contains("a public key can only tokenize"));
    let unknown = ["merchant", "keys", "add", "--merchant", "mrch_test_0"];
    assert!(complained(vault(&dir, &unknown)).contains("no merchant mrch_test_0"));
}

#[test]
fn the_audit_is_listed_and_verified() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let serving = Served::start(&dir);
    let name = ["merchant", "add", "--name", "A", "--origin", "http://localhost:1", "--json"];
    let added: serde_json::Value = serde_json::from_str(&said(vault(&dir, &name))).unwrap();
    let part = |name: &str| added[name].as_str().unwrap();
    let body = clear_card(VISA).to_string();
    let token = serving.request("POST", "/tokens", part("public_key"), JSON, &body).json();
    let order = json!({ "amount": 100, "currency": "thb", "card": token["id"] }).to_string();
    let charge = serving.request("POST", "/charges", part("secret_key"), JSON, &order).json();

    let listed = said(vault(&dir, &["audit", "list", "--merchant", part("merchant")]));
    let charge = charge["id"].as_str().unwrap();
    assert!(words(&listed).contains(&format!("card.charge {charge}")), "{listed}");
    assert!(!listed.contains("4242"));
    let verified = said(vault(&dir, &["audit", "verify"]));
    assert!(words(&verified).contains(&format!("{} 2 genuine", part("merchant"))), "{verified}");

    drop(serving);
    tamper(&dir).unwrap();
    let tampered = vault(&dir, &["audit", "verify"]);
    assert_eq!(tampered.status.code(), Some(1));
    assert!(
        words(&String::from_utf8(tampered.stdout).unwrap()).contains("row 1 is not what the vault wrote")
    );
}

#[test]
fn the_key_encryption_key_can_be_another() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let serving = Served::start(&dir);
    let kid = |vault: &Served| {
        vault.request("GET", "/.well-known/jwks.json", "", JSON, "").json()["keys"][0]["kid"].clone()
    };
    let before = kid(&serving);
    drop(serving);

    let shares = format!("shares:{0}/a,{0}/b", outer.path().display());
    let made = run(&["keys", "init-kek", "--kek", &shares]);
    assert!(made.status.success(), "{made:?}");
    said(vault(&dir, &["keys", "rewrap", "--to", &shares]));
    let old = run(&["keys", "rotate", "--data-dir", dir.to_str().unwrap()]);
    assert!(!old.status.success());
    let serving = Served::start_with(&dir, &["--kek", &shares]);
    assert_eq!(kid(&serving), before);
}

fn vault(dir: &Path, arguments: &[&str]) -> Output {
    run(&[arguments, &["--data-dir", dir.to_str().unwrap()]].concat())
}

#[track_caller]
fn said(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn complained(output: Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A table without the widths of its columns.
fn words(table: &str) -> String {
    table.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What somebody with the database's file does.
fn tamper(dir: &Path) -> Result<(), sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("vault.sqlite"));
        let pool = sqlx::SqlitePool::connect_with(file).await?;
        sqlx::query("UPDATE audit SET subject = 'chrg_test_other' WHERE merchant_id <> ''")
            .execute(&pool)
            .await?;
        pool.close().await;
        Ok(())
    })
}
