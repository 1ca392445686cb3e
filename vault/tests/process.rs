//! The program on a real socket: starting, stopping, ending on the spot, TLS, and bodies as large as they come.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

use crate::support::program::{Reply, Served, add_merchant, message};
use crate::support::{Asked, VISA, clear_card};

const JSON: &str = "application/json";

#[test]
fn says_one_line_when_it_is_ready() {
    let outer = tempfile::tempdir().unwrap();
    let vault = Served::start(&outer.path().join("vault"));
    assert_eq!(vault.line, format!("cardseal-vault listening on http://{}\n", vault.address));
    assert_eq!(vault.request("GET", "/livez", "", JSON, "").status, 200);
    vault.signal("TERM");
    let (status, rest) = vault.wait();
    assert_eq!((status.code(), rest.as_str()), (Some(0), ""));
}

#[test]
fn finishes_what_has_begun_when_told_to_stop() {
    for signal in ["TERM", "INT"] {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("vault");
        let account = add_merchant(&dir);
        let vault = Served::start(&dir);
        let text = message("POST", "/tokens", &account.public_key, JSON, &clear_card(VISA).to_string());
        let (begun, rest) = text.split_at(text.len() - 10);

        // An idle connection does not hold the vault up.
        let mut idle = vault.connect();
        idle.write_all(b"GET /livez HTTP/1.1\r\nHost: vault.test\r\n\r\n").unwrap();
        idle.read_exact(&mut [0; 15]).unwrap();

        let mut stream = vault.connect();
        stream.write_all(begun.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n").as_bytes()).unwrap();
        // The vault asks for the body, so the request is in its hands.
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");

        vault.signal(signal);
        // Nobody new gets in.
        while TcpStream::connect(vault.address).is_ok() {
            std::thread::yield_now();
        }
        stream.write_all(rest.as_bytes()).unwrap();
        let reply = Reply::read(&mut stream);
        assert_eq!(reply.status, 200, "{reply:?}");
        let log = vault.log();
        let (status, _) = vault.wait();
        assert_eq!(status.code(), Some(0), "{log}");

        let again = Served::start(&dir);
        let token = format!("/tokens/{}", reply.json()["id"].as_str().unwrap());
        assert_eq!(again.request("GET", &token, &account.public_key, JSON, "").json(), reply.json());
    }
}

#[test]
fn what_was_answered_is_there_after_an_end_on_the_spot() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let mut vault = Served::start(&dir);
    for _ in 0..3 {
        let body = clear_card(VISA).to_string();
        let token = vault.request("POST", "/tokens", &account.public_key, JSON, &body);
        let id = token.json()["id"].as_str().unwrap().to_owned();
        vault.kill();

        vault = Served::start(&dir);
        let path = format!("/tokens/{id}");
        assert_eq!(vault.request("GET", &path, &account.public_key, JSON, "").body, token.body);
        let body = json!({ "amount": 100, "currency": "THB", "card": id }).to_string();
        let charge = vault.request("POST", "/charges", &account.secret_key, JSON, &body);
        let id = charge.json()["id"].as_str().unwrap().to_owned();
        vault.kill();

        vault = Served::start(&dir);
        let path = format!("/charges/{id}");
        assert_eq!(vault.request("GET", &path, &account.secret_key, JSON, "").body, charge.body);
        let again = vault.request("POST", "/charges", &account.secret_key, JSON, &body);
        assert_eq!((again.status, &again.json()["code"]), (400, &json!("used_token")));
    }
}

#[test]
fn bodies_over_8_kib_are_answered_however_they_are_sent() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let vault = Served::start(&dir);
    for length in [8 * 1024 + 1, 200 * 1024] {
        let body = "x".repeat(length);
        let reply = vault.request("POST", "/tokens", &account.public_key, JSON, &body);
        assert_eq!((reply.status, &reply.json()["code"]), (413, &json!("body_too_large")));

        // In chunks, which do not say how many will come.
        let text = message("POST", "/tokens", &account.public_key, JSON, "");
        let text = text.replace("Content-Length: 0", "Transfer-Encoding: chunked");
        let mut stream = vault.connect();
        stream.write_all(format!("{text}{length:x}\r\n{body}\r\n0\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(Reply::read(&mut stream).status, 413);
    }
    assert_eq!(vault.request("GET", "/livez", "", JSON, "").status, 200);
}

#[test]
fn heads_without_end_are_refused() {
    let outer = tempfile::tempdir().unwrap();
    let vault = Served::start(&outer.path().join("vault"));
    let long = format!("GET /livez HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(20 * 1024));
    let many = format!("GET /livez HTTP/1.1\r\n{}\r\n", "X-Many: x\r\n".repeat(65));
    for head in [long, many] {
        let mut stream = vault.connect();
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(Reply::read(&mut stream).status, 431);
    }
}

#[test]
fn tls_is_spoken_with_the_operators_certificate() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let made = rcgen::generate_simple_self_signed(["vault.test".to_owned()]).unwrap();
    let (certificate, key) = (outer.path().join("cert.pem"), outer.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    crate::support::write_secret(&key, made.signing_key.serialize_pem());
    let tls = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let vault = Served::start_with(&dir, &tls);
    assert_eq!(vault.line, format!("cardseal-vault listening on https://{}\n", vault.address));

    let mut roots = RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("vault.test").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, vault.connect());
    stream.write_all(message("GET", "/livez", "", JSON, "").as_bytes()).unwrap();
    let reply = Reply::read(&mut stream);
    assert_eq!((reply.status, reply.body.as_str()), (200, "ok\n"));

    // Without TLS nobody gets an answer there.
    let mut plain = vault.connect();
    plain.write_all(message("GET", "/livez", "", JSON, "").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn answers_tell_the_vaults_time() {
    let outer = tempfile::tempdir().unwrap();
    let vault = Served::start(&outer.path().join("vault"));
    let reply = vault.request("POST", "/tokens", "", JSON, "{}");
    assert!(reply.head.contains("\r\ndate: "), "{reply:?}");
}

#[tokio::test]
async fn security_codes_that_expired_meanwhile_are_deleted_at_the_start() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    asked.token(&account, VISA).await;
    asked.vault.close().await;
    asked.execute("UPDATE security_codes SET expires_at = 0").await;

    let vault = Served::start_at(&asked.dir);
    assert_eq!(asked.count("security_codes").await, 0);
    assert_eq!(vault.request("GET", "/livez", "", JSON, "").status, 200);
}
