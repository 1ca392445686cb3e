//! What comes over a socket that no client of HTTP would send.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::shortened;
use crate::support::home::{connect, rows, sqlite};
use crate::support::program::{Reply, Served, add_merchant};
use crate::support::{Account, VISA, basic, clear_card};

#[test]
fn heads_that_are_none_are_refused() {
    let hostile = Hostile::new();
    let long = "x".repeat(1024 * 1024);
    for (head, status) in [
        (format!("GET /livez HTTP/1.1\r\n{}\r\n", "X-Many: x\r\n".repeat(10_000)), 431),
        (format!("GET /livez HTTP/1.1\r\nX-Long: {long}\r\n\r\n"), 431),
        (format!("GET /livez HTTP/1.1\r\n{long}: x\r\n\r\n"), 431),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 431),
        (format!("{long} /livez HTTP/1.1\r\n\r\n"), 431),
        (long, 431),
        // Other versions.
        ("GET /livez\r\n".into(), 400),
        ("GET /livez\r\n\r\n".into(), 400),
        ("GET /livez HTTP/0.9\r\n\r\n".into(), 400),
        ("GET /livez HTTP/1.2\r\n\r\n".into(), 400),
        ("GET /livez HTTP/2.0\r\n\r\n".into(), 400),
        ("GET /livez HTTP/11\r\n\r\n".into(), 400),
        ("GET /livez http/1.1\r\n\r\n".into(), 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03".into(), 400),
        ("SSH-2.0-OpenSSH\r\n".into(), 400),
        // Not a request line, or not a header.
        ("GET  /livez HTTP/1.1\r\n\r\n".into(), 400),
        ("GET /li vez HTTP/1.1\r\n\r\n".into(), 400),
        ("GET /livez\tHTTP/1.1\r\n\r\n".into(), 400),
        ("G\0T /livez HTTP/1.1\r\n\r\n".into(), 400),
        ("GET /liv\0ez HTTP/1.1\r\n\r\n".into(), 400),
        ("GET http://[::1/livez HTTP/1.1\r\n\r\n".into(), 400),
        ("GET /livez HTTP/1.1\r\nX Y: z\r\n\r\n".into(), 400),
        ("GET /livez HTTP/1.1\r\nX : z\r\n\r\n".into(), 400),
        ("GET /livez HTTP/1.1\r\n: z\r\n\r\n".into(), 400),
        ("GET /livez HTTP/1.1\r\nX\r\n\r\n".into(), 400),
        ("GET /livez HTTP/1.1\r\nX: a\0b\r\n\r\n".into(), 400),
        ("GET /livez HTTP/1.1\r\nX: a\rb\r\n\r\n".into(), 400),
        ("GET /livez HTTP/1.1\r\nX: a\r\n b\r\n\r\n".into(), 400),
    ] {
        let replies = hostile.send(head.as_bytes(), Then::End);
        let [reply] = &*replies else { panic!("{replies:?}: {}", shortened(&head)) };
        let (code, words) = if status == 431 {
            ("head_too_large", "16 KiB")
        } else {
            ("bad_request", "no request of HTTP/1.1")
        };
        assert!(refusal(reply, status, code).contains(words), "{reply:?}: {}", shortened(&head));
    }
    // HTTP/2 begins so, and its clients understand no answer of HTTP/1.1.
    let replies = hostile.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Then::End);
    assert!(replies.is_empty(), "{replies:?}");
    hostile.nothing_was_stored();
}

