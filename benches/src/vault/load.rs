//! Browsers that ask for tokens.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::latency::Latencies;
use super::process::ORIGIN_OF_PAGES;

type Body = BoxBody<Bytes, std::convert::Infallible>;
type Connection = SendRequest<Body>;

/// Whom all browsers ask, and with which key.
#[derive(Clone, Debug)]
pub(super) struct Client {
    address: SocketAddr,
    authorization: Arc<str>,
}

impl Client {
    pub(super) fn new(address: SocketAddr, public_key: &str) -> Self {
        let authorization = format!("Basic {}", Base64::encode_string(format!("{public_key}:").as_bytes()));
        Self { address, authorization: authorization.into() }
    }

    /// What the vault says at a path.
    pub(super) async fn get(&self, path: &str) -> Result<Bytes> {
        let mut connection = self.connect().await?;
        self.ask(&mut connection, Method::GET, path, Empty::new().boxed()).await
    }

    /// Has all tokens made by so many browsers, each of which asks for the next as soon as it has one, and says how long
    /// that took.
    pub(super) async fn burst(&self, bodies: &[Bytes], browsers: usize) -> Result<Duration> {
        let bodies: Arc<[Bytes]> = bodies.into();
        let next = Arc::new(AtomicUsize::new(0));
        let mut working = JoinSet::new();
        let begun = Instant::now();
        for _ in 0..browsers {
            let (client, bodies, next) = (self.clone(), Arc::clone(&bodies), Arc::clone(&next));
            working.spawn(async move {
                let mut connection = client.connect().await?;
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    client.token(&mut connection, body.clone()).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = working.join_next().await {
            ended??;
        }
        Ok(begun.elapsed())
    }

    /// Has all tokens made at a steady rate, whether or not the ones before are there yet, and says how long each was
    /// waited for. A request that is sent late has been waited for from when it was due.
    pub(super) async fn steadily(&self, bodies: Vec<Bytes>, every: Duration) -> Result<Latencies> {
        let idle: Arc<Mutex<Vec<Connection>>> = Arc::default();
        let (due, mut arriving) = tokio::sync::mpsc::unbounded_channel();
        // A thread's sleep is more precise than the runtime's timer, which counts in milliseconds.
        let clock = std::thread::spawn(move || {
            let begun = Instant::now();
            for (nth, body) in (0..).zip(bodies) {
                let at = begun + every * nth;
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
                if due.send((at, body)).is_err() {
                    return;
                }
            }
        });
        let mut working = JoinSet::new();
        while let Some((at, body)) = arriving.recv().await {
            let (client, idle) = (self.clone(), Arc::clone(&idle));
            working.spawn(async move {
                let free = idle.lock().ok().and_then(|mut idle| idle.pop());
                let mut connection = match free {
                    Some(connection) => connection,
                    None => client.connect().await?,
                };
                client.token(&mut connection, body).await?;
                let waited = at.elapsed();
                if let Ok(mut idle) = idle.lock() {
                    idle.push(connection);
                }
                anyhow::Ok(waited)
            });
        }
        let latencies = working.join_all().await.into_iter().collect();
        ensure!(clock.join().is_ok(), "the clock panicked");
        latencies
    }

    async fn token(&self, connection: &mut Connection, body: Bytes) -> Result<()> {
        let answer = self.ask(connection, Method::POST, "/tokens", Full::new(body).boxed()).await?;
        ensure!(answer.windows(5).any(|part| part == b"tokn_"), "no token: {answer:?}");
        Ok(())
    }

    async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn ask(
        &self,
        connection: &mut Connection,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, &*self.authorization)
            .header(ORIGIN, ORIGIN_OF_PAGES)
            .header(CONTENT_TYPE, "application/json")
            .body(body)?;
        connection.ready().await?;
        let answer = connection.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await.context("reading an answer")?.to_bytes();
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }
}
