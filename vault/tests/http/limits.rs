use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::{Method, Request};
use cardseal_vault::access::limit::{Limits, Name};
use serde_json::json;

use crate::support::program::{Served, add_merchant};
use crate::support::{Account, Answer, Asked, SHOP, UNLIMITED, VISA, clear_card, request};

const JSON: &str = "application/json";
const DECLINED: &str = "4111111111140011";

#[tokio::test]
async fn requests_are_limited_by_address() {
    let asked = limited("address=20/m burst 5").await;
    for _ in 0..5 {
        assert_eq!(from("192.0.2.1", &asked, keys()).await.status, 200);
    }
    let answer = from("192.0.2.1", &asked, keys()).await;
    let message = answer.error(429, "too_many_requests");
    assert_eq!(message, "too many requests from this address; try again in 3 s");
    assert_eq!(answer.header("retry-after"), Some("3"));
    assert_eq!(from("192.0.2.2", &asked, keys()).await.status, 200);

    asked.pass(Duration::from_millis(2999));
    assert_eq!(from("192.0.2.1", &asked, keys()).await.header("retry-after"), Some("1"));
    asked.pass(Duration::from_millis(1));
    assert_eq!(from("192.0.2.1", &asked, keys()).await.status, 200);
    assert_eq!(from("192.0.2.1", &asked, keys()).await.status, 429);
}

#[tokio::test]
async fn whoever_asks_how_the_vault_is_is_not_limited() {
    let asked = limited("address=1/h burst 1").await;
    for _ in 0..5 {
        assert_eq!(from("192.0.2.1", &asked, get("/livez", "")).await.status, 200);
    }
}

#[tokio::test]
async fn requests_are_limited_by_key_wherever_they_come_from() {
    let asked = limited("key=1/m burst 3").await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    for (address, password) in [("192.0.2.1", ""), ("192.0.2.2", "a"), ("[2001:db8::1]", "b")] {
        let answer = from(address, &asked, post("/tokens", &with_password(&account.public_key, password)));
        assert_eq!(answer.await.status, 200);
    }
    let answer = from("192.0.2.3", &asked, post("/tokens", &account.public_key)).await;
    assert_eq!(answer.error(429, "too_many_requests"), "too many requests with this key; try again in 60 s");
    assert_eq!(asked.count("tokens").await, 3);
    assert_eq!(from("192.0.2.3", &asked, post("/tokens", &other.public_key)).await.status, 200);
    // The merchant's other key is another.
    assert_eq!(from("192.0.2.3", &asked, get("/charges/chrg_test_0", &account.secret_key)).await.status, 404);
}

#[tokio::test]
async fn tokens_are_limited_by_address_and_by_key() {
    let asked = limited_by(&["tokens_by_address=1/m burst 2", "tokens_by_key=1/h burst 3"]).await;
    let account = asked.merchant().await;
    let key = account.public_key.as_str();
    let ask = async |address| from(address, &asked, post("/tokens", key)).await;
    for _ in 0..2 {
        assert_eq!(ask("192.0.2.1").await.status, 200);
    }
    let refused = ask("192.0.2.1").await;
    let message = refused.error(429, "too_many_requests");
    assert_eq!(message, "too many cards from this address; try again in 60 s");
    // Nothing else is.
    assert_eq!(from("192.0.2.1", &asked, get("/tokens/tokn_test_0", key)).await.status, 404);
    assert_eq!(ask("192.0.2.2").await.status, 200);
    let refused = ask("192.0.2.3").await;
    assert!(refused.error(429, "too_many_requests").starts_with("too many cards with this key; "));
    assert_eq!(asked.count("tokens").await, 3);
    // What is refused is no token.
    let other = asked.merchant().await;
    for _ in 0..3 {
        let request = request(Method::POST, "/tokens", &other.public_key).header(CONTENT_TYPE, JSON);
        let refused = request.body(clear_card("4242424242424241").to_string().into()).unwrap();
        from("192.0.2.4", &asked, refused).await.error(400, "invalid_card");
    }
    assert_eq!(from("192.0.2.4", &asked, post("/tokens", &other.public_key)).await.status, 200);
}

