//! Two PostgreSQL servers as docs/OPERATIONS.md sets them up, by its own commands and files: a primary with a synchronous
//! standby, HAProxies before them, and the process that decides which of them is the primary.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use cardseal_postgres::{Durability, Server, Stop, free_port};
use tempfile::TempDir;

use crate::faults::network::Network;
use crate::operations::{blocks, page};

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    A,
    B,
}

/// Whether the standby has everything that the primary has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Sync,
    Alone,
}

/// A server, its folder, and the network between it and all others.
pub(crate) struct Machine {
    pub(crate) server: Server,
    pub(crate) network: Network,
    folder: TempDir,
}

/// A running cluster. All of it ends when it is dropped.
pub(crate) struct Cluster {
    a: Machine,
    b: Machine,
    proxies: Vec<Proxy>,
    decider: Child,
    folder: TempDir,
}

/// An HAProxy, as stands on a machine with vaults.
struct Proxy {
    child: Child,
    port: u16,
    socket: PathBuf,
}

/// How many machines with vaults there are.
const PROXIES: usize = 2;

/// How long anything may take: nothing is proved by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked for what is waited for.
const GLANCE: Duration = Duration::from_millis(20);

impl Cluster {
    /// Sets it up, `a` as the primary and `b` with all that it has.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        open_to_all(folder.path());
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let authority = folder.path().join("postgres-ca.pem");
        fs::write(&authority, made.cert.pem()).unwrap();
        fs::set_permissions(&authority, fs::Permissions::from_mode(0o644)).unwrap();

        let [folder_a, folder_b] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let mut a = Server::start(folder_a.path(), Durability::Full).unwrap();
        a.speak_tls(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
        let b = a.twin(folder_b.path()).unwrap();
        let a = Machine { network: Network::before(a.url("postgres")).await, server: a, folder: folder_a };
        let b = Machine { network: Network::before(b.url("postgres")).await, server: b, folder: folder_b };
        let never_run = || Command::new("true").spawn().unwrap();
        let mut cluster = Self { a, b, proxies: Vec::new(), decider: never_run(), folder };

        cluster.a.server.stop(Stop::InOrder).unwrap();
        cluster.a.server.add_settings(&block("conf postgresql")).unwrap();
        cluster.a.server.start_again().unwrap();
        cluster.run(Name::A, "sh a", |text| text);
        for (file, to) in
            [("replicator.pgpass", cluster.b.folder.path()), ("decider.pgpass", cluster.folder.path())]
        {
            bring(&cluster.a, &cluster.b, file, to);
        }
        cluster.run(Name::B, "sh b", |text| text);
        cluster.b.server.start_again().unwrap();
        for index in 0..PROXIES {
            let proxy = cluster.start_proxy(index);
            cluster.proxies.push(proxy);
        }
        fs::write(cluster.state(), "a alone\n").unwrap();
        cluster.decider = cluster.start_decider();
        cluster.until(Name::A, Standing::Sync).await;
        cluster
    }

    /// The address of the database, by one of the HAProxies.
    pub(crate) fn url(&self, proxy: usize) -> String {
        let url = self.a.server.url("postgres");
        let port = self.proxies[proxy % PROXIES].port;
        let authority = self.folder.path().join("postgres-ca.pem");
        let url = url.replace(&format!(":{}/", self.a.server.port()), &format!(":{port}/"));
        format!("{url}?sslmode=verify-full&sslrootcert={}", authority.display())
    }

    pub(crate) fn machine(&mut self, name: Name) -> &mut Machine {
        match name {
            Name::A => &mut self.a,
            Name::B => &mut self.b,
        }
    }

    /// Waits until it is decided that this is the primary, and until it serves.
    pub(crate) async fn until(&mut self, primary: Name, standing: Standing) {
        let wanted = format!("{primary} {}\n", if standing == Standing::Sync { "sync" } else { "alone" });
        let state = self.state();
        let decided =
            eventually(async || fs::read_to_string(&state).is_ok_and(|state| state == wanted)).await;
        assert!(decided, "{wanted} is not decided: {}", self.log());
    }

    /// Does with the old primary what the page says to do, and starts it.
    pub(crate) fn rejoin(&mut self, name: Name) {
        self.machine(name).server.stop(Stop::InOrder).unwrap();
        self.run(name, "sh rejoin", |text| match name {
            Name::A => text,
            Name::B => text
                .replace("db-b.example", "db-a.example")
                .replace("application_name=a", "application_name=b"),
        });
        self.machine(name).server.start_again().unwrap();
    }

