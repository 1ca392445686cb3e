//! What a reader found weak in the best open vault there is, point by point, and how this one answers.
//!
//! The points are those of a reading of juspay/hyperswitch-card-vault in November 2026; a point that names several
//! things has several tests.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use cardseal::card::Number;
use cardseal_vault::access::limit::Limits;
use cardseal_vault::id::{MerchantId, SecretKey, TokenId};
use cardseal_vault::keys::fingerprint::FingerprintKey;
use cardseal_vault::keys::gcm;
use cardseal_vault::keys::kek::shares::{Count, Share};
use cardseal_vault::keys::sealing::SealingKey;
use cardseal_vault::merchant::{Merchant, Mode};
use cardseal_vault::store::Purpose;
use cardseal_vault::time::Timestamp;
use cardseal_vault::vault::Failure;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::jwe::{Jwe, decode};
use crate::support::{Account, Answer, Asked, NOON, VISA, clear_card, request};

const MASTERCARD: &str = "5555555555554444";

/// 1: the hash by which equal cards were found had no key, and was the same for all merchants: whoever had the table
/// had the cards.
#[tokio::test]
async fn point_1_fingerprints_have_a_key_and_are_a_merchants_own() {
    let asked = Asked::new().await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let elsewhere = Asked::new().await;
    let stranger = elsewhere.merchant().await;
    let mine = fingerprint(&asked, &account).await;
    assert_eq!(fingerprint(&asked, &account).await, mine, "the same card of the same merchant");
    assert_ne!(fingerprint(&asked, &other).await, mine, "another merchant's");
    assert_ne!(fingerprint(&elsewhere, &stranger).await, mine, "another vault's");

    let merchant = merchant(&asked, &account).await;
    asked.vault.close().await;
    let database = std::fs::read(asked.dir.path().join("vault.sqlite")).unwrap();
    for algorithm in [&digest::SHA1_FOR_LEGACY_USE_ONLY, &digest::SHA256, &digest::SHA384, &digest::SHA512] {
        for text in [VISA.to_owned(), format!("{}{VISA}", merchant.id), format!("{}\0{VISA}", merchant.id)] {
            let hash = digest::digest(algorithm, text.as_bytes());
            assert!(!contains(&database, hash.as_ref()), "{algorithm:?} of {text}");
        }
    }
}

/// 2: a ciphertext was bound to nothing, so that whoever could write to the database could give one card's number to
/// another's token.
#[tokio::test]
async fn point_2_a_ciphertext_opens_in_its_own_row_only() {
    for moved in [
        "UPDATE tokens SET pan = (SELECT pan FROM tokens WHERE last_digits = '4444') WHERE last_digits = '4242'",
        // Within its row.
        "UPDATE tokens SET pan = details WHERE last_digits = '4242'",
    ] {
        let asked = Asked::new().await;
        let account = asked.merchant().await;
        let (visa, mastercard) = (asked.token(&account, VISA).await, asked.token(&account, MASTERCARD).await);
        asked.execute(moved).await;
        asked.charge(&account, &visa).await.error(500, "internal_error");
        assert_eq!(asked.charge(&account, &mastercard).await.json()["status"], "successful");
    }
    for moved in [
        "UPDATE tokens SET details = (SELECT details FROM tokens WHERE last_digits = '4444')
         WHERE last_digits = '4242'",
        // To another merchant, row and all.
        "UPDATE tokens SET merchant_id = (SELECT merchant_id FROM tokens WHERE last_digits = '4444')
         WHERE last_digits = '4242'",
    ] {
        let asked = Asked::new().await;
        let (account, other) = (asked.merchant().await, asked.merchant().await);
        let (visa, mastercard) = (asked.token(&account, VISA).await, asked.token(&other, MASTERCARD).await);
        asked.execute(moved).await;
        for account in [&account, &other] {
            let opened = asked.vault.token(&merchant(&asked, account).await, &id(&visa)).await;
            assert!(matches!(opened, Ok(None) | Err(Failure::Tampered)), "{opened:?}");
        }
        assert_eq!(asked.get(&format!("/tokens/{mastercard}"), &other.public_key).await.status, 200);
    }
}