#[tokio::test]
async fn a_search_for_keys_is_slowed_down() {
    let asked = limited("failed_authentications=6/m burst 3").await;
    let account = asked.merchant().await;
    for key in ["pkey_test_0", "pkey_test_1", "skey_test_2"] {
        from("192.0.2.1", &asked, post("/tokens", key)).await.error(401, "authentication_failure");
    }
    // The right key is not told from a wrong one now.
    for key in [&account.public_key, "pkey_test_3"] {
        let answer = from("192.0.2.1", &asked, post("/tokens", key)).await;
        let message = answer.error(429, "too_many_requests");
        assert_eq!(message, "too many requests from this address had a wrong key; try again in 10 s");
    }
    // What needs no key does not suffer, and nobody else.
    assert_eq!(from("192.0.2.1", &asked, keys()).await.status, 200);
    assert_eq!(from("192.0.2.2", &asked, post("/tokens", &account.public_key)).await.status, 200);
    asked.pass(Duration::from_secs(10));
    assert_eq!(from("192.0.2.1", &asked, post("/tokens", &account.public_key)).await.status, 200);
}

#[tokio::test]
async fn refused_cards_and_seals_are_limited_by_key_and_address() {
    let asked = limited("refused_cards=1/m burst 4").await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let key = account.public_key.as_str();
    let refused = [
        (clear_card("4242424242424241"), "invalid_card"),
        (json!({ "card": { "sealed": "x" } }), "invalid_seal"),
        (json!({ "card": { "sealed": asked.seal(&other).await } }), "wrong_merchant"),
        (clear_card("4242"), "invalid_card"),
    ];
    // What is fine or only badly written does not count.
    for _ in 0..10 {
        assert_eq!(from("192.0.2.1", &asked, post("/tokens", key)).await.status, 200);
        from("192.0.2.1", &asked, post_json("/tokens", key, &json!({}))).await.error(400, "bad_request");
    }
    for (body, code) in refused {
        from("192.0.2.1", &asked, post_json("/tokens", key, &body)).await.error(400, code);
    }
    let sealed = json!({ "card": { "sealed": asked.seal(&account).await } });
    let answer = from("192.0.2.1", &asked, post_json("/tokens", key, &sealed)).await;
    let message = answer.error(429, "too_many_requests");
    assert_eq!(message, "too many cards from this address were refused; try again in 60 s");
    // Somewhere else, or with another key, or for something else than a card.
    assert_eq!(from("192.0.2.2", &asked, post_json("/tokens", key, &sealed)).await.status, 200);
    assert_eq!(from("192.0.2.1", &asked, post("/tokens", &other.public_key)).await.status, 200);
    assert_eq!(from("192.0.2.1", &asked, get("/tokens/tokn_test_0", key)).await.status, 404);
    asked.pass(Duration::from_secs(60));
    assert_eq!(from("192.0.2.1", &asked, post("/tokens", key)).await.status, 200);
}

#[tokio::test]
async fn declined_charges_are_limited_by_key() {
    let asked = limited("failed_charges=1/m burst 3").await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let good = asked.token(&account, VISA).await;
    let used = asked.token(&account, VISA).await;
    charge(&asked, &account, &used).await;
    for _ in 0..5 {
        charge(&asked, &account, &used).await.error(400, "used_token");
    }
    for _ in 0..2 {
        let token = asked.token(&account, DECLINED).await;
        let declined = charge(&asked, &account, &token).await;
        assert_eq!((declined.status.as_u16(), &declined.json()["status"]), (200, &json!("failed")));
    }
    charge(&asked, &account, "tokn_test_0").await.error(404, "not_found");

    let message = charge(&asked, &account, &good).await.error(429, "too_many_requests");
    assert_eq!(message, "too many charges with this key failed; try again in 60 s");
    // Nothing was used.
    assert_eq!(asked.get(&format!("/tokens/{good}"), &account.public_key).await.json()["used"], false);
    let others = asked.token(&other, VISA).await;
    assert_eq!(charge(&asked, &other, &others).await.status, 200);
    asked.pass(Duration::from_secs(60));
    assert_eq!(charge(&asked, &account, &good).await.json()["status"], "successful");
}

#[tokio::test]
async fn a_search_for_ids_is_slowed_down() {
    let asked = limited("unknown_ids=1/m burst 3").await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    for path in ["/tokens/tokn_test_0", "/tokens/x", "/tokens/tokn_test_1"] {
        from("192.0.2.1", &asked, get(path, &account.public_key)).await.error(404, "not_found");
    }
    let path = format!("/tokens/{token}");
    let message =
        from("192.0.2.1", &asked, get(&path, &account.public_key)).await.error(429, "too_many_requests");
    assert_eq!(message, "too many ids were asked for that there are not; try again in 60 s");
    assert_eq!(from("192.0.2.2", &asked, get(&path, &account.public_key)).await.status, 200);
    // A path that leads nowhere is no id.
    from("192.0.2.1", &asked, get("/nothing", &account.public_key)).await.error(404, "not_found");
    asked.pass(Duration::from_secs(60));
    assert_eq!(from("192.0.2.1", &asked, get(&path, &account.public_key)).await.status, 200);
}