    /// Asks a server itself, whatever leads there, as its administrator.
    pub(crate) fn ask(&mut self, name: Name, sql: &str) -> String {
        let asked = self.start_asking(name, sql).wait_with_output().unwrap();
        assert!(asked.status.success(), "{sql}: {asked:?}");
        String::from_utf8(asked.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn start_asking(&mut self, name: Name, sql: &str) -> Child {
        let server = &self.machine(name).server;
        let mut psql = server.command_of_its_account("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        psql.args(["--command", sql, &server.url("postgres")]).stdin(Stdio::null());
        psql.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// How many connections lead to a server, by all HAProxies.
    pub(crate) fn connections(&self, name: Name) -> usize {
        let of_one = |proxy: &Proxy| {
            let statistics = self.tell(proxy, "show stat");
            let line = statistics.lines().find(|line| line.starts_with(&format!("cardseal,{name},")));
            // Its manual, "Statistics and monitoring": the fifth is the number of sessions now.
            line.unwrap().split(',').nth(4).unwrap().parse::<usize>().unwrap()
        };
        self.proxies.iter().map(of_one).sum()
    }

    pub(crate) fn signal_decider(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.decider.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// What the decider has said.
    pub(crate) fn log(&self) -> String {
        let logs =
            ["decider.log", "haproxy-0.log", "haproxy-1.log"].map(|name| self.folder.path().join(name));
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap_or_default();
        logs.iter().map(read).collect::<Vec<_>>().join("\n")
    }

    fn tell(&self, proxy: &Proxy, words: &str) -> String {
        let tell = format!("echo '{words}' | socat - UNIX-CONNECT:{}", proxy.socket.display());
        String::from_utf8(Command::new("sh").args(["-c", &tell]).output().unwrap().stdout).unwrap()
    }

    /// Runs a block of the page on one of the machines, as the user `postgres` there.
    fn run(&self, on: Name, mark: &str, change: impl Fn(String) -> String) {
        let machine = match on {
            Name::A => &self.a,
            Name::B => &self.b,
        };
        let script = self.filled(&change(block(mark)), machine);
        let url = machine.server.url("postgres");
        let as_user = "sudo() { shift 2; \"$@\"; }";
        let mut shell = machine.server.command_of_its_account("sh");
        shell.args(["-euc", &format!("{as_user}\n{script}")]).stdin(Stdio::null());
        if mark == "sh a" {
            // In life the system's user is the database's.
            let (user, place) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
            let (user, password) = user.split_once(':').unwrap();
            let port = place.split([':', '/']).nth(1).unwrap();
            shell.env("PGHOST", "127.0.0.1").env("PGPORT", port).env("PGUSER", user);
            shell.env("PGPASSWORD", password).env("PGDATABASE", "postgres");
        }
        let output: Output = shell.output().unwrap();
        assert!(output.status.success(), "{mark}: {output:?}\n{script}");
    }

    /// The page's text with what this machine has in the place of what stands there.
    fn filled(&self, text: &str, machine: &Machine) -> String {
        let data = machine.server.data().display().to_string();
        let folder = machine.folder.path().display().to_string();
        let mut text = text
            .replace("/etc/postgresql/15/main", &data)
            .replace("/var/lib/postgresql/15/main", &data)
            .replace("/var/lib/postgresql", &folder)
            .replace("/var/lib/cardseal-failover", &self.folder.path().display().to_string())
            .replace("/etc/cardseal", &self.folder.path().display().to_string());
        for (name, machine) in [("db-a.example", &self.a), ("db-b.example", &self.b)] {
            let port = machine.network.address.port();
            text = text
                .replace(&format!("host={name} port=5432"), &format!("host=127.0.0.1 port={port}"))
                .replace(&format!("{name}:5432"), &format!("127.0.0.1:{port}"));
        }
        text
    }

    fn start_proxy(&self, index: usize) -> Proxy {
        let file = |suffix: &str| self.folder.path().join(format!("haproxy-{index}.{suffix}"));
        let (socket, port) = (file("sock"), free_port().unwrap());
        let settings = self.filled(&block("conf haproxy"), &self.a);
        let settings = settings
            .replace("/run/haproxy/admin.sock", &socket.display().to_string())
            .replace("127.0.0.1:6432", &format!("127.0.0.1:{port}"));
        fs::write(file("cfg"), settings).unwrap();
        let log = File::create(file("log")).unwrap();
        let mut haproxy = Command::new(program("haproxy"));
        haproxy.arg("-db").arg("-f").arg(file("cfg")).stdin(Stdio::null());
        let child = haproxy.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Proxy { child, port, socket }
    }

    fn start_decider(&self) -> Child {
        let sockets: Vec<_> =
            self.proxies.iter().map(|proxy| format!("UNIX-CONNECT:{}", proxy.socket.display())).collect();
        let settings = self.filled(&block("conf failover"), &self.a);
        let there = "UNIX-CONNECT:/run/haproxy/admin.sock TCP:10.0.0.4:9999";
        assert!(settings.contains(there));
        let file = self.folder.path().join("failover");
        fs::write(&file, settings.replace(there, &sockets.join(" "))).unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/postgres-failover");
        let log = File::create(self.folder.path().join("decider.log")).unwrap();
        let mut decider = Command::new("sh");
        decider.arg(program).arg(file).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        decider.spawn().unwrap()
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let proxies = self.proxies.iter_mut().map(|proxy| &mut proxy.child);
        for child in proxies.chain([&mut self.decider]) {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        for machine in [&self.a, &self.b] {
            // A frozen one would not hear that it is to stop.
            let _ = machine.server.thaw();
        }
    }
}

impl Name {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::A => "a",
            Self::B => "b",
        })
    }
}

/// Whether it came true in a time that nobody would wait.
pub(crate) async fn eventually(mut condition: impl AsyncFnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if condition().await {
            return true;
        }
        tokio::time::sleep(GLANCE).await;
    }
    false
}

/// The text of the page's one block with this mark.
fn block(mark: &str) -> String {
    let mut found = blocks(&page("OPERATIONS.md")).into_iter().filter(|block| block.mark == mark);
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "{mark} comes twice");
    first.unwrap_or_else(|| panic!("docs/OPERATIONS.md has no `{mark}`")).text
}

/// Copies a file that was made on one machine to another one, for whoever reads such files there.
fn bring(from: &Machine, as_account_of: &Machine, file: &str, to: &Path) {
    let (from, to) = (from.folder.path().join(file), to.join(file));
    if to.starts_with(as_account_of.folder.path()) {
        let mut copy = as_account_of.server.command_of_its_account("cp");
        assert!(copy.arg("--preserve=mode").args([from, to]).status().unwrap().success());
    } else {
        fs::copy(from, to).unwrap();
    }
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Debian has it where only root's shells look.
fn program(name: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain(["/usr/sbin".into()]);
    let mut programs = folders.map(|folder| folder.join(name));
    programs
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("get it with `apt-get install {name}`"))
}
