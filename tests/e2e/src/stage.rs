//! A vault and a shop, as `cargo xtask demo` starts them, but on ports and in a folder of one's own.

use std::cell::{OnceCell, RefCell};
use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use cardseal_sandbox::{Sandbox, handover};
use serde_json::json;

use crate::server::Server;

/// A vault and a shop that run until this is dropped.
#[derive(Debug)]
pub struct Stage {
    folder: PathBuf,
    shop: Shop,
    inline_shop: Shop,
    vault: Option<Server>,
    vault_url: String,
    merchant: String,
    public_key: String,
    secret_key: String,
    /// The shop's accounts with vendors, once it has any.
    vendors: Option<PathBuf>,
    keeps_folder: bool,
}

impl Stage {
    /// Sets it up: a fresh database, a merchant, the vault.
    ///
    /// # Errors
    /// When a program is not built or does not start.
    pub fn set() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = target()?.join("e2e").join(name);
        fs::create_dir_all(&folder)?;

        let shop = Shop::closed("hosted", "received.log")?;
        let inline_shop = Shop::closed("inline", "received-inline.log")?;
        let mut add = vault_program()?;
        add.args([
            "merchant",
            "add",
            "--json",
            "--name",
            "End-to-end shop",
            "--origin",
            &shop.origin(),
            "--origin",
            &inline_shop.origin(),
            "--data-dir",
        ]);
        let added = add.arg(folder.join("vault")).output()?;
        ensure!(added.status.success(), "merchant add: {}", String::from_utf8_lossy(&added.stderr));
        let keys: serde_json::Value = serde_json::from_slice(&added.stdout)?;
        let key = |name: &str| {
            keys[name].as_str().map(str::to_owned).with_context(|| format!("no {name} was printed"))
        };
        let (merchant, public_key, secret_key) = (key("merchant")?, key("public_key")?, key("secret_key")?);