#[tokio::test]
async fn cards_shown_in_the_clear_are_limited_by_key() {
    let asked = limited("detokenizations=1/m burst 2").await;
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let path = "/pci-tokens/ptok_test_0/detokenize";
    for address in ["192.0.2.1", "192.0.2.2"] {
        let answer = from(address, &asked, post_json(path, &account.secret_key, &json!({})));
        answer.await.error(403, "not_permitted");
    }
    let answer = from("192.0.2.3", &asked, post_json(path, &account.secret_key, &json!({}))).await;
    let message = answer.error(429, "too_many_requests");
    assert_eq!(message, "too many cards were shown to this key; try again in 60 s");
    from("192.0.2.3", &asked, post_json(path, &other.secret_key, &json!({})))
        .await
        .error(403, "not_permitted");
    // What shows no card goes on.
    let path = "/pci-tokens/ptok_test_0";
    from("192.0.2.3", &asked, get(path, &account.secret_key)).await.error(404, "not_found");
}

#[tokio::test]
async fn of_several_limits_the_longest_wait_is_told() {
    let asked = limited_by(&["address=1/s burst 1", "failed_authentications=1/h burst 1"]).await;
    from("192.0.2.1", &asked, post("/tokens", "pkey_test_0")).await.error(401, "authentication_failure");
    let answer = from("192.0.2.1", &asked, post("/tokens", "pkey_test_0")).await;
    assert_eq!(answer.header("retry-after"), Some("3600"));
    asked.pass(Duration::from_secs(3600));
    from("192.0.2.1", &asked, post("/tokens", "pkey_test_0")).await.error(401, "authentication_failure");
}

#[tokio::test]
async fn asking_too_early_does_not_lengthen_the_wait() {
    let asked = limited_by(&["address=1/s burst 2", "key=1/m burst 1"]).await;
    let account = asked.merchant().await;
    assert_eq!(from("192.0.2.1", &asked, post("/tokens", &account.public_key)).await.status, 200);
    for _ in 0..100 {
        let answer = from("192.0.2.1", &asked, post("/tokens", &account.public_key)).await;
        assert_eq!(answer.header("retry-after"), Some("60"));
    }
    assert_eq!(from("192.0.2.1", &asked, keys()).await.status, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_everybody_has_an_address() {
    let mut limits = set(&["address=1/m burst 1"]);
    limits.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let asked = Asked::limited(&limits).await;
    let for_whom = |whom: &'static str| async move {
        let mut request = keys();
        request.headers_mut().insert("x-forwarded-for", whom.parse().unwrap());
        request
    };
    for (peer, whom, status) in [
        ("10.0.0.1", "203.0.113.1", 200),
        ("10.0.0.1", "203.0.113.2", 200),
        ("10.0.0.2", "203.0.113.1", 429),
        // What a client writes itself stands before what the proxy adds.
        ("10.0.0.1", "198.51.100.1, 203.0.113.1", 429),
        // A stranger is not believed.
        ("192.0.2.1", "203.0.113.3", 200),
        ("192.0.2.1", "203.0.113.4", 429),
    ] {
        assert_eq!(from(peer, &asked, for_whom(whom).await).await.status, status, "{peer} {whom}");
    }
}

#[tokio::test]
async fn an_ipv6_network_of_64_bits_is_one_address() {
    let asked = limited("address=1/m burst 1").await;
    assert_eq!(from("[2001:db8:0:1::1]", &asked, keys()).await.status, 200);
    assert_eq!(from("[2001:db8:0:1:ffff::2]", &asked, keys()).await.status, 429);
    assert_eq!(from("[2001:db8:0:2::1]", &asked, keys()).await.status, 200);
}

#[tokio::test]
async fn a_page_can_read_that_it_has_to_wait() {
    let asked = limited("address=1/m burst 1").await;
    let account = asked.merchant().await;
    assert_eq!(from("192.0.2.1", &asked, keys()).await.status, 200);
    let mut request = post("/tokens", &account.public_key);
    request.headers_mut().insert(ORIGIN, SHOP.parse().unwrap());
    let answer = from("192.0.2.1", &asked, request).await;
    answer.error(429, "too_many_requests");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("Retry-After"));
    assert!(answer.header("x-request-id").is_some());
}

