//! Omise's own client libraries, as npm and PyPI have them, against a vault with and without TLS; and its description
//! against OpenAPI's own schema.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::consumers::{copy_folder, npm};
use super::report::Verdict;
use crate::needs::{python, system};
use crate::process::{execute, output};
use crate::service::Service;
use crate::vault::{self, Keys};
use crate::workspace;

/// Runs each library's scripts, which are in tests/clients/.
pub(super) fn run() -> Result<Verdict> {
    let folder = workspace::target().join("clients");
    let sources = workspace::root().join("tests/clients");
    let (node, packages) = (folder.join("node"), folder.join("python"));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    copy_folder(&sources.join("node"), &node)?;
    execute(npm(&node).args(["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]))?;
    python::packages(&sources.join("python/requirements.txt"), &packages)?;
    let certificate = Certificate::make(&folder)?;
    vault::build()?;

    let data = folder.join("vault");
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("emptying {}", data.display()))?;
    }
    let keys = vault::add_merchant(&data, "Omise's clients", &["https://shop.example"])?;
    for tls in [None, Some(&certificate)] {
        let mut serve = vault::serve(&data, 0);
        if let Some(Certificate { chain, key }) = tls {
            serve.arg("--tls-cert").arg(chain).arg("--tls-key").arg(key);
        }
        let (_vault, url) = Service::start("vault", &mut serve, &folder.join("vault.log"))?;
        // The certificate is for a name.
        let url = url.replace("127.0.0.1", "localhost");
        println!("xtask: Omise's clients with a vault at {url}");
        execute(against(npm(&node).args(["test", "--silent"]), &url, &keys, &certificate))?;
        for script in ["python/test_vault.py", "python/test_openapi.py"] {
            let mut python = python::python()?;
            python.arg(sources.join(script)).env("PYTHONPATH", &packages);
            execute(against(&mut python, &url, &keys, &certificate))?;
        }
    }
    Ok(Verdict::Passed)
}

/// Tells a script by environment which vault to ask.
fn against<'a>(
    script: &'a mut Command,
    url: &str,
    keys: &Keys,
    certificate: &Certificate,
) -> &'a mut Command {
    // What would lead the libraries elsewhere.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OMISE_SCHEME"] {
        script.env_remove(name).env_remove(name.to_lowercase());
    }
    script
        .env("CARDSEAL_VAULT", url)
        .env("CARDSEAL_PUBLIC_KEY", &keys.public)
        .env("CARDSEAL_SECRET_KEY", &keys.secret)
        .env("NODE_EXTRA_CA_CERTS", &certificate.chain)
        .env("REQUESTS_CA_BUNDLE", &certificate.chain)
}

/// A certificate for `localhost` that vouches for itself.
struct Certificate {
    chain: PathBuf,
    key: PathBuf,
}

impl Certificate {
    fn make(folder: &Path) -> Result<Self> {
        let made = Self { chain: folder.join("certificate.pem"), key: folder.join("key.pem") };
        let mut openssl = Command::new(system::program("openssl", "openssl")?);
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        openssl.args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        output(openssl.arg("-keyout").arg(&made.key).arg("-out").arg(&made.chain))?;
        Ok(made)
    }
}
