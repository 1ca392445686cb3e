//! `build`: the wasm and the npm package into pkg/.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::needs::{npm, rust, tool::Tool};
use crate::pkg::Building;
use crate::process::{cargo, execute, in_workspace, output};
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

/// Builds. Of several at once in a checkout, one after the other does.
pub(crate) fn run() -> Result<()> {
    let building = Building::begin(workspace::root())?;
    rust::wasm_target()?;
    let library = rust::library_sources()?;
    let wasm_bindgen = Tool::WasmBindgen.get()?;
    let mut node = npm::node()?;

    println!("xtask: building the wasm");
    compile(&library)?;
    let bound = workspace::root().join("target/wasm-bindgen");
    bind(&wasm_bindgen, &bound)?;
    let wasm = bound.join("cardseal_bg.wasm");
    optimize(&wasm)?;
    fs::write(bound.join("names.json"), shorten_names(&wasm)?).context("writing names.json")?;

    println!("xtask: building the npm package into pkg/");
    let folder = building.folder()?;
    execute(node.arg("www/build.mjs").arg(&folder))?;
    building.publish(&folder)
}

/// Compiles the widget, and with it the standard library from its sources: as it comes, that one is compiled for speed and
/// formats a text for every panic, which nobody would ever see.
fn compile(library: &Path) -> Result<()> {
    // As a cdylib alone: next to an rlib, cargo leaves link-time optimization out.
    let target = ["--target", rust::WASM, "--profile", "wasm", "--lib", "--crate-type", "cdylib"];
    let standard_library = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
    // A little more is inlined than LLVM's 5 for the smallest code: what is small by itself grows with each call of it.
    let inlining = ["--", "-Cllvm-args=-inline-threshold=10"];
    execute(
        cargo()
            .args(["rustc", "--package", "cardseal"])
            .args(target)
            .args(standard_library)
            .args(inlining)
            // For the flags beginning with Z, which stable toolchains have but do not promise to keep. Ours is pinned.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_ENCODED_RUSTFLAGS", rustflags(library)?),
    )
}

/// The flags of whoever calls, and more.
fn rustflags(library: &Path) -> Result<String> {
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(folder) => folder.into(),
        None => env::home_dir().context("neither CARGO_HOME nor HOME is set")?.join(".cargo"),
    };
    let mut flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_else(|_| {
        env::var("RUSTFLAGS").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join("\x1f")
    });
    let mut add = |flag: &str| {
        if !flags.is_empty() {
            flags.push('\x1f');
        }
        flags.push_str(flag);
    };
    // Paths of sources would make the wasm differ from one machine to the next, and tell about them.
    for (path, name) in [(&*cargo_home, "cargo"), (workspace::root(), "cardseal"), (library, "library")] {
        add(&format!("--remap-path-prefix={}={name}", path.display()));
    }
    // A panic stops the wasm where it stands, without a word.
    add("-Cpanic=immediate-abort");
    add("-Zunstable-options");
    // What `Debug` writes is empty; only panics and tests have use for it.
    add("-Zfmt-debug=none");
    Ok(flags)
}

/// Makes the JavaScript that calls into the wasm, and its declarations.
fn bind(wasm_bindgen: &Path, out: &Path) -> Result<()> {
    let wasm = workspace::target().join(rust::WASM).join("wasm/cardseal.wasm");
    execute(
        in_workspace(wasm_bindgen)
            // Where the wasm lies, the scripts of www/ say, with its digest.
            .args(["--target", "web", "--omit-default-module-path", "--out-name", "cardseal", "--out-dir"])
            .arg(out)
            .arg(wasm),
    )
}

/// Makes the wasm smaller. Its blocks are laid out anew first, which helps most where futures are driven. Nothing lies in the
/// first kilobyte of its memory, which is the last of the stack's: so what is added to an address can go into the instruction.
fn optimize(wasm: &Path) -> Result<()> {
    let layout = ["--low-memory-unused", "--flatten", "--rereloop", "--generate-global-effects"];
    let size = ["-Oz", "-Oz", "--converge", "--reorder-locals"];
    execute(&mut wasm_opt(wasm, &[&layout[..], &size, &["--strip-debug", "--strip-producers"]].concat()))
}

/// Gives short names to what the wasm takes from JavaScript and gives to it, and tells them as JSON, for the scripts to use
/// (www/build.mjs). The section `target_features` goes last of all: without it, wasm-bindgen and wasm-opt guess.
fn shorten_names(wasm: &Path) -> Result<String> {
    output(&mut wasm_opt(wasm, &["--minify-imports-and-exports-and-modules", "--strip-target-features"]))
}

fn wasm_opt(wasm: &Path, passes: &[&str]) -> Command {
    let mut command = in_workspace(npm::program("wasm-opt"));
    command.args(passes).args(WASM_FEATURES).arg(wasm).arg("--output").arg(wasm);
    command
}