#[tokio::test]
async fn a_busy_shop_behind_one_address_meets_no_default_limit() {
    let asked = Asked::limited(&Limits::default()).await;
    let account = asked.merchant().await;
    // A minute of ten checkouts a second, a request in ten refused or declined, as one address's and one key's.
    for second in 0..60_u32 {
        for checkout in 0..10_u32 {
            for _ in 0..8 {
                assert_eq!(from("192.0.2.1", &asked, keys()).await.status, 200);
            }
            let slip = (second * 10 + checkout) % 10 == 0;
            let card = clear_card(if slip { "4242424242424241" } else { VISA });
            let answer = from("192.0.2.1", &asked, post_json("/tokens", &account.public_key, &card)).await;
            assert_eq!(answer.status, if slip { 400 } else { 200 });
        }
        asked.pass(Duration::from_secs(1));
    }
}

#[test]
fn the_program_limits_by_the_address_of_the_connection() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let vault = Served::start_with(&dir, &["--limits-failed-authentications", "1/h burst 2"]);
    for _ in 0..2 {
        assert_eq!(vault.request("POST", "/tokens", "pkey_test_0", JSON, "{}").status, 401);
    }
    let reply = vault.request("POST", "/tokens", &account.public_key, JSON, "{}");
    assert_eq!(reply.status, 429);
    assert!(reply.head.contains("\r\nretry-after: 3600\r\n"), "{reply:?}");
    assert_eq!(vault.request("GET", "/livez", "", JSON, "").status, 200);
}

#[test]
fn a_proxy_that_is_not_trusted_is_told_of_once() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let ask = |vault: &Served| {
        for _ in 0..3 {
            vault.request(
                "GET",
                "/docs/errors HTTP/1.1\r\nX-Forwarded-For: 203.0.113.1\r\nX-Rest:",
                "",
                JSON,
                "",
            );
        }
    };
    let vault = Served::start(&dir);
    ask(&vault);
    assert_eq!(vault.log().matches("no proxy is trusted").count(), 1, "{}", vault.log());
    assert!(!vault.log().contains("203.0.113.1"));
    drop(vault);
    let vault = Served::start_with(&dir, &["--trusted-proxies", "127.0.0.0/8"]);
    ask(&vault);
    assert_eq!(vault.log().matches("no proxy is trusted").count(), 0, "{}", vault.log());
}

async fn limited(setting: &str) -> Asked {
    limited_by(&[setting]).await
}

async fn limited_by(settings: &[&str]) -> Asked {
    Asked::limited(&set(settings)).await
}

fn set(settings: &[&str]) -> Limits {
    let mut limits = UNLIMITED;
    for setting in settings {
        let (name, limit) = setting.split_once('=').unwrap();
        let name = Name::ALL.into_iter().find(|known| known.as_str() == name).unwrap();
        *limits.limit_mut(name) = limit.parse().unwrap();
    }
    limits
}

/// Sends a request as it would come over a connection from `address`.
async fn from(address: &str, asked: &Asked, mut request: Request<Body>) -> Answer {
    let peer: SocketAddr = format!("{address}:50000").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    asked.send(request).await
}

fn keys() -> Request<Body> {
    get("/.well-known/jwks.json", "")
}

fn get(path: &str, key: &str) -> Request<Body> {
    request(Method::GET, path, key).body(Body::empty()).unwrap()
}

fn post(path: &str, key: &str) -> Request<Body> {
    post_json(path, key, &clear_card(VISA))
}

fn post_json(path: &str, key: &str, body: &serde_json::Value) -> Request<Body> {
    request(Method::POST, path, key).header(CONTENT_TYPE, JSON).body(body.to_string().into()).unwrap()
}

async fn charge(asked: &Asked, account: &Account, token: &str) -> Answer {
    let body = json!({ "amount": 10_000, "currency": "thb", "card": token });
    from("192.0.2.1", asked, post_json("/charges", &account.secret_key, &body)).await
}

/// A key with a password, which makes no difference.
fn with_password(key: &str, password: &str) -> String {
    format!("{key}:{password}")
}
