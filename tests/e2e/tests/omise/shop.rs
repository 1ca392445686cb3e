//! A shop that was made for Omise.js: a few pages, and a server that keeps what is posted to it.

use std::collections::HashMap;
use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use cardseal_e2e::Stage;

/// The shop, as a merchant of its own at a stage's vault.
pub(crate) struct Shop {
    pub(crate) url: String,
    posts: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    /// Opens it. In the pages, `VAULT` stands for the vault's address and `KEY` for the shop's public key. A path that is
    /// no page's answers with what was posted to it.
    pub(crate) fn open(stage: &Stage, pages: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let public_key = register(&url, &stage.folder().join("vault"));
        let filled = |page: &str| page.replace("VAULT", stage.vault_url()).replace("KEY", &public_key);
        let pages: HashMap<_, _> =
            pages.iter().map(|(path, page)| ((*path).to_owned(), filled(page))).collect();
        let policy = policy(stage.vault_url());
        let posts = Arc::<Mutex<Vec<String>>>::default();
        let serving = Arc::new(Serving { pages, policy, posts: Arc::clone(&posts) });
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // A browser also opens connections that it does not use at once.
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(connection));
            }
        });
        Self { url, posts }
    }

    /// What was posted last, after its path and a space.
    pub(crate) fn received(&self) -> String {
        self.posts.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// What the server's threads share.
struct Serving {
    pages: HashMap<String, String>,
    policy: String,
    posts: Arc<Mutex<Vec<String>>>,
}

impl Serving {
    fn serve(&self, connection: TcpStream) {
        let Some((path, body)) = read(&connection) else { return };
        let page = self.pages.get(&path).cloned().unwrap_or_else(|| {
            self.posts.lock().unwrap().push(format!("{path} {body}"));
            format!("<title>Shop</title><p id=received>{body}</p>")
        });
        answer(connection, &self.policy, &page);
    }
}

/// What the shop's pages allow: their own scripts and the vault, no style that is not in a file, no markup from text.
fn policy(vault: &str) -> String {
    format!(
        "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' {vault}; connect-src {vault}; \
         frame-src {vault}; img-src data:; form-action 'self'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

fn register(origin: &str, data_dir: &Path) -> String {
    // The test's program lies in target/debug/deps, the vault's in target/debug.
    let program = env::current_exe().unwrap().parent().unwrap().with_file_name("cardseal-vault");
    let mut add = Command::new(program);
    add.args(["merchant", "add", "--json", "--name", "Omise.js shop", "--origin", origin, "--data-dir"]);
    let keys: serde_json::Value =
        serde_json::from_slice(&add.arg(data_dir).output().unwrap().stdout).unwrap();
    keys["public_key"].as_str().unwrap().to_owned()
}

/// The path and the body of a request.
fn read(connection: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(connection);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let path = first.split(' ').nth(1)?.split('?').next()?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, String::from_utf8(body).ok()?))
}

fn answer(mut connection: TcpStream, policy: &str, page: &str) {
    let length = page.len();
    // A browser that has gone on needs no answer.
    let _ = write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Security-Policy: {policy}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{page}"
    );
}
