//! `demo`: the vault and the demo shop, for a person or for one headless visit.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::build;
use crate::cli::{Demo, PROFILES, Visit};
use crate::needs::browser::{self, Browser};
use crate::needs::npm;
use crate::process::{cargo, execute, interrupt};
use crate::service::{Job, Service};
use crate::vendors::{self, Vendors};
use crate::{pkg, vault, workspace};

/// How often the demo looks whether something has ended.
const GLANCE: Duration = Duration::from_millis(100);

/// Builds, starts both servers, and serves or buys once.
pub(crate) fn run(options: &Demo) -> Result<ExitCode> {
    let browser = match options.visit {
        Visit::Person => None,
        Visit::BrowserOnce(_) => Some(browser::Kind::Chromium.get()?),
    };
    let ports = Ports {
        vault: Port::take("vault", options.vault_port)?,
        shop: Port::take("shop", options.shop_port)?,
        window: Port::take("window", options.window_port)?,
    };
    build::run()?;
    vault::build()?;
    vendors::build()?;
    match (browser, &options.visit) {
        (Some(browser), Visit::BrowserOnce(profile)) => buy(&browser, ports, profile),
        _ => serve(ports),
    }
}

/// One purchase for each profile by a headless browser, each at a demo that was just started. Everything but the visit is
/// built.
pub(super) fn buy_once(browser: &Browser) -> Result<()> {
    vendors::build()?;
    for profile in PROFILES {
        let ports = Ports {
            vault: Port::take("vault", 0)?,
            shop: Port::take("shop", 0)?,
            window: Port::take("window", 0)?,
        };
        if buy(browser, ports, profile)? != ExitCode::SUCCESS {
            bail!("see above");
        }
    }
    Ok(())
}

/// Where the demo listens.
#[derive(Debug)]
struct Ports {
    vault: Port,
    shop: Port,
    /// Where all that the shop received can be looked at.
    window: Port,
}

fn serve(ports: Ports) -> Result<ExitCode> {
    let interrupt = interrupt()?;
    let mut servers = Servers::start(ports)?;
    println!("Ctrl-C stops all; what they keep and log is in {}", servers.folder);
    while servers.glance(&interrupt)? == Next::GoOn {}
    println!("\nstopping");
    Ok(ExitCode::SUCCESS)
}

fn buy(browser: &Browser, ports: Ports, profile: &str) -> Result<ExitCode> {
    println!("xtask: building the headless visit");
    execute(cargo().args(["build", "--package", "cardseal-e2e", "--bin", "once"]))?;
    let interrupt = interrupt()?;
    let mut servers = Servers::start(ports)?;
    let mut visit = cargo();
    visit.args(["run", "--quiet", "--package", "cardseal-e2e", "--bin", "once", "--"]);
    visit.args(["--vault", &servers.vault_url, "--shop", &servers.shop_url, "--window", &servers.window_url]);
    visit.args(["--profile", profile]);
    browser.lead(&mut visit);
    let mut visit = Job::start(&mut visit)?;
    loop {
        if let Some(status) = visit.ended()? {
            // None is a visit that a signal ended.
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
        }
        if servers.glance(&interrupt)? == Next::Stop {
            bail!("interrupted");
        }
    }
}

/// The running demo. All stop when it is dropped, the shop first, as it calls the vault, and that the vendors.
#[derive(Debug)]
struct Servers {
    shop: Service,
    vault: Service,
    vendors: Vendors,
    shop_url: String,
    window_url: String,
    vault_url: String,
    folder: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

impl Servers {
    fn start(Ports { vault, shop, window }: Ports) -> Result<Self> {
        let (vault_port, shop_port, window) = (vault.leave()?, shop.leave()?, window.leave()?);
        // A folder for each port, as two demos can run side by side.
        let folder = workspace::root().join(format!("target/demo/{}", vault_port));
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let data = folder.join("vault");

        let origin = format!("http://127.0.0.1:{}", shop_port);
        let by_name = format!("http://localhost:{}", shop_port);
        let behind = Port::take("vault", 0)?.leave()?;
        let vendors = Vendors::start(&folder, vault_port, behind)?;
        let (keys, accounts) = vendors.open_accounts(&data, &[&origin, &by_name])?;

        let mut serve = vault::serve(&data, behind);
        serve.arg("--assets").arg(workspace::root().join("pkg")).arg("--config").arg(vendors.settings());
        let kept = pkg::keep(workspace::root())?;
        let (vault, _) = Service::start("vault", &mut serve, &folder.join("vault.log"))?;
        // It has read all of it.
        drop(kept);
        let vault_url = format!("http://127.0.0.1:{vault_port}");

        let mut sell = npm::node()?;
        sell.args(["www/shop/server.mjs", "--vault", &vault_url, "--port", &shop_port.to_string(), "--log"]);
        sell.arg(folder.join("shop-received.log")).arg("--vendors").arg(accounts);
        sell.args(["--window", &window.to_string()]);
        sell.env("CARDSEAL_PUBLIC_KEY", keys.public).env("CARDSEAL_SECRET_KEY", keys.secret);
        let (shop, shop_url) = Service::start("shop", &mut sell, &folder.join("shop.log"))?;
        let window_url = format!("http://127.0.0.1:{window}");
        println!("\n  shop    {shop_url}\n  vault   {vault_url}");
        println!("  window  {window_url}  what the shop received from everybody, for this demo only\n");
        Ok(Self { shop, vault, vendors, shop_url, window_url, vault_url, folder: relative(&folder) })
    }

    /// Waits a moment; an error when a server has ended by itself.
    fn glance(&mut self, interrupt: &Receiver<()>) -> Result<Next> {
        match interrupt.recv_timeout(GLANCE) {
            Ok(()) => return Ok(Next::Stop),
            Err(RecvTimeoutError::Disconnected) => bail!("the handler of Ctrl-C is gone"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        self.vendors.check()?;
        self.vault.check()?;
        self.shop.check()?;
        Ok(Next::GoOn)
    }
}

/// A port of this machine that nobody else gets until the server is started that it is meant for. One that is taken is told
/// before minutes go into building, also to the second of two demos that are started together.
#[derive(Debug)]
struct Port(TcpListener);

impl Port {
    /// This one, or any free one for 0.
    fn take(server: &str, port: u16) -> Result<Self> {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => Ok(Self(listener)),
            Err(error) => bail!(
                "port {port}, meant for the {server}, is not free ({error}); choose another with --{server}-port"
            ),
        }
    }

    /// Its number, for the server.
    fn leave(self) -> Result<u16> {
        Ok(self.0.local_addr()?.port())
    }
}

fn relative(path: &Path) -> String {
    path.strip_prefix(workspace::root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_ones_own_until_it_is_left() {
        let port = Port::take("vault", 0).unwrap();
        let number = port.0.local_addr().unwrap().port();
        let error = Port::take("shop", number).unwrap_err().to_string();
        assert!(error.contains(&number.to_string()) && error.contains("--shop-port"), "{error}");
        assert_eq!(port.leave().unwrap(), number);
        assert_eq!(Port::take("shop", number).unwrap().leave().unwrap(), number);
    }
}
