//! docs/OPERATIONS.md, from its first command to its last: on a PostgreSQL of its own, in folders of its own, with the
//! program itself. What the page says a command prints is compared with what it prints.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cardseal_postgres::{Durability, Programs, Server};
use tempfile::TempDir;

use crate::support::program::{Served, add_merchant, command};
use crate::support::release::Released;
use crate::support::{VISA, clear_card};

/// A block of a page.
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) mark: String,
    pub(crate) text: String,
}

pub(crate) fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let Some(mark) = line.strip_prefix("```") else { continue };
        let text: Vec<_> = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```").collect();
        blocks.push(Block { line: number, mark: mark.into(), text: text.join("\n") + "\n" });
    }
    blocks
}

#[test]
fn the_whole_page_works_from_its_first_command_to_its_last() {
    let mut machine = Machine::new();
    let (mut printed, mut ran, mut wrong) = (String::new(), 0, Vec::new());
    for block in blocks(&page("OPERATIONS.md")) {
        let place = format!("docs/OPERATIONS.md:{}", block.line);
        match &*block.mark {
            "sh operate" => {
                printed = machine.run(&block.text, &place);
                // It has done what it was there for.
                if block.text.contains("127.0.0.1:4243") {
                    machine.end_drill();
                }
            }
            "sh service" => machine.service(block.text.trim(), &place),
            "sh drill" => machine.drill(&block.text, &place),
            "text shown" => wrong.extend(differs(&machine.filled(&block.text), &printed, &place)),
            "toml vault" => fs::write(machine.file("etc/vault.toml"), machine.settings(&block.text)).unwrap(),
            // What changes the machine itself, other programs' files, and what other tests run or look at.
            "sh machine" | "sh xtask" | "text file" | "yaml rules" => continue,
            "sh a" | "sh b" | "sh rejoin" | "conf postgresql" | "conf haproxy" | "conf failover" => continue,
            mark => panic!("{place}: this test does not know `{mark}`"),
        }
        ran += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    machine.assert_base_backup_has_no_security_codes();
    assert!(ran > 60, "only {ran} blocks");
}

/// What is scheduled is a command that was run by hand first.
#[test]
fn what_is_scheduled_is_run_by_the_page_itself() {
    let blocks = blocks(&page("OPERATIONS.md"));
    let run: String =
        blocks.iter().filter(|block| block.mark == "sh operate").map(|block| &*block.text).collect();
    let mut scheduled = 0;
    for line in blocks.iter().filter(|block| block.mark == "text file").flat_map(|block| block.text.lines()) {
        // Five times, a user, a command.
        let words: Vec<_> = line.splitn(7, ' ').collect();
        let [.., user, command] = words[..] else { continue };
        if words.len() == 7 && matches!(user, "root" | "postgres") {
            scheduled += 1;
            assert!(run.contains(command), "{command}");
        }
    }
    assert!(scheduled >= 2, "only {scheduled}");
}

/// Names of metrics and codes of errors are the program's own.
#[test]
fn every_metric_and_every_code_that_the_docs_name_exists() {
    let outer = tempfile::tempdir().unwrap();
    let vault = Served::start_with(&outer.path().join("vault"), &["--metrics-listen", "127.0.0.1:0"]);
    let account = add_merchant(&outer.path().join("vault"));
    let token =
        vault.request("POST", "/tokens", &account.public_key, JSON, &clear_card(VISA).to_string()).json();
    let order = format!(r#"{{"amount":100,"currency":"thb","card":{}}}"#, token["id"]);
    assert_eq!(vault.request("POST", "/charges", &account.secret_key, JSON, &order).status, 200);
    assert_eq!(vault.request("POST", "/charges", &account.secret_key, JSON, &order).status, 400);
    let mut vault = vault;
    let line = vault.next_line();
    let metrics = curl(line.trim().rsplit(' ').next().unwrap());
    // Some have a sample only where there is a vendor.
    let lines = metrics.lines().map(|line| line.strip_prefix("# TYPE ").unwrap_or(line));
    let known: BTreeSet<_> = lines.filter_map(|line| line.split(['{', ' ']).next()).collect();
    let errors = vault.request("GET", "/docs/errors", "", JSON, "").body;

    let (mut names, mut codes) = (0, 0);
    for name in ["OPERATIONS.md", "monitoring.md"] {
        let text = page(name);
        for word in text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_') {
            let is_metric = word.starts_with("cardseal_") || word.starts_with("process_");
            // The role, the databases, and a job's name.
            if !is_metric || ["cardseal_vault", "cardseal_drill"].contains(&word) {
                continue;
            }
            names += 1;
            let histogram = format!("{word}_bucket");
            assert!(known.contains(word) || known.contains(&*histogram), "{name}: {word}");
        }
        for code in text.split("code=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            for code in code.split('|') {
                codes += 1;
                assert!(errors.contains(&format!(">{code}<")), "{name}: {code}");
            }
        }
    }
    assert!(names > 20 && codes > 4, "only {names} metrics and {codes} codes");
}

const JSON: &str = "application/json";

fn curl(url: &str) -> String {
    let output = Command::new("curl").args(["--silent", "--fail", "--show-error", url]).output().unwrap();
    assert!(output.status.success(), "{url}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The machine of the page: its folders stand in one, and its addresses are free ones.
struct Machine {
    folder: TempDir,
    postgres: Server,
    _postgres_folder: TempDir,
    release: Released,
    vault: Option<Served>,
    metrics: String,
    drill: Option<Served>,
    /// A vault on SQLite, for what the page says of that.
    _sqlite: Served,
    /// What stands for ids and keys in the page, and what this run has in its place.
    values: BTreeMap<&'static str, String>,
}

impl Machine {
    fn new() -> Self {
        let (folder, postgres_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in ["bin", "etc", "backups", "work", "credentials", "tokens", "media"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let sqlite = folder.path().join("sqlite");
        let account = add_merchant(&sqlite);
        let served = Served::start(&sqlite);
        let card = clear_card(VISA).to_string();
        assert_eq!(served.request("POST", "/tokens", &account.public_key, JSON, &card).status, 200);

        let mut postgres = Server::start(postgres_folder.path(), Durability::OfProcess).unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        postgres.speak_tls(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
        fs::write(folder.path().join("work/postgres-ca.pem"), made.cert.pem()).unwrap();
        let machine = Self {
            _sqlite: served,
            release: Released::new("1.0.0"),
            vault: None,
            metrics: String::new(),
            drill: None,
            values: BTreeMap::new(),
            _postgres_folder: postgres_folder,
            postgres,
            folder,
        };
        machine.install();
        machine
    }

    fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The programs that the page calls. Everybody is the user that runs the tests, and PostgreSQL's superuser is the
    /// test server's.
    fn install(&self) {
        let vault = env!("CARGO_BIN_EXE_cardseal-vault");
        std::os::unix::fs::symlink(vault, self.file("bin/cardseal-vault")).unwrap();
        let url = self.postgres.url("postgres");
        let (user, place) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
        let (user, password) = user.split_once(':').unwrap();
        let (host, port) = place.split('/').next().unwrap().split_once(':').unwrap();
        let sudo = format!(
            "#!/bin/sh -eu
if [ \"$1\" = -u ]; then
  shift 2
  export PGHOST={host} PGPORT={port} PGUSER={user} PGPASSWORD={password} PGDATABASE=postgres
fi
if [ \"$1\" = install ]; then
  # Whose the file is to be is left out.
  shift
  set -- \"$@\" end
  while [ \"$1\" != end ]; do
    case \"$1\" in -o | -g) shift 2 ;; *) set -- \"$@\" \"$1\"; shift ;; esac
  done
  shift
  exec install \"$@\"
fi
exec \"$@\"
"
        );
        fs::write(self.file("bin/sudo"), sudo).unwrap();
        fs::set_permissions(self.file("bin/sudo"), fs::Permissions::from_mode(0o700)).unwrap();
        let tokens = self.file("tokens");
        fs::write(self.file("softhsm2.conf"), format!("directories.tokendir = {}\n", tokens.display()))
            .unwrap();
    }

    /// The page's text with what this machine has in the place of what stands there.
    fn filled(&self, text: &str) -> String {
        let postgres = self.postgres.url("");
        let postgres = postgres.rsplit_once('@').unwrap().1.trim_end_matches('/');
        let mut text = text.replace("db.example:5432", postgres);
        for (there, here) in [
            ("/etc/cardseal", "etc"),
            ("/var/lib/cardseal", "sqlite"),
            ("/var/backups/cardseal", "backups"),
            ("/media/", "media/"),
        ] {
            text = text.replace(there, &self.file(here).display().to_string());
        }
        text = text.replace("/usr/share/cardseal/pkg", &self.release.path().display().to_string());
        if let Some(vault) = &self.vault {
            text = text.replace("127.0.0.1:4242", &vault.address.to_string());
        }
        if let Some(drill) = &self.drill {
            text = text.replace("127.0.0.1:4243", &drill.address.to_string());
        }
        text = text
            .replace("127.0.0.1:9142", if self.metrics.is_empty() { "127.0.0.1:0" } else { &self.metrics });
        for (name, value) in &self.values {
            text = text.replace(name, value);
        }
        text
    }

    fn settings(&self, text: &str) -> String {
        self.filled(&text.replace("127.0.0.1:4242", "127.0.0.1:0"))
    }

    /// Runs a block in a shell, and gives what it prints.
    fn run(&mut self, commands: &str, place: &str) -> String {
        let commands = self.filled(commands);
        let mut path = self.file("bin").into_os_string();
        for folder in
            [Programs::find().unwrap().folder().as_os_str(), &env::var_os("PATH").unwrap_or_default()]
        {
            path.push(":");
            path.push(folder);
        }
        let mut shell = Command::new("sh");
        shell
            .args(["-euc", &format!("exec 2>&1\n{commands}")])
            .current_dir(self.file("work"))
            .env("PATH", path);
        let output = shell.env("SOFTHSM2_CONF", self.file("softhsm2.conf")).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let log = self.vault.as_ref().map(Served::log).unwrap_or_default();
        assert!(output.status.success(), "{place}: {}\n{commands}\n{printed}\n{log}", output.status);
        self.remember(&printed);
        printed
    }

    /// Ids and keys that were printed, for the commands that come.
    fn remember(&mut self, printed: &str) {
        let words = || printed.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for name in ["mrch_test_…", "pkey_test_…", "skey_test_…"] {
            let prefix = name.trim_end_matches('…');
            if let Some(word) = words().find(|word| word.starts_with(prefix)) {
                self.values.entry(name).or_insert_with(|| word.to_owned());
            }
        }
        if let Some(word) = words().find(|word| word.starts_with("tokn_test_")) {
            self.values.insert("tokn_test_…", word.to_owned());
        }
        if let Some(id) = printed.lines().find_map(|line| line.strip_prefix("key       ")) {
            self.values.insert("akey_test_…", id.to_owned());
        }
    }

    /// What systemd does with the unit in deploy/.
    fn service(&mut self, text: &str, place: &str) {
        for line in text.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let ["sudo", "systemctl", verb @ .., "cardseal-vault"] = &words[..] else {
                panic!("{place}: {line}")
            };
            match verb {
                ["start"] | ["enable", "--now"] => self.start(),
                ["stop"] => self.stop(),
                ["restart"] => {
                    self.stop();
                    self.start();
                }
                _ => panic!("{place}: {line}"),
            }
        }
    }

    fn start(&mut self) {
        assert!(self.vault.is_none());
        let unit = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/cardseal-vault.service"),
        );
        let unit = unit.unwrap();
        let line = |name: &str| unit.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let (credential, path) =
            line("LoadCredential=").split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let credentials = self.file("credentials");
        fs::copy(self.filled(&path), credentials.join(credential)).unwrap();

        self.metrics.clear();
        let settings = fs::read_to_string(self.file("etc/vault.toml")).unwrap();
        let settings = renewed(&settings, "metrics_listen", "127.0.0.1:0");
        fs::write(self.file("etc/vault.toml"), settings).unwrap();
        let started = self.filled(&line("ExecStart=")).replace("%d", &credentials.display().to_string());
        let words: Vec<_> = started.split_whitespace().skip(1).collect();
        let mut serve = command(&words);
        let mut vault = Served::run({
            serve.env("CREDENTIALS_DIRECTORY", &credentials);
            serve
        });
        let line = vault.next_line();
        let metrics = line.trim().trim_end_matches("/metrics").rsplit('/').next().unwrap();
        metrics.clone_into(&mut self.metrics);
        // Commands read it there.
        let settings = fs::read_to_string(self.file("etc/vault.toml")).unwrap();
        fs::write(self.file("etc/vault.toml"), renewed(&settings, "metrics_listen", &self.metrics)).unwrap();
        self.vault = Some(vault);
    }

    /// As the page says of it: not ready first, while it goes on serving; who asks a second time does not want to wait.
    fn stop(&mut self) {
        let vault = self.vault.take().unwrap();
        vault.signal("TERM");
        let readiness = || vault.request("GET", "/readyz", "", JSON, "");
        while readiness().status == 200 {}
        assert!(readiness().body.contains(r#""serving":"failing""#));
        vault.signal("TERM");
        let (status, _) = vault.wait();
        assert!(status.success(), "{status}");
    }

    /// Of a table that is not logged, a base backup has only what makes an empty one.
    fn assert_base_backup_has_no_security_codes(&mut self) {
        let asking = "sudo -u postgres psql --dbname cardseal --tuples-only --no-align --command";
        let of = |table: &str| format!("{asking} \"SELECT pg_relation_filepath('{table}')\"");
        let file = |path: String| PathBuf::from(format!("backups/base/{}", path.trim()));
        let codes = file(self.run(&of("security_codes"), "the table's file"));
        let tokens = file(self.run(&of("tokens"), "the table's file"));
        let in_backup =
            |file: &Path, suffix: &str| self.file(&format!("{}{suffix}", file.display())).exists();
        assert!(in_backup(&tokens, "") && in_backup(&codes, "_init") && !in_backup(&codes, ""), "{codes:?}");
    }

    /// A second vault, beside the first.
    fn drill(&mut self, text: &str, place: &str) {
        let started = self.filled(&text.replace("127.0.0.1:4243", "127.0.0.1:0"));
        let words: Vec<_> = started.split_whitespace().collect();
        let ["sudo", "cardseal-vault", arguments @ ..] = &words[..] else { panic!("{place}: {started}") };
        self.drill = Some(Served::run(command(arguments)));
    }

    /// Ctrl-C.
    fn end_drill(&mut self) {
        let drill = self.drill.take().unwrap();
        drill.signal("INT");
        assert!(drill.wait().0.success());
    }
}

/// A file of settings with another value for one of them.
fn renewed(settings: &str, key: &str, value: &str) -> String {
    let mut renewed = String::new();
    for line in settings.lines() {
        match line.starts_with(&format!("{key} =")) {
            true => writeln!(renewed, "{key} = \"{value}\"").unwrap(),
            false => writeln!(renewed, "{line}").unwrap(),
        }
    }
    renewed
}

/// What of the page's text does not fit what was printed, line by line, whatever the space between words. `…` is any
/// text, and any lines where it is alone.
fn differs(shown: &str, printed: &str, place: &str) -> Option<String> {
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest: Vec<_> = printed.lines().map(squeezed).filter(|line| !line.is_empty()).collect();
    let mut skips = false;
    for line in shown.lines().map(squeezed).filter(|line| !line.is_empty()) {
        if line == "…" {
            skips = true;
            continue;
        }
        let found = rest.iter().position(|printed| fits(&line, printed));
        match found {
            Some(at) if skips || at == 0 => drop(rest.drain(..=at)),
            _ => return Some(format!("{place}: `{line}` does not come in\n{printed}")),
        }
        skips = false;
    }
    let told = skips || rest.is_empty();
    (!told).then(|| format!("{place}: {rest:?} is not told of\n{printed}"))
}

fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
