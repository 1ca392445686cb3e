//! The vault's program, as a debug build makes it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{cargo, execute, in_workspace, output};
use crate::workspace;

/// A merchant's id and its two keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) merchant: String,
    pub(crate) public: String,
    pub(crate) secret: String,
}

/// Builds it.
pub(crate) fn build() -> Result<()> {
    println!("xtask: building the vault");
    execute(cargo().args(["build", "--package", "cardseal-vault"]))
}

/// Adds a merchant with test keys to the vault in a folder, which is made when it is new.
pub(crate) fn add_merchant(data: &Path, name: &str, origins: &[&str]) -> Result<Keys> {
    let mut add = in_workspace(program());
    add.args(["merchant", "add", "--name", name]).arg("--data-dir").arg(data);
    for origin in origins {
        add.args(["--origin", origin]);
    }
    Keys::read(&output(&mut add)?)
}

/// A further secret key of a merchant's, which may do these things.
pub(crate) fn add_key(data: &Path, keys: &Keys, scopes: &[&str]) -> Result<String> {
    let mut add = in_workspace(program());
    add.args(["merchant", "keys", "add", "--merchant", &keys.merchant]).arg("--data-dir").arg(data);
    for scope in scopes {
        add.args(["--scope", scope]);
    }
    find(&output(&mut add)?, "skey")
}

/// Connects a merchant with a vendor, which knows it by what a file says.
pub(crate) fn connect(data: &Path, keys: &Keys, vendor: &str, account: &Path) -> Result<()> {
    let mut connect = in_workspace(program());
    connect.args(["merchant", "connect", "--merchant", &keys.merchant, "--vendor", vendor, "--account"]);
    connect.arg(account).arg("--data-dir").arg(data);
    output(&mut connect).map(drop)
}

/// The command that serves the vault in a folder on a port of this machine; 0 for any free one.
pub(crate) fn serve(data: &Path, port: u16) -> Command {
    let mut serve = in_workspace(program());
    serve.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(data);
    // Whoever tries webhooks has a receiver on this machine.
    serve.args(["--test-webhooks", "loopback"]);
    serve
}

fn program() -> PathBuf {
    workspace::target().join("debug/cardseal-vault")
}

impl Keys {
    /// Reads what `merchant add` prints.
    fn read(printed: &str) -> Result<Self> {
        let find = |name| find(printed, name);
        Ok(Self { merchant: find("merchant")?, public: find("pkey")?, secret: find("skey")? })
    }
}

/// What a command prints under a name, one `name  value` a line.
fn find(printed: &str, name: &str) -> Result<String> {
    let lines = printed.lines().filter_map(|line| line.split_once(' '));
    let value = lines.filter(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned()).next();
    value.with_context(|| format!("the vault printed no {name}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn reads_the_keys() {
        let keys = Keys::read("merchant  mrch_1\npkey      pkey_test_1\nskey      skey_test_1\n").unwrap();
        assert_eq!((keys.public.as_str(), keys.secret.as_str()), ("pkey_test_1", "skey_test_1"));
        assert_eq!(keys.merchant, "mrch_1");
        assert!(Keys::read("merchant  mrch_1\npkey  pkey_test_1\n").is_err());
    }
}
