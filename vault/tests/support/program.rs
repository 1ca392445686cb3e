//! The program as an operator runs it, and requests over a real socket.

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use serde_json::Value;
use tempfile::NamedTempFile;

use super::Account;
use super::home::Home;

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// A command that reads something.
pub(crate) fn run_with_input(arguments: &[&str], input: &str) -> Output {
    let mut input_file = tempfile::tempfile().unwrap();
    input_file.write_all(input.as_bytes()).and_then(|()| input_file.rewind()).unwrap();
    command(arguments).stdin(input_file).output().unwrap()
}

/// A command, not yet run.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardseal-vault"));
    command.args(arguments);
    command
}

/// Adds a merchant with test keys.
pub(crate) fn add_merchant(dir: &Path) -> Account {
    let mut add = command(&["merchant", "add", "--data-dir"]);
    add.arg(dir);
    add_merchant_by(add)
}

/// Adds one by a command that lacks only whom to add.
pub(crate) fn add_merchant_by(mut add: Command) -> Account {
    let output = add.args(["--name", "A shop", "--origin", super::SHOP, "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    Account { public_key: text("public_key"), secret_key: text("secret_key") }
}

/// A vault that serves. It is killed when a test is done with it, if it has not stopped.
pub(crate) struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    /// The line it said when it was ready.
    pub(crate) line: String,
    pub(crate) address: SocketAddr,
    log: NamedTempFile,
}

impl Served {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    /// Starts it with the database of the tests.
    pub(crate) fn start_at(home: &Home) -> Self {
        let mut serve = command(&["serve", "--listen", "127.0.0.1:0"]);
        home.lead(&mut serve);
        Self::run(serve)
    }

    pub(crate) fn start_with(dir: &Path, arguments: &[&str]) -> Self {
        let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
        serve.arg(dir).args(arguments);
        Self::run(serve)
    }

    /// Runs a command that serves.
    pub(crate) fn run(mut serve: Command) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut child = serve.stdout(Stdio::piped()).stderr(log.reopen().unwrap()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once("//").unwrap_or_else(|| {
            panic!("the vault did not start: {}", fs::read_to_string(log.path()).unwrap())
        });
        Self { address: address.1.parse().unwrap(), child, out, line, log }
    }

    /// Where it is asked.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next line it says.
    pub(crate) fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end; says how it ended and what else it said.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }

    /// Ends it on the spot, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// One request on a connection of its own.
    pub(crate) fn request(&self, method: &str, path: &str, key: &str, kind: &str, body: &str) -> Reply {
        let mut stream = self.connect();
        stream.write_all(message(method, path, key, kind, body).as_bytes()).unwrap();
        Reply::read(&mut stream)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request as it goes over the wire.
pub(crate) fn message(method: &str, path: &str, key: &str, kind: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: vault.test\r\nAuthorization: {}\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        super::basic(key),
        body.len(),
    )
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    /// Reads to the end of a connection.
    pub(crate) fn read(stream: &mut impl Read) -> Self {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_ascii_lowercase(), body: body.into() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}
