//! SQLite on a disk that is full: reads go on, writes say that they cannot, nothing is lost, and all goes on by itself when
//! there is space again.

use reqwest::Client;

use super::asking::{JSON, assert_unavailable, charge, payment, token, tokenize};
use super::disk::Disk;
use super::ledger::{Entry, assert_none, lost};
use crate::support::program::{Served, add_merchant_by, command};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_writes_and_loses_nothing() {
    let disk = Disk::new(4);
    let on_disk =
        |arguments: &[&str]| disk.lead(command(arguments).arg("--data-dir").arg(disk.folder("vault")));
    let serve = || Served::run(on_disk(&["serve", "--listen", "127.0.0.1:0"]));
    let account = add_merchant_by(on_disk(&["merchant", "add"]));
    let (http, vault) = (Client::new(), serve());
    let mut entries: Vec<Entry> = (0..3).map(|_| token(&vault, &account)).collect();
    let uncharged = entries[0].object["id"].as_str().unwrap().to_owned();

    disk.fill();
    // SQLite may still write over what is done with in its log, so some may find a place.
    let refused = loop {
        let reply = tokenize(&vault, &account);
        if reply.status != 200 {
            break reply;
        }
        entries.push(Entry { key: account.public_key.clone(), object: reply.json() });
    };
    assert_unavailable(&refused);
    for _ in 0..20 {
        assert_unavailable(&tokenize(&vault, &account));
        assert_unavailable(&charge(&vault, &account, &uncharged));
    }
    assert_eq!(vault.request("GET", "/livez", "", JSON, "").status, 200);
    assert_eq!(vault.request("GET", "/.well-known/jwks.json", "", JSON, "").status, 200);
    assert_none(&lost(entries.clone(), &http, &vault.url()).await);

    disk.free();
    entries.push(token(&vault, &account));
    // Nothing was half-written: the token is as good as before.
    entries.push(payment(&vault, &account, &uncharged));
    assert_none(&lost(entries.clone(), &http, &vault.url()).await);
    vault.kill();
    assert_none(&lost(entries, &http, &serve().url()).await);
}
