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
use rustix::io::Errno;
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

    /// A server that is to have a copy of this one's data, with this one's password, in `folder`, whatever was there before.
    /// It has no data yet: whoever has put them into its [data folder](Self::data), as `pg_basebackup` does, starts it with
    /// [`start_again`](Self::start_again).
    ///
    /// # Errors
    /// `folder` cannot be had, or no port is free.
    pub fn twin(&self, folder: &Path) -> Result<Self> {
        Ok(Self {
            programs: self.programs.clone(),
            account: self.account,
            folder: renew(folder, &self.account)?,
            durability: self.durability,
            password: self.password.clone(),
            port: free_port()?,
            running: None,
        })
    }

    /// Where it keeps its data.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where it listens, on this machine.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A command that runs as the server does, as `sudo -u postgres` would run it, in the server's folder, with
    /// PostgreSQL's programs before all others.
    #[must_use]
    pub fn command_of_its_account(&self, program: &str) -> Command {
        let mut command = self.environment(Command::new(program));
        let mut path = self.programs.folder().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command.env("PATH", path);
        command
    }

    /// Adds lines to its `postgresql.conf`, which it reads when it starts again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add_settings(&self, lines: &str) -> Result<()> {
        let mut settings = File::options().append(true).open(self.data().join("postgresql.conf"))?;
        Ok(settings.write_all(lines.as_bytes())?)
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
        self.add_settings("ssl = on\n")?;
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

    /// Ends all its processes on the spot, as a power cut would (SIGKILL).
    ///
    /// # Errors
    /// One of them cannot be ended.
    pub fn kill(&mut self) -> Result<()> {
        self.freeze()?;
        let Some(mut child) = self.running.take() else { return Ok(()) };
        let processes = processes(&child)?;
        for process in &processes {
            send(*process, Signal::KILL)?;
        }
        child.wait()?;
        ensure!(
            wait_until(|| Ok(processes.iter().all(|process| has_ended(*process))))?,
            "PostgreSQL does not end"
        );
        Ok(())
    }

    /// Stops all its processes where they are (SIGSTOP): its connections stay open, and nothing is answered on them.
    ///
    /// # Errors
    /// One of them cannot be stopped.
    pub fn freeze(&self) -> Result<()> {
        self.signal_all(Signal::STOP)
    }

    /// Lets a frozen one go on as if nothing had been.
    ///
    /// # Errors
    /// One of its processes cannot be told.
    pub fn thaw(&self) -> Result<()> {
        self.signal_all(Signal::CONT)
    }

    fn signal_all(&self, signal: Signal) -> Result<()> {
        let child = self.running.as_ref().context("PostgreSQL is not running")?;
        // The first makes the others: once it has stopped there are no more than are found then.
        send(Pid::from_child(child), signal)?;
        for process in processes(child)? {
            send(process, signal)?;
        }
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
            // The eighth line of the file says how far it is. One that was killed has left its file, with its own number.
            let state = fs::read_to_string(&state).unwrap_or_default();
            let is_its_own = state.lines().next() == Some(&child.id().to_string());
            Ok(is_its_own && state.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
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
        // A password takes SCRAM 4,096 rounds each time, which are long where programs are not optimized.
        let auth = match self.durability {
            Durability::Full => "--auth=scram-sha-256",
            Durability::OfProcess => "--auth=md5",
        };
        initdb
            .args(["--username", USER, auth, "--encoding=UTF8", "--locale=C", "--no-sync"])
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
            "max_connections=600".to_owned(),
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
        let mut command = self.environment(Command::new(self.programs.path(program)));
        command.arg("-D").arg(self.data());
        command
    }

    fn environment(&self, mut command: Command) -> Command {
        // What is at home with whoever runs this is not for the server's user.
        command.current_dir(&self.folder).env("HOME", &self.folder);
        // Somebody's own settings for their own servers.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        self.account.lead(&mut command);
        command
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

/// The first process of a server and all that it has started; they start none themselves.
fn processes(first: &Child) -> Result<Vec<Pid>> {
    let mut processes = vec![Pid::from_child(first)];
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(pid) = path.file_name().and_then(|name| Pid::from_raw(name.to_str()?.parse().ok()?)) else {
            continue;
        };
        if state_and_parent(pid).is_some_and(|(_, parent)| parent == first.id()) {
            processes.push(pid);
        }
    }
    Ok(processes)
}

/// A letter for what a process does, and who has started it. None when it has ended.
fn state_and_parent(process: Pid) -> Option<(char, u32)> {
    let line = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    // Before them stands its name, which may hold anything.
    let mut words = line.rsplit(')').next()?.split_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

/// Whoever is to hear of its end may not have asked yet.
fn has_ended(process: Pid) -> bool {
    state_and_parent(process).is_none_or(|(state, _)| state == 'Z')
}

/// One that has ended needs no signal.
fn send(process: Pid, signal: Signal) -> Result<()> {
    match kill_process(process, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("sending a signal to {}", process.as_raw_nonzero())),
    }
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

/// A port of this machine that nobody listens on.
///
/// # Errors
/// None is free.
pub fn free_port() -> Result<u16> {
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
    fn a_frozen_one_answers_nothing_until_it_goes_on_and_a_killed_one_starts_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(folder.path(), Durability::Full).unwrap();
        let url = server.url("postgres");
        let asks = |server: &Server| {
            let mut psql = server.command_of_its_account("psql");
            psql.args(["--quiet", "--command", "SELECT 1", &url]).stdout(Stdio::null()).spawn().unwrap()
        };
        server.freeze().unwrap();
        let states = processes(server.running.as_ref().unwrap()).unwrap();
        let is_stopped = |process: &Pid| state_and_parent(*process).unwrap().0 == 'T';
        assert!(states.len() > 3 && wait_until(|| Ok(states.iter().all(is_stopped))).unwrap());
        let mut waiting = asks(&server);
        server.thaw().unwrap();
        assert!(waiting.wait().unwrap().success());

        server.kill().unwrap();
        assert!(!listens(server.port));
        server.start_again().unwrap();
        assert!(asks(&server).wait().unwrap().success());
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
