use axum::body::Body;
use axum::http::{Method, StatusCode};
use cardseal_vault::http::router;
use serde_json::json;

use crate::support::{Asked, NOON, UNLIMITED, limiter, parts, request};

#[tokio::test]
async fn a_vault_that_can_do_its_work_is_ready() {
    let asked = Asked::new().await;
    let answer = asked.get("/readyz", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let checks =
        json!({ "clock": "ok", "database": "ok", "keys": "ok", "sealing_key": "ok", "serving": "ok" });
    assert_eq!(answer.json(), json!({ "status": "ok", "checks": checks }));
    assert_eq!(asked.get("/livez", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_vault_without_its_database_is_alive_but_not_ready() {
    let asked = Asked::new().await;
    asked.vault.store().close().await;
    let answer = asked.get("/readyz", "").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let json = answer.json();
    assert_eq!((&json["status"], &json["checks"]["database"]), (&json!("failing"), &json!("failing")));
    assert_eq!(json["checks"]["sealing_key"], "ok");
    assert_eq!(asked.get("/livez", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_vault_whose_keys_are_not_active_yet_is_not_ready() {
    let asked = Asked::new().await;
    asked.set_time(NOON - 1);
    let answer = asked.get("/readyz", "").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let checks = json!({ "clock": "ok", "database": "ok", "keys": "failing", "sealing_key": "failing", "serving": "ok" });
    assert_eq!(answer.json(), json!({ "status": "failing", "checks": checks }));
}

#[tokio::test]
async fn a_vault_that_stops_says_so_first() {
    let asked = Asked::new().await;
    let parts = parts(&asked.vault, None, limiter(&UNLIMITED, &Default::default()));
    let stopping = parts.stopping.clone();
    let asked = asked.routed(router(parts));
    assert_eq!(asked.get("/readyz", "").await.status, StatusCode::OK);
    stopping.cancel();
    let answer = asked.get("/readyz", "").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["checks"]["serving"]), (503, &json!("failing")));
    // Who comes all the same is served.
    let keys = request(Method::GET, "/.well-known/jwks.json", "").body(Body::empty()).unwrap();
    assert_eq!(asked.send(keys).await.status, StatusCode::OK);
}
