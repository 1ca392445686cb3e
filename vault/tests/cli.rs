//! The commands.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::{Served, add_merchant, run};
use crate::support::release::Released;
use crate::support::{SHOP, VISA, clear_card};

#[test]
fn a_merchant_is_added_to_a_new_folder_and_listed() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let dir = dir.to_str().unwrap();
    let added = run(&[
        "merchant",
        "add",
        "--data-dir",
        dir,
        "--name",
        "ร้านกาแฟ",
        "--origin",
        "https://Shop.example/",
        "--origin",
        "http://localhost:3000",
    ]);
    assert!(added.status.success(), "{added:?}");
    let text = String::from_utf8(added.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    for (line, start) in
        lines.iter().zip(["merchant  mrch_test_", "pkey      pkey_test_", "skey      skey_test_"])
    {
        assert!(line.starts_with(start), "{line}");
    }
    let public_key = lines[1].split_whitespace().nth(1).unwrap();

    let listed = String::from_utf8(run(&["merchant", "list", "--data-dir", dir]).stdout).unwrap();
    assert_eq!(listed.lines().count(), 2);
    for words in ["MERCHANT", "ร้านกาแฟ", public_key, "http://localhost:3000 https://shop.example"]
    {
        assert!(listed.contains(words), "{listed}");
    }
    assert!(!listed.contains("skey_"));
}

#[test]
fn live_keys_want_pages_over_tls() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let add = |origin| {
        run(&["merchant", "add", "--data-dir", dir, "--name", "A", "--live", "--json", "--origin", origin])
    };
    let refused = add("http://shop.example");
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("http://shop.example is not https"));

    let added: Value = serde_json::from_slice(&add("https://shop.example").stdout).unwrap();
    for (name, prefix) in [("merchant", "mrch_"), ("public_key", "pkey_"), ("secret_key", "skey_")] {
        let text = added[name].as_str().unwrap();
        assert!(text.starts_with(prefix) && !text.contains("_test_"), "{text}");
    }
}

#[test]
fn a_merchant_added_beside_a_running_vault_can_tokenize_at_once() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let vault = Served::start(&dir);
    let account = add_merchant(&dir);
    let body = clear_card(VISA).to_string();
    let reply = vault.request("POST", "/tokens", &account.public_key, "application/json", &body);
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn a_merchants_origins_are_replaced_beside_a_running_vault() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let released = Released::new("1.0.0");
    let vault = Served::start_with(&dir, &["--assets", released.path().to_str().unwrap()]);
    let frame = |origin: &str| {
        let path = format!("/frame?key={}&origin={origin}", account.public_key);
        vault.request("GET", &path, "", "", "").status
    };
    // What a public key is for is looked up once a second.
    let until_it_obeys = |statuses: [u16; 3], origins: [&str; 3]| {
        let begun = Instant::now();
        while origins.map(frame) != statuses {
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", origins.map(frame));
        }
    };
    let (shop, other) = ("https://shop.example", "https://other.example");
    assert_eq!([SHOP, shop, other].map(frame), [200, 403, 403]);

    let dir = dir.to_str().unwrap();
    let replace = |origins: &[&str]| {
        let mut arguments = vec!["merchant", "origins", "--data-dir", dir, "--key", &account.public_key];
        origins.iter().for_each(|origin| arguments.extend(["--origin", origin]));
        run(&arguments)
    };
    let output = replace(&[shop, "https://Shop.example/", other]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains(&format!("origin    {other}")));
    until_it_obeys([403, 200, 200], [SHOP, shop, other]);
    assert_eq!(replace(&[other]).status.code(), Some(0));
    until_it_obeys([403, 403, 200], [SHOP, shop, other]);

    // None at all would leave its pages without a form.
    assert_eq!(replace(&[]).status.code(), Some(2));
    assert_eq!([SHOP, shop, other].map(frame), [403, 403, 200]);
}

#[test]
fn a_live_merchants_new_origins_want_tls_too() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let added = run(&[
        "merchant",
        "add",
        "--data-dir",
        dir,
        "--name",
        "A",
        "--live",
        "--json",
        "--origin",
        "https://a.example",
    ]);
    let added: Value = serde_json::from_slice(&added.stdout).unwrap();
    let key = added["public_key"].as_str().unwrap();
    let refused =
        run(&["merchant", "origins", "--data-dir", dir, "--key", key, "--origin", "http://a.example"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("http://a.example is not https"));
    let listed = String::from_utf8(run(&["merchant", "list", "--data-dir", dir]).stdout).unwrap();
    assert!(listed.contains("https://a.example"), "{listed}");
}

#[test]
fn wrong_commands_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let vault = folder.path().join("vault");
    add_merchant(&vault);
    let vault = vault.to_str().unwrap();
    let released = Released::new("1.0.0");
    released.write("frame.js", "changed");
    let changed = released.path().to_str().unwrap();
    for (arguments, words) in [
        (&["merchant", "list", "--data-dir", "/nowhere/at/all"][..], "there is no vault in /nowhere/at/all"),
        (
            &["merchant", "add", "--data-dir", dir, "--name", "A", "--origin", "shop.example"],
            "such as https://shop.example",
        ),
        (
            &["merchant", "add", "--data-dir", dir, "--name", "", "--origin", "https://a.example"],
            "1 to 100 characters",
        ),
        (&["merchant", "add", "--data-dir", dir, "--name", "A"], "--origin"),
        (
            &[
                "merchant",
                "origins",
                "--data-dir",
                vault,
                "--key",
                "pkey_test_0",
                "--origin",
                "https://a.example",
            ],
            "no merchant with the public key pkey_test_0",
        ),
        (
            &[
                "merchant",
                "origins",
                "--data-dir",
                vault,
                "--key",
                "skey_test_0",
                "--origin",
                "https://a.example",
            ],
            "must be revoked",
        ),
        (
            &[
                "merchant",
                "origins",
                "--data-dir",
                dir,
                "--key",
                "pkey_test_0",
                "--origin",
                "https://a.example",
            ],
            "there is no vault in",
        ),
        (&["serve", "--data-dir", dir, "--assets", dir], "integrity.json cannot be read"),
        (
            &["serve", "--data-dir", dir, "--assets", changed],
            "frame.js is not the file that integrity.json names",
        ),
        (&["serve", "--data-dir", file], "cannot be opened"),
        (&["serve", "--data-dir", dir, "--listen", "nonsense"], "such as 127.0.0.1:4242"),
        (
            &["serve", "--data-dir", dir, "--listen", "no.such.host.invalid:0"],
            "cannot listen on no.such.host.invalid:0",
        ),
        (&["serve", "--data-dir", dir, "--tls-cert", "a.pem"], "tls_key is missing, which --tls-cert needs"),
        (&["serve"], "nothing says where the database is: give --data-dir"),
        (
            &["serve", "--data-dir", dir, "--tls-cert", "no.pem", "--tls-key", "no.pem"],
            "the PEM file no.pem cannot be read",
        ),
    ] {
        let output = run(arguments);
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
}
