//! Attacks that docs/THREAT_MODEL.md walks through and that no other test is about: what stops them, and, where nothing
//! does, that it is so.

use axum::http::Method;
use cardseal_vault::Vault;
use cardseal_vault::keys::KeysError;
use cardseal_vault::keys::kek::KekError;
use cardseal_vault::store::Purpose;
use cardseal_vault::time::Timestamp;
use cardseal_vault::vault::OpenError;
use serde_json::json;

use crate::support::program::{Served, run};
use crate::support::{Asked, NOON, VISA, request};

/// A database's writer puts a key that is known to him, or that has leaked, where another one is: PCI DSS 3.7.7.
#[tokio::test]
async fn a_wrapped_key_in_anothers_place_opens_no_vault() {
    for moved in [
        "UPDATE wrapped_keys SET wrapped = (SELECT wrapped FROM wrapped_keys WHERE purpose = 'data' AND version = 1)
         WHERE purpose = 'data' AND version = 2",
        "UPDATE wrapped_keys SET wrapped = (SELECT wrapped FROM wrapped_keys WHERE purpose = 'data' AND version = 1)
         WHERE purpose = 'fingerprint'",
    ] {
        let asked = Asked::new().await;
        let now = Timestamp::from_unix_seconds(NOON);
        asked.vault.keys().rotate(asked.vault.store(), Purpose::Data, now, now).await.unwrap();
        asked.execute(moved).await;
        asked.vault.close().await;
        let refused = Vault::open(asked.dir.setup()).await.unwrap_err();
        assert!(matches!(refused, OpenError::Keys(KeysError::Kek(KekError::Unopened { .. }))), "{refused}");
    }
}

/// A used token has no number any more, so that nobody can make it usable again.
#[tokio::test]
async fn a_used_token_that_is_made_unused_by_hand_charges_nothing() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    assert_eq!(asked.charge(&account, &token).await.json()["status"], "successful");
    asked.execute("UPDATE tokens SET used_by = NULL").await;
    asked.charge(&account, &token).await.error(500, "internal_error");
    assert_eq!(asked.count("charges").await, 1);
}

/// Not stopped: what a key may do, and whether it is revoked, stands in the database without a MAC.
#[tokio::test]
async fn whoever_writes_to_the_database_decides_what_a_key_may_do() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let detokenize = async || {
        let asking = request(Method::POST, "/pci-tokens/ptok_test_0/detokenize", &account.secret_key)
            .header("x-correlation-id", "c-1")
            .header("content-type", "application/json");
        asked.send(asking.body(json!({ "reason": "curiosity" }).to_string().into()).unwrap()).await
    };
    detokenize().await.error(403, "not_permitted");
    asked.execute("UPDATE api_keys SET scopes = 'detokenize use' WHERE kind = 'secret'").await;
    detokenize().await.error(404, "not_found");

    asked.execute("UPDATE api_keys SET revoked_at = 1").await;
    detokenize().await.error(401, "authentication_failure");
    asked.execute("UPDATE api_keys SET revoked_at = NULL").await;
    detokenize().await.error(404, "not_found");
}

/// An operator alone can do much, but not unseen.
#[test]
fn what_an_operator_does_is_in_the_audit() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let dir = dir.to_str().unwrap();
    let said = |arguments: &[&str]| {
        let output = run(&[arguments, &["--data-dir", dir]].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let part = |text: &str, line: usize| {
        text.lines().nth(line).unwrap().split_whitespace().nth(1).unwrap().to_owned()
    };
    let added = said(&["merchant", "add", "--name", "A", "--origin", "https://shop.example"]);
    let (merchant, pkey) = (part(&added, 0), part(&added, 1));
    said(&["merchant", "origins", "--key", &pkey, "--origin", "https://www.shop.example"]);
    let key = said(&["merchant", "keys", "add", "--merchant", &merchant, "--scope", "detokenize"]);
    said(&["merchant", "keys", "revoke", "--id", &part(&key, 0)]);
    said(&["keys", "rotate", "--now"]);
    said(&["keys", "retire", "--version", "1"]);

    let told = |rows: &str| -> Vec<String> {
        let row = |row: &str| row.split_whitespace().skip(2).take(2).collect::<Vec<_>>().join(" ");
        rows.lines().skip(1).map(row).collect()
    };
    assert_eq!(
        told(&said(&["audit", "list"])),
        [
            "operator merchant.add",
            "operator key.revoke",
            "operator vault_key.rotate",
            "operator vault_key.destroy"
        ]
    );
    assert_eq!(
        told(&said(&["audit", "list", "--merchant", &merchant])),
        ["operator merchant.origins", "operator key.add"]
    );
}

/// Whoever gets the program to crash finds nothing of it on the disk, and another process of the same user reads
/// nothing of its memory (proc(5)).
#[test]
fn a_running_vault_leaves_no_core_dump_and_shows_no_memory() {
    let outer = tempfile::tempdir().unwrap();
    let vault = Served::start(&outer.path().join("vault"));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", vault.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    // The files of a process that may be looked into belong to its user, those of others to root alone.
    let owner = std::fs::metadata(format!("/proc/{}/mem", vault.id())).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&owner), 0);
}
