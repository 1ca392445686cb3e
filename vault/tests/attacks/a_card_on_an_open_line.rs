//! Somebody on the way between browsers and vault, or vault and database, who reads and changes what goes over it: live keys
//! without TLS beyond the machine, a browser that comes by `http` once, a database that is asked in the clear.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use cardseal_vault::server::TlsFiles;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokio_rustls::TlsAcceptor;

use crate::support::program::{Served, add_merchant, command, message, run};
use crate::support::release::Released;
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
    // One that serves says so first; of one that does not there is no line.
    let mut refused = open(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(refused.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _ = refused.kill();
    assert_eq!(line, "");
    let said = String::from_utf8(refused.wait_with_output().unwrap().stderr).unwrap();
    assert!(said.contains("--tls-cert") && said.contains("--trusted-proxies"), "{said}");
    // Where TLS ends in front, and on this machine, it is somebody else's line.
    Served::run(open(&["--trusted-proxies", "10.0.0.0/8"])).kill();
    Served::start(&dir).kill();
}

#[test]
fn a_browser_that_came_by_tls_comes_by_nothing_else_for_a_year() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    add_merchant(&dir);
    let TlsFiles { certificate, key } = tls_files(outer.path());
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

/// Also where TLS ends at a proxy, which has to see to it itself.
#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_a_vault_that_browsers_may_come_to_in_the_clear() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let released = Released::new("1.0.0");
    let assets = ["--assets", released.path().to_str().unwrap()];
    let files = tls_files(outer.path());
    let (certificate, key) = (files.certificate.to_str().unwrap(), files.key.to_str().unwrap());
    let verify = |port: u16| {
        let url = format!("https://localhost:{port}");
        let mut verify = command(&["verify", &url, "--key", &account.public_key]);
        verify.args(assets).env("SSL_CERT_FILE", certificate).env("NO_PROXY", "localhost").output().unwrap()
    };

    let vault =
        Served::start_with(&dir, &[&assets[..], &["--tls-cert", certificate, "--tls-key", key]].concat());
    let own = verify(vault.address.port());
    assert_eq!(own.status.code(), Some(0), "{own:?}");
    let own = String::from_utf8(own.stdout).unwrap();
    let is_ok =
        |line: &str| line.starts_with("/frame en: strict-transport-security ") && line.ends_with("  ok");
    assert!(own.lines().any(is_ok), "{own}");
    vault.kill();

    let vault = Served::start_with(&dir, &assets);
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, behind) = (proxy.local_addr().unwrap().port(), vault.address);
    let acceptor = TlsAcceptor::from(files.read().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = proxy.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut browser = acceptor.accept(stream).await.unwrap();
                let mut vault = tokio::net::TcpStream::connect(behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut browser, &mut vault).await;
            });
        }
    });
    let found = tokio::task::block_in_place(|| verify(port));
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let found = String::from_utf8(found.stdout).unwrap();
    let differing: Vec<_> = found.lines().filter(|line| line.contains("DIFFERS")).collect();
    assert_eq!(differing.len(), 3, "a line a language: {found}");
    assert!(differing.iter().all(|line| line.contains(": strict-transport-security ")), "{found}");
}

/// A certificate for this machine, and its key.
fn tls_files(folder: &Path) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    write_secret(&files.key, made.signing_key.serialize_pem());
    files
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