#[test]
fn where_a_body_ends_is_beyond_doubt() {
    let hostile = Hostile::new();
    let body = clear_card(VISA).to_string();
    let length = body.len();
    // Nobody may take this for a request of its own.
    let next = "GET /livez HTTP/1.1\r\nHost: vault.test\r\n\r\n";
    for (headers, body) in [
        (format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length + 1), body.clone()),
        (format!("Content-Length: {length}, {length}\r\n"), body.clone()),
        (format!("Content-Length: {length}, {}\r\n", length + 1), body.clone()),
        (format!("Content-Length: +{length}\r\n"), body.clone()),
        (format!("Content-Length: -{length}\r\n"), body.clone()),
        (format!("Content-Length: 0x{length:x}\r\n"), body.clone()),
        (format!("Content-Length: {length}.0\r\n"), body.clone()),
        (format!("Content-Length: {length} {length}\r\n"), body.clone()),
        (format!("Content-Length: \"{length}\"\r\n"), body.clone()),
        ("Content-Length:\r\n".into(), body.clone()),
        ("Content-Length: 99999999999999999999\r\n".into(), body.clone()),
        (format!("Content-Length : {length}\r\n"), body.clone()),
        ("Transfer-Encoding: identity\r\n".into(), body.clone()),
        ("Transfer-Encoding: gzip\r\n".into(), body.clone()),
        ("Transfer-Encoding: xchunked\r\n".into(), chunked(&body)),
        ("Transfer-Encoding: chunked, identity\r\n".into(), chunked(&body)),
        ("Transfer-Encoding: chunked;q=1\r\n".into(), chunked(&body)),
        ("Transfer-Encoding: \"chunked\"\r\n".into(), chunked(&body)),
        ("Transfer-Encoding : chunked\r\n".into(), chunked(&body)),
        ("Transfer-Encoding:\x0bchunked\r\n".into(), chunked(&body)),
        ("Transfer-Encoding:\r\n chunked\r\n".into(), chunked(&body)),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".into(), chunked(&body)),
    ] {
        let replies =
            hostile.send(format!("{}{headers}\r\n{body}{next}", hostile.post()).as_bytes(), Then::Wait);
        let [reply] = &*replies else { panic!("{replies:?}: {headers}") };
        refusal(reply, 400, "bad_request");
    }
    hostile.nothing_was_stored();

    // Both at once: chunks count (RFC 9112 section 6.3), and nothing that follows is a request.
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let replies = hostile
            .send(format!("{}{headers}\r\n{}{next}", hostile.post(), chunked("{}")).as_bytes(), Then::Wait);
        let [reply] = &*replies else { panic!("{headers}: {replies:?}") };
        assert!(refusal(reply, 400, "bad_request").contains("card is missing"), "{reply:?}");
    }
    // With HTTP/1.0 there are no chunks.
    let old = hostile.post().replace("HTTP/1.1", "HTTP/1.0");
    let replies = hostile.send(
        format!("{old}Transfer-Encoding: chunked\r\n\r\n{}{next}", chunked("{}")).as_bytes(),
        Then::Wait,
    );
    let [reply] = &*replies else { panic!("{replies:?}") };
    refusal(reply, 400, "bad_request");
    hostile.nothing_was_stored();
}

#[test]
fn bodies_that_are_not_as_they_say_are_refused() {
    let hostile = Hostile::new();
    let body = clear_card(VISA).to_string();
    let (begun, _) = body.split_at(20);
    let length = body.len();
    for (headers, body) in [
        // Less than announced.
        (format!("Content-Length: {}\r\n", length + 1), body.clone()),
        (format!("Content-Length: {length}\r\n"), begun.to_owned()),
        (format!("Content-Length: {length}\r\n"), String::new()),
        (format!("Content-Length: {length}\r\nExpect: 100-continue\r\n"), String::new()),
        (CHUNKED.into(), String::new()),
        (CHUNKED.into(), format!("{length:x}\r\n{body}\r\n")),
        (CHUNKED.into(), format!("{length:x}\r\n{body}")),
        (CHUNKED.into(), format!("{:x}\r\n{body}\r\n0\r\n\r\n", length + 10)),
        // More than announced, or no chunk at all.
        (CHUNKED.into(), format!("{:x}\r\n{body}\r\n0\r\n\r\n", length - 10)),
        (CHUNKED.into(), body.clone()),
        (CHUNKED.into(), format!("zz\r\n{body}\r\n0\r\n\r\n")),
        (CHUNKED.into(), format!("-1\r\n{body}\r\n0\r\n\r\n")),
        (CHUNKED.into(), format!("0x{length:x}\r\n{body}\r\n0\r\n\r\n")),
        (CHUNKED.into(), format!("\r\n{body}\r\n0\r\n\r\n")),
        (CHUNKED.into(), format!("ffffffffffffffff\r\n{body}\r\n0\r\n\r\n")),
        (CHUNKED.into(), format!("10000000000000000\r\n{body}\r\n0\r\n\r\n")),
        (CHUNKED.into(), format!("{length:x};{}\r\n{body}\r\n0\r\n\r\n", "x".repeat(1024 * 1024))),
        (CHUNKED.into(), format!("{length:x}\r\n{body}\r\n0\r\n{}\r\n", "X: y\r\n".repeat(100_000))),
        (CHUNKED.into(), format!("{length:x}\r\n{body}\r\n0\r\nX Y\r\n\r\n")),
    ] {
        let replies = hostile.send(format!("{}{headers}\r\n{body}", hostile.post()).as_bytes(), Then::End);
        let Some(reply) = replies.iter().find(|reply| reply.status != 100) else {
            panic!("no answer: {headers} {}", shortened(&body))
        };
        let message = refusal(reply, 400, "bad_request");
        assert!(message.contains("not framed"), "{message}: {headers} {}", shortened(&body));
    }
    // The rest would be a request of its own, and is none.
    let replies = hostile.send(
        format!("{}Content-Length: {}\r\n\r\n{body}", hostile.post(), length - 10).as_bytes(),
        Then::Wait,
    );
    assert!(refusal(&replies[0], 400, "bad_request").contains("is not valid JSON"));
    assert!(replies[1..].iter().all(|reply| reply.status == 400), "{replies:?}");
    hostile.nothing_was_stored();
}

