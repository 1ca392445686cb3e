//! A PostgreSQL server of one's own: the system's programs, a new data folder, a free port of this machine only. It stops
//! when it is dropped, and one that a killed process has left behind is stopped before the next takes its folder.

mod account;
mod programs;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use account::Account;

pub use account::is_within_reach;
pub use programs::Programs;

/// What the server promises of what it has said to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is on the disk, as in life.
    Full,
    /// It outlives the server's end but not the machine's: many times faster where each test has a database of its own.
    OfProcess,
}

/// How a server is made to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ends every connection and closes its files in order (SIGINT, PostgreSQL's "fast").
    InOrder,
    /// Ends on the spot and repairs its files when it starts again, as after a crash (SIGQUIT, "immediate").
    OnTheSpot,
}

/// A PostgreSQL server. Dropping it stops it; its folder stays where it is.
#[derive(Debug)]
pub struct Server {
    programs: Programs,
    account: Account,
    folder: PathBuf,
    durability: Durability,
    password: String,
    port: u16,
    running: Option<Child>,
}

/// The superuser's name.
const USER: &str = "cardseal";

/// How long a server may take to start and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked for what is waited for.
const GLANCE: Duration = Duration::from_millis(5);

/// Where ports are looked for: below those that systems give to outgoing connections. One of those, on its way to a server
/// that is away for a moment, could otherwise be given the server's own port.
const PORTS: std::ops::Range<u16> = 15_000..30_000;

/// Ports that are tried, as somebody may take one at the same moment.
const ATTEMPTS: usize = 5;

impl Server {
    /// Makes a new data folder in `folder`, whatever was there before, and starts a server on it. Whoever runs as root gets
    /// one that runs as `postgres` or `nobody`, as PostgreSQL insists; `folder` then belongs to them.
    ///
    /// # Errors
    /// PostgreSQL is not installed, `folder` cannot be had, or the server does not start; its words are in the error.
    pub fn start(folder: &Path, durability: Durability) -> Result<Self> {
        let programs = Programs::find()?;
        let account = Account::unprivileged()?;
        let folder = renew(folder, &account)?;
        let mut server =
            Self { programs, account, password: password()?, folder, durability, port: 0, running: None };
        server.make_data_folder()?;
        let mut attempt = 1;
        loop {
            server.port = free_port()?;
            match server.start_again() {
                Err(error)
                    if attempt == ATTEMPTS || !error.to_string().contains("Address already in use") =>
                {
                    return Err(error);
                }
                Err(_) => attempt += 1,
                Ok(()) => return Ok(server),
            }
        }
    }

    /// The address of one of its databases, password and all: `postgres` is there from the beginning.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@{}:{}/{database}", self.password, Ipv4Addr::LOCALHOST, self.port)
    }

    /// Starts it anew as one that speaks TLS with this certificate and its key, both PEM.
    ///
    /// # Errors
    /// The server does not start; its words are in the error.
    pub fn speak_tls(&mut self, certificate: &str, key: &str) -> Result<()> {
        self.stop(Stop::InOrder)?;
        // The names are those that PostgreSQL has for them by default.
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = self.data().join(name);
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())?;
            self.account.own(&path)?;
        }
        let mut settings = File::options().append(true).open(self.data().join("postgresql.conf"))?;
        settings.write_all(b"ssl = on\n")?;
        self.start_again()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Stops it and waits until it has. A stopped one stays stopped.
    ///
    /// # Errors
    /// It does not stop.
    pub fn stop(&mut self, how: Stop) -> Result<()> {
        let Some(mut child) = self.running.take() else { return Ok(()) };
        let signal = match how {
            Stop::InOrder => Signal::INT,
            Stop::OnTheSpot => Signal::QUIT,
        };
        if child.try_wait()?.is_none() {
            kill_process(Pid::from_child(&child), signal).context("telling PostgreSQL to stop")?;
        }
        let ended = wait_until(|| Ok(child.try_wait()?.is_some()))?;
        ensure!(ended, "PostgreSQL does not stop; it said:\n{}", self.log());
        Ok(())
    }

    /// Starts a stopped one, with all that was stored, at the address where it was before.
    ///
    /// # Errors
    /// The server does not start; its words are in the error.
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.running.is_none(), "PostgreSQL is running");
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut command = self.command("postgres");
        for setting in self.settings() {
            command.args(["-c", &setting]);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn().context("starting PostgreSQL")?;
        let state = self.data().join("postmaster.pid");
        let ready = wait_until(|| {
            if let Some(status) = child.try_wait()? {
                bail!("PostgreSQL ended ({status}); it said:\n{}", self.log());
            }
            // The eighth line of the file says how far it is.
            let state = fs::read_to_string(&state).unwrap_or_default();
            Ok(state.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
        });
        self.running = Some(child);
        match ready {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.stop(Stop::OnTheSpot)?;
                bail!("PostgreSQL does not get ready; it said:\n{}", self.log())
            }
            Err(error) => {
                self.stop(Stop::OnTheSpot)?;
                Err(error)
            }
        }
    }

    fn make_data_folder(&self) -> Result<()> {
        let password = self.folder.join("password");
        fs::write(&password, &self.password)?;
        self.account.own(&password)?;
        let mut initdb = self.command("initdb");
        initdb
            .args(["--username", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pwfile")
            .arg(&password);
        let output = initdb.stdin(Stdio::null()).output().context("starting initdb")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "initdb failed ({}); it said:\n{said}", output.status);
        Ok(fs::remove_file(password)?)
    }

    fn settings(&self) -> Vec<String> {
        let mut settings = vec![
            format!("port={}", self.port),
            format!("listen_addresses={}", Ipv4Addr::LOCALHOST),
            // A socket's path has at most 107 bytes, which a checkout's may well have by itself.
            "unix_socket_directories=".to_owned(),
            "max_connections=300".to_owned(),
        ];
        if self.durability == Durability::OfProcess {
            settings.extend(
                ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"]
                    .map(str::to_owned),
            );
        }
        settings
    }

    /// One of PostgreSQL's programs, with the data folder named to it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.path(program));
        command.arg("-D").arg(self.data()).current_dir(&self.folder);
        // Somebody's own settings for their own servers.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        self.account.lead(&mut command);
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.stop(Stop::OnTheSpot);
    }
}

