//! A vault that waits for its custodians, on its port.

use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{fs, io, thread};

use cardseal_vault::keys::kek::shares::{Count, Share};
use cardseal_vault::keys::kek::unlock::{self, Progress, ShareAt};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support::program::{Reply, command, message, run};

/// A vault whose custodians have not come yet. It is killed when a test is done with it.
struct Locked {
    child: Child,
    log: NamedTempFile,
    address: SocketAddr,
}

impl Locked {
    fn start(dir: &Path) -> Self {
        let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]);
        serve.args(["--kek", "custodians:2", "--data-dir"]).arg(dir);
        Self::run(serve)
    }

    fn run(mut serve: Command) -> Self {
        let log = NamedTempFile::new().unwrap();
        let child = serve.stdout(Stdio::piped()).stderr(log.reopen().unwrap()).spawn().unwrap();
        let mut locked = Self { child, log, address: ([127, 0, 0, 1], 0).into() };
        locked.address = locked.listening();
        locked
    }

    /// Waits for the line that names the address.
    fn listening(&mut self) -> SocketAddr {
        loop {
            let log = fs::read_to_string(self.log.path()).unwrap();
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut addresses = lines.filter_map(|line| line["address"].as_str().map(str::to_owned));
            if let Some(address) = addresses.next() {
                return address.parse().unwrap();
            }
            assert!(self.child.try_wait().unwrap().is_none(), "{log}");
            thread::yield_now();
        }
    }

    fn ask(&self, method: &str, path: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = message(method, path, "skey_test_0", "application/json", "{}");
        io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        Reply::read(&mut stream)
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until it says that it serves.
    fn serves(&mut self) -> String {
        let mut out = self.child.stdout.take().unwrap();
        let mut said = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&said).contains("listening on http://") || byte != *b"\n" {
            assert_eq!(out.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        String::from_utf8(said).unwrap()
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn bring(door: &Path, share: &Share) -> Progress {
    let file = NamedTempFile::new().unwrap();
    // EXPOSE: a share that was made for this test.
    fs::write(file.path(), share.expose().as_bytes()).unwrap();
    loop {
        match unlock::bring(door, &ShareAt::File(file.path().to_owned())).await {
            Ok(progress) => return progress,
            // It says that it is locked a moment before it waits.
            Err(error) => assert!(error.to_string().contains("waits"), "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_vault_says_so_on_its_port_and_serves_there_once_it_is_unlocked() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = Locked::start(dir.path());
    let shares = Share::new_set(Count::new(2).unwrap());
    let locked = |vault: &Locked| {
        assert_eq!((vault.ask("GET", "/livez").status, &*vault.ask("GET", "/livez").body), (200, "ok\n"));
        let ready = vault.ask("GET", "/readyz");
        let told = json!({ "status": "failing", "checks": { "keys": "locked" } });
        assert_eq!((ready.status, ready.json()), (503, told));
        for (method, path) in [
            ("GET", "/.well-known/jwks.json"),
            ("POST", "/tokens"),
            ("POST", "/charges"),
            ("GET", "/customers"),
            ("DELETE", "/livez/x"),
            ("GET", "/frame"),
            ("GET", "/nowhere"),
        ] {
            let reply = vault.ask(method, path);
            assert_eq!((reply.status, &reply.json()["code"]), (503, &json!("service_unavailable")), "{path}");
            assert!(reply.head.contains("\r\nretry-after: 5"), "{reply:?}");
            assert!(reply.head.contains("\r\nconnection: close"), "{reply:?}");
            assert!(reply.head.contains("\r\ncache-control: no-store"), "{reply:?}");
        }
    };
    locked(&vault);
    assert_eq!(bring(dir.path(), &shares[0]).await, Progress::Taken { taken: 1, needed: 2 });
    locked(&vault);
    assert_eq!(bring(dir.path(), &shares[1]).await, Progress::Unlocked);

    let said = vault.serves();
    assert!(said.contains(&format!("listening on http://{}\n", vault.address)), "{said}");
    assert_eq!(vault.ask("GET", "/readyz").json()["checks"]["keys"], "ok");
    assert_eq!(vault.ask("GET", "/.well-known/jwks.json").status, 200);
    assert_eq!(vault.ask("POST", "/charges").json()["code"], "authentication_failure");
    vault.signal("TERM");
    assert!(vault.child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_vault_that_is_told_to_stop_stops() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["TERM", "INT"] {
        let mut vault = Locked::start(dir.path());
        assert_eq!(vault.ask("GET", "/livez").status, 200);
        vault.signal(name);
        assert!(vault.child.wait().unwrap().success());
        assert!(!dir.path().join("unlock.sock").exists());
    }
}

/// What a command of one's own cannot do without all shares (PCI DSS 3.7.6, 12.10).
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_revoked_though_nobody_has_the_custodians_shares_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = Locked::start(dir.path());
    for share in Share::new_set(Count::new(2).unwrap()) {
        bring(dir.path(), &share).await;
    }
    vault.serves();
    let socket = dir.path().join("operate.sock");
    while !socket.exists() {
        thread::yield_now();
    }
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    let folder = dir.path().to_str().unwrap();
    let ask =
        |arguments: &[&str]| run(&[&["--as", "anna", "ask", "--data-dir", folder][..], arguments].concat());
    let said = |arguments: &[&str]| {
        let output = ask(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let added = said(&["merchant", "add", "--name", "A", "--origin", "http://localhost:1", "--json"]);
    let added: Value = serde_json::from_str(&added).unwrap();
    let merchant = added["merchant"].as_str().unwrap();
    let key = said(&["merchant", "keys", "add", "--merchant", merchant]);
    let part = |line: usize| key.lines().nth(line).unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let status = |key: &str| {
        let mut stream = TcpStream::connect(vault.address).unwrap();
        let request = message("GET", "/customers", key, "application/json", "");
        io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        Reply::read(&mut stream).status
    };
    assert_eq!(status(&part(1)), 200);
    said(&["merchant", "keys", "revoke", "--id", &part(0)]);
    assert_eq!(status(&part(1)), 401);
    said(&["keys", "rotate", "--purpose", "sealing-test", "--now"]);
    said(&["keys", "retire", "--purpose", "sealing-test", "--version", "1"]);
    assert!(said(&["audit", "verify"]).contains("genuine"));
    assert!(said(&["merchant", "list"]).contains(merchant));
    let listed = said(&["audit", "list", "--merchant", merchant]);
    let row = listed.lines().find(|row| row.contains("key.revoke")).unwrap();
    assert!(row.contains("person:anna  machine"), "{row}");

    // One's own command cannot, and says what can; nothing else is done through the socket, and nothing with files.
    let alone = run(&["keys", "rotate", "--kek", "custodians:2", "--data-dir", folder]);
    assert!(String::from_utf8_lossy(&alone.stderr).contains("cardseal-vault ask"), "{alone:?}");
    for refused in [
        &["keys", "rewrap", "--to", "file:/tmp/x"][..],
        &["merchant", "connect", "--merchant", merchant, "--vendor", "omise", "--account", "/etc/passwd"],
        &["audit", "verify", "--heads", "/etc/passwd"],
        &["merchant", "list", "--config", "/etc/passwd"],
        &["serve"],
        &["merchant", "keys", "revoke", "--id", &part(0)],
    ] {
        let output = ask(refused);
        assert!(!output.status.success() && output.stdout.is_empty(), "{refused:?}: {output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("root:"), "{output:?}");
    }
    // Whoever says nothing that can be read gets no answer, and keeps nobody else from one.
    let half_said = UnixStream::connect(&socket).unwrap();
    (&half_said).write_all(b"{\"arguments\":[").unwrap();
    for unreadable in [b"GET / HTTP/1.1\r\n\n".to_vec(), b"{}\n".to_vec(), vec![b'x'; 1024 * 1024]] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // It may hang up before the end.
        let _ = stream.write_all(&unreadable);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
    }
    assert!(said(&["merchant", "list"]).contains(merchant));
    drop(half_said);
    vault.signal("TERM");
    assert!(vault.child.wait().unwrap().success());
    assert!(!socket.exists());
    let nobody = ask(&["merchant", "list"]);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("no vault can be asked"), "{nobody:?}");
}
