//! A web server whose answers a test writes: a merchant's pages, or something that stands in for a vault.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

/// A web server that runs until this is dropped.
pub struct Site {
    address: SocketAddr,
    paths: Arc<Mutex<Vec<String>>>,
    closed: Arc<AtomicBool>,
}

/// What a browser asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What was posted.
    pub body: Vec<u8>,
}

/// What it gets.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Site {
    /// Opens it. Where `answer` gives nothing the connection is closed without a word, as a blocked one is.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn open(answer: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let paths = Arc::<Mutex<Vec<String>>>::default();
        let closed = Arc::<AtomicBool>::default();
        let (kept, ended, answer) = (Arc::clone(&paths), Arc::clone(&closed), Arc::new(answer));
        thread::spawn(move || {
            for connection in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                // A browser also opens connections that it does not use for a while.
                thread::spawn(move || {
                    let Some((connection, request)) =
                        connection.ok().and_then(|connection| Request::read(connection).ok())
                    else {
                        return;
                    };
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(request.path.clone());
                    match answer(&request) {
                        Some(reply) => reply.write(&connection),
                        None => drop(connection.shutdown(Shutdown::Both)),
                    }
                });
            }
        });
        Ok(Self { address, paths, closed })
    }

    /// Its origin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same server under a name that makes it another origin, and another site.
    #[must_use]
    pub fn other_url(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// How many requests came for addresses that begin like this.
    #[must_use]
    pub fn count(&self, beginning: &str) -> usize {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.iter().filter(|path| path.starts_with(beginning)).count()
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Site").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // Wakes the thread, so that it sees it.
        let _ = TcpStream::connect(self.address);
    }
}

impl Request {
    /// One for what is anybody's to read.
    #[must_use]
    pub fn get(path: &str) -> Self {
        let host = ("host".into(), "localhost".into());
        Self { method: "GET".into(), path: path.into(), headers: vec![host], body: Vec::new() }
    }

    /// The address without its query.
    #[must_use]
    pub fn file(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    fn read(connection: TcpStream) -> Result<(TcpStream, Self)> {
        let mut reader = BufReader::new(&connection);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next().context("a method")?, words.next().context("a path")?);
        let headers = read_headers(&mut reader)?;
        let mut request = Self { method, path, headers, body: Vec::new() };
        let length = request.headers.iter().find(|(name, _)| name == "content-length");
        request.body = vec![0; length.map_or(Ok(0), |(_, length)| length.parse())?];
        reader.read_exact(&mut request.body)?;
        Ok((connection, request))
    }
}

impl Reply {
    /// A page.
    #[must_use]
    pub fn page(html: impl Into<String>) -> Self {
        Self::of("text/html; charset=utf-8", html.into())
    }

    /// A script.
    #[must_use]
    pub fn script(script: impl Into<String>) -> Self {
        Self::of("text/javascript; charset=utf-8", script.into())
    }

    /// A file, as any web server would serve it; nothing where there is none.
    #[must_use]
    pub fn file(path: &Path) -> Option<Self> {
        let content_type = match path.extension()?.to_str()? {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "json" => "application/json",
            "wasm" => "application/wasm",
            _ => "application/octet-stream",
        };
        Some(Self::of(content_type, std::fs::read(path).ok()?))
    }

    fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: vec![("Content-Type".into(), content_type.into())], body: body.into() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with another status.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// What another server answers to the same request; nothing where there is none.
    #[must_use]
    pub fn from(server: &str, request: &Request) -> Option<Self> {
        Self::ask(server, request).ok()
    }

    fn ask(server: &str, Request { method, path, headers, body }: &Request) -> Result<Self> {
        let authority = server.strip_prefix("http://").context("a server on this machine")?;
        let mut connection = TcpStream::connect(authority)?;
        write!(connection, "{method} {path} HTTP/1.1\r\nConnection: close\r\n")?;
        // Its answers may be changed on the way, so they had better be plain.
        let own = ["connection", "accept-encoding"];
        for (name, value) in headers.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
            write!(connection, "{name}: {value}\r\n")?;
        }
        write!(connection, "\r\n")?;
        connection.write_all(body)?;
        let mut reader = BufReader::new(connection);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let status = first.split(' ').nth(1).context("a status")?.parse()?;
        let mut headers = read_headers(&mut reader)?;
        headers.retain(|(name, _)| name != "content-length" && name != "connection");
        let mut body = Vec::new();
        reader.read_to_end(&mut body)?;
        Ok(Self { status, headers, body })
    }

    fn write(&self, mut connection: &TcpStream) {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = self.body.len();
        // A browser that has gone on needs no answer.
        let _ = write!(
            connection,
            "HTTP/1.1 {} OK\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n",
            self.status
        );
        let _ = connection.write_all(&self.body);
    }
}

fn read_headers(reader: &mut impl std::io::BufRead) -> Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { return Ok(headers) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}
