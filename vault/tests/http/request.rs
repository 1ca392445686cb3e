use axum::body::Body;
use axum::http::Method;

use crate::support::{Asked, request};

#[tokio::test]
async fn unknown_paths_and_methods_answer_as_omise_does() {
    let asked = Asked::new().await;
    for path in ["/", "/nothing", "/tokens/", "/tokens/a/b", "/.well-known", "/%ff", "/tokens//"] {
        asked.get(path, "").await.error(404, "not_found");
    }
    for (method, path, allowed) in [
        (Method::GET, "/tokens", "POST"),
        (Method::DELETE, "/tokens/tokn_test_0", "GET,HEAD"),
        (Method::PUT, "/charges", "POST"),
        (Method::POST, "/livez", "GET,HEAD"),
        (Method::POST, "/.well-known/jwks.json", "GET,HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/charges", "POST"),
    ] {
        let answer = asked.send(request(method, path, "").body(Body::empty()).unwrap()).await;
        answer.error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed));
    }
}

#[tokio::test]
async fn ids_that_are_none_are_not_found() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for id in ["x", "tokn_test_0", "chrg_test_0", "%ff", "%00", "tokn_test_%27", "..", &"x".repeat(5000)] {
        asked.get(&format!("/tokens/{id}"), &account.public_key).await.error(404, "not_found");
        asked.get(&format!("/charges/{id}"), &account.secret_key).await.error(404, "not_found");
    }
}

#[tokio::test]
async fn every_answer_has_an_id_and_is_not_sniffed() {
    let asked = Asked::new().await;
    let first = asked.get("/livez", "").await;
    let second = asked.get("/nothing", "").await;
    for answer in [&first, &second] {
        assert_eq!(answer.header("x-request-id").unwrap().len(), 26);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_eq!(first.body, "ok\n");
}

#[tokio::test]
async fn a_sane_id_of_the_caller_is_kept() {
    let asked = Asked::new().await;
    for (id, kept) in [
        ("6f1d3c1e-5b7a-4a9b-9f0e-2f6f6f0c9a11", true),
        ("order_7.1", true),
        ("", false),
        ("two words", false),
        ("4242424242424242", false),
        ("4242-4242-4242-4242", false),
        (&"x".repeat(65), false),
    ] {
        let request = request(Method::GET, "/livez", "").header("x-request-id", id);
        let answer = asked.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("x-request-id") == Some(id), kept, "{id}");
    }
}
