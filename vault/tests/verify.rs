//! `verify` against vaults that serve what was released, and against such as somebody has been at.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http_body_util::BodyExt;

use crate::support::program::{self, Served, add_merchant};
use crate::support::release::{LOADED, Released};
use crate::support::{Account, Asked, SHOP};

#[tokio::test]
async fn an_untouched_vault_is_ok_line_by_line() {
    let stage = Stage::new().await;
    let vault = stage.serve(|_, _| {}).await;
    let output = stage.verify(&vault, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("{vault}, held against cardseal 1.0.0\nshown by {SHOP}\n")), "{text}");
    assert!(text.contains("\nsealing keys NOT COMPARED: "), "{text}");
    let lines: Vec<_> = text.lines().skip(4).collect();
    let named = |subject: &str| {
        let line = lines.iter().find(|line| line.split("  ").next() == Some(subject));
        assert!(line.is_some_and(|line| line.ends_with("  ok")), "{subject}: {text}");
    };
    for locale in ["en", "ja", "th"] {
        named(&format!("/frame {locale}"));
        for header in [
            "content-security-policy",
            "referrer-policy",
            "permissions-policy",
            "x-content-type-options",
            "cross-origin-resource-policy",
            "cross-origin-embedder-policy",
            "cache-control",
        ] {
            named(&format!("/frame {locale}: {header}"));
        }
    }
    for path in LOADED {
        named(&format!("/v1/{path}"));
        named(&stage.released.hashed(path));
    }
    let widths: Vec<_> = lines.iter().map(|line| line.rfind("  ok")).collect();
    assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
}

