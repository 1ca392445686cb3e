//! `build`: the wasm and the npm package into pkg/.

use std::env;
use std::path::Path;

use anyhow::{Context, Result};

use crate::needs::{npm, rust, tool::Tool};
use crate::process::{cargo, execute, in_workspace};
use crate::workspace;

/// What rustc compiles for wasm32-unknown-unknown by default, and every browser has had since 2022. Named one by one, so
/// that neither a newer compiler nor a newer wasm-opt can bring in one that an older browser does not know.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Builds.
pub(crate) fn run() -> Result<()> {
    rust::wasm_target()?;
    let wasm_bindgen = Tool::WasmBindgen.get()?;
    let mut node = npm::node()?;

    println!("xtask: building the wasm");
    compile()?;
    let bound = workspace::root().join("target/wasm-bindgen");
    bind(&wasm_bindgen, &bound)?;
    optimize(&bound.join("cardseal_bg.wasm"))?;

    println!("xtask: building the npm package into pkg/");
    execute(node.arg("www/build.mjs"))
}
/// Compiles the widget.
fn compile() -> Result<()> {
    // As a cdylib alone: next to an rlib, cargo leaves link-time optimization out.
    let target = ["--target", rust::WASM, "--profile", "wasm", "--lib", "--crate-type", "cdylib"];
    execute(
        cargo()
            .args(["rustc", "--package", "cardseal"])
            .args(target)
            .env("CARGO_ENCODED_RUSTFLAGS", rustflags()?),
    )
}

/// The flags of whoever calls, and more: panics carry paths of sources, which would make the wasm differ from one
/// machine to the next, and tell about them.
fn rustflags() -> Result<String> {
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(folder) => folder.into(),
        None => env::home_dir().context("neither CARGO_HOME nor HOME is set")?.join(".cargo"),
    };
    let given = env::var("CARGO_ENCODED_RUSTFLAGS")
        .or_else(|_| {
            env::var("RUSTFLAGS").map(|flags| flags.split_whitespace().collect::<Vec<_>>().join("\x1f"))
        })
        .unwrap_or_default();
    let remap = |path: &Path, name: &str| format!("--remap-path-prefix={}={name}", path.display());
    let ours = [remap(&cargo_home, "cargo"), remap(workspace::root(), "cardseal")].join("\x1f");
    Ok(if given.is_empty() { ours } else { format!("{given}\x1f{ours}") })
}

/// Makes the JavaScript that calls into the wasm, and its declarations.
fn bind(wasm_bindgen: &Path, out: &Path) -> Result<()> {
    let wasm = workspace::target().join(rust::WASM).join("wasm/cardseal.wasm");
    execute(
        in_workspace(wasm_bindgen)
            .args(["--target", "web", "--out-name", "cardseal", "--out-dir"])
            .arg(out)
            .arg(wasm),
    )
}

/// Makes the wasm smaller. The section `target_features` goes last of all: without it, wasm-bindgen and wasm-opt guess.
fn optimize(wasm: &Path) -> Result<()> {
    let strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
    let mut command = in_workspace(npm::program("wasm-opt"));
    execute(command.arg("-Oz").args(WASM_FEATURES).args(strip).arg(wasm).arg("--output").arg(wasm))
}
