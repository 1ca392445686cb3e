//! Attacks that docs/THREAT_MODEL.md walks through and that no other test is about: what stops them, and, where nothing
//! does, that it is so.

use axum::body::Body;
use axum::http::{Method, Request};
use cardseal_vault::Vault;
use cardseal_vault::id::SecretKey;
use cardseal_vault::keys::KeysError;
use cardseal_vault::keys::kek::KekError;
use cardseal_vault::merchant::{Mode, Origin};
use cardseal_vault::store::{NewKey, Purpose};
use cardseal_vault::time::Timestamp;
use cardseal_vault::vault::{Misplaced, OpenError};
use serde_json::json;

use crate::support::operator;
use crate::support::program::{Served, run};
use crate::support::{Account, Asked, NOON, VISA};

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

/// Whoever writes to the database makes no key that the vault obeys, and no merchant.
#[tokio::test]
async fn whoever_writes_to_the_database_gives_nobody_any_right() {
    for (sql, found) in [
        ("UPDATE api_keys SET scopes = 'detokenize use' WHERE kind = 'secret'", "akey_"),
        ("UPDATE api_keys SET created_at = created_at + 1 WHERE kind = 'secret'", "akey_"),
        ("UPDATE api_keys SET key_version = 2 WHERE kind = 'secret'", "akey_"),
        ("UPDATE api_keys SET expires_at = 4000000000 WHERE kind = 'secret'", "akey_"),
        (
            "UPDATE api_keys SET mac = (SELECT mac FROM api_keys WHERE kind = 'public') WHERE kind = 'secret'",
            "akey_",
        ),
        ("UPDATE merchants SET clear_cards = 0", "mrch_"),
        ("UPDATE merchants SET name = 'Another'", "mrch_"),
        ("UPDATE merchants SET revision = 1", "mrch_"),
        ("INSERT INTO merchant_origins SELECT id, 'https://evil.example' FROM merchants", "mrch_"),
        ("DELETE FROM merchant_origins", "mrch_"),
    ] {
        let asked = Asked::new().await;
        let account = asked.merchant().await;
        asked.get("/customers", &account.secret_key).await;
        asked.execute(sql).await;
        asked.get("/customers", &account.secret_key).await.error(500, "internal_error");
        let audited = asked.audited().await;
        assert_eq!(audited.misplaced.len(), 1, "{sql}: {audited:?}");
        let said = audited.misplaced[0].to_string();
        assert!(said.starts_with(found) && said.ends_with("is not what the vault wrote there"), "{said}");
    }
}

