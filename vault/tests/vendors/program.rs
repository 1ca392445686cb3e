//! The program with the vendors behind it: what a kill leaves, and what its memory holds.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use cardseal::client::Profile;
use cardseal_sandbox::thales_d1::Event;
use cardseal_sandbox::{Mood, Receiver};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use serde_json::{Value, json};

use super::{VISA, callbacks, now, path, refused, sealed};
use crate::support::home::{Home, connect, rows, sqlite};
use crate::support::program::{Served, add_merchant, command, run, run_with_input};
use crate::support::vendors::Vendors;
use crate::support::{Account, Asked};

const BOTH: [Profile; 2] = [Profile::ThalesD1, Profile::ThalesPci];

/// A process that is killed while a vendor makes a token cannot know of it. It is not asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_asked_for_stays_unknown() {
    let (vendors, home) = (Vendors::start().await, Home::in_folder());
    let account = connected(&vendors, home.path());
    let vault = serve(&vendors, home.path());
    let (http, profile) = (Client::new(), Profile::ThalesPci);
    let jwe = sealed(profile, &key(&http, &vault, &account, profile).await, VISA);
    // It does it, and its answer takes longer than the process lives.
    vendors.sandbox.thales_pci.server.moods.set(Mood::Late(Duration::from_secs(3600)), 1);
    let asking = tokio::spawn(post(&http, &vault, &account, profile, &jwe));
    let mut database = connect(&sqlite(home.path())).await;
    while rows(&mut database, "passed_seals").await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(database);
    vault.kill();
    assert!(asking.await.unwrap().is_err());

    let asked = Asked::reopened(home, &vendors).await;
    let body = json!({ "encryptedData": jwe });
    let again = async || asked.post(&path(profile, "/tokens"), &account.public_key, &body).await;
    asked.set_time(now());
    again().await.error(503, "service_unavailable");
    asked.set_time(now() + 3600);
    for _ in 0..2 {
        refused(&again().await, 424, "vendor_outcome_unknown");
    }
    let asked_for = vendors.sandbox.thales_pci.server.records.all();
    assert!(asked_for.is_empty(), "{asked_for:?}");
}

