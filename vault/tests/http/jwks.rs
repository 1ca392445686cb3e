use aws_lc_rs::digest;
use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal_vault::acquirer::Acquirers;

use crate::support::Asked;

#[tokio::test]
async fn a_key_for_each_mode_is_published_for_every_page() {
    let asked = Asked::new().await;
    let answer = asked.get("/.well-known/jwks.json", "").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let keys = &answer.json()["keys"];
    let modes: Vec<_> =
        keys.as_array().unwrap().iter().map(|key| key["livemode"].as_bool().unwrap()).collect();
    assert_eq!(modes, [true, false]);
    assert_ne!(keys[0]["n"], keys[1]["n"]);
    let key = &keys[0];
    let text = |name: &str| key[name].as_str().unwrap();
    let fixed = ["kty", "alg", "use", "e"].map(text);
    assert_eq!(fixed, ["RSA", "RSA-OAEP-256", "enc", "AQAB"]);
    assert_eq!(Base64UrlUnpadded::decode_vec(text("n")).unwrap().len(), 256);
    assert_eq!(key.as_object().unwrap().len(), 7);

    // RFC 7638.
    let canonical = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text("e"), text("n"));
    let thumbprint = digest::digest(&digest::SHA256, canonical.as_bytes());
    assert_eq!(text("kid"), Base64UrlUnpadded::encode_string(thumbprint.as_ref()));
}

#[tokio::test]
async fn the_key_stays_the_same_after_a_restart() {
    let asked = Asked::new().await;
    let before = asked.get("/.well-known/jwks.json", "").await.body;
    asked.vault.close().await;
    let asked = Asked::reopen(asked.dir, Acquirers::default()).await;
    assert_eq!(asked.get("/.well-known/jwks.json", "").await.body, before);
}
