use axum::body::Body;
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use base64ct::{Base64, Encoding};
use cardseal_vault::id::{SecretKey, random_public_key};
use cardseal_vault::merchant::{ClearCards, Mode};
use cardseal_vault::store::NewKey;
use cardseal_vault::time::Timestamp;

use crate::support::{Asked, NOON, SHOP, VISA, clear_card, operator, request};

#[tokio::test]
async fn says_which_key_is_wrong() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let (public, secret) = (account.public_key.as_str(), account.secret_key.as_str());
    for (path, key, words) in [
        ("/tokens", "", "no key was sent"),
        ("/tokens", secret, "a secret key (skey_…) was sent where the public key"),
        ("/tokens", "pkey_test_unknown", "does not know this key"),
        ("/tokens", "pkey_test_NOT", "does not know this key"),
        ("/tokens", "nonsense", "does not know this key"),
        ("/charges", "", "no key was sent"),
        ("/charges", public, "a public key (pkey_…) was sent where the secret key"),
        ("/charges", "skey_test_unknown", "does not know this key"),
        ("/charges", "nonsense", "does not know this key"),
    ] {
        let answer = asked.post(path, key, &clear_card(VISA)).await;
        let message = answer.error(401, "authentication_failure");
        assert!(message.contains(words), "{path} {key}: {message}");
        assert!(!message.contains(key) || key.is_empty(), "{message}");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Basic realm=\"cardseal-vault\", charset=\"UTF-8\"")
        );
        // A server may look at a token.
        if (path, key) == ("/tokens", secret) {
            asked.get("/tokens/x", key).await.error(404, "not_found");
            continue;
        }
        assert_eq!(asked.get(&format!("{path}/x"), key).await.error(401, "authentication_failure"), message);
    }
    assert_eq!(asked.count("tokens").await, 0);
}

#[tokio::test]
async fn takes_a_key_with_any_password() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for password in ["", "x", "with:colons"] {
        let credentials = Base64::encode_string(format!("{}:{password}", account.public_key).as_bytes());
        for header in [format!("Basic {credentials}"), format!("basic  {credentials}")] {
            let request = request(Method::GET, "/tokens/tokn_test_0", "").header(AUTHORIZATION, header);
            asked.send(request.body(Body::empty()).unwrap()).await.error(404, "not_found");
        }
    }
}

#[tokio::test]
async fn malformed_headers_are_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let no_colon = format!("Basic {}", Base64::encode_string(account.public_key.as_bytes()));
    let not_utf8 = format!("Basic {}", Base64::encode_string(b"\xff\xfe:"));
    for header in ["", "Basic", "Basic ", "Basic !", "Bearer abc", &account.public_key, &no_colon, &not_utf8]
    {
        let request = request(Method::GET, "/tokens/tokn_test_0", "").header(AUTHORIZATION, header);
        let message =
            asked.send(request.body(Body::empty()).unwrap()).await.error(401, "authentication_failure");
        assert!(message.contains("not Basic"), "{header}: {message}");
    }
    let twice = request(Method::GET, "/tokens/tokn_test_0", &account.public_key)
        .header(AUTHORIZATION, crate::support::basic(&account.public_key));
    asked.send(twice.body(Body::empty()).unwrap()).await.error(401, "authentication_failure");
}

#[tokio::test]
async fn merchants_see_only_what_is_their_own() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let other = asked.merchant().await;
    let live = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let token = asked.token(&account, VISA).await;
    let charge = asked.charge(&account, &token).await.json()["id"].as_str().unwrap().to_owned();
    let unused = asked.token(&account, VISA).await;

    for stranger in [&other, &live] {
        asked.get(&format!("/tokens/{token}"), &stranger.public_key).await.error(404, "not_found");
        asked.get(&format!("/charges/{charge}"), &stranger.secret_key).await.error(404, "not_found");
    }
    asked.charge(&other, &unused).await.error(404, "not_found");
    assert_eq!(asked.get(&format!("/tokens/{unused}"), &account.public_key).await.json()["used"], false);
}

/// PCI DSS 8.6.3: a key need not be good for ever, whoever forgets it.
#[tokio::test]
async fn a_key_ends_at_its_time_and_says_no_more_than_an_unknown_one() {
    let asked = Asked::new().await;
    let merchant = asked.holder(&asked.merchant().await).await;
    let (public, secret) = (random_public_key(Mode::Test), SecretKey::random(Mode::Test));
    let expires_at = Some(Timestamp::from_unix_seconds(NOON + 60 * 60));
    for key in [NewKey::public(Mode::Test, &public), NewKey::secret(Mode::Test, &secret)] {
        asked.vault.add_api_key(&merchant, &NewKey { expires_at, ..key }, operator()).await.unwrap();
    }
    let statuses = async || {
        let tokens = asked.post("/tokens", public.as_str(), &clear_card(VISA)).await;
        let customers = asked.get("/customers", secret.expose()).await;
        [tokens, customers].map(|answer| (answer.status.as_u16(), answer.json()["message"].clone()))
    };
    asked.set_time(NOON + 60 * 60 - 1);
    assert_eq!(statuses().await.map(|(status, _)| status), [200, 200]);
    // What was known of them a moment ago has ended, too.
    asked.set_time(NOON + 60 * 60);
    let unknown = asked.get("/customers", "skey_test_unknown").await.json()["message"].clone();
    assert_eq!(statuses().await, [(401, unknown.clone()), (401, unknown)]);
    // The audit tells of each, of those that are alike together: two keys that had ended, and one that never was.
    asked.set_time(NOON + 2 * 60 * 60);
    asked.vault.maintain().await.unwrap();
    let mut database = asked.dir.connect().await;
    let times = "SELECT CAST(sum(times) AS BIGINT) FROM audit WHERE outcome = 'unknown_key'";
    assert_eq!(sqlx::query_scalar::<_, i64>(times).fetch_one(&mut database).await.unwrap(), 3);
}

/// PCI DSS 7.2.5.1: who looks through the keys sees which nobody uses.
#[tokio::test]
async fn a_key_shows_when_it_was_used_last() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let merchant = asked.holder(&account).await.id;
    asked.vault.maintain().await.unwrap();
    let used = async || {
        let mut keys = asked.vault.store().api_keys(&merchant).await.unwrap();
        keys.sort_by_key(|key| key.kind.as_str());
        keys.into_iter().map(|key| key.last_used_at.map(Timestamp::unix_seconds)).collect::<Vec<_>>()
    };
    asked.set_time(NOON + 10);
    asked.get("/customers", &account.secret_key).await;
    assert_eq!(used().await[1], None, "not in the request's way");
    asked.vault.maintain().await.unwrap();
    assert_eq!(used().await[1], Some(NOON + 10));
    // No more often than each hour.
    for (second, last) in [(60 * 60, NOON + 10), (60 * 60 + 10, NOON + 60 * 60 + 10)] {
        asked.set_time(NOON + second);
        asked.get("/customers", &account.secret_key).await;
        asked.vault.maintain().await.unwrap();
        assert_eq!(used().await[1], Some(last));
    }
    // The audit's look at who may do what takes no offence.
    assert_eq!(asked.audited().await.misplaced.len(), 0);
}