/// The vault is blind: a thousand cards go through it to Thales, and its memory holds none of their numbers.
#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::print_stderr,
    reason = "who is told that nothing failed should hear that nothing was searched"
)]
async fn the_memory_of_the_process_holds_no_number_of_a_card_that_it_passed_on() {
    let (vendors, outer) = (Vendors::start().await, tempfile::tempdir().unwrap());
    let dir = outer.path().join("vault");
    let account = connected(&vendors, &dir);
    // Not the first of the range: as two digits a byte it is three letters and five zeros, which are there by themselves.
    let numbers: Vec<String> = (1..=1000).map(number).collect();
    // What the search must find is in the process's environment, in each of the forms that are looked for.
    let [plain, grouped, packed] = [7_000_000, 7_000_001, 7_654_321].map(number);
    let mut serve = serving(&vendors, &dir);
    serve
        .env("PLAIN", &plain)
        .env("GROUPED", groups(&grouped))
        .env("PACKED", OsStr::from_bytes(&bcd(&packed)));
    let vault = Served::run(serve);
    let http = Client::new();
    let keys = [key(&http, &vault, &account, BOTH[0]).await, key(&http, &vault, &account, BOTH[1]).await];
    let seals: Vec<_> = numbers.iter().zip([0, 1].into_iter().cycle()).collect();
    let ids: Vec<String> = stream::iter(seals)
        .map(|(number, which)| {
            post(&http, &vault, &account, BOTH[which], &sealed(BOTH[which], &keys[which], number))
        })
        .buffered(8)
        .map_ok(|answer| answer["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned())
        .try_collect()
        .await
        .unwrap();
    // They did go through.
    let thales = &vendors.sandbox;
    assert_eq!(thales.thales_d1.token(&ids[998]).unwrap().card.pan, numbers[998]);
    assert!(thales.thales_pci.token(&ids[999]).is_some());

    let Some(memory) = memory(vault.id()) else {
        eprintln!("the vault lets nobody but root read its memory, so it was not searched");
        return;
    };
    let expected: HashSet<_> = [&plain, &grouped, &packed].into_iter().cloned().collect();
    assert_eq!(found(&memory, &expected), expected);
    let kid = keys[0]["kid"].as_str().unwrap();
    assert!(memory.iter().any(|part| holds(part, kid.as_bytes())), "the key's name is not there");
    assert_eq!(found(&memory, &numbers.iter().cloned().collect()), HashSet::new());

    let log = vault.log();
    assert!(numbers.iter().all(|number| !log.contains(number)));
    for profile in BOTH {
        let records = thales.server(profile.as_str()).unwrap().records.all();
        let passed_on: Vec<_> = records.iter().filter(|asked| asked.path.ends_with("tokens")).collect();
        assert_eq!(passed_on.len(), 500);
        assert!(numbers.iter().all(|number| passed_on.iter().all(|asked| !asked.body.contains(number))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vendors_have_a_listener_of_their_own() {
    let (vendors, home) = (Vendors::start().await, Home::in_folder());
    let account = connected(&vendors, home.path());
    let (callbacks, authority) = callbacks::table(&vendors, "");
    let settings = format!("{}\n[callbacks]\n{callbacks}", vendors.tables());
    vendors.write("vault.toml", settings.as_bytes());
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--config"]);
    serve.arg(vendors.path("vault.toml")).arg("--data-dir").arg(home.path());
    let mut vault = Served::run(serve);
    let line = vault.next_line();
    let url = line.strip_prefix("cardseal-vault callbacks on ").unwrap().trim().to_owned();
    let (http, d1) = (Client::new(), &vendors.sandbox.thales_d1);
    let jwe = sealed(Profile::ThalesD1, &key(&http, &vault, &account, Profile::ThalesD1).await, VISA);
    let token = post(&http, &vault, &account, Profile::ThalesD1, &jwe).await.unwrap();
    let notification = d1.happen(token["id"].as_str().unwrap(), Event::Suspension).unwrap();
    let receiver = Receiver { url, authority, oauth: None };
    assert_eq!(d1.tell(&receiver, &notification).await.unwrap(), 204);
    // It is durable, whatever happens to the process.
    vault.kill();
    let asked = Asked::reopened(home, &vendors).await;
    let token = path(Profile::ThalesD1, &format!("/tokens/{}", token["id"].as_str().unwrap()));
    assert_eq!(asked.get(&token, &account.secret_key).await.json()["state"], "SUSPENDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_when_certificates_end() {
    let (vendors, outer) = (Vendors::start().await, tempfile::tempdir().unwrap());
    let dir = outer.path().join("vault");
    add_merchant(&dir);
    let mut serve = serving(&vendors, &dir);
    serve.args(["--metrics-listen", "127.0.0.1:0"]);
    let mut vault = Served::run(serve);
    let line = vault.next_line();
    let address = line.strip_prefix("cardseal-vault metrics on http://").unwrap();
    let address = address.strip_suffix("/metrics\n").unwrap();
    let status = ["status", "--data-dir", dir.to_str().unwrap(), "--metrics-listen", address];
    let output = run(&[&status[..], &["--json"]].concat());
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let certificates = json["server"]["client_certificates"].as_array().unwrap();
    let told: Vec<_> = certificates.iter().map(|told| (&told["vendor"], &told["mode"])).collect();
    assert_eq!(told, [(&json!("thales-d1"), &json!("test")), (&json!("thales-pci"), &json!("test"))]);
    // As the stand-ins' certificates have it.
    assert!(certificates.iter().all(|told| told["expires_at"].as_str().unwrap().starts_with("4096-01-01")));
    let text = String::from_utf8(run(&status).stdout).unwrap();
    assert!(text.contains("certificate for thales-pci, test"), "{text}");
}

/// A merchant with accounts at Thales, in a new folder.
pub(super) fn connected(vendors: &Vendors, dir: &Path) -> Account {
    let account = add_merchant(dir);
    let dir = dir.to_str().unwrap();
    let list = String::from_utf8(run(&["merchant", "list", "--data-dir", dir]).stdout).unwrap();
    let merchant = list.split_whitespace().find(|word| word.starts_with("mrch_")).unwrap();
    for profile in BOTH {
        let connect = ["merchant", "connect", "--data-dir", dir, "--merchant", merchant, "--vendor"];
        let connect = [&connect[..], &[profile.as_str(), "--account", "-"]].concat();
        let output = run_with_input(&connect, &vendors.account(profile));
        assert!(output.status.success(), "{output:?}");
    }
    account
}

fn serve(vendors: &Vendors, dir: &Path) -> Served {
    Served::run(serving(vendors, dir))
}

fn serving(vendors: &Vendors, dir: &Path) -> std::process::Command {
    let settings =
        format!("{}\n[limits]\naddress = \"off\"\nkey = \"off\"\npassed_seals = \"off\"\n", vendors.tables());
    vendors.write("vault.toml", settings.as_bytes());
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--config"]);
    serve.arg(vendors.path("vault.toml")).arg("--data-dir").arg(dir);
    serve
}

/// The key that a card is to be sealed to.
pub(super) async fn key(http: &Client, vault: &Served, account: &Account, profile: Profile) -> Value {
    let request = http.get(format!("{}{}", vault.url(), path(profile, "")));
    let request = request.basic_auth(&account.public_key, None::<&str>);
    request.send().await.unwrap().json::<Value>().await.unwrap()["keys"][0].take()
}

/// Sends a sealed card. Nothing of the arguments is held while it is on its way.
pub(super) fn post(
    http: &Client,
    vault: &Served,
    account: &Account,
    profile: Profile,
    jwe: &str,
) -> impl Future<Output = reqwest::Result<Value>> + use<> {
    let request = http.post(format!("{}{}", vault.url(), path(profile, "/tokens")));
    let request = request.basic_auth(&account.public_key, None::<&str>);
    let request = request.json(&json!({ "encryptedData": jwe }));
    async move { request.send().await?.json().await }
}

/// The first six digits of a range of published test cards.
const BIN: &str = "424242";

/// A number of that range with the right check digit (ISO/IEC 7812-1 annex B), another for each count below ten million.
fn number(count: u32) -> String {
    // Far from one another, so that no two differ in their last digits only.
    let digits = format!("{BIN}{:09}", u64::from(count) * 99_991 % 1_000_000_000);
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (u32::from(digit - b'0'), at % 2) {
            (digit, 0) => digit * 2 % 10 + digit / 5,
            (digit, _) => digit,
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn groups(number: &str) -> String {
    [0..4, 4..8, 8..12, 12..16].map(|group| &number[group]).join(" ")
}

/// Two digits a byte.
fn bcd(number: &str) -> Vec<u8> {
    number.as_bytes().chunks(2).map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')).collect()
}

/// Everything that a process could write to; `None` if it is not to be read.
fn memory(process: u32) -> Option<Vec<Vec<u8>>> {
    let open = |name: &str| format!("/proc/{process}/{name}");
    let maps = match fs::read_to_string(open("maps")) {
        Ok(maps) => maps,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return None,
        Err(error) => panic!("{error}"),
    };
    let memory = File::open(open("mem")).unwrap();
    let mut parts = Vec::new();
    for map in maps.lines() {
        let mut words = map.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        // Page by page: some were never touched, or went meanwhile.
        let mut part = vec![0; usize::try_from(to - from).unwrap()];
        for (page, bytes) in part.chunks_mut(4096).enumerate() {
            let _ = memory.read_exact_at(bytes, from + page as u64 * 4096);
        }
        parts.push(part);
    }
    Some(parts)
}

/// Which of these numbers are in a memory: as digits, as digits in groups, or with two digits a byte.
fn found(memory: &[Vec<u8>], numbers: &HashSet<String>) -> HashSet<String> {
    let mut found = HashSet::new();
    for part in memory {
        for (at, byte) in part.iter().enumerate() {
            let candidate = match byte {
                // The BIN's first digit, and its first two in one byte.
                b'4' => digits(&part[at..]),
                0x42 if part[at..].starts_with(&bcd(BIN)) => {
                    Some(part[at..].iter().take(8).map(|byte| format!("{byte:02x}")).collect())
                }
                _ => None,
            };
            found.extend(candidate.filter(|candidate| numbers.contains(candidate)));
        }
    }
    found
}

/// Sixteen digits that begin here, with at most one other character between two of them.
fn digits(bytes: &[u8]) -> Option<String> {
    let mut digits = String::new();
    let mut gap = 0;
    for byte in bytes.iter().take(32) {
        if byte.is_ascii_digit() {
            digits.push(char::from(*byte));
            gap = 0;
        } else {
            gap += 1;
        }
        if digits.len() == 16 {
            return Some(digits);
        }
        if gap > 1 {
            return None;
        }
    }
    None
}

fn holds(part: &[u8], text: &[u8]) -> bool {
    part.windows(text.len()).any(|window| window == text)
}
