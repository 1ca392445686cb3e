//! Somebody has got hold of a sealed card and sends it where it was not meant to go: for another merchant, for live cards
//! from a test page, twice, weeks later. Stopped by what is in every seal that the vault opens (merchant, time and id), by
//! keys of their own for test and live, and by the hash of what was passed on, which is known once for all merchants.

use axum::body::Body;
use axum::http::{Method, Request};
use cardseal::client::Profile;
use cardseal::plain;
use cardseal::seal::PublicKey;
use cardseal::seal::jwk::Jwk;
use cardseal_vault::keys::Sha256Digest;
use cardseal_vault::merchant::{ClearCards, Mode};
use serde_json::{Value, json};

use crate::support::jwe::Jwe;
use crate::support::{Account, Answer, Asked, NOON, SHOP, VISA, envelope};
use crate::vendors::{Shop, path};

const BOTH: [Profile; 2] = [Profile::ThalesD1, Profile::ThalesPci];

#[tokio::test]
async fn a_seal_without_merchant_time_or_id_makes_no_pci_token() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = key(&asked, Mode::Test).await;
    let bare = Jwe::seal(&key, json!({ "fpan": VISA, "exp": "1230" }).to_string().as_bytes()).compact();
    create(&asked, &account, &bare, "c-1").await.error(400, "invalid_seal");
    for member in ["merchant", "iat", "jti"] {
        let mut card = card(&account, 1);
        card.as_object_mut().unwrap().remove(member);
        create(&asked, &account, &sealed(&key, &card), "c-2").await.error(400, "invalid_seal");
    }
    assert_eq!(asked.count("pci_tokens").await, 0);
    assert_eq!(create(&asked, &account, &sealed(&key, &card(&account, 1)), "c-3").await.status, 201);
}

#[tokio::test]
async fn one_merchants_seal_makes_no_pci_token_for_another() {
    let asked = Asked::new().await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let jwe = sealed(&key(&asked, Mode::Test).await, &card(&account, 1));
    create(&asked, &other, &jwe, "c-1").await.error(400, "wrong_merchant");
    let nobody = Account { public_key: "pkey_test_0".into(), ..account.clone() };
    let of_nobody = sealed(&key(&asked, Mode::Test).await, &card(&nobody, 1));
    create(&asked, &account, &of_nobody, "c-2").await.error(400, "wrong_merchant");
    assert_eq!(asked.count("pci_tokens").await, 0);
    assert_eq!(create(&asked, &account, &jwe, "c-3").await.status, 201);
}

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
        create(&asked, account, &sealed(&wrong, &card(account, 1)), "c-1").await.error(400, "unknown_kid");
        assert_eq!(create(&asked, account, &sealed(&right, &card(account, 1)), "c-2").await.status, 201);
    }
}

#[tokio::test]
async fn a_seal_makes_one_pci_token_however_often_it_is_sent() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = key(&asked, Mode::Test).await;
    let jwe = sealed(&key, &card(&account, 1));
    let first = create(&asked, &account, &jwe, "c-1").await;
    assert_eq!(first.status, 201, "{first:?}");
    for request in ["c-2", "c-3", "c-1"] {
        assert_eq!(create(&asked, &account, &jwe, request).await.json(), first.json());
    }
    let both = tokio::join!(create(&asked, &account, &jwe, "c-4"), create(&asked, &account, &jwe, "c-5"));
    assert_eq!((both.0.json(), both.1.json()), (first.json(), first.json()));
    let mut other = card(&account, 1);
    other["fpan"] = "5555555555554444".into();
    create(&asked, &account, &sealed(&key, &other), "c-6").await.error(400, "replayed_seal");
    assert_eq!(asked.count("pci_tokens").await, 1);
}

#[tokio::test]
async fn a_seal_that_was_kept_makes_no_pci_token() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = key(&asked, Mode::Test).await;
    let jwe = sealed(&key, &card(&account, 1));
    for apart in [301, 91 * 24 * 3600] {
        asked.set_time(NOON + apart);
        create(&asked, &account, &jwe, "c-1").await.error(400, "expired_seal");
    }
    asked.set_time(NOON - 301);
    create(&asked, &account, &jwe, "c-2").await.error(400, "expired_seal");
    assert_eq!(asked.count("pci_tokens").await, 0);
    asked.set_time(NOON + 300);
    assert_eq!(create(&asked, &account, &jwe, "c-3").await.status, 201);
}

#[tokio::test]
async fn what_one_merchant_had_passed_on_is_refused_to_another() {
    let shop = Shop::open().await;
    let other = shop.asked.merchant().await;
    for profile in BOTH {
        shop.vendors.connect(&shop.asked, &other, profile).await;
        let jwe = shop.seal(profile, VISA).await;
        let first = shop.send(profile, &jwe).await;
        assert_eq!(first.status, 200, "{first:?}");
        let (tokens, body) = (path(profile, "/tokens"), json!({ "encryptedData": jwe }));
        shop.asked.post(&tokens, &other.public_key, &body).await.error(400, "replayed_seal");
        assert_eq!(shop.asked_for(profile, "POST", "tokens"), 1, "the vendor heard of it twice");
        assert_eq!(shop.send(profile, &jwe).await.json(), first.json());
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

/// What is in a seal for a PCI token.
fn card(account: &Account, id: u32) -> Value {
    json!({
        "fpan": VISA, "exp": "1230",
        "merchant": account.public_key, "iat": NOON, "jti": format!("{id:032}"),
    })
}

fn sealed(key: &PublicKey, card: &Value) -> String {
    Jwe::seal(key, card.to_string().as_bytes()).compact()
}

/// Asks for a PCI token as the merchant's server does.
async fn create(asked: &Asked, account: &Account, jwe: &str, request: &str) -> Answer {
    let hash = Sha256Digest::of(account.secret_key.as_bytes());
    let (merchant, _) = asked.vault.key_holder(hash).await.unwrap().unwrap();
    let body = json!({ "merchantId": merchant.id.as_str(), "encryptedData": jwe });
    let request = Request::builder()
        .method(Method::POST)
        .uri("/pci-tokens")
        .header("authorization", format!("APIKEY {}", account.secret_key))
        .header("x-correlation-id", request)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    asked.send(request).await
}
