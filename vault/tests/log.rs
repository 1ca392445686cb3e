//! Attacks on the log: cards and keys in whatever a caller, a library or a slip can put in its way.

use std::io::{Read, Write};
use std::net::Shutdown;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use cardseal_vault::log::{FIELDS, Format, redact};
use serde_json::{Value, json};

use crate::support::log::Log;
use crate::support::program::{Served, add_merchant, command};
use crate::support::{Asked, VISA, basic, request};

const KEY: &str = "skey_test_0123456789abcdefghjkmnpqrstvwxyz01234567";

/// A card number, and a secret key, in the ways that they come.
fn secrets() -> Vec<String> {
    let groups = |separator: &str| ["4242"; 4].join(separator);
    let digits = |zero: char| -> String {
        VISA.chars()
            .map(|digit| char::from_u32(u32::from(zero) + digit.to_digit(10).unwrap()).unwrap())
            .collect()
    };
    let each = |text: &str, escape: fn(u8) -> String| text.bytes().map(escape).collect::<String>();
    let base64 = |text: &str| Base64::encode_string(text.as_bytes());
    let mut secrets: Vec<String> =
        [" ", "-", ".", "_", "/", ", ", "%20", "\\n", "\u{a0}", "\u{200b}", "\",\""].map(groups).into();
    secrets.extend(['0', '\u{ff10}', '\u{660}', '\u{6f0}', '\u{966}', '\u{e50}'].map(digits));
    secrets.extend([
        "3782 822463 10005".to_owned(),
        "6447032400000000001".to_owned(),
        each(VISA, |byte| format!("{byte:02x}")),
        each(VISA, |byte| format!("%{byte:x}")),
        each(VISA, |byte| format!("%25{byte:x}")),
        each(VISA, |byte| format!("\\u{byte:04x}")),
        each(&digits('\u{ff10}'), |byte| format!("%{byte:X}")),
        base64(VISA),
        base64(&groups(" ")),
        base64(&format!("{VISA}:")),
        base64(&format!("user:{VISA}")),
        base64(&base64(VISA)),
        Base64UrlUnpadded::encode_string(digits('\u{660}').as_bytes()),
        KEY.to_owned(),
        KEY.to_uppercase(),
        base64(&format!("{KEY}:")),
        each(KEY, |byte| format!("%{byte:x}")),
    ]);
    secrets
}

#[test]
fn no_secret_in_an_event_leaves_the_process() {
    for format in [Format::Text, Format::Json] {
        let log = Log::listen(format);
        for secret in secrets() {
            tracing::error!(error = %secret, "told");
            tracing::error!(error = ?secret, "told");
            tracing::error!(failure = secret, "told");
            tracing::warn!("the message holds {secret}, it does");
            tracing::error_span!("span", error = secret).in_scope(|| tracing::error!("told"));
            for line in log.take() {
                // The moment apart, which may be any digits.
                let (_, line) = line.split_once("Z").unwrap();
                assert_ne!(redact(line), line, "{secret:?} in {line}");
                let redacted = redact(line);
                assert!(redacted.contains("[redacted]") && !redacted.contains(&secret), "{redacted}");
                assert_eq!(redact(&redacted), redacted, "{secret:?}");
            }
        }
    }
}

