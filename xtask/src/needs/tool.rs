//! Programs that cargo builds, each in one exact version, kept in the user's cache so that every checkout shares them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::{cargo, execute};
use crate::workspace;

/// A program that is no part of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    CargoDeny,
    Geckodriver,
    WasmBindgen,
    WasmPack,
}

/// What cargo builds a tool from.
enum Source {
    /// The package registry, with whatever versions of its dependencies are newest. Not --locked: a tool's own lock file can
    /// name a version of a dependency that was withdrawn since. For tools that check and test; nothing of theirs is shipped.
    Registry { version: &'static str },
    /// A package here, with a lock file of this project's, for what writes files that are shipped.
    Here { package: PathBuf },
}

impl Tool {
    /// The program, built when it is missing.
    pub(crate) fn get(self) -> Result<PathBuf> {
        match self.source() {
            Source::Registry { version } => self.install_published(version),
            Source::Here { package } => self.install_ours(&package),
        }
    }

    fn source(self) -> Source {
        match self {
            Self::CargoDeny => Source::Registry { version: "0.20.2" },
            Self::Geckodriver => Source::Registry { version: "0.37.1" },
            Self::WasmPack => Source::Registry { version: "0.15.1" },
            Self::WasmBindgen => Source::Here { package: workspace::root().join("xtask/wasm-bindgen") },
        }
    }

    fn install_published(self, version: &str) -> Result<PathBuf> {
        let name = self.program();
        let folder = workspace::cache()?.join("tools").join(format!("{name}-{version}"));
        let program = folder.join("bin").join(name);
        if program.is_file() {
            return Ok(program);
        }
        println!("xtask: installing {name} {version} into {} (minutes, once)", folder.display());
        let mut install = install(&folder);
        install.args(["--version", &format!("={version}"), name]);
        execute(&mut install)
            .with_context(|| format!("{name} {version} is missing and cargo could not install it"))?;
        Ok(program)
    }

    fn install_ours(self, package: &Path) -> Result<PathBuf> {
        let lock = package.join("Cargo.lock");
        let versions = workspace::read(&lock)?;
        let version = workspace::version_in_lock(&versions, "wasm-bindgen-cli")?;
        let library = workspace::locked_version("wasm-bindgen")?;
        // The format between the two is private.
        ensure!(
            version == library,
            "wasm-bindgen is {library} in Cargo.lock, but its program is {version} in {}; make them the same",
            lock.display()
        );
        let folder = workspace::cache()?.join("tools").join(format!("cardseal-wasm-bindgen-{version}"));
        let program = folder.join("bin").join(self.program());
        // A copy says what the program there was built from. It is written last.
        let built = folder.join("Cargo.lock");
        if program.is_file() && fs::read_to_string(&built).is_ok_and(|built| built == versions) {
            return Ok(program);
        }
        println!("xtask: building wasm-bindgen {version} into {} (minutes, once)", folder.display());
        let mut install = install(&folder);
        install.args(["--locked", "--force", "--path"]).arg(package);
        execute(&mut install)
            .with_context(|| format!("wasm-bindgen {version} is missing and cargo could not build it"))?;
        fs::write(&built, &versions).with_context(|| format!("writing {}", built.display()))?;
        Ok(program)
    }

    /// Its name, which at the registry is the package's too.
    fn program(self) -> &'static str {
        match self {
            Self::CargoDeny => "cargo-deny",
            Self::Geckodriver => "geckodriver",
            Self::WasmBindgen => "wasm-bindgen",
            Self::WasmPack => "wasm-pack",
        }
    }
}

/// `cargo install` into a folder.
fn install(folder: &Path) -> Command {
    let mut install = cargo();
    install.args(["install", "--quiet", "--root"]).arg(folder);
    // One folder for all of them, as they share dependencies.
    install.env("CARGO_TARGET_DIR", workspace::target().join("tools"));
    // Half the time to compile, for programs that run for seconds.
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    install.env("CARGO_PROFILE_RELEASE_LTO", "false");
    install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    install
}
