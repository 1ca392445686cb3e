//! No card number is where none belongs.

use std::fs;
use std::path::Path;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use cardseal::plain;
use cardseal::seal::{Algorithm, KeySet, seal};
use cardseal_vault::time::Clock;
use serde_json::json;

use crate::support::program::{Served, add_merchant};
use crate::support::{VISA, clear_card, envelope};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const CARDS: [&str; 3] = [VISA, "378282246310005", "5555555555554444"];

#[test]
fn database_and_log_hold_no_card_number() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let vault = Served::start(&dir);
    let key: KeySet =
        plain::parse(&vault.request("GET", "/.well-known/jwks.json", "", JSON, "").body).unwrap();
    let key = key.sealing_key(Algorithm::RsaOaep256, false).unwrap();

    let mut answers = String::new();
    let mut send = |path: &str, key: &str, kind: &str, body: &str| {
        let reply = vault.request("POST", path, key, kind, body);
        answers.push_str(&reply.head);
        answers.push_str(&reply.body);
        reply
    };
    let mut tokens = Vec::new();
    for card in CARDS {
        let token = send("/tokens", &account.public_key, JSON, &clear_card(card).to_string());
        assert_eq!(token.status, 200, "{token:?}");
        tokens.push(token.json()["id"].as_str().unwrap().to_owned());
        // Wherever a slip can put a number.
        for (path, kind, body) in [
            ("/tokens", JSON, json!({ "card": { "number": format!("{card}x"), "name": "A B" } }).to_string()),
            ("/tokens", JSON, json!({ "card": { "sealed": card } }).to_string()),
            ("/tokens", JSON, json!({ "card": { "name": card, "number": card } }).to_string()),
            ("/tokens", JSON, json!({ card: card }).to_string()),
            ("/tokens", JSON, card.to_owned()),
            ("/tokens", JSON, format!("{{\"card\":\"{card}")),
            ("/tokens", FORM, format!("card[{card}]={card}")),
            ("/tokens", card, card.to_owned()),
            (&format!("/tokens/{card}"), JSON, "{}".to_owned()),
            (&format!("/tokens?card[number]={card}"), FORM, format!("card[number]={card}")),
            (&format!("/{card}"), FORM, format!("card[number]={card}")),
        ] {
            assert!(send(path, &account.public_key, kind, &body).status >= 400);
        }
        send("/tokens", card, JSON, card);
    }
    let now = Clock::system().now().unix_seconds();
    let jwe = seal(&key, &envelope(&account.public_key, now)).unwrap();
    let sealed =
        send("/tokens", &account.public_key, JSON, &json!({ "card": { "sealed": jwe } }).to_string());
    assert_eq!(sealed.status, 200, "{sealed:?}");
    let customer = json!({ "card": tokens[0], "email": "john.doe@example.com", "description": "A regular" });
    let customer = send("/customers", &account.secret_key, JSON, &customer.to_string());
    assert_eq!(customer.status, 200, "{customer:?}");
    let on_file = json!({ "amount": 100, "currency": "THB", "customer": customer.json()["id"] });
    assert_eq!(send("/charges", &account.secret_key, JSON, &on_file.to_string()).status, 200);
    for token in &tokens[1..] {
        let body = json!({ "amount": 100, "currency": "THB", "card": token, "description": "An order" });
        assert_eq!(send("/charges", &account.secret_key, JSON, &body.to_string()).status, 200);
    }

    search("the answers", answers.as_bytes());
    search("the log", vault.log().as_bytes());
    search_folder(&dir);
    // The log as it is while the vault runs, and after it has gone into the database.
    let log = vault.log();
    assert!(log.contains("route=\"/tokens\" status=200"), "{log}");
    for secret in [account.secret_key.as_str(), account.public_key.as_str(), "Somchai", "An order"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    vault.signal("TERM");
    assert!(vault.wait().0.success());
    search_folder(&dir);
    let database = fs::read(dir.join("vault.sqlite")).unwrap();
    for secret in [account.secret_key.as_str(), "Somchai Prasert", "john.doe@example.com", "A regular"] {
        assert!(!contains(&database, secret.as_bytes()), "{secret}");
    }
}

#[tokio::test]
async fn security_codes_are_kept_encrypted() {
    let asked = crate::support::Asked::new().await;
    let account = asked.merchant().await;
    asked.token(&account, "378282246310005").await;
    let code = sqlx::query_scalar("SELECT code FROM security_codes");
    let code: Vec<u8> = code.fetch_one(&mut asked.dir.connect().await).await.unwrap();
    // Locked with the token's id, then encrypted.
    assert_eq!(code.len(), 2 * (12 + 16) + 4);
    assert!(!contains(&code, b"1234"));
}

fn search_folder(dir: &Path) {
    let mut searched = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        // The operator's socket keeps nothing.
        if !path.is_file() {
            continue;
        }
        search(&path.display().to_string(), &fs::read(&path).unwrap());
        searched += 1;
    }
    assert!(searched >= 3);
}

#[track_caller]
fn search(what: &str, bytes: &[u8]) {
    for card in CARDS {
        for form in forms(card) {
            assert!(!contains(bytes, &form), "{} in {what}", String::from_utf8_lossy(&form));
        }
    }
}

/// A number plain, in groups, in hexadecimal, as packed digits, and in base64 at each of its three positions.
fn forms(card: &str) -> Vec<Vec<u8>> {
    let groups = |separator: &str| {
        let groups: Vec<String> =
            card.as_bytes().chunks(4).map(|group| String::from_utf8(group.to_vec()).unwrap()).collect();
        groups.join(separator).into_bytes()
    };
    let hex: String = card.bytes().map(|byte| format!("{byte:02x}")).collect();
    let packed =
        card.as_bytes().chunks_exact(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect();
    let mut forms = vec![card.into(), groups(" "), groups("-"), hex.into_bytes(), packed];
    for before in 0..3 {
        let bytes = [&b"xx"[..before], card.as_bytes()].concat();
        // Only whole groups of three bytes look the same whatever stands around them.
        let (from, to) = (if before == 0 { 0 } else { 4 }, bytes.len() / 3 * 4);
        forms.push(Base64::encode_string(&bytes)[from..to].into());
        forms.push(Base64UrlUnpadded::encode_string(&bytes)[from..to].into());
    }
    forms
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