/// An empty folder that belongs to the account, after the server that may be running in the old one has stopped.
fn renew(folder: &Path, account: &Account) -> Result<PathBuf> {
    if folder.exists() {
        let folder = fs::canonicalize(folder)?;
        stop_left_behind(&folder.join("data"))?;
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .and_then(|()| fs::canonicalize(folder))
        .and_then(|folder| account.own(&folder).map(|()| folder))
        .with_context(|| format!("making {}", folder.display()))
}

/// A process that was killed has not stopped its server.
fn stop_left_behind(data: &Path) -> Result<()> {
    let Ok(state) = fs::read_to_string(data.join("postmaster.pid")) else { return Ok(()) };
    let Some(id) = state.lines().next().and_then(|line| line.trim().parse::<i32>().ok()) else {
        return Ok(());
    };
    let Some(pid) = Pid::from_raw(id) else { return Ok(()) };
    // The number may be another process's by now; a server works in its data folder.
    let runs = || fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|folder| folder == data);
    if !runs() {
        return Ok(());
    }
    kill_process(pid, Signal::QUIT)
        .with_context(|| format!("stopping the PostgreSQL that was left behind, {id}"))?;
    ensure!(wait_until(|| Ok(!runs()))?, "the PostgreSQL that was left behind, {id}, does not stop");
    Ok(())
}

/// Whether it came true in time.
fn wait_until(mut condition: impl FnMut() -> Result<bool>) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if condition()? {
            return Ok(true);
        }
        std::thread::sleep(GLANCE);
    }
    Ok(false)
}

fn free_port() -> Result<u16> {
    let [high, low] = random()?;
    let first = usize::from(u16::from_be_bytes([high, low]));
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    PORTS.cycle().skip(first).take(PORTS.len()).find(is_free).context("no port is free")
}

/// Nobody else on the machine may look at what tests keep.
fn password() -> Result<String> {
    let bytes: [u8; 16] = random()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random<const LENGTH: usize>() -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::net::TcpStream;

    use super::*;

    fn listens(port: u16) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    }

    #[test]
    fn it_stops_and_starts_again_at_the_same_address() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(folder.path(), Durability::Full).unwrap();
        let url = server.url("postgres");
        assert!(listens(server.port));
        for how in [Stop::InOrder, Stop::OnTheSpot] {
            server.stop(how).unwrap();
            assert!(!listens(server.port));
            server.start_again().unwrap();
            assert!(listens(server.port));
            assert_eq!(server.url("postgres"), url);
        }
        let port = server.port;
        drop(server);
        assert!(!listens(port));
    }

    #[test]
    fn one_that_was_left_behind_is_stopped_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let left_behind = Server::start(folder.path(), Durability::OfProcess).unwrap();
        let port = left_behind.port;
        std::mem::forget(left_behind);
        assert!(listens(port));
        let next = Server::start(folder.path(), Durability::OfProcess).unwrap();
        assert!(listens(next.port));
        assert!(next.port == port || !listens(port));
    }
}
