use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use axum::http::Method;
use cardseal_vault::http::{operations, router};
use cardseal_vault::log::Recent;
use serde_json::json;
use tokio::sync::Notify;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::log::listen;
use crate::support::vendors::Vendors;
use crate::support::{Asked, UNLIMITED, VISA, limiter, parts, request};

/// A vault, and what only its operator gets to.
struct Watched {
    asked: Asked,
    operations: Asked,
    _vendors: Vendors,
}

impl Watched {
    async fn new() -> Self {
        let vendors = Vendors::start().await;
        let asked = Asked::reaching(&vendors).await;
        let parts = parts(&asked.vault, None, limiter(&UNLIMITED, &Default::default()));
        let operations = operations(&parts, Recent::default());
        let beside = asked.beside(Default::default()).await;
        let asked = asked.routed(router(parts));
        Self { operations: beside.operated(operations), asked, _vendors: vendors }
    }

    /// The samples, by name and labels.
    async fn samples(&self) -> BTreeMap<String, f64> {
        let answer = self.operations.get("/metrics", "").await;
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(kind)));
        assert!(answer.body.ends_with("# EOF\n"));
        let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        samples.map(sample).collect()
    }
}

#[tokio::test]
async fn what_was_done_is_counted() {
    let watched = Watched::new().await;
    let asked = &watched.asked;
    let account = asked.merchant().await;
    let (paid, declined) =
        (asked.token(&account, VISA).await, asked.token(&account, "4111111111140011").await);
    asked.charge(&account, &paid).await;
    asked.charge(&account, &declined).await;
    asked.charge(&account, &paid).await.error(400, "used_token");
    let jwe = asked.seal(&account).await;
    asked.tokenize_sealed(&account, &jwe).await;
    // The same seal makes no second token.
    asked.tokenize_sealed(&account, &jwe).await;
    asked.tokenize_sealed(&account, "a.b.c.d.e").await.error(400, "invalid_seal");

    let samples = watched.samples().await;
    for (name, value) in [
        (r#"cardseal_tokens_total{kind="token",mode="test"}"#, 3.0),
        (r#"cardseal_charges_total{mode="test",outcome="successful"}"#, 1.0),
        (r#"cardseal_charges_total{mode="test",outcome="failed"}"#, 1.0),
        (r#"cardseal_http_errors_total{code="invalid_seal"}"#, 1.0),
        (r#"cardseal_http_errors_total{code="used_token"}"#, 1.0),
        (r#"cardseal_http_requests_total{method="POST",route="/tokens",status="200"}"#, 4.0),
        (r#"cardseal_http_requests_total{method="POST",route="/tokens",status="400"}"#, 1.0),
        (r#"cardseal_http_requests_total{method="POST",route="/charges",status="200"}"#, 2.0),
        (r#"cardseal_http_request_duration_seconds_count{method="POST",route="/charges"}"#, 3.0),
        (r#"cardseal_http_request_duration_seconds_bucket{le="+Inf",method="POST",route="/charges"}"#, 3.0),
        (r#"cardseal_sealing_key_age_seconds{mode="live",version="1",state="active"}"#, 0.0),
        ("cardseal_connections_open", 0.0),
        ("cardseal_connections_limit", 4096.0),
        ("cardseal_database_queue", 0.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} in {samples:#?}");
    }
    let certificate = r#"cardseal_client_certificate_expiry_seconds{vendor="thales-pci",mode="test"}"#;
    for name in ["process_resident_memory_bytes", "process_cpu_seconds_total", certificate] {
        assert!(samples[name] > 0.0, "{name}");
    }
    let version = concat!("cardseal_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    assert_eq!(samples.get(version), Some(&1.0));
    // The page for operators has each of them, and no other.
    let told = include_str!("../../../docs/monitoring.md");
    let told = told.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    let told: BTreeSet<_> = told.filter(|name| name.contains('_')).collect();
    let parts = ["_bucket", "_count", "_sum"];
    let names = samples.keys().map(|sample| {
        let name = sample.split('{').next().unwrap();
        parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name)
    });
    assert_eq!(names.collect::<BTreeSet<_>>(), told);
    let connections =
        ["busy", "idle"].map(|state| samples[&format!("cardseal_database_connections{{state=\"{state}\"}}")]);
    assert!(connections.iter().sum::<f64>() >= 1.0, "{connections:?}");
}

#[tokio::test]
async fn no_caller_makes_a_label() {
    let watched = Watched::new().await;
    let asked = &watched.asked;
    let account = asked.merchant().await;
    asked.get("/tokens", "").await;
    asked.get(&format!("/tokens/{VISA}"), &account.public_key).await;
    let before = watched.samples().await.len();
    for n in 0..50 {
        asked.get(&format!("/tokens/{VISA}{n}?{n}"), &account.public_key).await;
        asked.get(&format!("/nowhere/{n}"), &format!("pkey_test_{n}")).await;
        let method = Method::from_bytes(format!("METHOD{n}").as_bytes()).unwrap();
        asked.send(request(method, "/tokens", "").body(Body::empty()).unwrap()).await;
    }
    let answer = watched.operations.get("/metrics", "").await;
    for words in ["METHOD", "nowhere", VISA, "pkey_"] {
        assert!(!answer.body.contains(words), "{words}");
    }
    // Once for an unknown path and once for an unknown method, however many there were.
    let samples = watched.samples().await;
    assert_eq!(samples[r#"cardseal_http_requests_total{method="GET",route="-",status="404"}"#], 50.0);
    assert_eq!(samples[r#"cardseal_http_requests_total{method="-",route="/tokens",status="405"}"#], 50.0);
    let per_route = 14 + 1 + 2;
    assert!(samples.len() <= before + 2 * (1 + per_route), "{before} and {}", samples.len());
}

#[tokio::test]
async fn a_request_whose_client_hangs_up_is_counted_too() {
    let watched = Watched::new().await;
    let account = watched.asked.merchant().await;
    let waited_for = Arc::new(Notify::new());
    let body = futures_util::stream::poll_fn({
        let waited_for = Arc::clone(&waited_for);
        move |_| -> Poll<Option<io::Result<Vec<u8>>>> {
            waited_for.notify_one();
            Poll::Pending
        }
    });
    let request = request(Method::POST, "/tokens", &account.public_key);
    let request = request.header("content-type", "application/json").body(Body::from_stream(body)).unwrap();
    tokio::select! {
        answer = watched.asked.send(request) => panic!("{answer:?}"),
        () = waited_for.notified() => {}
    }
    let samples = watched.samples().await;
    assert_eq!(samples[r#"cardseal_http_requests_total{method="POST",route="/tokens",status="499"}"#], 1.0);
}

#[tokio::test]
async fn only_the_operators_listener_tells() {
    let watched = Watched::new().await;
    for path in ["/metrics", "/errors"] {
        watched.asked.get(path, "").await.error(404, "not_found");
        assert_eq!(watched.operations.get(path, "").await.status.as_u16(), 200);
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(watched.operations.get(path, "").await.status.as_u16(), 200);
    }
    assert_eq!(watched.operations.get("/tokens", "").await.status.as_u16(), 404);
}

#[tokio::test]
async fn the_last_errors_are_kept_without_secrets() {
    let asked = Asked::new().await;
    let recent = Recent::default();
    let parts = parts(&asked.vault, None, limiter(&UNLIMITED, &Default::default()));
    let operations = asked.operated(operations(&parts, recent.clone()));
    assert_eq!(operations.get("/errors", "").await.json(), json!([]));
    let _guard = listen(tracing_subscriber::registry().with(recent));
    for n in 0..30 {
        tracing::error!(error = format!("{VISA} {n}"), "failed");
        tracing::warn!("not an error");
    }
    let errors = operations.get("/errors", "").await.json();
    let errors = errors.as_array().unwrap();
    assert_eq!(errors.len(), 20);
    assert_eq!((&errors[19]["message"], &errors[19]["error"]), (&json!("failed"), &json!("[redacted]")));
}
