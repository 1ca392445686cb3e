//! The two browsers of the tests, each with the program that drives it over WebDriver.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::system;
use super::tool::Tool;
use crate::workspace;

/// Without one, Thai letters are boxes, as wide as some other font happens to be, and labels break where none would.
const THAI_FONT: &str = "fonts-tlwg-loma-ttf";

/// A kind of browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Chromium,
    Firefox,
}

/// An installed browser and its driver.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) kind: Kind,
    pub(crate) driver: PathBuf,
    program: PathBuf,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// The browser, installed when it is missing.
    pub(crate) fn get(self) -> Result<Browser> {
        if self.program().is_none() || (self == Self::Chromium && self.driver_in_place().is_none()) {
            self.install()?;
        }
        let lacks = |what: &str| format!("{what} is still missing after the installation");
        let program = self.program().with_context(|| lacks(self.name()))?;
        let driver = match self.driver_in_place() {
            Some(driver) => driver,
            None if self == Self::Firefox => Tool::Geckodriver.get()?,
            None => bail!(lacks(self.driver_name())),
        };
        Ok(Browser { kind: self, driver, program })
    }

    /// As it is spelled in the environment variable BROWSER.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    fn install(self) -> Result<()> {
        if system::is_ubuntu() {
            // apt-get only has snaps of them there, and snaps need a running snapd, which a container lacks.
            bail!(match self {
                Self::Chromium =>
                    "Chromium with chromedriver is missing; on Ubuntu get it with `snap install chromium`, or install \
                     Chrome and its chromedriver and set CHROME and CHROMEDRIVER to their paths",
                Self::Firefox =>
                    "Firefox is missing; on Ubuntu get it with `snap install firefox`, or install Mozilla's package and \
                     set FIREFOX to its path",
            });
        }
        match self {
            Self::Chromium => {
                system::install("Chromium with chromedriver", &["chromium", "chromium-driver", THAI_FONT])
            }
            Self::Firefox => system::install("Firefox", &["firefox-esr", THAI_FONT]),
        }
    }

    /// The environment variables that name the browser's program and its driver's.
    fn variables(self) -> [&'static str; 2] {
        match self {
            Self::Chromium => ["CHROME", "CHROMEDRIVER"],
            Self::Firefox => ["FIREFOX", "GECKODRIVER"],
        }
    }

    fn program(self) -> Option<PathBuf> {
        let [variable, _] = self.variables();
        locate(
            variable,
            match self {
                Self::Chromium => &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
                Self::Firefox => &["firefox-esr", "firefox"],
            },
        )
    }

    fn driver_in_place(self) -> Option<PathBuf> {
        let [_, variable] = self.variables();
        // The name that a snap gives to its driver comes last.
        locate(
            variable,
            match self {
                Self::Chromium => &["chromedriver", "chromium.chromedriver"],
                Self::Firefox => &["geckodriver", "firefox.geckodriver"],
            },
        )
    }

    fn driver_name(self) -> &'static str {
        match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
        }
    }
}

impl Browser {
    /// Tells `command` by environment which browser to use: this one, and no other that happens to be named there.
    pub(crate) fn lead(&self, command: &mut Command) {
        for kind in Kind::ALL {
            for variable in kind.variables() {
                command.env_remove(variable);
            }
        }
        let [program, driver] = self.kind.variables();
        command.env("BROWSER", self.kind.name()).env(program, &self.program).env(driver, &self.driver);
    }

    /// Writes the capabilities for wasm-bindgen's test runner, which itself adds what makes the browser headless.
    pub(crate) fn write_capabilities(&self) -> Result<PathBuf> {
        let path = workspace::target().join(format!("webdriver-{}.json", self.kind.name()));
        fs::write(&path, capabilities(self.kind, &self.program))
            .with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }
}

/// The program that the environment names, or else the first of `names` in PATH.
fn locate(variable: &str, names: &[&str]) -> Option<PathBuf> {
    match std::env::var_os(variable) {
        Some(path) if !path.is_empty() => Some(path.into()),
        _ => names.iter().find_map(|name| system::find(name)),
    }
}

fn capabilities(kind: Kind, program: &Path) -> String {
    // Debug of a str escapes what JSON needs escaped in a path.
    let program = program.to_string_lossy();
    match kind {
        // The arguments keep Chromium from calling home in the middle of a test.
        Kind::Chromium => format!(
            r#"{{"goog:chromeOptions":{{"binary":{program:?},"args":["disable-gpu","disable-background-networking","disable-component-update","disable-sync","no-first-run"]}}}}"#
        ),
        Kind::Firefox => format!(r#"{{"moz:firefoxOptions":{{"binary":{program:?},"args":[]}}}}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_browser_to_the_test_runner() {
        assert_eq!(
            capabilities(Kind::Firefox, Path::new("/opt/fire fox")),
            r#"{"moz:firefoxOptions":{"binary":"/opt/fire fox","args":[]}}"#
        );
        assert!(
            capabilities(Kind::Chromium, Path::new("/usr/bin/chromium")).contains(r#""/usr/bin/chromium""#)
        );
    }

    #[test]
    fn finds_by_name_in_order() {
        assert_eq!(locate("CARDSEAL_NO_SUCH_VARIABLE", &["no-such-program", "sh"]), system::find("sh"));
        assert_eq!(locate("CARDSEAL_NO_SUCH_VARIABLE", &["no-such-program"]), None);
    }
}
