//! Somebody has every file of the database and every key at rest, and wants the security code of a token:
//! databases keep deleted rows in their logs and pages, and data keys live for a year. What a code is locked with is in the
//! token's id, of which the database has only a hash.

use std::fs;
use std::path::{Path, PathBuf};

use cardseal_vault::id::{MerchantId, TokenId};
use cardseal_vault::keys::code::CodeLock;
use cardseal_vault::keys::data::{Ciphertext, Part, Place};
use cardseal_vault::store::Location;
use sqlx::{Connection, Row};

use crate::support::{Asked, NOON, VISA};

/// A security code as the database has it.
struct Stored {
    merchant: MerchantId,
    owner: String,
    code: Ciphertext,
}

#[tokio::test]
async fn all_files_and_all_keys_do_not_open_it() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let (used, unused) = (asked.token(&account, VISA).await, asked.token(&account, VISA).await);
    let stored = stored(&asked).await;
    assert_eq!(stored.len(), 2);

    assert_eq!(obtained(&asked, &stored, &names(&asked).await), None, "before its use");
    assert_eq!(asked.charge(&account, &used).await.json()["status"], "successful");
    assert_eq!(obtained(&asked, &stored, &names(&asked).await), None, "at once after its use");
    asked.set_time(NOON + 15 * 60);
    asked.vault.maintain().await.unwrap();
    assert_eq!(obtained(&asked, &stored, &names(&asked).await), None, "after its time");

    // It is the token's id that is missing, or else nothing was proved.
    for token in [used, unused] {
        assert_eq!(obtained(&asked, &stored, &[token]).as_deref(), Some("123"));
    }
}

/// What cannot be opened is not left lying about either.
#[tokio::test]
async fn its_ciphertext_is_in_no_log_and_goes() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let stored = stored(&asked).await;
    assert_eq!(asked.charge(&account, &token).await.json()["status"], "successful");
    asked.vault.maintain().await.unwrap();
    for (path, bytes) in files(&asked).await {
        // PostgreSQL writes over what was deleted when it needs the place, and its log never had it.
        if matches!(asked.dir.setup().location, Location::Folder(_))
            || path.to_string_lossy().contains("pg_wal")
        {
            assert!(!contains(&bytes, &stored[0].code.bytes), "{}", path.display());
        }
    }
}

async fn stored(asked: &Asked) -> Vec<Stored> {
    let rows = sqlx::query("SELECT merchant_id, token_id, data_key_version, code FROM security_codes");
    let rows = rows.fetch_all(&mut asked.dir.connect().await).await.unwrap();
    let stored = rows.iter().map(|row| Stored {
        merchant: MerchantId::parse(row.get(0)).unwrap(),
        owner: row.get(1),
        code: Ciphertext { key_version: u32::try_from(row.get::<i64, _>(2)).unwrap(), bytes: row.get(3) },
    });
    stored.collect()
}

/// The code of one of them, for whoever has the keys at rest and knows these names.
fn obtained(asked: &Asked, stored: &[Stored], names: &[String]) -> Option<String> {
    let rings = asked.vault.keys().rings();
    for Stored { merchant, owner, code } in stored {
        for key in rings.data.iter() {
            for owner in names.iter().chain([owner]) {
                let place = Place { merchant, owner, part: Part::SecurityCode };
                let Ok(opened) = key.key.decrypt(place, code) else { continue };
                let mut tokens = names.iter().filter_map(|name| TokenId::parse(name));
                let unlocked = tokens.find_map(|token| CodeLock::of(&token).unlock(&opened).ok());
                let opened = unlocked.unwrap_or(opened);
                if opened.iter().all(u8::is_ascii_digit) {
                    return String::from_utf8(opened.to_vec()).ok();
                }
            }
        }
    }
    None
}

/// All names of tokens that are anywhere in the files.
async fn names(asked: &Asked) -> Vec<String> {
    let mut names = Vec::new();
    for (_, bytes) in files(asked).await {
        for at in 0..bytes.len() {
            if bytes[at..].starts_with(b"tok") {
                let letters =
                    |byte: &&u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || **byte == b'_';
                names.push(bytes[at..].iter().take_while(letters).map(|byte| char::from(*byte)).collect());
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Every file of the database.
async fn files(asked: &Asked) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    match asked.dir.setup().location {
        Location::Folder(_) => read(asked.dir.path(), &mut files),
        Location::Postgres(_) => {
            let mut database = asked.dir.connect().await;
            sqlx::raw_sql("CHECKPOINT").execute(&mut database).await.unwrap();
            let place: String =
                sqlx::query_scalar("SHOW data_directory").fetch_one(&mut database).await.unwrap();
            let own = "SELECT oid::text FROM pg_database WHERE datname = current_database()";
            let own: String = sqlx::query_scalar(own).fetch_one(&mut database).await.unwrap();
            database.close().await.unwrap();
            for folder in [Path::new("base").join(own), "pg_wal".into()] {
                read(&Path::new(&place).join(folder), &mut files);
            }
        }
    }
    assert!(files.len() >= 2, "{files:?}");
    files
}

fn read(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Others may be at work on the same server.
        match fs::read(&path) {
            Ok(bytes) => files.push((path, bytes)),
            Err(_) if path.is_dir() => read(&path, files),
            Err(_) => {}
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
