//! Somebody on the way between browsers and vault, or vault and database, who reads and changes what goes over it: live keys
//! without TLS beyond the machine, a browser that comes by `http` once, a database that is asked in the clear.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::program::{Served, add_merchant, command, message, run};
use crate::support::write_secret;

#[test]
fn live_merchants_are_not_served_without_tls_beyond_the_machine() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let folder = dir.to_str().unwrap();
    add_merchant(&dir);
    let open = |arguments: &[&str]| {
        let mut serve = command(&["serve", "--listen", "0.0.0.0:0", "--data-dir", folder]);
        serve.args(arguments);
        serve
    };
    // Test keys are nobody's secret.
    Served::run(open(&[])).kill();
    let live = [
        "merchant",
        "add",
        "--data-dir",
        folder,
        "--name",
        "L",
        "--origin",
        "https://shop.example",
        "--live",
    ];
    assert!(run(&live).status.success());
    let refused = open(&[]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && said.contains("--tls-cert") && said.contains("--trusted-proxies"),
        "{said}"
    );
    // Where TLS ends in front, and on this machine, it is somebody else's line.
    Served::run(open(&["--trusted-proxies", "10.0.0.0/8"])).kill();
    Served::start(&dir).kill();
}

#[test]
fn a_browser_that_came_by_tls_comes_by_nothing_else_for_a_year() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    add_merchant(&dir);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (outer.path().join("cert.pem"), outer.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    write_secret(&key, made.signing_key.serialize_pem());
    let arguments = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let vault = Served::start_with(&dir, &arguments);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    for path in ["/livez", "/tokens/none", "/.well-known/jwks.json"] {
        let client =
            ClientConnection::new(Arc::clone(&config), ServerName::try_from("localhost").unwrap()).unwrap();
        let mut stream = StreamOwned::new(client, TcpStream::connect(vault.address).unwrap());
        stream.write_all(message("GET", path, "", "", "").as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        assert!(answer.contains("\r\nstrict-transport-security: max-age=31536000\r\n"), "{path}: {answer}");
    }
    vault.kill();
    let vault = Served::start(&dir);
    let answer = vault.request("GET", "/livez", "", "", "");
    assert!(!format!("{:?}", answer.head).to_ascii_lowercase().contains("strict-transport"));
}

#[test]
fn a_database_elsewhere_is_not_asked_in_the_clear() {
    for (place, tls) in [
        ("db.example/cards", ""),
        ("db.example/cards", "?sslmode=disable"),
        ("db.example/cards", "?sslmode=allow"),
        ("db.example/cards", "?sslmode=prefer"),
        ("10.1.2.3:5432/cards", ""),
        ("localhost/cards", "?host=db.example"),
    ] {
        let url = format!("postgres://vault:s3cret@{place}{tls}");
        let refused = run(&["merchant", "list", "--database-url", &url]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && said.contains("sslmode=verify-full"), "{url}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}
