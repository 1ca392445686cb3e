//! The command line.

use std::ffi::OsString;

use lexopt::prelude::{Long, Short, Value, ValueExt};

pub(crate) const HELP: &str = "\
cargo xtask <command>

  demo    builds all, starts the vault and the demo shop, prints both addresses, runs until Ctrl-C
            --vault-port PORT   (default 4242)
            --shop-port PORT    (default 4243)
            --window-port PORT  where to look at all that the shop received (default 4244)
            --once              buys once with a headless browser, prints token and order, and exits
            --profile NAME      with --once: whose token the card becomes: cardseal (default), omise,
                                payment-options, thales-d1 or thales-pci
  test    everything CI runs at each change
            --quick             leaves the browsers out
            --nightly           the whole end-to-end suite in every browser
            --only TEXT         the steps with TEXT in their names; the summary has all names
  build   the wasm and the npm package into pkg/
  bench   what a token costs the vault, on SQLite and PostgreSQL; writes target/bench/vault/vault.json
            --quick             shows that the benchmark works; its figures mean nothing
  postgres
          starts a PostgreSQL for the vault's tests, prints its address, runs until Ctrl-C";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Demo(Demo),
    Test(Suite, Option<String>),
    Build,
    Bench(Effort),
    Postgres,
    Help,
}

/// Options of `demo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demo {
    pub(crate) vault_port: u16,
    pub(crate) shop_port: u16,
    pub(crate) window_port: u16,
    pub(crate) visit: Visit,
}

impl Default for Demo {
    fn default() -> Self {
        Self { vault_port: 4242, shop_port: 4243, window_port: 4244, visit: Visit::Person }
    }
}

/// Who visits the demo shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// A person, until Ctrl-C.
    Person,
    /// A headless browser, which buys one thing with the token of this profile.
    BrowserOnce(String),
}

/// How much `test` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    /// Everything, the end-to-end suite in every browser.
    Nightly,
    /// Everything, but in the slower browser only what browsers differ in of the end-to-end suite.
    Normal,
    /// Everything that needs no browser.
    Quick,
}

/// How much `bench` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    Full,
    Quick,
}

/// Whose tokens the demo has.
pub(crate) const PROFILES: [&str; 5] = ["cardseal", "omise", "payment-options", "thales-d1", "thales-pci"];

/// A profile says that a browser is to visit, as `--once` does, in whatever order they come.
fn once(visit: &mut Visit, profile: Option<String>) {
    match (&visit, profile) {
        (_, Some(profile)) => *visit = Visit::BrowserOnce(profile),
        (Visit::Person, None) => *visit = Visit::BrowserOnce(PROFILES[0].into()),
        (Visit::BrowserOnce(_), None) => {}
    }
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut command = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(name)) => match name.string()?.as_str() {
            "demo" => Command::Demo(Demo::default()),
            "test" => Command::Test(Suite::Normal, None),
            "build" => Command::Build,
            "bench" => Command::Bench(Effort::Full),
            "postgres" => Command::Postgres,
            other => return Err(format!("there is no command `{other}`").into()),
        },
        Some(other) => return Err(other.unexpected()),
    };
    while let Some(argument) = parser.next()? {
        match (&mut command, argument) {
            (_, Short('h') | Long("help")) => return Ok(Command::Help),
            (Command::Demo(demo), Long("vault-port")) => demo.vault_port = parser.value()?.parse()?,
            (Command::Demo(demo), Long("shop-port")) => demo.shop_port = parser.value()?.parse()?,
            (Command::Demo(demo), Long("window-port")) => demo.window_port = parser.value()?.parse()?,
            (Command::Demo(demo), Long("once")) => once(&mut demo.visit, None),
            (Command::Demo(demo), Long("profile")) => {
                let profile = parser.value()?.string()?;
                if !PROFILES.contains(&&*profile) {
                    return Err(format!("a profile is one of {}", PROFILES.join(", ")).into());
                }
                once(&mut demo.visit, Some(profile));
            }
            (Command::Test(suite, _), Long("quick")) => *suite = Suite::Quick,
            (Command::Test(suite, _), Long("nightly")) => *suite = Suite::Nightly,
            (Command::Test(_, only), Long("only")) => *only = Some(parser.value()?.string()?),
            (Command::Bench(effort), Long("quick")) => *effort = Effort::Quick,
            // What there is so far.
            (Command::Bench(_), Value(name)) if name == "vault" => {}
            (_, other) => return Err(other.unexpected()),
        }
    }
    match &command {
        // The shop has to be another origin than the vault; 0 asks the system for a free port of its own.
        Command::Demo(Demo { vault_port, shop_port, window_port, .. })
            if [(vault_port, shop_port), (vault_port, window_port), (shop_port, window_port)]
                .iter()
                .any(|(one, other)| one == other && **one != 0) =>
        {
            Err("--vault-port, --shop-port and --window-port have to differ".into())
        }
        _ => Ok(command),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn parse_words(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_commands_and_their_defaults() {
        assert_eq!(parse_words("build"), Ok(Command::Build));
        assert_eq!(parse_words("postgres"), Ok(Command::Postgres));
        assert_eq!(parse_words("test"), Ok(Command::Test(Suite::Normal, None)));
        assert_eq!(parse_words("test --nightly"), Ok(Command::Test(Suite::Nightly, None)));
        let only = Command::Test(Suite::Quick, Some("clippy".into()));
        assert_eq!(parse_words("test --quick --only clippy"), Ok(only));
        assert_eq!(parse_words("bench"), Ok(Command::Bench(Effort::Full)));
        assert_eq!(parse_words("bench vault --quick"), Ok(Command::Bench(Effort::Quick)));
        assert_eq!(parse_words(""), Ok(Command::Help));
        assert_eq!(parse_words("demo --help"), Ok(Command::Help));
        let demo = Demo::default();
        assert_eq!(parse_words("demo"), Ok(Command::Demo(demo)));
        let once = Demo {
            vault_port: 5000,
            shop_port: 5001,
            window_port: 5002,
            visit: Visit::BrowserOnce("cardseal".into()),
        };
        let pci = Demo { visit: Visit::BrowserOnce("thales-pci".into()), ..Demo::default() };
        for line in ["demo --once --profile thales-pci", "demo --profile thales-pci --once"] {
            assert_eq!(parse_words(line), Ok(Command::Demo(pci.clone())));
        }
        assert_eq!(
            parse_words("demo --once --vault-port 5000 --shop-port=5001 --window-port 5002"),
            Ok(Command::Demo(once))
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for line in [
            "bench widget",
            "build --quick",
            "test --only",
            "demo --vault-port",
            "demo --vault-port 70000",
            "demo --shop-port 4242",
            "demo --window-port 4243",
            "demo --once --profile visa",
            "demo --profile",
        ] {
            assert!(parse_words(line).is_err(), "{line}");
        }
    }
}