#[test]
fn an_event_is_one_line_with_fields_of_a_closed_set() {
    let log = Log::listen(Format::Json);
    let span = tracing::error_span!("span", request_id = "r1", other = "not shown");
    span.in_scope(|| tracing::error!(status = 200, surname = "not shown", "one\ntwo\u{1b}[31m"));
    let line = log.take().pop().unwrap();
    let json: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["message"], "one\ntwo\u{1b}[31m");
    assert_eq!(
        (&json["level"], &json["status"], &json["request_id"]),
        (&json!("ERROR"), &json!(200), &json!("r1"))
    );
    assert_eq!(json["left_out"], json!(["surname", "other"]));
    assert!(
        line.starts_with(r#"{"time":"20"#) && !line.contains("not shown") && !line.contains(char::is_control)
    );
    for (name, _) in json.as_object().unwrap() {
        let own = ["time", "level", "target", "message", "left_out"];
        assert!(own.contains(&name.as_str()) || FIELDS.contains(&name.as_str()), "{name}");
    }
    drop(log);

    let log = Log::listen(Format::Text);
    let span = tracing::error_span!("span", request_id = "r1", other = "not shown");
    span.in_scope(|| tracing::error!(status = 200, surname = "not shown", "one\ntwo\u{1b}[31m"));
    let line = log.take().pop().unwrap();
    assert!(line.contains(r#"one\ntwo\u001b[31m status=200"#), "{line}");
    assert!(line.contains(r#"left_out=["surname","other"]"#), "{line}");
    assert!(!line.contains("not shown") && !line.contains(char::is_control), "{line}");
}

#[test]
fn libraries_are_heard_when_something_is_wrong_only() {
    let log = Log::listen(Format::Text);
    tracing::info!(target: "sqlx::query", "a statement");
    tracing::debug!(target: "cardseal_vault::http", "a detail");
    tracing::info!(target: "cardseal_vault::http", "a request");
    tracing::warn!(target: "sqlx::query", error = "slow", "a slow statement");
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].ends_with("Z INFO  a request"), "{lines:?}");
    assert!(lines[1].ends_with("Z WARN  sqlx::query: a slow statement error=\"slow\""), "{lines:?}");
}

/// Requests with a secret wherever one can be.
fn attacks(public_key: &str, secret: &str) -> Vec<Request<Body>> {
    const NAMES: [&str; 14] = [
        "accept-language",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "idempotency-key",
        "if-none-match",
        "omise-version",
        "origin",
        "user-agent",
        "x-correlation-id",
        "x-forwarded-for",
        "x-request-id",
    ];
    let body = json!({ "card": { "number": secret, "name": secret, "city": secret, secret: secret }, secret: secret });
    let post =
        |path: &str| request(Method::POST, path, public_key).header("content-type", "application/json");
    let mut attacks = vec![
        post("/tokens").body(body.to_string().into()),
        post("/tokens").body(json!({ "card": { "sealed": secret } }).to_string().into()),
        post("/tokens").body(secret.to_owned().into()),
        post("/tokens").header("authorization", basic(secret)).body(Body::empty()),
        post("/charges").body(body.to_string().into()),
        request(Method::POST, "/charges", secret).body(Body::empty()),
        Request::builder().method("POST").uri("/tokens").header("authorization", secret).body(Body::empty()),
        request(Method::GET, &format!("/{secret}"), "").body(Body::empty()),
        request(Method::GET, &format!("/tokens/{secret}"), public_key).body(Body::empty()),
        request(Method::GET, &format!("/v1/{secret}.js"), public_key).body(Body::empty()),
        request(Method::GET, &format!("/frame?key={secret}&origin={secret}"), "").body(Body::empty()),
        request(Method::GET, &format!("/tokens?{secret}={secret}"), public_key).body(Body::empty()),
    ];
    if let Ok(method) = Method::from_bytes(secret.as_bytes()) {
        attacks.push(request(method, "/tokens", public_key).body(Body::empty()));
    }
    if let Ok(value) = HeaderValue::from_bytes(secret.as_bytes()) {
        for name in NAMES {
            attacks
                .push(request(Method::POST, "/tokens", public_key).header(name, &value).body(Body::empty()));
            attacks.push(request(Method::GET, "/livez", "").header(name, &value).body(Body::empty()));
        }
    }
    if let Ok(name) = HeaderName::from_bytes(secret.as_bytes()) {
        attacks.push(request(Method::GET, "/livez", "").header(name, "x").body(Body::empty()));
    }
    // Not every secret can be in a path as it is.
    attacks.into_iter().filter_map(Result::ok).collect()
}

#[tokio::test]
async fn nothing_that_a_request_holds_is_logged_even_before_the_log_is_redacted() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for format in [Format::Text, Format::Json] {
        let log = Log::listen(format);
        let mut lines = 0;
        for secret in secrets() {
            for attack in attacks(&account.public_key, &secret) {
                let answer = asked.send(attack).await;
                assert!(!answer.status.is_server_error(), "{answer:?}");
                for line in log.take() {
                    lines += 1;
                    assert!(!line.contains(&secret), "{line}");
                    let (_, line) = line.split_once("Z").unwrap();
                    assert_eq!(redact(line), line);
                }
            }
        }
        assert!(lines > 1000, "{lines}");
    }
}

#[tokio::test]
async fn every_line_about_a_request_has_its_ids() {
    let asked = Asked::new().await;
    let log = Log::listen(Format::Json);
    let request =
        request(Method::GET, "/livez", "").header("x-request-id", "r1").header("x-correlation-id", "c1");
    let answer = asked.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.header("x-request-id"), answer.header("x-correlation-id")), (Some("r1"), Some("c1")));
    let json: Value = serde_json::from_str(&log.take().pop().unwrap()).unwrap();
    assert_eq!((&json["request_id"], &json["correlation_id"]), (&json!("r1"), &json!("c1")));
    assert_eq!(
        (&json["method"], &json["route"], &json["status"]),
        (&json!("GET"), &json!("/livez"), &json!(200))
    );
}