        let vault = start_vault(&folder, 0)?;
        let vault_url = vault.url()?;
        Ok(Self {
            folder,
            shop,
            inline_shop,
            vault: Some(vault),
            vault_url,
            merchant,
            public_key,
            secret_key,
            vendors: None,
            keeps_folder: false,
        })
    }

    /// Connects the merchant with every vendor's stand-in, and has charges go to Payment Options. The vault is started again,
    /// and the shop takes all their tokens when it opens.
    ///
    /// # Errors
    /// When the vault's program refuses.
    pub fn connect(&mut self, sandbox: &Sandbox) -> Result<()> {
        let files = self.folder.join("vendors");
        handover::write(&files, sandbox, "http://127.0.0.1")?;
        for name in Sandbox::NAMES {
            let account = files.join(format!("account-{name}.toml"));
            if name == "payment-options" {
                let text = fs::read_to_string(&account)?;
                fs::write(&account, format!("{text}takes_charges = true\n"))?;
            }
            self.merchant_command(|connect| {
                connect.args(["connect", "--merchant", &self.merchant, "--vendor", name]);
                connect.arg("--account").arg(&account);
            })?;
        }
        let key_for = |scope: &str| {
            let printed = self.merchant_command(|keys| {
                keys.args(["keys", "add", "--merchant", &self.merchant, "--scope", "use", "--scope", scope]);
            })?;
            let mut lines = printed.lines().filter_map(|line| line.split_once(' '));
            let key = lines.find(|(name, _)| *name == "skey").map(|(_, key)| key.trim().to_owned());
            key.context("no key was printed")
        };

        let keys = |secret: &str| json!({ "publicKey": self.public_key, "secretKey": secret });
        let at_omise = &sandbox.omise.credentials;
        let mut omise = keys(&self.secret_key);
        omise["omise"] = json!({
            "vault": sandbox.omise.server.url(),
            "publicKey": at_omise.public_key,
            "secretKey": at_omise.secret_key,
        });
        let accounts = json!({
            "omise": omise,
            "payment-options": keys(&self.secret_key),
            "thales-d1": keys(&key_for("pay")?),
            "thales-pci": keys(&key_for("detokenize")?),
        });
        let file = files.join("shop.json");
        fs::write(&file, json!({ "accounts": accounts }).to_string())?;
        self.vendors = Some(file);
        self.stop_vault();
        self.start_vault()
    }

    /// A command of the vault's about merchants. Gives what it prints.
    fn merchant_command(&self, arguments: impl FnOnce(&mut Command)) -> Result<String> {
        let mut command = vault_program()?;
        arguments(command.arg("merchant"));
        let output = command.arg("--data-dir").arg(self.folder.join("vault")).output()?;
        ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The address of the shop whose card form stands in a frame.
    ///
    /// # Errors
    /// When the shop did not tell it.
    pub fn shop_url(&self) -> Result<String> {
        self.shop.url(self)
    }

    /// The address of the shop whose card form stands in the page.
    ///
    /// # Errors
    /// When the shop did not tell it.
    pub fn inline_shop_url(&self) -> Result<String> {
        self.inline_shop.url(self)
    }

    /// Where all that the shop with the frame received can be looked at.
    ///
    /// # Errors
    /// When the shop does not open.
    pub fn window_url(&self) -> Result<String> {
        self.shop.url(self)?;
        Ok(format!("http://127.0.0.1:{}", self.shop.window_port))
    }

    /// Both shops' addresses.
    ///
    /// # Errors
    /// When one did not tell it.
    pub fn shops(&self) -> Result<[String; 2]> {
        Ok([self.shop_url()?, self.inline_shop_url()?])
    }

    /// The vault's address, which stays the same when it is stopped and started again.
    #[must_use]
    pub fn vault_url(&self) -> &str {
        &self.vault_url
    }

    /// The merchant's public key.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The merchant's secret key.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// Registers more origins for the merchant's pages, besides the shops'.
    ///
    /// # Errors
    /// When the vault's program refuses.
    pub fn register(&self, origins: &[&str]) -> Result<()> {
        let shops = [self.shop.origin(), self.inline_shop.origin()];
        let mut command = vault_program()?;
        command.args(["merchant", "origins", "--key", &self.public_key, "--data-dir"]);
        command.arg(self.folder.join("vault"));
        for origin in shops.iter().map(String::as_str).chain(origins.iter().copied()) {
            command.args(["--origin", origin]);
        }
        let output = command.output()?;
        ensure!(output.status.success(), "merchant origins: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The thumbprint of the key that the vault signs its sealing keys with, as its operator has it.
    ///
    /// # Errors
    /// When the vault's program does not tell it.
    pub fn signing_key(&self) -> Result<String> {
        let mut export = vault_program()?;
        let output = export.args(["keys", "export", "--data-dir"]).arg(self.folder.join("vault")).output()?;
        ensure!(output.status.success(), "keys export: {}", String::from_utf8_lossy(&output.stderr));
        let keys: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let kid = keys["signing"][0]["jwk"]["kid"].as_str();
        kid.map(str::to_owned).context("no signing key was exported")
    }

    /// Where everything lies that vault and shop keep and log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Leaves everything where it is when this is dropped, for a person to look at.
    pub const fn keep(&mut self) {
        self.keeps_folder = true;
    }

    /// Ends the vault.
    pub fn stop_vault(&mut self) {
        self.vault = None;
    }

    /// Starts the vault again, at the same address with the same data.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_vault(&mut self) -> Result<()> {
        let port = self.vault_url.rsplit(':').next().context("an address has a port")?.parse()?;
        self.vault = Some(start_vault(&self.folder, port)?);
        Ok(())
    }
}

/// A shop, which opens when somebody asks for its address.
#[derive(Debug)]
struct Shop {
    mode: &'static str,
    log: &'static str,
    port: u16,
    window_port: u16,
    /// Nobody else gets the ports until the shop opens. The first must be known before, as the vault is told of the shop's
    /// origin.
    reserved: RefCell<Option<[TcpListener; 2]>>,
    server: OnceCell<Server>,
}

impl Shop {
    fn closed(mode: &'static str, log: &'static str) -> Result<Self> {
        let reserve = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let reserved = [reserve()?, reserve()?];
        let [port, window_port] = [reserved[0].local_addr()?.port(), reserved[1].local_addr()?.port()];
        Ok(Self {
            mode,
            log,
            port,
            window_port,
            reserved: RefCell::new(Some(reserved)),
            server: OnceCell::new(),
        })
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn url(&self, stage: &Stage) -> Result<String> {
        if self.server.get().is_none() {
            let mut sell = Command::new("node");
            sell.arg(workspace().join("www/shop/server.mjs"));
            // A page with a frame is of another site than the vault, as in life. Firefox's driver has no keys for a frame
            // of the same site.
            let vault = match self.mode {
                "hosted" => stage.vault_url.replace("127.0.0.1", "localhost"),
                _ => stage.vault_url.clone(),
            };
            sell.args(["--mode", self.mode, "--port", &self.port.to_string(), "--vault", &vault]);
            sell.args(["--window", &self.window_port.to_string()]);
            sell.arg("--log").arg(stage.folder.join(self.log));
            if let Some(vendors) = &stage.vendors {
                sell.arg("--vendors").arg(vendors);
            }
            sell.env("CARDSEAL_PUBLIC_KEY", &stage.public_key);
            sell.env("CARDSEAL_SECRET_KEY", &stage.secret_key);
            drop(self.reserved.take());
            let server = Server::start(&mut sell, "listening on", &stage.folder.join("shop.log"))?;
            // Nobody else is here meanwhile.
            let _ = self.server.set(server);
        }
        self.server.get().context("the shop was just opened")?.url()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.keeps_folder {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn start_vault(folder: &Path, port: u16) -> Result<Server> {
    let mut serve = vault_program()?;
    serve.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(folder.join("vault"));
    serve.arg("--assets").arg(workspace().join("pkg"));
    let settings = folder.join("vendors/vendors.toml");
    if settings.exists() {
        serve.arg("--config").arg(settings);
    }
    Server::start(&mut serve, "listening on", &folder.join("vault.log"))
}

fn vault_program() -> Result<Command> {
    let program = target()?.join("debug/cardseal-vault");
    ensure!(program.exists(), "the vault is not built; `cargo build --package cardseal-vault` builds it");
    Ok(Command::new(program))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder that cargo builds into, found from where this very program lies in it.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let built = program.ancestors().find(|folder| folder.ends_with("debug"));
    built.and_then(Path::parent).map(Path::to_owned).context("run this from cargo's target folder")
}
