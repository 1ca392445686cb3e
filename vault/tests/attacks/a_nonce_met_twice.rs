//! Somebody with a copy of the database waits for two ciphertexts under one key with the same nonce, which give the
//! exclusive or of their plaintexts and the key of their tags: at full speed a data key met the bound of NIST SP 800-38D for
//! random nonces within days, long before its age. What a key encrypts is counted, and it is changed at a quarter of that.

use cardseal_vault::keys::ACTIVATION_DELAY;
use cardseal_vault::keys::data::MOST_ENCRYPTIONS;
use cardseal_vault::vault::{Policy, Setup};

use crate::support::{Asked, NOON, VISA};

/// What a process reserves at a time.
const LEASE: i64 = 1 << 20;

#[tokio::test]
async fn a_data_key_is_changed_long_before() {
    assert!(Policy::default().data_key_encryptions == MOST_ENCRYPTIONS && MOST_ENCRYPTIONS <= 1 << 30);
    let low = |setup: &mut Setup| setup.policy.data_key_encryptions = 3 << 20;
    let asked = Asked::new_with(low).await;
    let account = asked.merchant().await;
    asked.vault.maintain().await.unwrap();
    let (second, third) = (asked.beside_with(low).await, asked.beside_with(low).await);
    second.vault.maintain().await.unwrap();
    assert_eq!(encryptions(&asked).await, [2 * LEASE]);
    // However much of it is used.
    third.vault.maintain().await.unwrap();
    assert_eq!(encryptions(&asked).await, [3 * LEASE, 0]);
    for process in [&asked, &second, &third] {
        process.vault.maintain().await.unwrap();
    }
    assert_eq!(encryptions(&asked).await, [3 * LEASE, 3 * LEASE], "one, however many look after it");
    asked.token(&account, VISA).await;
    asked.set_time(NOON + ACTIVATION_DELAY.as_secs());
    asked.token(&account, VISA).await;
    for version in ["data_key_version = 1", "data_key_version = 2"] {
        assert_eq!(asked.count_where("tokens", version).await, 1);
    }
}

#[tokio::test]
async fn no_encryption_is_forgotten() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    asked.token(&account, VISA).await;
    // Number, details and security code, by a process that did not look after its keys.
    asked.vault.close().await;
    assert_eq!(encryptions(&asked).await, [3]);
    // One that does has told of more than it does, should it be killed.
    let asked = Asked::reopen(asked.dir, cardseal_vault::acquirer::Acquirers::default()).await;
    asked.vault.maintain().await.unwrap();
    assert_eq!(encryptions(&asked).await, [3 + LEASE]);
    asked.token(&account, VISA).await;
    asked.vault.maintain().await.unwrap();
    assert_eq!(encryptions(&asked).await, [3 + LEASE]);
}

/// By data key, oldest first.
async fn encryptions(asked: &Asked) -> Vec<i64> {
    let sql = "SELECT encryptions FROM wrapped_keys WHERE purpose = 'data' ORDER BY version";
    sqlx::query_scalar(sql).fetch_all(&mut asked.dir.connect().await).await.unwrap()
}
