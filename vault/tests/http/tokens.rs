use cardseal_vault::acquirer::Acquirers;
use cardseal_vault::id::TokenId;
use cardseal_vault::merchant::{ClearCards, Mode};
use serde_json::json;

use crate::support::{Asked, SHOP, VISA};

#[tokio::test]
async fn tokens_say_nothing_of_the_card_that_could_charge_it() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let jwe = asked.seal(&account).await;
    let answer = asked.tokenize_sealed(&account, &jwe).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for secret in [VISA, "42424242", "\"123\"", &jwe] {
        assert!(!answer.body.contains(secret), "{}", answer.body);
    }
    let token = answer.json();
    assert_eq!(token["card"]["last_digits"], "4242");
    assert_eq!(token["card"]["first_digits"], json!(null));
    assert_eq!(token["card"]["name"], json!(null));
}

#[tokio::test]
async fn what_stands_beside_a_seal_is_kept_with_it() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let jwe = asked.seal(&account).await;
    let body =
        json!({ "card": { "sealed": jwe, "name": "Somebody Else", "city": "Bangkok", "country": "TH" } });
    let id = asked.post("/tokens", &account.public_key, &body).await.json()["id"].take();
    let path = format!("/tokens/{}", id.as_str().unwrap());
    let card = asked.get(&path, &account.secret_key).await.json()["card"].clone();
    assert_eq!((&card["city"], &card["country"]), (&json!("Bangkok"), &json!("TH")));
    // The name in the seal is the one the cardholder typed.
    assert_eq!(card["name"], "Somchai Prasert");
}

#[tokio::test]
async fn the_same_card_has_one_fingerprint_a_merchant() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let other = asked.merchant_with(Mode::Test, ClearCards::Allowed, SHOP).await;
    let mut fingerprints = Vec::new();
    for account in [&account, &account, &other] {
        let token = asked.token(account, VISA).await;
        let token = asked.get(&format!("/tokens/{token}"), &account.secret_key).await.json();
        fingerprints.push(token["card"]["fingerprint"].as_str().unwrap().to_owned());
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
    assert_ne!(fingerprints[0], fingerprints[2]);
}

#[tokio::test]
async fn tokens_are_there_after_a_restart() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let before = asked.get(&format!("/tokens/{token}"), &account.public_key).await.body;
    asked.vault.close().await;
    let asked = Asked::reopen(asked.dir, Acquirers::default()).await;
    assert_eq!(asked.get(&format!("/tokens/{token}"), &account.public_key).await.body, before);
    assert_eq!(asked.charge(&account, &token).await.json()["status"], "successful");
}

#[tokio::test]
async fn a_row_moved_by_hand_no_longer_opens() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let (cheap, dear) = (asked.token(&account, VISA).await, asked.token(&account, "5555555555554444").await);
    sqlx::query("UPDATE tokens SET pan = (SELECT pan FROM tokens WHERE id = $1) WHERE id = $2")
        .bind(hash(&dear))
        .bind(hash(&cheap))
        .execute(&mut asked.dir.connect().await)
        .await
        .unwrap();
    let answer = asked.charge(&account, &cheap).await;
    assert!(!answer.error(500, "internal_error").contains("ciphertext"));
    // Nobody was asked for money, and the record says so.
    let token = asked.get(&format!("/tokens/{cheap}"), &account.public_key).await.json();
    assert_eq!(token["charge_status"], "failed");
}

fn hash(token: &str) -> String {
    TokenId::parse(token).unwrap().hash().as_str().to_owned()
}
