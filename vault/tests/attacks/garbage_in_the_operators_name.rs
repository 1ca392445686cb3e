//! Somebody with nothing but a public key has the vault send garbage to a vendor, under the operator's certificate and the
//! merchant's name, and fill the database with what is kept of it. Stopped by looking at a seal as far as its form tells,
//! by limits on what is passed on and on what vendors refuse, and by an end of what it leaves behind.

use std::net::{Ipv4Addr, SocketAddr};

use aws_lc_rs::rand;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use cardseal::client::Profile;
use cardseal_vault::access::limit::Limits;
use serde_json::{Value, json};

use crate::support::jwe::{Jwe, encode};
use crate::support::{Answer, UNLIMITED, VISA, request};
use crate::vendors::{Shop, now, path, rsa_key};

const BOTH: [Profile; 2] = [Profile::ThalesD1, Profile::ThalesPci];

/// A minute's room for guesses, as `refused_cards` is by default: one more than that.
const FEW: usize = 121;

#[tokio::test]
async fn garbage_that_looks_like_a_seal_soon_ends() {
    for profile in BOTH {
        let shop = Shop::open().await.limited(&Limits::default());
        let mut statuses = Vec::new();
        for _ in 0..300 {
            let jwe = garbage(&shop, profile).await;
            statuses.push(send(&shop, profile, &jwe, [192, 0, 2, 1].into()).await.status.as_u16());
        }
        let heard = shop.asked_for(profile, "POST", "tokens");
        assert!((1..=FEW).contains(&heard), "the vendor heard of {heard} of 300: {statuses:?}");
        assert_eq!(statuses[299], 429);
        assert_eq!(shop.asked.count("passed_seals").await, 0, "what was refused is kept");
        assert_eq!(shop.asked.count("vendor_tokens").await, 0);
        assert_eq!(shop.asked.count("events").await, 0);
    }
}

#[tokio::test]
async fn garbage_from_many_addresses_ends_too() {
    let limits = Limits { vendor_refusals: "1/m burst 5".parse().unwrap(), ..UNLIMITED };
    let shop = Shop::open().await.limited(&limits);
    for address in 0..20 {
        let jwe = garbage(&shop, Profile::ThalesPci).await;
        send(&shop, Profile::ThalesPci, &jwe, [192, 0, 2, address].into()).await;
    }
    assert_eq!(shop.asked_for(Profile::ThalesPci, "POST", "tokens"), 5);
}

#[tokio::test]
async fn one_card_in_many_seals_is_passed_on_as_often_as_a_shop_needs() {
    let shop = Shop::open().await.limited(&Limits::default());
    let profile = Profile::ThalesPci;
    for _ in 0..150 {
        let jwe = shop.seal(profile, VISA).await;
        send(&shop, profile, &jwe, [192, 0, 2, 1].into()).await;
    }
    assert_eq!(shop.asked_for(profile, "POST", "tokens"), 120);
    assert_eq!(shop.asked.count("passed_seals").await, 120);
    // A shopper from elsewhere does not notice.
    let jwe = shop.seal(profile, VISA).await;
    assert_eq!(send(&shop, profile, &jwe, [192, 0, 2, 2].into()).await.status, 200);
}