#[test]
fn a_jwe_of_8_mib_is_answered_however_it_is_sent() {
    let hostile = Hostile::new();
    let body = format!(r#"{{"card":{{"sealed":"{}"}}}}"#, "A".repeat(8 * 1024 * 1024));
    let length = body.len();
    let announced = format!("{}Content-Length: {length}\r\n\r\n{body}", hostile.last_post());
    let in_one_chunk = format!("{}{CHUNKED}\r\n{}", hostile.last_post(), chunked(&body));
    let in_many = body.as_bytes().chunks(1000).map(|part| {
        let part = std::str::from_utf8(part).unwrap();
        format!("{:x}\r\n{part}\r\n", part.len())
    });
    let in_many = format!("{}{CHUNKED}\r\n{}0\r\n\r\n", hostile.last_post(), in_many.collect::<String>());
    for text in [announced, in_one_chunk, in_many] {
        let replies = hostile.send(text.as_bytes(), Then::Wait);
        let [reply] = &*replies else { panic!("{replies:?}") };
        assert!(refusal(reply, 413, "body_too_large").contains("8 KiB"));
    }
    // Who asks first is told at once.
    let asking = format!("{}Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n", hostile.last_post());
    let replies = hostile.send(asking.as_bytes(), Then::Wait);
    let [reply] = &*replies else { panic!("{replies:?}") };
    refusal(reply, 413, "body_too_large");
    // Who announces more than anybody would wait for, too.
    let endless = format!("{}Content-Length: 1000000000000\r\n\r\n", hostile.last_post());
    refusal(&hostile.send(endless.as_bytes(), Then::Wait)[0], 413, "body_too_large");
    hostile.nothing_was_stored();
}

#[test]
fn every_form_of_a_target_leads_somewhere_harmless() {
    let hostile = Hostile::new();
    for (line, status) in [
        ("GET http://vault.test/livez", 200),
        ("GET http://elsewhere.example/livez", 200),
        ("GET HTTP://vault.test/livez", 200),
        ("GET /livez?x#y", 200),
        ("OPTIONS *", 404),
        ("GET *", 404),
        ("CONNECT vault.test:443", 404),
        ("GET vault.test", 404),
        ("GET http://vault.test", 404),
        ("GET //vault.test/livez", 404),
        ("GET /../../../etc/passwd", 404),
        ("GET /%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET /v1/../../etc/passwd", 404),
        ("GET /v1/..%2f..%2fetc%2fpasswd", 404),
        ("GET /v1/%252e%252e%252f", 404),
        ("GET /v1/\\..\\..", 404),
        ("GET /livez/", 404),
        ("GET /livez%00", 404),
        ("GET /livez%2f", 404),
        ("get /livez", 405),
        ("POST /livez", 405),
        ("TRACE /tokens", 405),
    ] {
        let replies = hostile.send(
            format!("{line} HTTP/1.1\r\nHost: vault.test\r\nConnection: close\r\n\r\n").as_bytes(),
            Then::Wait,
        );
        let [reply] = &*replies else { panic!("{line}: {replies:?}") };
        assert_eq!(reply.status, status, "{line}: {reply:?}");
        if (401..499).contains(&status) {
            let code = reply.json()["code"].as_str().unwrap().to_owned();
            refusal(reply, status, &code);
        }
    }
    hostile.nothing_was_stored();
}

#[test]
fn connections_that_end_anywhere_harm_nobody() {
    let hostile = Hostile::new();
    let body = clear_card(VISA).to_string();
    let text = format!("{}Content-Length: {}\r\n\r\n{body}", hostile.post(), body.len());
    for end in (0..text.len()).step_by(7) {
        // Closed in order, and with something unread, so that the other side is told of an error.
        let replies = hostile.send(&text.as_bytes()[..end], Then::End);
        assert!(replies.iter().all(|reply| reply.status == 400), "{end}: {replies:?}");
        let mut stream = hostile.vault.connect();
        stream.write_all(&text.as_bytes()[..end]).unwrap();
        drop(stream);
    }
    hostile.nothing_was_stored();
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

/// A body as one chunk.
fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// Asserts Omise's shape of an error, and gives its message.
#[track_caller]
fn refusal(reply: &Reply, status: u16, code: &str) -> String {
    assert_eq!(reply.status, status, "{reply:?}");
    let json: Value = reply.json();
    assert_eq!((json["object"].as_str(), json["code"].as_str()), (Some("error"), Some(code)), "{reply:?}");
    for line in ["content-type: application/json", "cache-control: no-store", "x-request-id: ", "date: "] {
        assert!(reply.head.contains(&format!("\r\n{line}")), "{line}: {reply:?}");
    }
    json["message"].as_str().unwrap().into()
}

/// A vault that serves, and somebody who has a key.
struct Hostile {
    vault: Served,
    account: Account,
    dir: TempDir,
}

impl Hostile {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = data_dir(dir.path());
        let account = add_merchant(&data_dir);
        Self { vault: Served::start(&data_dir), account, dir }
    }

    /// The head of a request for a token, still open.
    fn post(&self) -> String {
        format!(
            "POST /tokens HTTP/1.1\r\nHost: vault.test\r\nAuthorization: {}\r\nContent-Type: application/json\r\n",
            basic(&self.account.public_key)
        )
    }

    /// The same, for a connection that ends with it.
    fn last_post(&self) -> String {
        format!("{}Connection: close\r\n", self.post())
    }

    /// Sends bytes on a connection of their own, whatever happens to it, and reads every answer.
    fn send(&self, bytes: &[u8], then: Then) -> Vec<Reply> {
        let mut stream = self.vault.connect();
        let mut received = Vec::new();
        std::thread::scope(|scope| {
            let mut sending = stream.try_clone().unwrap();
            scope.spawn(move || {
                // The vault may have had enough before the end.
                let _ = sending.write_all(bytes);
                if then == Then::End {
                    let _ = sending.shutdown(Shutdown::Write);
                }
            });
            let _ = stream.read_to_end(&mut received);
        });
        let text = String::from_utf8(received).unwrap();
        let answers = text.split("HTTP/1.1 ").skip(1).map(|answer| format!("HTTP/1.1 {answer}"));
        answers.map(|answer| Reply::read(&mut answer.as_bytes())).collect()
    }

    /// Nothing is stored, and the next good requests are answered.
    fn nothing_was_stored(&self) {
        let database = sqlite(&data_dir(self.dir.path()));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let tokens = runtime.block_on(async { rows(&mut connect(&database).await, "tokens").await });
        assert_eq!(tokens, 0);
        let reply = self.vault.request("GET", "/livez", "", "text/plain", "");
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(
            !self.vault.log().contains("ERROR") && !self.vault.log().contains("status=5"),
            "{}",
            self.vault.log()
        );
    }
}

/// What a client does when it has sent everything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It says that nothing more will come.
    End,
    /// It waits until the vault ends the connection.
    Wait,
}

fn data_dir(outer: &Path) -> std::path::PathBuf {
    outer.join("vault")
}
