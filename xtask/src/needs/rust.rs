//! Parts of the Rust toolchain. They are added by command because rustup's automatic installing may be off.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{cargo, execute, in_workspace, output, succeeds};

/// What the widget is compiled for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The standard library for wasm.
pub(crate) fn wasm_target() -> Result<()> {
    let print = ["--print", "target-libdir", "--target", WASM];
    let libraries = output(in_workspace("rustc").args(print))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    rustup("target", WASM)
}

/// The folder with the sources of the standard library, from which the published wasm has one of its own.
pub(crate) fn library_sources() -> Result<PathBuf> {
    let sysroot = output(in_workspace("rustc").args(["--print", "sysroot"]))?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    if !library.join("Cargo.lock").is_file() {
        rustup("component", "rust-src")?;
    }
    Ok(library)
}

/// `cargo fmt` and `cargo clippy`.
pub(crate) fn linters() -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !succeeds(cargo().args([subcommand, "--version"])) {
            rustup("component", component)?;
        }
    }
    Ok(())
}

fn rustup(kind: &str, name: &str) -> Result<()> {
    println!("xtask: adding the {kind} {name} to the Rust toolchain");
    execute(in_workspace("rustup").args([kind, "add", name])).with_context(|| {
        format!("the Rust toolchain lacks the {kind} {name}; get it with `rustup {kind} add {name}`")
    })
}
