use axum::body::Body;
use axum::http::header::ORIGIN;
use axum::http::{Method, Uri};

use super::nothing_was_stored;
use crate::support::{Answer, Asked, SHOP, request};

#[tokio::test]
async fn every_method_everywhere_is_answered() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let methods = [
        "HEAD",
        "OPTIONS",
        "PUT",
        "PATCH",
        "DELETE",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "GETS",
        "!#$%&'*+-.^_`|~",
    ];
    for path in [
        "/",
        "/nothing",
        "/tokens",
        "/tokens/tokn_test_0",
        "/charges",
        "/charges/chrg_test_0",
        "/livez",
        "/.well-known/jwks.json",
        "/docs/errors",
        "/frame",
        "/v1/x",
        "/v1/../tokens",
        "/v1/%2e%2e/tokens",
        "/tokens/..",
        "/tokens/tokn_test_0/",
        "/tokens/tokn_test_0%2f..%2fx",
        "/tokens/%2e%2e%2fcharges",
        "/tokens/tokn_test_0%00",
        "/tokens/%c0%ae",
        "//tokens",
        "/tokens?",
        "/tokens?card[number]=1",
        "/tokens;x=1",
        "/TOKENS",
        "/tokens%20",
        "*",
    ] {
        let Ok(uri) = path.parse::<Uri>() else { panic!("{path}") };
        for method in methods {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            for key in ["", &account.public_key, &account.secret_key] {
                for origin in [None, Some(SHOP), Some("null")] {
                    let mut request = request(method.clone(), "/", key).uri(uri.clone());
                    if let Some(origin) = origin {
                        request = request.header(ORIGIN, origin);
                    }
                    let answer = asked.send(request.body(Body::empty()).unwrap()).await;
                    refused_or_read(&method, path, &answer);
                }
            }
        }
    }
    nothing_was_stored(&asked, &account).await;
}

/// An answer to a method that changes nothing here.
fn refused_or_read(method: &Method, path: &str, answer: &Answer) {
    let what = format!("{method} {path}: {answer:?}");
    match answer.status.as_u16() {
        200 => assert!(*method == Method::HEAD && answer.body.is_empty(), "{what}"),
        204 => assert!(*method == Method::OPTIONS, "{what}"),
        401 | 403 | 404 | 405 if *method == Method::HEAD => assert!(answer.body.is_empty(), "{what}"),
        status @ (401 | 403 | 404 | 405) => {
            let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
            answer.error(status, &code);
            assert!(status != 405 || answer.header("allow").is_some(), "{what}");
        }
        _ => panic!("{what}"),
    }
}
