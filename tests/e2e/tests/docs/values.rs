//! What stands in the examples for something of the reader's own, and what a test puts in its place.

use std::process::Command;

use anyhow::{Context, Result};
use cardseal_e2e::Stage;
use serde_json::Value;

use crate::project::succeeds;
use crate::{program, root};

/// A merchant, and the release that the vault serves.
pub(crate) struct Values {
    vault: String,
    merchant: Option<String>,
    public_key: String,
    secret_key: String,
    release: Value,
}

impl Values {
    /// Those of the stage's merchant, whose pages a browser shows.
    pub(crate) fn of(stage: &Stage) -> Result<Self> {
        let release = std::fs::read_to_string(root().join("pkg/integrity.json"))?;
        Ok(Self {
            vault: stage.vault_url().into(),
            merchant: None,
            public_key: stage.public_key().into(),
            secret_key: stage.secret_key().into(),
            release: serde_json::from_str(&release)?,
        })
    }

    /// Those of a new merchant, whose only origin is the one in the documentation.
    pub(crate) fn of_new_merchant(stage: &Stage) -> Result<Self> {
        let mut add = Command::new(program("cardseal-vault")?);
        add.args([
            "merchant",
            "add",
            "--json",
            "--name",
            "Docs",
            "--origin",
            "https://shop.example",
            "--data-dir",
        ]);
        let keys: Value = serde_json::from_str(&succeeds(add.arg(stage.folder().join("vault")))?)?;
        let key = |name: &str| keys[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let merchant = Some(key("merchant")?);
        Ok(Self {
            merchant,
            public_key: key("public_key")?,
            secret_key: key("secret_key")?,
            ..Self::of(stage)?
        })
    }

    /// The merchant's id, if it is new.
    pub(crate) fn merchant(&self) -> Option<&str> {
        self.merchant.as_deref()
    }

    /// The text with everything in its place.
    pub(crate) fn fill(&self, text: &str) -> Result<String> {
        let text = text
            .replace("https://vault.example", &self.vault)
            .replace("pkey_test_…", &self.public_key)
            .replace("skey_test_…", &self.secret_key);
        self.fill_in_digests(&text)
    }

    /// A token of the merchant's for this card, which has not been used.
    pub(crate) fn token(&self, number: &str) -> Result<String> {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--user",
            &format!("{}:", self.public_key),
            &format!("{}/tokens", self.vault),
        ]);
        let number = format!("number]={number}");
        for member in [&number, "expiration_month]=12", "expiration_year]=2030", "name]=A B"] {
            curl.args(["--data", &format!("card[{member}")]);
        }
        let token: Value = serde_json::from_str(&succeeds(&mut curl)?)?;
        Ok(token["id"].as_str().with_context(|| format!("no token but {token}"))?.to_owned())
    }

    /// Puts a file's own hash into its name, and its own digest where one stands after that.
    fn fill_in_digests(&self, text: &str) -> Result<String> {
        const HASH: &str = "-0123456789abcdef.js";
        const DIGEST: &str = "sha384-…";
        let (mut filled, mut rest, mut file) = (String::new(), text, None);
        loop {
            match (rest.find(HASH), rest.find(DIGEST)) {
                (Some(at), digest) if digest.is_none_or(|digest| at < digest) => {
                    let stem = rest[..at].rsplit('/').next().unwrap_or_default();
                    let integrity = self.integrity(&format!("{stem}.js"))?;
                    filled.push_str(&format!("{}-{}.js", &rest[..at], hash(&integrity)?));
                    rest = &rest[at + HASH.len()..];
                    file = Some(integrity);
                }
                (_, Some(at)) => {
                    filled.push_str(&rest[..at]);
                    filled.push_str(file.as_deref().context("a digest stands before any file's name")?);
                    rest = &rest[at + DIGEST.len()..];
                }
                _ => return Ok(filled + rest),
            }
        }
    }

    /// A released file's digest.
    fn integrity(&self, path: &str) -> Result<String> {
        let files = self.release["files"].as_array().context("a release has files")?;
        let file = files
            .iter()
            .find(|file| file["path"] == path)
            .with_context(|| format!("{path} is not released"))?;
        Ok(file["integrity"].as_str().context("a file has a digest")?.to_owned())
    }
}

/// What of a digest stands in a file's name.
fn hash(integrity: &str) -> Result<String> {
    use base64ct::{Base64, Encoding as _};
    let digest = integrity.strip_prefix("sha384-").and_then(|digest| Base64::decode_vec(digest).ok());
    let digest = digest.with_context(|| format!("{integrity} is no digest"))?;
    Ok(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}