#[tokio::test]
async fn what_no_seal_of_a_card_can_be_is_not_passed_on() {
    let shop = Shop::open().await;
    let (pci, d1) = (key(&shop, Profile::ThalesPci).await, key(&shop, Profile::ThalesD1).await);
    let card = br#"{"fpan":"4242424242424242","exp":"1230"}"#;
    let (rsa, agreed) = (Jwe::seal(&rsa_key(&pci), card), Jwe::agree(&d1, card));
    let with = |whole: &Jwe, change: fn(&mut Jwe)| {
        let mut jwe = whole.clone();
        change(&mut jwe);
        jwe.compact()
    };
    let off_the_curve = |header: &mut Value| header["epk"]["y"] = json!(encode(&[1; 32]));
    for (profile, jwe) in [
        // Another key's size; a number beyond the modulus; no card is that short, none that long.
        (Profile::ThalesPci, with(&rsa, |jwe| jwe.encrypted_key = vec![1; 384])),
        (Profile::ThalesPci, with(&rsa, |jwe| jwe.encrypted_key = vec![0xFF; 256])),
        (Profile::ThalesPci, with(&rsa, |jwe| jwe.ciphertext = vec![0; 34])),
        (Profile::ThalesPci, with(&rsa, |jwe| jwe.ciphertext = vec![0; 257])),
        (Profile::ThalesPci, with(&rsa, |jwe| jwe.ciphertext.clear())),
        (Profile::ThalesD1, with(&agreed, |jwe| jwe.ciphertext = vec![0; 34])),
        (Profile::ThalesD1, with(&agreed, |jwe| jwe.ciphertext = vec![0; 257])),
        (Profile::ThalesD1, Jwe::agree_under(&d1, off_the_curve, card).compact()),
    ] {
        shop.send(profile, &jwe).await.error(400, "invalid_seal");
    }
    for profile in BOTH {
        assert!(shop.server(profile).records.all().is_empty(), "{profile:?} heard of it");
    }
    assert_eq!(shop.asked.count("passed_seals").await, 0);
}

#[tokio::test]
async fn what_is_known_of_a_passed_seal_ends_with_the_vendors_key() {
    const WEEK: u64 = 7 * 24 * 3600;
    let (shop, profile) = (Shop::open().await, Profile::ThalesPci);
    let jwe = shop.seal(profile, VISA).await;
    let first = shop.send(profile, &jwe).await;
    assert_eq!(first.status, 200, "{first:?}");
    let begun = now();
    // While the key is the vendor's, a seal has no end of its own, and is known.
    for weeks in 1..=60 {
        shop.asked.set_time(begun + weeks * WEEK);
        shop.asked.vault.maintain().await.unwrap();
    }
    assert_eq!(shop.send(profile, &jwe).await.json(), first.json());

    let other = Shop::open().await;
    let certificate = std::fs::read(other.vendors.path("thales-pci-sealing.pem")).unwrap();
    shop.vendors.write("thales-pci-sealing.pem", &certificate);
    let ended = begun + 60 * WEEK;
    shop.asked.set_time(ended + WEEK);
    shop.asked.vault.maintain().await.unwrap();
    assert_eq!(shop.asked.count("passed_seals").await, 1, "the key may be put back");
    shop.asked.set_time(ended + WEEK + 1);
    let done = shop.asked.vault.maintain().await.unwrap();
    assert_eq!((done.passed_seals, shop.asked.count("passed_seals").await), (1, 0));
    // The token is at the vendor, and stays until it is deleted.
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(shop.shown(profile, &id).await.status, 200);
}

/// The key that pages seal to for a vendor, as `/profiles` shows it.
async fn key(shop: &Shop, profile: Profile) -> Value {
    shop.asked.get(&path(profile, ""), &shop.account.public_key).await.json()["keys"][0].take()
}

/// What has the form of a seal to the vendor's key, and is none.
async fn garbage(shop: &Shop, profile: Profile) -> String {
    let key = key(shop, profile).await;
    let mut jwe = match profile {
        Profile::ThalesD1 => Jwe::agree(&key, &[0; 40]),
        _ => Jwe::seal(&rsa_key(&key), &[0; 40]),
    };
    rand::fill(&mut jwe.ciphertext).unwrap();
    jwe.compact()
}

/// Sends it from an address.
async fn send(shop: &Shop, profile: Profile, jwe: &str, address: Ipv4Addr) -> Answer {
    let request = request(Method::POST, &path(profile, "/tokens"), &shop.account.public_key)
        .extension(ConnectInfo(SocketAddr::from((address, 50_000))))
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(json!({ "encryptedData": jwe }).to_string()));
    shop.asked.send(request.unwrap()).await
}