#[test]
fn nothing_sent_to_the_program_is_in_what_it_says() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let vault = Served::start(&dir);
    let mut sent = Vec::new();
    for secret in secrets() {
        let head = format!(
            "Host: vault.test\r\nAuthorization: {}\r\nX-Request-Id: {secret}\r\nConnection: close\r\n",
            basic(&secret)
        );
        let body = json!({ "card": { "number": secret } }).to_string();
        let key = basic(&account.public_key);
        sent.extend([
            format!("GET /{secret} HTTP/1.1\r\n{head}\r\n"),
            format!("POST /tokens?{secret} HTTP/1.1\r\n{head}{secret}: {secret}\r\n\r\n"),
            format!("{secret} / HTTP/1.1\r\n{head}\r\n"),
            format!("{secret}\r\n\r\n"),
            format!(
                "POST /tokens HTTP/1.1\r\nHost: {secret}\r\nTransfer-Encoding: chunked\r\n\r\n{secret}\r\n"
            ),
            format!(
                "POST /tokens HTTP/1.1\r\nHost: vault.test\r\nAuthorization: {key}\r\nContent-Type: \
                 application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        ]);
    }
    for text in &sent {
        let mut stream = vault.connect();
        // It may hang up before it has read everything.
        let _ = stream.write_all(text.as_bytes());
        // One that is not whole would be waited for.
        if !text.contains("Connection: close") {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let _ = stream.read_to_end(&mut Vec::new());
    }
    vault.signal("TERM");
    let said = vault.log();
    let (status, rest) = vault.wait();
    assert!(status.success() && rest.is_empty());
    assert!(said.lines().count() > 50, "{said}");
    for line in said.lines() {
        assert!(!secrets().iter().any(|secret| line.contains(secret.as_str())), "{line}");
        let (_, line) = line.split_once("Z").unwrap();
        assert_eq!(redact(line), line);
    }
}

#[test]
fn a_wrong_command_does_not_repeat_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    for secret in [VISA, "4242 4242 4242 4242", KEY] {
        for arguments in [
            &["serve", "--data-dir", secret, "--listen", secret][..],
            &["merchant", "list", "--data-dir", secret],
            &["merchant", "add", "--data-dir", "x", "--name", secret, "--origin", secret],
            &["merchant", "origins", "--data-dir", "x", "--key", secret, "--origin", "https://a.example"],
            &[secret],
            &["serve", secret],
        ] {
            let output = command(arguments).current_dir(&folder).output().unwrap();
            assert!(!output.status.success() && output.stdout.is_empty());
            let text = String::from_utf8(output.stderr).unwrap();
            assert!(!text.contains(secret) && text.contains("[redacted]"), "{arguments:?}: {text}");
        }
    }
}