/// 3: a ciphertext shorter than its nonce ended the request in a panic.
#[tokio::test]
async fn point_3_a_ciphertext_cut_short_is_refused_without_a_panic() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let merchant = merchant(&asked, &account).await;
    for cut in [
        "UPDATE tokens SET details = substr(details, 1, length(details) - 1)",
        "UPDATE tokens SET details = substr(details, 1, 28)",
        "UPDATE tokens SET details = substr(details, 1, 27)",
        "UPDATE tokens SET details = substr(details, 1, 12)",
        "UPDATE tokens SET details = substr(details, 1, 11)",
        "UPDATE tokens SET details = substr(details, 1, 1)",
        "UPDATE tokens SET details = substr(details, 1, 0)",
    ] {
        asked.execute(cut).await;
        let opened = asked.vault.token(&merchant, &id(&token)).await;
        assert!(matches!(opened, Err(Failure::Tampered)), "{cut}: {opened:?}");
        asked.get(&format!("/tokens/{token}"), &account.public_key).await.error(500, "internal_error");
    }
}

/// 3: keys lay about in memory after their use.
#[test]
fn point_3_keys_on_their_way_are_wiped() {
    // It is the types that say so.
    let _: Zeroizing<[u8; gcm::KEY_BYTES]> = gcm::random_key();
    let pkcs8: Zeroizing<Vec<u8>> = SealingKey::generate_pkcs8().unwrap();
    let content: Result<Zeroizing<Vec<u8>>, _> = SealingKey::from_pkcs8(&pkcs8).unwrap().unwrap(&[0; 256]);
    content.unwrap_err();
}

/// 3: no ciphertext said which key it was under, so that no key could ever be replaced.
#[tokio::test]
async fn point_3_a_ciphertext_names_its_key_so_that_keys_can_be_replaced() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let before = asked.token(&account, VISA).await;
    let now = Timestamp::from_unix_seconds(NOON);
    for (purpose, version) in [(Purpose::Data, 2), (Purpose::Fingerprint, 2), (Purpose::Data, 3)] {
        let rotated = asked.vault.keys().rotate(asked.vault.store(), purpose, now, now).await.unwrap();
        assert_eq!(rotated, version);
    }
    let after = asked.token(&account, VISA).await;
    for token in [&before, &after] {
        assert_eq!(asked.charge(&account, token).await.json()["status"], "successful");
    }
    // A version is no word of honour: it is bound like everything else.
    let claimed = asked.token(&account, VISA).await;
    asked.execute("UPDATE tokens SET data_key_version = 1 WHERE used_by IS NULL").await;
    asked.get(&format!("/tokens/{claimed}"), &account.public_key).await.error(500, "internal_error");
}

/// 4: the MAC of a MAC of a MAC was taken, and its key came with the request.
#[tokio::test]
async fn point_4_a_fingerprint_is_one_hmac_under_a_key_of_the_vault() {
    let merchant = MerchantId::random(Mode::Test);
    let number = Number::parse(VISA).valid().unwrap();
    let key = [7; 32];
    let expected =
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{merchant}\0{VISA}").as_bytes());
    let fingerprint = FingerprintKey::new(1, &key).unwrap().fingerprint(&merchant, &number);
    assert_eq!(fingerprint.bytes, expected.as_ref());

    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for name in ["key", "hash_key", "fingerprint_key", "fingerprint"] {
        let mut body = clear_card(VISA);
        body["card"][name] = json!("AAAA");
        let message = asked.post("/tokens", &account.public_key, &body).await.error(400, "bad_request");
        assert_eq!(message, format!("card.{name} is not a parameter here"));
    }
}

/// 5: only deleting was limited, and that for all together: adding and looking up could be tried without end, and
/// whoever deleted much kept the others from it.
#[tokio::test]
async fn point_5_guessing_is_limited_for_each_caller_alone() {
    let asked = Asked::limited(&Limits::default()).await;
    let account = asked.merchant().await;
    let (key, wrong) = (account.public_key.as_str(), clear_card("4242424242424241"));
    let add = |address| from(address, &asked, post("/tokens", key, &wrong));
    let look_up = |address| {
        let path = format!("/tokens/{}", TokenId::random(Mode::Test));
        from(address, &asked, request(Method::GET, &path, key).body(Body::empty()).unwrap())
    };
    let mut refused = [0, 0];
    for _ in 0..1000 {
        refused[0] += u32::from(add("192.0.2.1").await.status == 429);
        refused[1] += u32::from(look_up("192.0.2.1").await.status == 429);
    }
    assert!(refused.iter().all(|refused| *refused >= 800), "{refused:?}");
    add("192.0.2.2").await.error(400, "invalid_card");
    look_up("192.0.2.2").await.error(404, "not_found");
    assert_eq!(from("192.0.2.2", &asked, post("/tokens", key, &clear_card(VISA))).await.status, 200);
}

