use axum::body::Body;
use axum::http::Method;
use axum::http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, HOST, ORIGIN};
use cardseal_vault::merchant::{ClearCards, Mode};

use crate::support::{Account, Answer, Asked, SHOP, VISA, clear_card, request};

const OTHER_SHOP: &str = "https://other.example";
const STRANGER: &str = "https://stranger.example";

#[tokio::test]
async fn preflights_of_registered_origins_are_answered() {
    let asked = Asked::new().await;
    asked.merchant().await;
    for path in ["/tokens", "/tokens/tokn_test_0"] {
        let answer = preflight(&asked, path, SHOP).await;
        assert_eq!(answer.status, 204);
        for (name, value) in [
            ("access-control-allow-origin", SHOP),
            ("access-control-allow-methods", "GET, POST"),
            ("access-control-allow-headers", "Authorization, Content-Type, Omise-Version, X-Request-Id"),
            ("access-control-max-age", "7200"),
            ("vary", "Origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert_eq!(answer.header("access-control-allow-credentials"), None);

        let answer = preflight(&asked, path, STRANGER).await;
        assert!(answer.error(403, "origin_not_allowed").contains("--origin"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn a_page_gets_tokens_of_its_own_merchant_only() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    asked.merchant_with(Mode::Test, ClearCards::Allowed, OTHER_SHOP).await;

    let own = post_from(&asked, &account, SHOP).await;
    assert_eq!(own.status, 200, "{own:?}");
    assert_eq!(own.header("access-control-allow-origin"), Some(SHOP));
    assert_eq!(own.header("access-control-expose-headers"), Some("Date, Retry-After, X-Request-Id"));
    assert_eq!(own.header("vary"), Some("Origin"));

    // The page of another merchant may read why, a stranger's may not even that.
    let other = post_from(&asked, &account, OTHER_SHOP).await;
    other.error(403, "origin_not_allowed");
    assert_eq!(other.header("access-control-allow-origin"), Some(OTHER_SHOP));
    for origin in [STRANGER, "null", "nonsense", "http://127.0.0.1:4244", "https://127.0.0.1:4243"] {
        let answer = post_from(&asked, &account, origin).await;
        answer.error(403, "origin_not_allowed");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
    assert_eq!(asked.count("tokens").await, 1);
}

#[tokio::test]
async fn errors_can_be_read_by_a_page() {
    let asked = Asked::new().await;
    asked.merchant().await;
    let nobody = Account { public_key: "pkey_test_unknown".into(), secret_key: String::new() };
    let answer = post_from(&asked, &nobody, SHOP).await;
    answer.error(401, "authentication_failure");
    assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP));
}

#[tokio::test]
async fn the_vaults_own_pages_and_servers_need_no_registration() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for (host, origin) in [
        ("vault.example", Some("https://vault.example")),
        ("127.0.0.1:4242", Some("http://127.0.0.1:4242")),
        ("vault.example", None),
    ] {
        let mut request = request(Method::POST, "/tokens", &account.public_key)
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let answer = asked.send(request.body(Body::from(clear_card(VISA).to_string())).unwrap()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn charges_are_no_business_of_a_page() {
    let asked = Asked::new().await;
    asked.merchant().await;
    let answer = preflight(&asked, "/charges", SHOP).await;
    answer.error(405, "method_not_allowed");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

async fn preflight(asked: &Asked, path: &str, origin: &str) -> Answer {
    let request = request(Method::OPTIONS, path, "")
        .header(ORIGIN, origin)
        .header(ACCESS_CONTROL_REQUEST_METHOD, "POST");
    asked.send(request.body(Body::empty()).unwrap()).await
}

async fn post_from(asked: &Asked, account: &Account, origin: &str) -> Answer {
    let request = request(Method::POST, "/tokens", &account.public_key)
        .header(ORIGIN, origin)
        .header(CONTENT_TYPE, "application/json");
    asked.send(request.body(Body::from(clear_card(VISA).to_string())).unwrap()).await
}
