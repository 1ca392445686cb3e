//! `status`, as a person sees it and as a program reads it.

use serde_json::{Value, json};

use crate::support::program::{Served, add_merchant, run};
use crate::support::{VISA, clear_card};

const JSON: &str = "application/json";

#[test]
fn a_running_vault_is_looked_at() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let mut vault = Served::start_with(&dir, &["--metrics-listen", "127.0.0.1:0"]);
    let line = vault.next_line();
    let address = line.strip_prefix("cardseal-vault metrics on http://").unwrap();
    let address = address.strip_suffix("/metrics\n").unwrap().to_owned();
    let body = clear_card(VISA).to_string();
    let token = vault.request("POST", "/tokens", &account.public_key, JSON, &body);
    assert_eq!(token.status, 200, "{token:?}");
    let charge = json!({ "amount": 100, "currency": "THB", "card": token.json()["id"] }).to_string();
    assert_eq!(vault.request("POST", "/charges", &account.secret_key, JSON, &charge).status, 200);
    assert_eq!(vault.request("POST", "/tokens", &account.public_key, JSON, &body).status, 200);

    let status = ["status", "--data-dir", dir.to_str().unwrap(), "--metrics-listen", &address];
    let output = run(&[&status[..], &["--json"]].concat());
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["kept"]["tokens"], json!({ "unused": 1, "used": 1, "expired": 0 }));
    assert_eq!(json["keys"].as_array().unwrap().len(), 7);
    for key in json["keys"].as_array().unwrap() {
        assert_eq!((&key["version"], &key["state"]), (&json!(1), &json!("active")));
    }
    let server = &json["server"];
    assert_eq!((&server["answers"], &server["ready"]), (&json!(true), &json!(true)));
    assert_eq!(server["errors"], json!([]));
    assert!(server["resident_bytes"].as_f64().unwrap() > 1e6, "{server}");
    assert_eq!(server["connections"]["limit"], 4096.0);

    let text = String::from_utf8(run(&status).stdout).unwrap();
    let lines: Vec<String> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for words in [
        "sealing-live 1 active 0 h",
        "tokens, unused 1",
        "tokens, used 1",
        "ready yes",
        "LAST ERRORS",
        "none",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(words)), "{words} in {text}");
    }

    vault.kill();
    let text = String::from_utf8(run(&status).stdout).unwrap();
    assert!(text.contains(&format!("No server answers at {address}")), "{text}");
    let text = String::from_utf8(run(&status[..3]).stdout).unwrap();
    assert!(text.contains("No server was asked"), "{text}");
}

#[test]
fn where_no_vault_is_there_is_no_status() {
    let output = run(&["status", "--data-dir", "/nowhere/at/all"]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no vault in /nowhere/at/all"));
}
