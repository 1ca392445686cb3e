//! Whoever tries keys, asks for cards, or runs commands, and does not want it known afterwards who it was. The audit and the
//! log name key or person and address, refusals too, and a flood of them neither fills the disk nor hides anybody.

use std::process::Output;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use cardseal_vault::access::limit::Limits;
use cardseal_vault::access::{KeyKind, Permission, Scopes};
use cardseal_vault::audit::{Action, Entry, Outcome, Refusal};
use cardseal_vault::id::{KeyId, PciTokenId, SecretKey};
use cardseal_vault::log::Format;
use cardseal_vault::merchant::Mode;
use cardseal_vault::store::NewKey;
use serde_json::{Value, json};

use crate::support::log::Log;
use crate::support::program::run;
use crate::support::{Account, Asked, NOON, UNLIMITED, basic, operator};

const HERE: [u8; 4] = [203, 0, 113, 9];

#[tokio::test]
async fn a_refused_request_is_told_of_with_key_and_address() {
    let limits = Limits { detokenizations: "1/h burst 3".parse().unwrap(), ..UNLIMITED };
    let asked = Asked::limited(&limits).await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let (plain, opener) =
        (key(&asked, &account, Permission::Use).await, key(&asked, &account, Permission::Detokenize).await);
    let others = key(&asked, &other, Permission::Detokenize).await;
    let token = PciTokenId::random(Mode::Test);
    let card = format!("/pci-tokens/{token}/detokenize");
    let log = Log::listen(Format::Json);

    let stranger = SecretKey::random(Mode::Test).expose().to_owned();
    let (mut expected, mut logged) = (Vec::new(), 0);
    for (sent, who, status, action, subject, why) in [
        (&stranger, None, 401, Action::Access, "POST /pci-tokens/{id}/detokenize", Refusal::UnknownKey),
        (
            &account.public_key,
            None,
            401,
            Action::Access,
            "POST /pci-tokens/{id}/detokenize",
            Refusal::WrongKind,
        ),
        (
            &plain.1,
            Some(&plain.0),
            403,
            Action::Access,
            "POST /pci-tokens/{id}/detokenize",
            Refusal::MissingScope,
        ),
        (&opener.1, Some(&opener.0), 404, Action::Detokenize, token.as_str(), Refusal::NotFound),
        (&others.1, Some(&others.0), 404, Action::Detokenize, token.as_str(), Refusal::NotFound),
        (&opener.1, Some(&opener.0), 404, Action::Detokenize, token.as_str(), Refusal::NotFound),
        (&opener.1, Some(&opener.0), 404, Action::Detokenize, token.as_str(), Refusal::NotFound),
        (
            &opener.1,
            Some(&opener.0),
            429,
            Action::Detokenize,
            "POST /pci-tokens/{id}/detokenize",
            Refusal::OverLimit,
        ),
    ] {
        let answered = post(&asked, &card, sent, HERE, &json!({ "reason": "curiosity" })).await;
        assert_eq!(answered.as_u16(), status);
        let lines = log.take();
        let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        for line in lines.filter(|line| line["message"] == "request") {
            logged += 1;
            assert_eq!(line["address"], "203.0.113.9", "{line}");
            if status != 429 {
                assert_eq!(line["key"], who.map_or(Value::Null, |id| id.as_str().into()), "{line}");
            }
        }
        let actor = who.map_or("unknown".to_owned(), ToString::to_string);
        expected.push((actor, "203.0.113.9".to_owned(), action, subject.to_owned(), Outcome::Refused(why)));
    }
    assert!(logged > 0);
    // What comes again is counted, and is a row when its time is over.
    expected.remove(6);
    expected.remove(5);
    let told = |entries: &[Entry]| -> Vec<_> {
        entries
            .iter()
            .map(|entry| {
                let (actor, from) = (entry.by.actor.to_string(), entry.by.from.to_string());
                (actor, from, entry.action, entry.subject.clone(), entry.outcome)
            })
            .collect()
    };
    let rows = refusals(&asked).await;
    let mut found = told(&rows);
    let by_text = |one: &(String, String, Action, String, Outcome)| format!("{one:?}");
    found.sort_by_key(by_text);
    expected.sort_by_key(by_text);
    assert_eq!(found, expected);
    asked.set_time(NOON + 600);
    asked.vault.maintain().await.unwrap();
    let rows = refusals(&asked).await;
    let counted: Vec<_> = rows.iter().filter(|entry| entry.times > 1).collect();
    assert_eq!(counted.len(), 1);
    assert_eq!((counted[0].times, counted[0].outcome), (2, Outcome::Refused(Refusal::NotFound)));
    // Nothing of the keys that were sent is kept.
    for sent in [&stranger, &account.public_key] {
        assert!(!format!("{rows:?}").contains(sent.as_str()));
    }
}

