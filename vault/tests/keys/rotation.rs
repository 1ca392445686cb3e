//! Keys take turns while the vault serves.

use cardseal_vault::acquirer::Acquirers;
use cardseal_vault::keys::ACTIVATION_DELAY;
use cardseal_vault::keys::ring::State;
use cardseal_vault::merchant::Mode;
use cardseal_vault::store::{KeyRecord, Purpose};
use cardseal_vault::time::Timestamp;
use cardseal_vault::vault::Policy;

use crate::support::operator;
use crate::support::{Account, Asked, NOON, VISA, envelope};

#[tokio::test]
async fn a_new_sealing_key_takes_over_and_the_old_one_opens_for_a_day() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let old = asked.sealing_key().await;
    rotate(&asked, Purpose::Sealing(Mode::Test)).await;
    // Until every process knows it, nobody is given it.
    assert_eq!(asked.sealing_key().await.kid(), old.kid());

    asked.set_time(NOON + ACTIVATION_DELAY.as_secs());
    let new = asked.sealing_key().await;
    assert_ne!(new.kid(), old.kid());
    let seal = |key, at| cardseal::seal::seal(key, &envelope(&account.public_key, at)).unwrap();
    let now = NOON + ACTIVATION_DELAY.as_secs();
    for key in [&old, &new] {
        assert_eq!(asked.tokenize_sealed(&account, &seal(key, now)).await.status, 200);
    }

    let last = now + Policy::default().decrypt_only.as_secs();
    asked.set_time(last);
    asked.vault.maintain().await.unwrap();
    assert_eq!(asked.tokenize_sealed(&account, &seal(&old, last)).await.status, 200);
    asked.set_time(last + 1);
    asked.tokenize_sealed(&account, &seal(&old, last + 1)).await.error(400, "unknown_kid");
    assert_eq!(asked.tokenize_sealed(&account, &seal(&new, last + 1)).await.status, 200);
    asked.vault.maintain().await.unwrap();
    let records = keys(&asked, Purpose::Sealing(Mode::Test)).await;
    assert_eq!((records[0].wrapped.is_none(), records[1].wrapped.is_none()), (true, false));
    assert_eq!(records[0].destroyed_at, Some(Timestamp::from_unix_seconds(last + 1)));
}

#[tokio::test]
async fn sealing_keys_age() {
    let asked = Asked::new().await;
    let age = Policy::default().sealing_key_age.as_secs();
    asked.set_time(NOON + age - 1);
    asked.vault.maintain().await.unwrap();
    assert_eq!(keys(&asked, Purpose::Sealing(Mode::Test)).await.len(), 1);
    asked.set_time(NOON + age);
    for _ in 0..3 {
        asked.vault.maintain().await.unwrap();
    }
    let records = keys(&asked, Purpose::Sealing(Mode::Test)).await;
    assert_eq!(records.len(), 2, "one, however often it is looked after");
    let active_from = Timestamp::from_unix_seconds(NOON + age).plus(ACTIVATION_DELAY);
    assert_eq!(records[1].active_from, active_from);
}

#[tokio::test]
async fn what_is_stored_comes_under_the_new_data_key_while_the_vault_serves() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(asked.token(&account, VISA).await);
    }
    let charged = tokens.pop().unwrap();
    let charge = asked.charge(&account, &charged).await.json();
    let before = shown(&asked, &account, &tokens[0]).await;

    rotate(&asked, Purpose::Data).await;
    assert_eq!(asked.vault.rekey().await.unwrap(), 0, "the new key is not active yet");
    asked.set_time(NOON + ACTIVATION_DELAY.as_secs());
    let late = asked.token(&account, VISA).await;
    // One while it goes on.
    assert!(asked.vault.rekey().await.unwrap() > 0);
    assert_eq!(shown(&asked, &account, &tokens[0]).await, before);
    while asked.vault.rekey().await.unwrap() > 0 {}
    for table in ["tokens", "charges"] {
        assert_eq!(asked.count_where(table, "data_key_version <> 2").await, 0, "{table}");
    }
    assert_eq!(shown(&asked, &account, &tokens[0]).await, before);
    let path = format!("/charges/{}", charge["id"].as_str().unwrap());
    assert_eq!(asked.get(&path, &account.secret_key).await.json(), charge);
    for token in tokens.iter().chain([&late]) {
        assert_eq!(asked.charge(&account, token).await.json()["status"], "successful");
    }
}

#[tokio::test]
async fn an_old_data_key_is_destroyed_once_nothing_needs_it_and_not_before() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    rotate(&asked, Purpose::Data).await;
    let taken_over = NOON + ACTIVATION_DELAY.as_secs();
    asked.set_time(taken_over);
    for _ in 0..10 {
        asked.vault.rekey().await.unwrap();
    }
    let exists = async || keys(&asked, Purpose::Data).await[0].wrapped.is_some();
    assert!(exists().await, "a process that has not heard of the new key may still use the old one");

    // The security code is under it until its own time is over.
    asked.set_time(taken_over + 3600);
    for _ in 0..10 {
        asked.vault.rekey().await.unwrap();
    }
    assert!(exists().await);
    asked.vault.maintain().await.unwrap();
    for _ in 0..10 {
        asked.vault.rekey().await.unwrap();
    }
    assert!(!exists().await);
    let rings = asked.vault.keys().rings();
    let now = Timestamp::from_unix_seconds(taken_over + 3600);
    let states: Vec<_> = rings.data.iter().map(|key| rings.data.state(key, now)).collect();
    assert_eq!(states, [State::Active]);
    // The token's own time is over too.
    assert_eq!(asked.charge(&account, &token).await.status, 404);
    assert_eq!(asked.audited().await.chains[0].flaw, None);
}

#[tokio::test]
async fn a_new_fingerprint_key_gives_every_kept_card_a_new_fingerprint() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let fingerprint = async || shown(&asked, &account, &token).await["card"]["fingerprint"].clone();
    let before = fingerprint().await;
    rotate(&asked, Purpose::Fingerprint).await;
    asked.set_time(NOON + ACTIVATION_DELAY.as_secs());
    while asked.vault.rekey().await.unwrap() > 0 {}
    let after = fingerprint().await;
    assert_ne!(before, after);
    let other = asked.token(&account, VISA).await;
    assert_eq!(shown(&asked, &account, &other).await["card"]["fingerprint"], after);
}

#[tokio::test]
async fn another_process_learns_of_a_new_key_when_it_meets_it() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let other = asked.beside(Acquirers::default()).await;
    // At once, as after a leak: the other process cannot have heard of it.
    let now = Timestamp::from_unix_seconds(NOON);
    asked.vault.rotate(Purpose::Data, operator(), now).await.unwrap();
    let token = asked.token(&account, VISA).await;
    assert_eq!(asked.count_where("tokens", "data_key_version = 2").await, 1);
    assert_eq!(shown(&other, &account, &token).await["card"]["last_digits"], "4242");
}

async fn rotate(asked: &Asked, purpose: Purpose) {
    let active_from = Timestamp::from_unix_seconds(NOON).plus(ACTIVATION_DELAY);
    asked.vault.rotate(purpose, operator(), active_from).await.unwrap();
}

async fn keys(asked: &Asked, purpose: Purpose) -> Vec<KeyRecord> {
    let keys = asked.vault.store().keys().await.unwrap();
    keys.into_iter().filter(|key| key.purpose == purpose).collect()
}

async fn shown(asked: &Asked, account: &Account, token: &str) -> serde_json::Value {
    asked.get(&format!("/tokens/{token}"), &account.secret_key).await.json()
}
