use axum::body::Body;
use axum::http::Method;
use axum::http::header::ORIGIN;
use cardseal::client::Profile;
use cardseal::plain;
use cardseal::seal::{Algorithm, KeySet};
use cardseal_vault::merchant::{ClearCards, Mode};
use serde_json::Value;

use crate::support::vendors::Vendors;
use crate::support::{Account, Asked, SHOP, request};

#[tokio::test]
async fn a_form_learns_what_its_merchant_may_use() {
    let vendors = Vendors::start().await;
    let asked = Asked::reaching(&vendors).await;
    let account = asked.merchant().await;
    assert_eq!(profile(&asked, &account, Profile::Cardseal).await["name"], "cardseal");
    for name in VENDORS {
        let refused = asked.get(&path(name), &account.public_key).await;
        assert!(refused.error(403, "profile_not_allowed").contains(name.as_str()));
        vendors.connect(&asked, &account, name).await;
        let answer = asked.get(&path(name), &account.public_key).await;
        assert_eq!(answer.header("cache-control"), Some("private, max-age=300"));
        let json = answer.json();
        assert_eq!((json["object"].as_str(), json["name"].as_str()), (Some("profile"), Some(name.as_str())));
        assert_eq!(json["livemode"], false);
    }
    asked.get("/profiles/visa", &account.public_key).await.error(404, "not_found");
    asked.get("/profiles/omise", "").await.error(401, "authentication_failure");
    asked.get("/profiles/omise", &account.secret_key).await.error(401, "authentication_failure");
}

#[tokio::test]
async fn each_profile_has_what_a_form_needs() {
    let vendors = Vendors::start().await;
    let asked = Asked::reaching(&vendors).await;
    let account = asked.merchant().await;
    for name in VENDORS {
        vendors.connect(&asked, &account, name).await;
    }
    let omise = profile(&asked, &account, Profile::Omise).await;
    assert_eq!(omise["public_key"], *vendors.sandbox.omise.credentials.public_key);
    assert_eq!(omise["address"], *vendors.sandbox.omise.server.url());
    assert!(!omise.to_string().contains("skey_"));

    let pci = profile(&asked, &account, Profile::ThalesPci).await;
    let keys: KeySet = plain::parse(&pci.to_string()).unwrap();
    let key = keys.sealing_key(Algorithm::RsaOaep256, false).unwrap();
    assert_eq!(key.kid(), vendors.sandbox.thales_pci.credentials.kid);

    let d1 = profile(&asked, &account, Profile::ThalesD1).await;
    for (member, value) in vendors.sandbox.thales_d1.credentials.sealing_key.as_object().unwrap() {
        assert_eq!(d1["keys"][0][member], *value, "{member}");
    }
    for (member, value) in [("kty", "EC"), ("crv", "P-256"), ("alg", "ECDH-ES"), ("use", "enc")] {
        assert_eq!(d1["keys"][0][member], value);
    }
    let keys: KeySet = plain::parse(&d1.to_string()).unwrap();
    assert!(keys.sealing_key(Algorithm::EcdhEs, false).is_ok());
}

#[tokio::test]
async fn an_account_is_its_own_merchants_and_of_its_own_mode() {
    let vendors = Vendors::start().await;
    let asked = Asked::reaching(&vendors).await;
    let account = asked.merchant().await;
    vendors.connect(&asked, &account, Profile::ThalesPci).await;
    let other = asked.merchant().await;
    asked.get(&path(Profile::ThalesPci), &other.public_key).await.error(403, "profile_not_allowed");
    // Its row moved to another merchant opens nothing there.
    let merchant = asked.holder(&other).await;
    let sql = format!("UPDATE vendor_accounts SET merchant_id = '{}'", merchant.id);
    asked.execute(Box::leak(sql.into_boxed_str())).await;
    asked.get(&path(Profile::ThalesPci), &other.public_key).await.error(500, "internal_error");

    // Only the test system is set up.
    let live = asked.merchant_with(Mode::Live, ClearCards::Refused, "https://live.example").await;
    let merchant = asked.holder(&live).await;
    let text = vendors.account(Profile::ThalesD1);
    let d1 = cardseal_vault::vendor::Account::parse(Profile::ThalesD1, &text, Mode::Live).unwrap();
    asked.vault.connect(&merchant, &d1, crate::support::operator()).await.unwrap();
    asked.get(&path(Profile::ThalesD1), &live.public_key).await.error(403, "profile_not_allowed");
}

#[tokio::test]
async fn a_new_certificate_takes_over_and_a_broken_one_does_not() {
    let (vendors, other) = (Vendors::start().await, Vendors::start().await);
    let asked = Asked::reaching(&vendors).await;
    let account = asked.merchant().await;
    vendors.connect(&asked, &account, Profile::ThalesPci).await;
    let modulus = async || profile(&asked, &account, Profile::ThalesPci).await["keys"][0]["n"].clone();
    let before = modulus().await;
    vendors.write("thales-pci-sealing.pem", b"half of a file");
    assert_eq!(modulus().await, before);
    vendors.write("thales-pci-sealing.pem", other.sandbox.thales_pci.credentials.certificate.as_bytes());
    let after = modulus().await;
    assert!(after != before && after.is_string());
}

#[tokio::test]
async fn pages_of_the_merchant_may_ask_and_others_not() {
    let vendors = Vendors::start().await;
    let asked = Asked::reaching(&vendors).await;
    let account = asked.merchant().await;
    vendors.connect(&asked, &account, Profile::Omise).await;
    for (origin, status) in [(SHOP, 200), ("https://stranger.example", 403)] {
        let request = request(Method::GET, &path(Profile::Omise), &account.public_key).header(ORIGIN, origin);
        let answer = asked.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{origin}");
        let seen = answer.header("access-control-allow-origin");
        assert_eq!(seen, (status == 200).then_some(origin));
    }
}

const VENDORS: [Profile; 4] =
    [Profile::Omise, Profile::PaymentOptions, Profile::ThalesD1, Profile::ThalesPci];

fn path(profile: Profile) -> String {
    format!("/profiles/{}", profile.as_str())
}

async fn profile(asked: &Asked, account: &Account, profile: Profile) -> Value {
    let answer = asked.get(&path(profile), &account.public_key).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}
