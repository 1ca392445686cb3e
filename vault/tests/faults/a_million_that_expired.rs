//! A vault that finds very much that has expired, after a rest or a busy day: it serves at once, and deletes a few rows at a
//! time beside that.

use cardseal_vault::store::DELETED_AT_ONCE;
use serde_json::json;

use crate::support::program::Served;
use crate::support::{Asked, NOON, VISA};

/// Tokens beside the first, and as many of whatever else has an age.
const MANY: i64 = 20_000;

async fn filled() -> Asked {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    asked.token(&account, VISA).await;
    asked
        .execute(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
             INSERT INTO tokens (merchant_id, id, card_id, brand, last_digits, fingerprint, fingerprint_key_version,
                 security_code_check, data_key_version, pan, details, created_at, expires_at)
             SELECT merchant_id, id || '-' || n, card_id, brand, last_digits, fingerprint, fingerprint_key_version,
                 security_code_check, data_key_version, pan, details, created_at, expires_at FROM tokens, numbers;
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
             INSERT INTO security_codes (merchant_id, token_id, data_key_version, code, expires_at)
             SELECT merchant_id, token_id || '-' || n, data_key_version, code, expires_at FROM security_codes, numbers",
        )
        .await;
    assert_eq!((asked.count("tokens").await, asked.count("security_codes").await), (MANY + 1, MANY + 1));
    asked
}

#[tokio::test]
async fn no_step_deletes_more_than_a_few_rows() {
    let asked = filled().await;
    asked.set_time(NOON + 24 * 60 * 60);
    let at_once = i64::from(DELETED_AT_ONCE);
    assert!(at_once <= 250);
    let done = asked.vault.maintain().await.unwrap();
    assert!(done.may_be_more());
    let left = MANY + 1 - at_once;
    assert_eq!((asked.count("tokens").await, asked.count("security_codes").await), (left, left));
    // What else there is to do was done meanwhile, and the rest goes by and by.
    let mut steps = 1;
    while asked.vault.expire().await.unwrap().may_be_more() {
        steps += 1;
    }
    assert_eq!(steps, MANY / at_once);
    assert_eq!((asked.count("tokens").await, asked.count("security_codes").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_serves_before_what_has_expired_is_deleted() {
    let asked = filled().await;
    asked.vault.close().await;
    asked
        .execute("UPDATE tokens SET expires_at = 0, created_at = 0; UPDATE security_codes SET expires_at = 0")
        .await;
    let served = Served::start_at(&asked.dir);
    let (tokens, codes) = (asked.count("tokens").await, asked.count("security_codes").await);
    assert!(tokens > 0 && codes > 0, "it has deleted before it served");
    let ready = served.request("GET", "/readyz", "", "", "");
    assert_eq!((ready.status, &ready.json()["status"]), (200, &json!("ok")));
    // It deletes them all without being told to, and without waiting for the next time that it looks.
    while asked.count("tokens").await + asked.count("security_codes").await > 0 {
        assert_eq!(served.request("GET", "/livez", "", "", "").status, 200);
    }
}