#[tokio::test]
async fn every_change_is_found() {
    let stage = Stage::new().await;
    let hashed = |path| stage.released.hashed(path);
    let (script, wasm) = (hashed("frame.js"), hashed("cardseal_bg.wasm"));
    let script_digest = stage.released.integrity("frame.js");

    let at = |path: &str, change: fn(&mut Answer)| {
        let path = path.to_owned();
        Box::new(move |asked: &str, answer: &mut Answer| {
            if asked == path {
                change(answer);
            }
        }) as Tamper
    };
    let policy = |from: &'static str, to: &'static str| {
        Box::new(move |path: &str, answer: &mut Answer| {
            if path == "/frame" {
                let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
                assert!(policy.contains(from), "{policy}");
                let policy = policy.replace(from, to);
                answer.headers.insert(CONTENT_SECURITY_POLICY, policy.parse().unwrap());
            }
        }) as Tamper
    };
    let page = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        Box::new(move |path: &str, answer: &mut Answer| {
            if path == "/frame" {
                assert!(answer.body.contains(&from), "{}", answer.body);
                answer.body = answer.body.replace(&from, &to);
            }
        }) as Tamper
    };
    let extra = "<script src=\"https://evil.example/x.js\"></script></head>";
    for (what, tamper, subject, words) in [
        ("a changed script", at(&script, |answer| answer.body.push('x')), &*script, "goes on"),
        (
            "a script of the same length",
            at(&script, |answer| answer.body.replace_range(..1, "X")),
            &script,
            "sha384-",
        ),
        ("a shorter script", at(&script, |answer| answer.body.clear()), &script, "sha384-"),
        ("a changed wasm", at(&wasm, |answer| answer.body.replace_range(..1, "X")), &wasm, "sha384-"),
        (
            "a script that only those with brotli get",
            at(&script, |answer| {
                if answer.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding == "br") {
                    answer.body.replace_range(..1, "X");
                }
            }),
            &script,
            "(br)",
        ),
        (
            "a script that only those without compression get",
            at(&script, |answer| {
                if !answer.headers.contains_key(CONTENT_ENCODING) {
                    answer.body.replace_range(..1, "X");
                }
            }),
            &script,
            "(identity)",
        ),
        (
            "a coding that it is not in",
            at(&script, |answer| {
                answer.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("zstd"));
            }),
            &script,
            "content-encoding",
        ),
        (
            "a changed loader",
            at("/v1/cardseal.js", |answer| answer.body.clear()),
            "/v1/cardseal.js",
            "sha384-",
        ),
        (
            "a changed element",
            at("/v1/element.js", |answer| answer.body.clear()),
            "/v1/element.js",
            "sha384-",
        ),
        ("a changed omise.js", at("/v1/omise.js", |answer| answer.body.clear()), "/v1/omise.js", "sha384-"),
        (
            "a file that is gone",
            at("/v1/omise.js", |answer| answer.status = StatusCode::NOT_FOUND),
            "/v1/omise.js",
            "answers 404",
        ),
        (
            "a script as text",
            at("/v1/omise.js", |answer| {
                answer.headers.insert("content-type", HeaderValue::from_static("text/plain"));
            }),
            "/v1/omise.js",
            "content-type: \"text/plain\" instead of \"text/javascript; charset=utf-8\"",
        ),
        (
            "an inline script let in",
            policy("'wasm-unsafe-eval'", "'wasm-unsafe-eval' 'unsafe-inline'"),
            "/frame en: content-security-policy",
            "'unsafe-inline'",
        ),
        (
            "another place to connect to",
            policy("connect-src 'self'", "connect-src 'self' https://evil.example"),
            "/frame th: content-security-policy",
            "evil.example",
        ),
        ("anybody's frame", policy(SHOP, "*"), "/frame en: content-security-policy", "frame-ancestors *;"),
        (
            "nobody's word on frames",
            policy("frame-ancestors", "frame-uncles"),
            "/frame ja: content-security-policy",
            "uncles",
        ),
        (
            "no policy at all",
            at("/frame", |answer| {
                answer.headers.remove(CONTENT_SECURITY_POLICY);
            }),
            "/frame en: content-security-policy",
            "\"\" instead of",
        ),
        (
            "a second policy",
            at("/frame", |answer| {
                answer.headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src *"));
            }),
            "/frame en: content-security-policy",
            "default-src *",
        ),
        (
            "no permissions policy",
            at("/frame", |answer| {
                answer.headers.remove("permissions-policy");
            }),
            "/frame en: permissions-policy",
            "\"\" instead of",
        ),
        (
            "sniffing",
            at("/frame", |answer| {
                answer.headers.remove("x-content-type-options");
            }),
            "/frame en: x-content-type-options",
            "instead of \"nosniff\"",
        ),
        (
            "a header that leads away",
            at("/frame", |answer| {
                answer.headers.insert("refresh", HeaderValue::from_static("0;url=https://evil.example"));
            }),
            "/frame en: refresh",
            "not the vault's",
        ),
        (
            "a script that may take over the origin",
            at("/v1/cardseal.js", |answer| {
                answer.headers.insert("service-worker-allowed", HeaderValue::from_static("/"));
            }),
            "/v1/cardseal.js",
            "service-worker-allowed",
        ),
        ("an extra script", page("</head>", extra), "/frame en", "evil.example"),
        (
            "a script without its digest",
            page(&format!(" integrity=\"{script_digest}\""), ""),
            "/frame en",
            "></script>",
        ),
        ("a form's texts without their digest", page(" integrity=\"", " data-x=\""), "/frame en", "data-x="),
        ("another script", page(&script, "/v1/frame-0123456789abcdef.js"), "/frame en", "0123456789abcdef"),
        ("another key", page(&stage.account.public_key, "pkey_test_other"), "/frame en", "pkey_test_other"),
        ("one more page to talk to", page(SHOP, "https://evil.example"), "/frame en", "evil.example"),
        (
            "a change for one language only",
            at("/frame", |answer| {
                answer.body = answer.body.replace("<html lang=\"ja\"", "<html lang=\"ja\" x")
            }),
            "/frame ja",
            " x",
        ),
        (
            "a page beyond measure",
            at("/frame", |answer| answer.body.push_str(&"x".repeat(3 * 1024 * 1024))),
            "/frame en",
            "xxx",
        ),
        (
            "another page",
            at("/frame", |answer| {
                answer.status = StatusCode::FOUND;
                answer.headers.insert(LOCATION, HeaderValue::from_static("https://evil.example/"));
            }),
            "/frame en",
            "answers 302",
        ),
        (
            "a page that writes over the terminal",
            page("<title>", "\u{1b}[2K\r\u{9b}\u{202e}<title>"),
            "/frame en",
            r"\u{1b}[2K\r\u{9b}\u{202e}",
        ),
    ] {
        let vault = stage.serve(tamper).await;
        let output = stage.verify(&vault, &[]).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}: {text}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("are not what was released"), "{what}: {error}");
        let line =
            text.lines().find(|line| line.split("  ").next() == Some(subject) && line.contains("DIFFERS: "));
        assert!(line.is_some_and(|line| line.contains(words)), "{what}: {text}");
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{what}");
    }
}

#[tokio::test]
async fn an_origin_that_was_added_is_shown_and_found_where_the_right_ones_are_given() {
    let stage = Stage::new().await;
    let vault = stage
        .serve(|path, answer| {
            if path == "/frame" {
                let both = "http://127.0.0.1:4243 https://evil.example";
                answer.body = answer.body.replace(SHOP, both);
                let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap().replace(SHOP, both);
                answer.headers.insert(CONTENT_SECURITY_POLICY, policy.parse().unwrap());
            }
        })
        .await;
    let shown = stage.verify(&vault, &[]).await;
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    assert!(
        String::from_utf8(shown.stdout)
            .unwrap()
            .contains("shown by http://127.0.0.1:4243 https://evil.example\n")
    );

    let found = stage.verify(&vault, &["--origin", SHOP]).await;
    assert_eq!(found.status.code(), Some(1), "{found:?}");

    let untouched = stage.serve(|_, _| {}).await;
    assert_eq!(stage.verify(&untouched, &["--origin", SHOP]).await.status.code(), Some(0));
    let other = stage.verify(&untouched, &["--origin", SHOP, "--origin", "https://other.example"]).await;
    assert_eq!(other.status.code(), Some(1));
}

