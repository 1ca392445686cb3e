//! Somebody has got hold of a sealed card and sends it where it was not meant to go, such as from a test page to be taken for
//! a real card. Stopped by keys of their own for test and live.

use cardseal::plain;
use cardseal::seal::PublicKey;
use cardseal::seal::jwk::Jwk;
use cardseal_vault::merchant::{ClearCards, Mode};
use serde_json::json;

use crate::support::{Asked, NOON, SHOP, envelope};

#[tokio::test]
async fn a_seal_to_the_key_of_one_mode_opens_in_no_other() {
    let asked = Asked::new().await;
    let test = asked.merchant().await;
    let live = asked.merchant_with(Mode::Live, ClearCards::Refused, SHOP).await;
    for (account, right, wrong) in [(&live, Mode::Live, Mode::Test), (&test, Mode::Test, Mode::Live)] {
        let (right, wrong) = (key(&asked, right).await, key(&asked, wrong).await);
        let native = |key| cardseal::seal::seal(key, &envelope(&account.public_key, NOON)).unwrap();
        asked.tokenize_sealed(account, &native(&wrong)).await.error(400, "unknown_kid");
        assert_eq!(asked.tokenize_sealed(account, &native(&right)).await.status, 200);
    }
}

/// The key that pages of a mode seal to.
async fn key(asked: &Asked, mode: Mode) -> PublicKey {
    let set = asked.get("/.well-known/jwks.json", "").await.json();
    let keys = set["keys"].as_array().unwrap();
    let of_mode = keys.iter().find(|key| key["livemode"] == json!(mode == Mode::Live));
    let jwk: Jwk = plain::parse(&of_mode.unwrap_or(&keys[0]).to_string()).unwrap();
    PublicKey::try_from(&jwk).unwrap()
}
