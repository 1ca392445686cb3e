//! Private keys of client certificates in a PKCS#11 token: SoftHSM, Debian's package `softhsm2`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cardseal::client::Profile;
use reqwest::Client;
use tempfile::TempDir;

use super::program::{connected, key, post};
use super::{VISA, sealed};
use crate::support::program::{Served, command};
use crate::support::vendors::Vendors;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "246810";

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_both_kinds_sign_in_their_token() {
    let (vendors, outer, token) = (Vendors::start().await, tempfile::tempdir().unwrap(), Token::new());
    let sandbox = &vendors.sandbox;
    // P-256 over TLS 1.2, and RSA over TLS 1.3.
    token.import("pci", &sandbox.thales_pci.credentials.client.key);
    let d1 = sandbox.thales_d1.rsa_client().unwrap();
    token.import("d1", &d1.key);
    vendors.write("thales-d1-client.pem", d1.certificate.as_bytes());
    let tables = vendors.tables();
    let tables = ["pci", "d1"].iter().fold(tables, |tables, label| {
        let file = vendors.path(&format!("thales-{label}-client-key.pem"));
        fs::remove_file(&file).unwrap();
        tables.replace(&*file.display().to_string(), &token.uri(label))
    });
    vendors.write("vault.toml", tables.as_bytes());
    let dir = outer.path().join("vault");
    let account = connected(&vendors, &dir);
    let vault = Served::run(token.serve(&vendors.path("vault.toml"), &dir));
    let http = Client::new();
    for profile in [Profile::ThalesPci, Profile::ThalesD1] {
        let jwe = sealed(profile, &key(&http, &vault, &account, profile).await, VISA);
        let answer = post(&http, &vault, &account, profile, &jwe).await.unwrap();
        assert_eq!(answer["state"], "ACTIVE", "{answer}\n{}", vault.log());
        let records = sandbox.server(profile.as_str()).unwrap().records.all();
        assert!(!records.is_empty() && records.iter().all(|asked| asked.client.is_some()));
    }
    drop(vault);

    // A key that is not there is told when the vault starts.
    let wrong = tables.replace("object=pci", "object=other");
    vendors.write("vault.toml", wrong.as_bytes());
    let output = token.serve(&vendors.path("vault.toml"), &dir).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("not exactly one private key \"other\""), "{error}");
}

/// A token that is called `cards`.
struct Token(TempDir);

impl Token {
    fn new() -> Self {
        assert!(Path::new(MODULE).exists(), "SoftHSM is not installed; type: apt-get install softhsm2");
        let token = Self(tempfile::tempdir().unwrap());
        let tokens = token.path("tokens");
        fs::create_dir(&tokens).unwrap();
        fs::write(token.configuration(), format!("directories.tokendir = {}\n", tokens.display())).unwrap();
        fs::write(token.path("pin"), PIN).unwrap();
        fs::set_permissions(token.path("pin"), fs::Permissions::from_mode(0o600)).unwrap();
        token.run(&["--init-token", "--free", "--label", "cards", "--pin", PIN, "--so-pin", "13579135"]);
        token
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn configuration(&self) -> PathBuf {
        self.path("softhsm2.conf")
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new("softhsm2-util");
        let output = command.args(arguments).env("SOFTHSM2_CONF", self.configuration()).output();
        let output = output.expect("SoftHSM is not installed; type: apt-get install softhsm2");
        assert!(output.status.success(), "{output:?}");
    }

    /// Puts a key (PKCS#8, PEM) into it.
    fn import(&self, label: &str, key: &str) {
        let file = self.path("key.pem");
        fs::write(&file, key).unwrap();
        let (file, id) = (file.display().to_string(), if label == "pci" { "01" } else { "02" });
        self.run(&["--import", &file, "--token", "cards", "--label", label, "--id", id, "--pin", PIN]);
    }

    fn uri(&self, label: &str) -> String {
        let pin = self.path("pin").display().to_string();
        format!("pkcs11:token=cards;object={label}?module-path={MODULE}&pin-source=file:{pin}")
    }

    fn serve(&self, settings: &Path, dir: &Path) -> Command {
        let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--config"]);
        serve.arg(settings).arg("--data-dir").arg(dir).env("SOFTHSM2_CONF", self.configuration());
        serve
    }
}