#[tokio::test]
async fn a_flood_of_refusals_fills_no_disk_and_hides_nobody() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for number in 0..1000_u32 {
        let stranger = SecretKey::random(Mode::Test);
        let [_, _, high, low] = number.to_be_bytes();
        let status = post(&asked, "/charges", stranger.expose(), [10, 0, high, low], &json!({})).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(refusals(&asked).await.len(), 100);
    // A key that is known is told of all the same.
    let (id, plain) = key(&asked, &account, Permission::Use).await;
    let card = format!("/pci-tokens/{}/detokenize", PciTokenId::random(Mode::Test));
    post(&asked, &card, &plain, HERE, &json!({ "reason": "x" })).await;
    let rows = refusals(&asked).await;
    assert!(rows.len() == 101 && rows.iter().any(|entry| entry.by.actor.to_string() == id.as_str()));
    asked.set_time(NOON + 600);
    asked.vault.maintain().await.unwrap();
    let rows = refusals(&asked).await;
    let times: u64 = rows.iter().map(|entry| entry.times).sum();
    assert_eq!((rows.len(), times), (102, 1001));
    assert!(asked.audited().await.chains.iter().all(|chain| chain.flaw.is_none()));
}

#[tokio::test]
async fn what_was_counted_is_written_when_the_vault_stops() {
    let asked = Asked::new().await;
    let stranger = SecretKey::random(Mode::Test);
    for _ in 0..3 {
        post(&asked, "/charges", stranger.expose(), HERE, &json!({})).await;
    }
    asked.vault.close().await;
    assert_eq!(asked.count_where("audit", "outcome = 'unknown_key' AND times = 2").await, 1);
}

#[test]
fn whoever_runs_a_command_or_reads_the_audit_is_named() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let vault =
        |arguments: &[&str]| said(&run(&[arguments, &["--data-dir", dir.to_str().unwrap()]].concat()));
    vault(&["--as", "anna", "merchant", "add", "--name", "A", "--origin", "http://localhost:1"]);
    vault(&["keys", "rotate", "--as", "berg"]);
    vault(&["audit", "verify", "--as", "clara"]);
    let listed = vault(&["audit", "list", "--as", "dora"]);
    let who = |line: &str| line.split_whitespace().skip(2).take(3).collect::<Vec<_>>().join(" ");
    assert_eq!(
        listed.lines().skip(1).map(who).collect::<Vec<_>>(),
        [
            "person:anna machine merchant.add",
            "person:berg machine vault_key.rotate",
            "person:clara machine audit.read",
            "person:dora machine audit.read",
        ]
    );
    // Without a name it is the system's.
    let mut command =
        crate::support::program::command(&["audit", "list", "--data-dir", dir.to_str().unwrap()]);
    let listed = said(&command.env("SUDO_USER", "emil").output().unwrap());
    let last = listed.lines().last().unwrap();
    assert!(last.contains("person:emil") || !last.contains("unknown"), "{last}");
    let refused = run(&["audit", "list", "--data-dir", dir.to_str().unwrap(), "--as", "two words"]);
    assert!(!refused.status.success());
}

async fn key(asked: &Asked, account: &Account, permission: Permission) -> (KeyId, String) {
    let key = SecretKey::random(Mode::Test);
    let scopes = Scopes::new(KeyKind::Secret, [permission]).unwrap();
    let new = NewKey { scopes, ..NewKey::secret(Mode::Test, &key) };
    let merchant = asked.holder(account).await;
    asked.vault.add_api_key(&merchant, &new, operator()).await.unwrap();
    (new.id, key.expose().into())
}

async fn post(asked: &Asked, path: &str, key: &str, from: [u8; 4], body: &Value) -> StatusCode {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("authorization", basic(key))
        .header("content-type", "application/json")
        .header("x-correlation-id", "c-1")
        .extension(ConnectInfo(std::net::SocketAddr::from((from, 50_000))));
    asked.send(request.body(Body::from(body.to_string())).unwrap()).await.status
}

/// All that were refused, of all chains.
async fn refusals(asked: &Asked) -> Vec<Entry> {
    let mut entries = Vec::new();
    for head in asked.vault.store().audit_heads().await.unwrap() {
        let rows = asked.vault.store().audit_rows(head.merchant.as_ref(), 0, 1000).await.unwrap();
        entries.extend(rows.into_iter().map(|row| row.entry));
    }
    entries.retain(|entry| entry.outcome != Outcome::Done);
    entries
}

#[track_caller]
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