/// 6: without one middleware everything was open, and what unlocked the vault always was.
#[tokio::test]
async fn point_6_nothing_about_cards_is_answered_without_a_key() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let charge = asked.charge(&account, &token).await.json()["id"].as_str().unwrap().to_owned();
    for (method, path) in [
        (Method::POST, "/tokens".to_owned()),
        (Method::GET, format!("/tokens/{token}")),
        (Method::POST, "/charges".to_owned()),
        (Method::GET, format!("/charges/{charge}")),
        (Method::POST, "/pci-tokens".to_owned()),
        (Method::GET, "/pci-tokens/ptok_test_0".to_owned()),
        (Method::DELETE, "/pci-tokens/ptok_test_0".to_owned()),
        (Method::POST, "/pci-tokens/ptok_test_0/detokenize".to_owned()),
    ] {
        let body = clear_card(VISA).to_string();
        let request = request(method, &path, "").header(CONTENT_TYPE, "application/json").body(body.into());
        asked.send(request.unwrap()).await.error(401, "authentication_failure");
    }
    for path in ["/custodian/key1", "/custodian/key2", "/custodian/decrypt", "/unlock", "/keys"] {
        asked.post(path, &account.secret_key, &json!({ "key": "AAAA" })).await.error(404, "not_found");
    }
}

/// 6: there was no audit.
#[tokio::test]
async fn point_6_every_opening_of_a_card_is_in_the_audit() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for opened in 1..=3 {
        let token = asked.token(&account, VISA).await;
        assert_eq!(asked.charge(&account, &token).await.status, 200);
        assert_eq!(asked.count_where("audit", "action = 'card.charge'").await, opened);
    }
    assert!(asked.audited().await.chains.iter().all(|chain| chain.flaw.is_none()));
}

/// 7: each of two custodians had one half of the key, so each knew 128 of its bits.
#[test]
fn point_7_a_custodian_alone_knows_not_one_bit_of_the_key() {
    // 256 bits of each of 400 keys: a fair coin is further than 6 standard deviations from half in 2 of 10⁹ trials.
    const KEYS: u32 = 400;
    let (bits, sigma) = (f64::from(KEYS * 256), f64::from(KEYS * 256).sqrt() / 2.0);
    let mut known = [0, 0];
    for _ in 0..KEYS {
        let shares: Vec<Vec<u8>> = Share::new_set(Count::new(2).unwrap())
            .iter()
            .map(|share| decode(share.expose().split('.').nth(3).unwrap()))
            .collect();
        let key: Vec<u8> = shares[0].iter().zip(&shares[1]).map(|(one, other)| one ^ other).collect();
        for (known, share) in known.iter_mut().zip(&shares) {
            assert_eq!(share.len(), gcm::KEY_BYTES);
            *known += share.iter().zip(&key).map(|(share, key)| (share ^ key).count_zeros()).sum::<u32>();
        }
    }
    for known in known {
        assert!((f64::from(known) - bits / 2.0).abs() < 6.0 * sigma, "{known} of {bits} bits");
    }
}

/// 8: the private key was parsed for every request.
#[tokio::test]
async fn point_8_the_private_key_is_parsed_once() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = asked.sealing_key().await;
    let parsed = |kid: &str| {
        let rings = asked.vault.keys().rings();
        let held = rings.sealing.test.iter().find(|held| held.key.kid() == kid);
        Arc::clone(&held.unwrap().key)
    };
    let first = parsed(key.kid());
    for _ in 0..3 {
        let jwe = asked.seal(&account).await;
        assert_eq!(asked.tokenize_sealed(&account, &jwe).await.status, 200);
        asked.vault.keys().refresh(asked.vault.store()).await.unwrap();
    }
    assert!(Arc::ptr_eq(&first, &parsed(key.kid())));
    // There is nothing left to parse it from.
    asked
        .execute("UPDATE wrapped_keys SET wrapped = substr(wrapped, 1, 1) WHERE purpose LIKE 'sealing-%'")
        .await;
    let jwe = asked.seal(&account).await;
    assert_eq!(asked.tokenize_sealed(&account, &jwe).await.status, 200);
}

/// 9: a card was whatever text was sent.
#[tokio::test]
async fn point_9_what_is_no_card_is_not_kept() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for (field, text) in [
        ("number", "not a number"),
        ("number", "4242424242424241"),
        ("number", "<script>"),
        ("expiration_month", "13"),
        ("expiration_year", "next"),
        ("security_code", "abc"),
        ("name", "4242 4242 4242 4242"),
    ] {
        let mut body = clear_card(VISA);
        body["card"][field] = json!(text);
        asked.post("/tokens", &account.public_key, &body).await.error(400, "invalid_card");
    }
    assert_eq!(asked.count("tokens").await, 0);
}

