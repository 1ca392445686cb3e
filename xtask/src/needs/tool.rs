//! Programs that cargo installs, each in one exact version, kept in the user's cache so that every checkout shares them.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process::{cargo, execute};
use crate::workspace;

/// A program from the package registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    CargoDeny,
    Geckodriver,
    WasmBindgen,
    WasmPack,
}

impl Tool {
    /// The program, installed when it is missing.
    pub(crate) fn get(self) -> Result<PathBuf> {
        let version = self.version()?;
        let folder = workspace::cache()?.join("tools").join(format!("{}-{version}", self.package()));
        let program = folder.join("bin").join(self.program());
        if program.is_file() {
            return Ok(program);
        }
        let package = self.package();
        println!("xtask: installing {package} {version} into {} (minutes, once)", folder.display());
        let mut install = cargo();
        // Not --locked: a tool's own lock file can name a version of a dependency that was withdrawn since.
        install
            .args(["install", "--quiet", "--version", &format!("={version}"), package, "--root"])
            .arg(&folder);
        // One folder for all of them, as they share dependencies.
        install.env("CARGO_TARGET_DIR", workspace::target().join("tools"));
        // Half the time to compile, for programs that run for seconds.
        install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        install.env("CARGO_PROFILE_RELEASE_LTO", "false");
        install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        execute(&mut install)
            .with_context(|| format!("{package} {version} is missing and cargo could not install it"))?;
        Ok(program)
    }

    fn package(self) -> &'static str {
        match self {
            Self::CargoDeny => "cargo-deny",
            Self::Geckodriver => "geckodriver",
            Self::WasmBindgen => "wasm-bindgen-cli",
            Self::WasmPack => "wasm-pack",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::WasmBindgen => "wasm-bindgen",
            _ => self.package(),
        }
    }

    fn version(self) -> Result<String> {
        Ok(match self {
            Self::CargoDeny => "0.20.2".to_owned(),
            Self::Geckodriver => "0.37.1".to_owned(),
            Self::WasmPack => "0.15.1".to_owned(),
            // The program and the library have to be of one version: the format between them is private.
            Self::WasmBindgen => workspace::locked_version("wasm-bindgen")?,
        })
    }
}
