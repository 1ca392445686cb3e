//! Connections: at most so many, and none without end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::body::Awaited;
use super::places::{Place, Places};
use super::stream::Paced;
use super::worded::Worded;
use crate::access::client::Proxy;
use crate::access::party::Shown;
use crate::config::Connections;

/// What a connection may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many connections there may be; see [`Places`] for those beyond.
    pub connections: Connections,
    /// How long the TLS handshake may take.
    pub longest_handshake: Duration,
    /// How long a request's head may take, and how long a connection may stay idle.
    pub longest_head: Duration,
    /// How long a request's body may take.
    pub longest_body: Duration,
    /// How long an answer may wait for its client to take it.
    pub longest_answer: Duration,
    /// How long requests under way may take after the vault was told to stop.
    pub longest_farewell: Duration,
    /// How long then a connection is kept on which nobody ever asked for anything: long enough for a request that is on
    /// its way.
    pub longest_silence: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: Connections::default(),
            longest_handshake: Duration::from_secs(10),
            longest_head: Duration::from_secs(20),
            longest_body: Duration::from_secs(10),
            longest_answer: Duration::from_secs(30),
            longest_farewell: Duration::from_secs(30),
            longest_silence: Duration::from_secs(1),
        }
    }
}

/// Most bytes of a request's head. A browser's has about 2,000.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most headers of a request.
const MAX_HEADERS: usize = 64;

/// A socket that takes connections.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    bounds: Bounds,
    places: Places,
}

/// What new connections are answered by.
#[derive(Clone, Debug)]
pub struct Routes(watch::Receiver<Router>);

impl Routes {
    /// What `router` says until the switch is sent something else.
    #[must_use]
    pub fn switched(router: Router) -> (watch::Sender<Router>, Self) {
        let (switch, routes) = watch::channel(router);
        (switch, Self(routes))
    }
}

impl From<Router> for Routes {
    fn from(router: Router) -> Self {
        // Without its switch it stays as it is.
        Self::switched(router).1
    }
}

impl Listener {
    /// Takes the address, `host:port`; port 0 for any free one. Connections wait until the listener runs.
    ///
    /// # Errors
    /// What the system said.
    pub async fn bind(address: &str, tls: Option<Arc<ServerConfig>>, bounds: Bounds) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        Ok(Self { socket, tls, bounds, places: Places::new(bounds.connections) })
    }

    /// The same, where the connections of these peers are not cut for others: behind each are many clients.
    #[must_use]
    pub fn trusting(self, proxies: &[Proxy]) -> Self {
        Self { places: Places::sparing(self.bounds.connections, proxies.into()), ..self }
    }

    /// The address it has.
    ///
    /// # Errors
    /// What the system said.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The places that it has for connections.
    #[must_use]
    pub fn places(&self) -> Places {
        self.places.clone()
    }

    /// Serves until `closing` is cancelled, and then to the end of what has begun.
    pub async fn run(self, routes: impl Into<Routes>, closing: CancellationToken) {
        let Routes(routes) = routes.into();
        let connections = TaskTracker::new();
        while let Some((stream, peer, place)) = self.accept(&closing).await {
            let connection = Connection {
                peer,
                tls: self.tls.clone(),
                bounds: self.bounds,
                router: routes.borrow().clone(),
                closing: closing.clone(),
            };
            connections.spawn(async move {
                let place = Arc::new(place);
                tokio::select! {
                    () = place.taken_away() => {}
                    () = connection.serve(stream, &place) => {}
                }
            });
        }
        // Nobody new gets in.
        drop(self.socket);
        connections.close();
        connections.wait().await;
    }

    /// The next connection, or none if it is time to close.
    async fn accept(&self, closing: &CancellationToken) -> Option<(TcpStream, SocketAddr, Place)> {
        loop {
            let accepted = tokio::select! {
                () = closing.cancelled() => return None,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    return tokio::select! {
                        () = closing.cancelled() => None,
                        place = self.places.take(peer.ip()) => Some((stream, peer, place)),
                    };
                }
                // Its client had gone before it got here.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    // The process or the system has no file descriptor left until some connection ends.
                    tracing::error!(%error, "a connection was not accepted");
                    sleep(AFTER_A_REFUSAL).await;
                }
            }
        }
    }
}

/// How long the listener waits when the system would give it no connection.
const AFTER_A_REFUSAL: Duration = Duration::from_millis(100);

/// Who has come by TLS comes by nothing else for a year (RFC 6797 section 6.1): a page's address typed without its scheme, or
/// written with `http`, is no way in. Other names under the vault's are the operator's concern.
const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

struct Connection {
    peer: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    bounds: Bounds,
    router: Router,
    closing: CancellationToken,
}

impl Connection {
    /// How a connection ends is nobody's concern: the log has a line for each request.
    async fn serve(self, stream: TcpStream, place: &Arc<Place>) {
        // Without it a short answer may wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let stream = Paced::new(stream, self.bounds.longest_answer);
        let Some(tls) = self.tls.clone() else {
            return self.speak_http(stream, place, None).await;
        };
        let handshake = tokio::select! {
            () = self.closing.cancelled() => return,
            handshake = timeout(self.bounds.longest_handshake, TlsAcceptor::from(tls).accept(stream)) => handshake,
        };
        if let Ok(Ok(stream)) = handshake {
            let shown = stream.get_ref().1.peer_certificates();
            let shown = shown.map(|chain| Shown(chain.iter().map(|one| one.clone().into_owned()).collect()));
            self.speak_http(stream, place, shown).await;
        }
    }

    /// HTTP/1.1 with limits on a request's head.
    async fn speak_http(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        place: &Arc<Place>,
        shown: Option<Shown>,
    ) {
        let Self { peer, tls, bounds, router, closing } = self;
        let (has_asked, is_encrypted) = (AtomicBool::new(false), tls.is_some());
        let service = service_fn(|request: Request<Incoming>| {
            has_asked.store(true, Ordering::Relaxed);
            let end = Instant::now() + bounds.longest_body;
            let mut request = request.map(|body| Body::new(Awaited::until(end, body, Arc::clone(place))));
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(shown) = &shown {
                request.extensions_mut().insert(shown.clone());
            }
            let answering = router.clone().oneshot(request);
            async move {
                let mut answer = answering.await?;
                if is_encrypted {
                    answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, A_YEAR);
                }
                place.waits();
                Ok::<_, Infallible>(answer)
            }
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(bounds.longest_head)
                .max_headers(MAX_HEADERS)
                .max_buf_size(MAX_HEAD_BYTES)
                .serve_connection(TokioIo::new(Worded::new(stream)), service)
        );
        tokio::select! {
            _ = connection.as_mut() => return,
            () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let rest =
            if has_asked.load(Ordering::Relaxed) { bounds.longest_farewell } else { bounds.longest_silence };
        let _ = timeout(rest, connection).await;
    }
}
