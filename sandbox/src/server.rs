//! A vendor's server: who may connect, what came and went, and the mood it is in.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::mood::{Mood, Moods};
use crate::record::{Answer, Exchange, Records};

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    is_tls: bool,
    /// What it was asked.
    pub records: Records,
    /// How it answers.
    pub moods: Moods,
    serving: AbortHandle,
}

/// Most bytes of a request's body.
const MAX_BODY_BYTES: usize = 64 * 1024;

impl Server {
    /// Starts on this machine only, at a port, 0 for any free one.
    ///
    /// # Errors
    /// What the system said.
    pub async fn start(port: u16, tls: Option<Arc<ServerConfig>>, vendor: Router) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let (address, is_tls) = (socket.local_addr()?, tls.is_some());
        let (records, moods) = (Records::default(), Moods::default());
        let shared = Arc::new(Shared { vendor, records: records.clone(), moods: moods.clone() });
        let serving = tokio::spawn(accept_all(socket, tls, shared)).abort_handle();
        Ok(Self { address, is_tls, records, moods, serving })
    }

    /// Where it is: `http://127.0.0.1:40000`, or with `https`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Shared {
    vendor: Router,
    records: Records,
    moods: Moods,
}

async fn accept_all(socket: TcpListener, tls: Option<Arc<ServerConfig>>, shared: Arc<Shared>) {
    loop {
        // A client that has gone again, or too many files: there may be another.
        let Ok((stream, _)) = socket.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        tokio::spawn(connected(stream, tls.clone(), Arc::clone(&shared)));
    }
}

/// How a connection ends is its client's to notice.
async fn connected(stream: TcpStream, tls: Option<Arc<ServerConfig>>, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return speak_http(stream, None, shared).await };
    let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await else { return };
    let certificates = stream.get_ref().1.peer_certificates();
    let client = certificates.and_then(|chain| chain.first()).map(|certificate| fingerprint(certificate));
    speak_http(stream, client, shared).await;
}

async fn speak_http(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    client: Option<String>,
    shared: Arc<Shared>,
) {
    let service = service_fn(|request| answer(request, client.clone(), &shared));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The connection is to end without an answer.
#[derive(Debug, Error)]
#[error("hanging up")]
struct HangingUp;

async fn answer(
    request: Request<Incoming>,
    client: Option<String>,
    shared: &Shared,
) -> Result<Response<Body>, HangingUp> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|_| HangingUp)?.to_bytes();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), lossy(value.as_bytes())));
    let mut exchange = Exchange {
        // Its number comes with the answer.
        number: 0,
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: headers.collect(),
        body: lossy(&body),
        client,
        answer: None,
    };
    let mood = shared.moods.next();
    let response = match mood {
        Mood::HangUp => {
            shared.records.add(exchange);
            return Err(HangingUp);
        }
        Mood::Status(status) => bare(status),
        Mood::Busy(status, seconds) => {
            let mut response = bare(status);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            response
        }
        Mood::Garbage | Mood::Late(_) | Mood::LoseAnswer | Mood::Well => {
            carried_out(shared.vendor.clone(), Request::from_parts(parts, body.into())).await
        }
    };
    let (mut parts, body) = response.into_parts();
    // The server counts what is sent in the end.
    parts.headers.remove(CONTENT_LENGTH);
    let mut body = to_bytes(body, usize::MAX).await.map_err(|_| HangingUp)?;
    match mood {
        Mood::Late(time) => tokio::time::sleep(time).await,
        Mood::Garbage => body = Bytes::from_static(b"<html>\xff"),
        Mood::LoseAnswer => {
            shared.records.add(exchange);
            return Err(HangingUp);
        }
        Mood::Busy(..) | Mood::HangUp | Mood::Status(_) | Mood::Well => {}
    }
    exchange.answer = Some(Answer { status: parts.status.as_u16(), body: lossy(&body) });
    shared.records.add(exchange);
    Ok(Response::from_parts(parts, body.into()))
}

async fn carried_out(vendor: Router, request: Request<Body>) -> Response<Body> {
    vendor.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn fingerprint(certificate: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, certificate);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// An empty answer of a status: where a vendor's documents show no body.
pub(crate) fn bare(status: StatusCode) -> Response<Body> {
    axum::response::IntoResponse::into_response((status, axum::Json(serde_json::json!({}))))
}