/// 9: what was sent was tried as one thing after another until something fitted.
#[tokio::test]
async fn point_9_a_request_means_one_thing_or_nothing() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let sealed = asked.seal(&account).await;
    let mut both = clear_card(VISA);
    both["card"]["sealed"] = json!(sealed);
    let mut surplus = json!({ "card": { "sealed": sealed } });
    surplus["card"]["enc_card_data"] = json!("AAAA");
    let text = json!({ "card": sealed });
    for body in [both, surplus, text] {
        asked.post("/tokens", &account.public_key, &body).await.error(400, "bad_request");
    }
    assert_eq!(asked.count("tokens").await, 0);
    assert_eq!(asked.tokenize_sealed(&account, &sealed).await.status, 200);
}

/// 9: a seal chose its own algorithms.
#[tokio::test]
async fn point_9_the_algorithms_of_a_seal_are_pinned() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = asked.sealing_key().await;
    let plaintext = plaintext(&account);
    // Sealed as it has to be, and called something else: its tag is right for what the header says.
    for (alg, enc) in [
        ("RSA-OAEP-256", "A128GCM"),
        ("RSA-OAEP-256", "A256CBC-HS512"),
        ("RSA-OAEP", "A256GCM"),
        ("RSA1_5", "A256GCM"),
        ("none", "A256GCM"),
        ("dir", "A256GCM"),
    ] {
        let header = json!({ "alg": alg, "enc": enc, "kid": key.kid() });
        let jwe = Jwe::seal_under(&header, &key, plaintext.as_bytes()).compact();
        asked.tokenize_sealed(&account, &jwe).await.error(400, "invalid_seal");
    }
    let right = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key.kid() });
    let jwe = Jwe::seal_under(&right, &key, plaintext.as_bytes()).compact();
    assert_eq!(asked.tokenize_sealed(&account, &jwe).await.status, 200);
}

/// 9: a seal could ask for its content to be unpacked, to any size.
#[tokio::test]
async fn point_9_nothing_is_ever_unpacked() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let key = asked.sealing_key().await;
    let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key.kid(), "zip": "DEF" });
    let plaintext = plaintext(&account);
    // One block of DEFLATE that is not compressed (RFC 1951 section 3.2.4), and the text as it is.
    let length = u16::try_from(plaintext.len()).unwrap();
    let (length, complement) = (length.to_le_bytes(), (!length).to_le_bytes());
    let deflated = [&[1][..], &length, &complement, plaintext.as_bytes()].concat();
    for content in [&*deflated, plaintext.as_bytes()] {
        let jwe = Jwe::seal_under(&header, &key, content).compact();
        asked.tokenize_sealed(&account, &jwe).await.error(400, "invalid_seal");
    }
    // Nor is a body.
    let packed = request(Method::POST, "/tokens", &account.public_key)
        .header(CONTENT_TYPE, "application/json")
        .header("content-encoding", "deflate");
    let packed = packed.body(deflated.into()).unwrap();
    assert!(asked.send(packed).await.error(415, "unsupported_media_type").contains("not compressed"));
    assert_eq!(asked.count("tokens").await, 0);
}

async fn fingerprint(asked: &Asked, account: &Account) -> Value {
    let token = asked.token(account, VISA).await;
    asked.get(&format!("/tokens/{token}"), &account.secret_key).await.json()["card"]["fingerprint"].clone()
}

async fn merchant(asked: &Asked, account: &Account) -> Merchant {
    let key = SecretKey::parse(&account.secret_key).unwrap();
    asked.vault.key_holder(key.hash()).await.unwrap().unwrap().0
}

fn id(token: &str) -> TokenId {
    TokenId::parse(token).unwrap()
}

/// What the widget would seal.
fn plaintext(account: &Account) -> String {
    json!({
        "number": VISA, "expiration_month": 12, "expiration_year": 2030, "merchant": account.public_key, "iat": NOON,
        "jti": "0123456789abcdef",
    })
    .to_string()
}

async fn from(address: &str, asked: &Asked, mut request: Request<Body>) -> Answer {
    let peer: SocketAddr = format!("{address}:50000").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    asked.send(request).await
}

fn post(path: &str, key: &str, body: &Value) -> Request<Body> {
    let request = request(Method::POST, path, key).header(CONTENT_TYPE, "application/json");
    request.body(body.to_string().into()).unwrap()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