/// A key of the writer's own, made of one whose secret he knows: another merchant's, or one with fewer rights.
#[tokio::test]
async fn a_known_key_put_in_anothers_place_opens_nothing() {
    let asked = Asked::new().await;
    let (mine, others) = (asked.merchant().await, asked.merchant().await);
    let of = async |account: &Account| {
        let key = SecretKey::parse(&account.secret_key).unwrap();
        asked.vault.key_holder(key.hash()).await.unwrap().unwrap().1
    };
    let (mine_kept, others_kept) = (of(&mine).await, of(&others).await);
    let mut database = asked.dir.connect().await;
    // The other's row with my hash; mine makes room for it.
    for (id, hash) in [(&mine_kept.id, &[0; 32]), (&others_kept.id, mine_kept.hash.as_bytes())] {
        sqlx::query("UPDATE api_keys SET hash = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(&hash[..])
            .execute(&mut database)
            .await
            .unwrap();
    }
    asked.get("/customers", &mine.secret_key).await.error(500, "internal_error");
    asked.get("/customers", &others.secret_key).await.error(401, "authentication_failure");
}

/// An origin that the vault did not register is no page's.
#[tokio::test]
async fn an_origin_put_into_the_database_gets_no_answer_that_it_may_read() {
    let asked = Asked::new().await;
    asked.merchant().await;
    asked.execute("INSERT INTO merchant_origins SELECT id, 'https://evil.example' FROM merchants").await;
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/tokens")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let answer = asked.send(preflight.body(Body::empty()).unwrap()).await;
    answer.error(403, "origin_not_allowed");
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

/// Not stopped at once, but found: an older copy of a row, with the MAC that the vault gave it then.
#[tokio::test]
async fn an_old_copy_of_a_key_or_of_origins_shows_in_the_audit() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = SecretKey::parse(&account.secret_key).unwrap();
    let (merchant, kept) = asked.vault.key_holder(key.hash()).await.unwrap().unwrap();
    asked.execute("CREATE TABLE keys_then AS SELECT * FROM api_keys").await;
    assert!(asked.vault.revoke_api_key(&kept.id, operator()).await.unwrap());
    asked.get("/customers", &account.secret_key).await.error(401, "authentication_failure");
    assert_eq!(asked.audited().await.misplaced, []);
    asked.execute("DELETE FROM api_keys; INSERT INTO api_keys SELECT * FROM keys_then").await;
    assert_eq!(asked.get("/customers", &account.secret_key).await.status, 200);
    assert_eq!(asked.audited().await.misplaced, [Misplaced::Unrevoked(kept.id)]);
    asked.execute("DELETE FROM api_keys WHERE kind = 'secret'").await;
    assert_eq!(asked.audited().await.misplaced, []);

    asked.execute("CREATE TABLE merchants_then AS SELECT * FROM merchants").await;
    asked.execute("CREATE TABLE origins_then AS SELECT * FROM merchant_origins").await;
    let new = [Origin::parse("https://new.example").unwrap()];
    asked.vault.replace_origins(&merchant.id, &new, operator()).await.unwrap();
    assert_eq!(asked.audited().await.misplaced, []);
    asked
        .execute(
            "DELETE FROM merchant_origins; INSERT INTO merchant_origins SELECT * FROM origins_then;
             UPDATE merchants SET revision = 0, mac = (SELECT mac FROM merchants_then)",
        )
        .await;
    let old = [Misplaced::OldOrigins(merchant.id.clone())];
    assert_eq!(asked.audited().await.misplaced, old);

    let added = NewKey::secret(Mode::Test, &SecretKey::random(Mode::Test));
    asked.vault.add_api_key(&merchant, &added, operator()).await.unwrap();
    asked.execute("DELETE FROM api_keys").await;
    let missing = Misplaced::Missing(added.id.to_string());
    assert!(asked.audited().await.misplaced.contains(&missing));
}

/// What a row holds is parsed before it is used.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_refused_without_a_panic() {
    for (sql, path) in [
        ("UPDATE tokens SET brand = 'none'", "token"),
        ("UPDATE tokens SET created_at = -1", "token"),
        ("UPDATE tokens SET data_key_version = 9223372036854775807", "token"),
        ("UPDATE tokens SET fingerprint_key_version = -1", "token"),
        ("UPDATE tokens SET used_by = 'nothing'", "token"),
        ("UPDATE customers SET default_card = 'x'", "customer"),
        ("UPDATE cards SET details = code FROM security_codes", "customer"),
        ("UPDATE api_keys SET scopes = 'everything'", "customer"),
        ("UPDATE merchants SET name = ''", "customer"),
        ("UPDATE merchants SET mac = key FROM (SELECT hash AS key FROM api_keys) AS keys", "customer"),
    ] {
        let asked = Asked::new().await;
        let account = asked.merchant().await;
        let secret = &account.secret_key;
        let kept = asked.token(&account, VISA).await;
        let customer = asked.post("/customers", secret, &json!({ "card": kept })).await.json()["id"].clone();
        let token = asked.token(&account, VISA).await;
        let (path, key) = match path {
            "token" => (format!("/tokens/{token}"), &account.public_key),
            _ => (format!("/customers/{}", customer.as_str().unwrap()), secret),
        };
        assert_eq!(asked.get(&path, key).await.status, 200, "{sql}");
        asked.execute(sql).await;
        asked.get(&path, key).await.error(500, "internal_error");
        assert_eq!(asked.get("/livez", "").await.status, 200, "{sql}");
    }
}

/// An operator alone can do much, but not unseen.
#[test]
fn what_an_operator_does_is_in_the_audit() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let dir = dir.to_str().unwrap();
    let said = |arguments: &[&str]| {
        let output = run(&[arguments, &["--data-dir", dir, "--as", "anna"]].concat());
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
        let row = |row: &str| row.split_whitespace().skip(2).take(3).collect::<Vec<_>>().join(" ");
        rows.lines().skip(1).map(row).collect()
    };
    assert_eq!(
        told(&said(&["audit", "list"])),
        [
            "person:anna machine merchant.add",
            "person:anna machine vault_key.rotate",
            "person:anna machine vault_key.destroy",
            "person:anna machine audit.read"
        ]
    );
    assert_eq!(
        told(&said(&["audit", "list", "--merchant", &merchant])),
        [
            "person:anna machine merchant.origins",
            "person:anna machine key.add",
            "person:anna machine key.revoke",
            "person:anna machine audit.read"
        ]
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
