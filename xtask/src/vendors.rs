//! The vendors' stand-ins for the demo, and the shop's accounts with them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{cargo, execute, in_workspace};
use crate::service::Service;
use crate::vault::{self, Keys};
use crate::workspace;

/// The running stand-ins. They stop when this is dropped.
#[derive(Debug)]
pub(crate) struct Vendors {
    service: Service,
    /// Where they are told how to answer, and tell what went over the wires.
    pub(crate) url: String,
    /// What they hand over to a client.
    folder: PathBuf,
}

/// Builds them.
pub(crate) fn build() -> Result<()> {
    println!("xtask: building the vendors' stand-ins");
    execute(cargo().args(["build", "--package", "cardseal-sandbox"]))
}

impl Vendors {
    /// Starts them, with files and log in a folder. They stand in front of the vault at `port`, which listens at `behind`
    /// itself, so that they can tell what goes to it.
    pub(crate) fn start(folder: &Path, port: u16, behind: u16) -> Result<Self> {
        let files = folder.join("vendors");
        let mut run = in_workspace(workspace::target().join("debug/cardseal-sandbox"));
        run.arg("--folder").arg(&files);
        run.args(["--tap", &format!("http://127.0.0.1:{behind}"), "--tap-port", &port.to_string()]);
        let (service, url) = Service::start("sandbox", &mut run, &folder.join("sandbox.log"))?;
        Ok(Self { service, url, folder: files })
    }

    /// The file with the vault's settings that lead to them.
    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.join("vendors.toml")
    }

    /// Adds a shop's merchants to a vault and connects them: one with a token of its own and those of all vendors that
    /// charges do not go to, one whose charges go to Payment Options. Gives the first one's keys and a file for the shop with
    /// the rest.
    pub(crate) fn open_accounts(&self, data: &Path, origins: &[&str]) -> Result<(Keys, PathBuf)> {
        let shop = vault::add_merchant(data, "Demo shop", origins)?;
        for vendor in ["omise", "thales-d1", "thales-pci"] {
            vault::connect(data, &shop, vendor, &self.account(vendor))?;
        }
        let on_file = vault::add_merchant(data, "Demo shop, cards on file", origins)?;
        let charging = self.account("payment-options");
        let text =
            fs::read_to_string(&charging).with_context(|| format!("reading {}", charging.display()))?;
        fs::write(&charging, format!("{text}takes_charges = true\n"))?;
        vault::connect(data, &on_file, "payment-options", &charging)?;
        let file = self.folder.join("shop.json");
        let detokenizing = vault::add_key(data, &shop, &["use", "detokenize"])?;
        let paying = vault::add_key(data, &shop, &["use", "pay"])?;
        fs::write(&file, self.shop_accounts(&shop, [&detokenizing, &paying], &on_file)?)?;
        Ok((shop, file))
    }

    /// What a vendor knows the merchant by.
    fn account(&self, vendor: &str) -> PathBuf {
        self.folder.join(format!("account-{vendor}.toml"))
    }

    /// The shop's file. Keys and addresses have no character that means anything in JSON.
    fn shop_accounts(
        &self,
        shop: &Keys,
        [detokenizing, paying]: [&str; 2],
        on_file: &Keys,
    ) -> Result<String> {
        let account = fs::read_to_string(self.account("omise"))?;
        let settings = fs::read_to_string(self.settings())?;
        let value = |text: &str, name: &str| -> Result<String> {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
            let value = line.and_then(|line| line.strip_suffix('"'));
            Ok(value.with_context(|| format!("the stand-ins have written no {name}"))?.to_owned())
        };
        let keys =
            |public: &str, secret: &str| format!(r#""publicKey": "{public}", "secretKey": "{secret}""#);
        let own = keys(&shop.public, &shop.secret);
        Ok(format!(
            r#"{{
  "wires": "{wires}",
  "accounts": {{
    "omise": {{ {own}, "omise": {{ "vault": "{omise}", {at_omise} }} }},
    "payment-options": {{ {on_file} }},
    "thales-d1": {{ {paying} }},
    "thales-pci": {{ {detokenizing} }}
  }}
}}
"#,
            wires = self.url,
            omise = value(&settings, "vault_url")?,
            at_omise = keys(&value(&account, "public_key")?, &value(&account, "secret_key")?),
            detokenizing = keys(&shop.public, detokenizing),
            paying = keys(&shop.public, paying),
            on_file = keys(&on_file.public, &on_file.secret),
        ))
    }

    /// An error when they have ended by themselves.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.service.check()
    }
}
