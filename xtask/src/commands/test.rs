//! `test`: everything CI runs.

mod again;
mod clients;
mod consumers;
mod report;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use self::report::{Report, Verdict};
use super::{bench, build, demo};
use crate::cli::{Effort, Suite};
use crate::needs::browser::{Browser, Kind};
use crate::needs::{npm, postgres, python, rust, system, tool::Tool};
use crate::process::{cargo, execute, in_workspace, output, succeeds_within};
use crate::{vault, workspace};

/// Runs the steps in order up to the first that fails, or only those with a text in their names, and sums up.
pub(crate) fn run(suite: Suite, only: Option<String>) -> Result<ExitCode> {
    let needs = Needs::get(suite)?;
    let mut report = Report::new(only);

    report.step("format", || passes(cargo().args(["fmt", "--all", "--check"])));
    report.step("dependencies: bans, licenses, sources", || {
        for locked in LOCKED {
            execute(cargo_deny(&needs.cargo_deny, locked).args(["bans", "licenses", "sources"]))?;
        }
        Ok(Verdict::Passed)
    });
    report.step("dependencies: advisories", || advisories(&needs.cargo_deny));
    report.step("dependencies: no rsa in the vault", no_rsa_in_vault);
    report.step("dependencies: one version of each crate in the wasm", one_version_in_wasm);
    report.step("clippy", || {
        passes(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    });
    report.step("clippy for wasm", || {
        let wasm = ["--package", "cardseal", "--all-targets", "--target", rust::WASM];
        passes(cargo().arg("clippy").args(wasm).args(["--", "-D", "warnings"]))
    });
    report.step("documentation", || {
        passes(cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    });
    report.step("native tests", || native_tests(suite));
    report.step("the vault's tests on PostgreSQL", || vault_on_postgres(suite));
    if suite == Suite::Nightly {
        report.step("the benchmark, a little of it", || bench::run(Effort::Quick).map(|()| Verdict::Passed));
    }
    report.step("build", || build::run().map(|()| Verdict::Passed));
    if suite != Suite::Quick {
        report.step("the same build again", again::build_again);
    }
    report.step("npm package tests", || node_tests("tests/npm"));
    if suite != Suite::Quick {
        report.step("consumer projects", consumers::build);
    }
    report.step("Omise's own clients", clients::run);
    report.step("demo shop tests", || node_tests("www/shop/test"));
    for browser in &needs.browsers {
        let name = browser.kind.name();
        report.step(&format!("wasm tests in {name}"), || wasm_tests(browser));
        report.step(&format!("end to end in {name}"), || end_to_end(browser, suite));
    }
    if let Some(browser) = needs.browsers.first() {
        report.step("the demo, once", || demo::buy_once(browser).map(|()| Verdict::Passed));
    }

    println!("\n{report}");
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What has to be installed. Everything is looked for before the first step, so that what cannot be had is told at once.
struct Needs {
    cargo_deny: PathBuf,
    browsers: Vec<Browser>,
}

impl Needs {
    fn get(suite: Suite) -> Result<Self> {
        rust::linters()?;
        rust::wasm_target()?;
        rust::library_sources()?;
        npm::node()?;
        python::python()?;
        postgres::install()?;
        system::program("softhsm2-util", "softhsm2")?;
        system::program("openssl", "openssl")?;
        system::program("curl", "curl")?;
        system::program("sqlite3", "sqlite3")?;
        system::program("haproxy", "haproxy")?;
        system::program("socat", "socat")?;
        Tool::WasmBindgen.get()?;
        let browsers = match suite {
            Suite::Quick => Vec::new(),
            Suite::Nightly | Suite::Normal => {
                Tool::WasmPack.get()?;
                Kind::ALL.into_iter().map(Kind::get).collect::<Result<_>>()?
            }
        };
        Ok(Self { cargo_deny: Tool::CargoDeny.get()?, browsers })
    }
}

/// The packages whose tests run on this machine. Always all of them at once: one alone would have its dependencies built with
/// other features, once more.
const NATIVE: [&str; 3] = ["--workspace", "--exclude", "cardseal-e2e"];

fn passes(command: &mut Command) -> Result<Verdict> {
    execute(command).map(|()| Verdict::Passed)
}

/// What has a lock file: the project, and the program that writes a part of what it ships.
const LOCKED: [&str; 2] = ["Cargo.toml", "xtask/wasm-bindgen/Cargo.toml"];

fn cargo_deny(program: &Path, locked: &str) -> Command {
    let mut command = in_workspace(program);
    command.args(["--manifest-path", locked, "--workspace", "--log-level", "error"]);
    command.args(["--config", "deny.toml", "check"]);
    command
}

fn advisories(cargo_deny_program: &Path) -> Result<Verdict> {
    /// A network that drops packets instead of refusing them would keep the download waiting for long.
    const PATIENCE: Duration = Duration::from_secs(90);
    if !succeeds_within(in_workspace(cargo_deny_program).args(["fetch", "db"]), PATIENCE) {
        return Ok(Verdict::Skipped("the advisory database cannot be reached from here"));
    }
    for locked in LOCKED {
        execute(cargo_deny(cargo_deny_program, locked).args(["--disable-fetch", "advisories"]))?;
    }
    Ok(Verdict::Passed)
}

/// The vault opens seals with aws-lc-rs; the private-key operations of the crate `rsa` leak time (RUSTSEC-2023-0071).
fn no_rsa_in_vault() -> Result<Verdict> {
    let tree =
        ["tree", "--package", "cardseal-vault", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = output(cargo().args(tree))?;
    match packages_named("rsa", &tree).next() {
        None => Ok(Verdict::Passed),
        Some(package) => {
            bail!("the vault depends on {package}; see `cargo tree -p cardseal-vault -e normal -i rsa`")
        }
    }
}

fn packages_named<'a>(name: &'a str, tree: &'a str) -> impl Iterator<Item = &'a str> {
    tree.lines().filter(move |line| line.split(' ').next() == Some(name))
}

/// A crate that is in the wasm twice is downloaded twice by every cardholder.
fn one_version_in_wasm() -> Result<Verdict> {
    let tree = ["tree", "--package", "cardseal", "--target", rust::WASM, "--edges", "normal,no-proc-macro"];
    let duplicates = output(cargo().args(tree).args(["--duplicates", "--depth", "1"]))?;
    if duplicates.trim().is_empty() {
        return Ok(Verdict::Passed);
    }
    bail!("in the wasm in several versions:\n{duplicates}")
}

/// The vault's tests are among them, on SQLite.
fn native_tests(suite: Suite) -> Result<Verdict> {
    let mut tests = cargo();
    tests.args(["test"]).args(NATIVE);
    if suite == Suite::Nightly {
        tests.env("CARDSEAL_TEST_KILLS", "1000");
    }
    passes(&mut tests)
}

/// Those that stop a server have one of their own, and so have run before. By day also without those to which all
/// databases are one, since the request never gets there or the answer never comes from there.
fn vault_on_postgres(suite: Suite) -> Result<Verdict> {
    const NEEDS_NO_DATABASE: [&str; 12] = [
        "config::",
        "deploy::",
        "http::assets::",
        "http::frame::",
        "http::hostile::",
        "http::limits::",
        "keys::gcm::",
        "keys::kek::",
        "keys::opening::",
        "log::",
        "server::",
        "verify::",
    ];
    let (_server, url) = postgres::start()?;
    let mut tests = cargo();
    tests.args(["test"]).args(NATIVE).args(["--test", "vault", "--"]).env(postgres::VARIABLE, url);
    tests.args(["--skip", "durability::", "--skip", "operations::"]);
    if suite == Suite::Nightly {
        tests.env("CARDSEAL_TEST_SCHEDULES", "2000");
    } else {
        tests.args(NEEDS_NO_DATABASE.iter().flat_map(|name| ["--skip", name]));
    }
    passes(&mut tests)
}

fn node_tests(folder: &str) -> Result<Verdict> {
    let folder = workspace::root().join(folder);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        files.push(entry?.path());
    }
    // Named one by one: what node makes of a folder differs from version to version.
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    if files.is_empty() {
        bail!("{} has no *.test.mjs", folder.display());
    }
    passes(npm::node()?.args(["--test", "--test-reporter=spec"]).args(files))
}

fn wasm_tests(browser: &Browser) -> Result<Verdict> {
    let mut wasm_pack = in_workspace(Tool::WasmPack.get()?);
    let (browser_flag, driver_flag) = match browser.kind {
        Kind::Chromium => ("--chrome", "--chromedriver"),
        Kind::Firefox => ("--firefox", "--geckodriver"),
    };
    wasm_pack
        .args(["test", "--mode", "no-install", "--headless", browser_flag, driver_flag])
        .arg(&browser.driver);
    browser.lead(&mut wasm_pack);
    // Where it looks for the test runner, in the version of wasm-bindgen, before it would download one.
    let path = env::var_os("PATH").unwrap_or_default();
    let runner = Tool::WasmBindgen.get()?;
    let folders = runner.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&path));
    wasm_pack.env("PATH", env::join_paths(folders)?);
    wasm_pack.env("CARGO_TARGET_DIR", workspace::target());
    wasm_pack.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", browser.write_capabilities()?);
    // In seconds. The runner's own limits, 5 and 20, are short for a busy machine.
    wasm_pack.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60").env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    passes(&mut wasm_pack)
}

fn end_to_end(browser: &Browser, suite: Suite) -> Result<Verdict> {
    /// Keys, focus, frames, forms and layout. The rest of the suite is about what this project's own code does.
    const BROWSERS_DIFFER_IN: [&str; 6] = ["attacks", "checkout", "element", "hosted", "isolation", "typing"];
    vault::build()?;
    let mut tests = cargo();
    browser.lead(&mut tests);
    tests.args(["test", "--package", "cardseal-e2e"]);
    if suite == Suite::Normal && browser.kind == Kind::Firefox {
        tests.args(BROWSERS_DIFFER_IN.map(|name| format!("--test={name}")));
    }
    passes(&mut tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_package_by_its_whole_name() {
        let tree = "cardseal-vault v0.1.0 (/somewhere/rsa)\nrsa-helper v1.0.0\naxum v0.8.4\nrsa v0.9.10\nrsa v0.9.10 (*)\n";
        assert_eq!(packages_named("rsa", tree).collect::<Vec<_>>(), ["rsa v0.9.10", "rsa v0.9.10 (*)"]);
        assert_eq!(packages_named("axum-core", tree).next(), None);
    }
}