#[tokio::test]
async fn another_merchants_or_releases_vault_differs() {
    let stage = Stage::new().await;
    let vault = stage.serve(|_, _| {}).await;
    let stranger = Account { public_key: "pkey_test_0".into(), secret_key: String::new() };
    let output = verify(&vault, &stranger, &stage.released, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("answers 401 instead of 200"));

    let output = verify(&vault, &stage.account, &Released::new("1.1.0"), &[]).await;
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn where_nothing_can_be_said_the_reason_is() {
    let stage = Stage::new().await;
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let plain = stage.serve(|_, _| {}).await.replace("http://", "https://");
    for (vault, words) in [
        (&*closed, "gives no answer: Connection refused"),
        ("http://nobody.invalid", "http://nobody.invalid gives no answer: "),
        (&plain, "gives no answer: "),
        ("nonsense", "such as https://shop.example"),
    ] {
        let output = stage.verify(vault, &[]).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(words), "{vault}: {text}");
        assert_eq!(output.stdout, b"");
    }
    stage.released.write("frame.js", "changed");
    let output = stage.verify(&closed, &[]).await;
    assert!(String::from_utf8(output.stderr).unwrap().contains("frame.js is not the file"));
}

#[test]
fn tls_is_checked() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (outer.path().join("cert.pem"), outer.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    crate::support::write_secret(&key, made.signing_key.serialize_pem());
    let released = Released::new("1.0.0");
    let [certificate, key, assets] =
        [&*certificate, &*key, released.path()].map(|path| path.to_str().unwrap().to_owned());
    let served =
        Served::start_with(&dir, &["--tls-cert", &certificate, "--tls-key", &key, "--assets", &assets]);
    let vault = format!("https://localhost:{}", served.address.port());

    let mut command = command(&vault, &account, &released, &[]);
    let stranger = command.output().unwrap();
    assert_eq!(stranger.status.code(), Some(1));
    assert!(String::from_utf8(stranger.stderr).unwrap().contains("certificate"));
    let known = command.env("SSL_CERT_FILE", &certificate).output().unwrap();
    assert_eq!(known.status.code(), Some(0), "{known:?}");
}

/// A release and a vault that serves it.
pub(crate) struct Stage {
    released: Released,
    pub(crate) asked: Asked,
    account: Account,
}

/// An answer on its way, with the path that was asked for.
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: String,
}

type Tamper = Box<dyn Fn(&str, &mut Answer) + Send + Sync>;

impl Stage {
    pub(crate) async fn new() -> Self {
        let released = Released::new("1.0.0");
        let asked = Asked::serving(released.assets()).await;
        let account = asked.merchant().await;
        Self { released, asked, account }
    }

    /// Serves the vault with somebody between it and the world; gives its address.
    pub(crate) async fn serve(&self, tamper: impl Fn(&str, &mut Answer) + Send + Sync + 'static) -> String {
        let tamper = Arc::new(tamper);
        let between = from_fn(move |request: Request, next: Next| {
            let tamper = Arc::clone(&tamper);
            async move {
                let path = request.uri().path().to_owned();
                let (parts, body) = next.run(request).await.into_parts();
                let body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
                let mut answer = Answer { status: parts.status, headers: parts.headers, body };
                tamper(&path, &mut answer);
                answer.headers.remove(CONTENT_LENGTH);
                let mut response = Response::new(Body::from(answer.body));
                (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
                response
            }
        });
        let router: Router = self.asked.router.clone().layer(between);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // It ends with the test's runtime.
        tokio::spawn(axum::serve(listener, router).into_future());
        format!("http://{address}")
    }

    pub(crate) async fn verify(&self, vault: &str, arguments: &[&str]) -> Output {
        verify(vault, &self.account, &self.released, arguments).await
    }
}

async fn verify(vault: &str, account: &Account, released: &Released, arguments: &[&str]) -> Output {
    let mut command = command(vault, account, released, arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn command(vault: &str, account: &Account, released: &Released, arguments: &[&str]) -> Command {
    let assets = released.path().to_str().unwrap();
    let mut all = vec!["verify", vault, "--key", &account.public_key, "--assets", assets];
    all.extend(arguments);
    let mut command = program::command(&all);
    // The stand-ins are on this machine, whatever proxy it uses.
    command.env("NO_PROXY", "127.0.0.1,localhost");
    command
}
