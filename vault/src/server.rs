//! A vault on the network: the listener, TLS, and stopping without losing a request.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior};

use crate::access::limit::{Limiter, Limits};
use crate::acquirer::Acquirers;
use crate::assets::{Assets, ReleaseError};
use crate::http;
use crate::store::Location;
use crate::time::{Clock, Stopwatch};
use crate::vault::{Done, Failure, OpenError, Policy, Setup, Vault};

/// Where a vault listens and what it keeps where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the database is.
    pub location: Location,
    /// The file of the key-encryption key.
    pub kek: PathBuf,
    /// Released folders, the current one first; without any there is no frame.
    pub assets: Vec<PathBuf>,
    /// Host and port; port 0 for any free one.
    pub listen: String,
    /// How much one may ask for.
    pub limits: Limits,
    /// TLS, or none: then something in front of the vault must give it.
    pub tls: Option<TlsFiles>,
}

/// A certificate and its key, PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How long a connection may take for a request's head, and how long it may stay idle.
const LONGEST_HEAD: Duration = Duration::from_secs(20);

/// Most bytes of a request's head. A browser's has about 2,000.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most headers of a request.
const MAX_HEADERS: usize = 64;

/// How long requests under way may take after the vault was told to stop.
const LONGEST_FAREWELL: Duration = Duration::from_secs(30);

/// How often a vault looks for new keys and for what has expired.
const MAINTAIN_EVERY: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT, and then to the end of what has begun. Says on `out` when it is ready, in one line.
///
/// # Errors
/// [`ServeError`]
pub async fn serve(settings: Settings, mut out: impl Write) -> Result<(), ServeError> {
    let tls = settings.tls.as_ref().map(tls_config).transpose()?;
    let assets = match &*settings.assets {
        [] => None,
        [current, older @ ..] => Some(Arc::new(Assets::load(current, older)?)),
    };
    let listening = |source| ServeError::Listen { address: settings.listen.clone(), source };
    let listener = TcpListener::bind(&settings.listen).map_err(listening)?;
    listener.set_nonblocking(true).map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    // From here on a signal means to stop in good order, even before the first request.
    let stop = Stop::new().map_err(ServeError::Signals)?;

    let vault = Vault::open(Setup {
        location: settings.location,
        kek: settings.kek,
        acquirers: Acquirers::default(),
        clock: Clock::system(),
        policy: Policy::default(),
    })
    .await?;
    // What expired while no vault was running.
    vault.maintain().await?;
    let maintenance = tokio::spawn(maintain(Arc::clone(&vault)));

    if tls.is_none() && !address.ip().is_loopback() {
        tracing::warn!(
            "listening without TLS beyond this machine: keys and clear cards can be read on the way"
        );
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    writeln!(out, "cardseal-vault listening on {scheme}://{address}")
        .and_then(|()| out.flush())
        .map_err(ServeError::Out)?;

    let limiter = Arc::new(Limiter::new(&settings.limits, Stopwatch::start()));
    let router = http::router(Arc::clone(&vault), assets, limiter);
    let served = run(listener, tls, router, stop).await;
    maintenance.abort();
    vault.close().await;
    served.map_err(ServeError::Serve)
}

async fn run(listener: TcpListener, tls: Option<RustlsConfig>, router: Router, stop: Stop) -> io::Result<()> {
    let handle = Handle::new();
    tokio::spawn({
        let handle = handle.clone();
        async move {
            stop.wait().await;
            tracing::info!("stopping: finishing what has begun");
            handle.graceful_shutdown(Some(LONGEST_FAREWELL));
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    match tls {
        Some(tls) => {
            let server = axum_server::from_tcp_rustls(listener, tls)?;
            limited(server).handle(handle).serve(service).await
        }
        None => limited(axum_server::from_tcp(listener)?).handle(handle).serve(service).await,
    }
}

/// HTTP/1.1 with limits on a request's head. (A connection that could also become HTTP/2 is given no time-out while it
/// says nothing.)
fn limited<A>(server: axum_server::Server<SocketAddr, A>) -> axum_server::Server<SocketAddr, A> {
    let mut server = server.http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEAD)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    server
}

async fn maintain(vault: Arc<Vault>) {
    let mut ticks = tokio::time::interval_at(Instant::now() + MAINTAIN_EVERY, MAINTAIN_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match vault.maintain().await {
            Ok(done) if done == Done::default() => {}
            Ok(Done { security_codes, idempotency_keys, tokens }) => {
                tracing::info!(security_codes, idempotency_keys, tokens, "deleted what had expired");
            }
            Err(error) => tracing::error!(%error, "maintenance failed; it is tried again"),
        }
        if let Err(error) = vault.resolve_charges().await {
            tracing::error!(%error, "looking charges up failed; it is tried again");
        }
        // A little at a time: what has expired does not wait until all of it is under new keys.
        match vault.rekey().await {
            Ok(0) => {}
            Ok(_) => ticks.reset_immediately(),
            Err(error) => tracing::error!(%error, "rows were not put under the new key; it is tried again"),
        }
    }
}

/// The two signals that ask a process to stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// TLS 1.2 and 1.3 with rustls's own choice of suites.
fn tls_config(files: &TlsFiles) -> Result<RustlsConfig, ServeError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| ServeError::TlsFile { path, source }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(unreadable(&files.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|source| ServeError::Certificate { path: files.certificate.clone(), source })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// Why a vault does not serve. The operator's to put right.
#[derive(Debug, Error)]
pub enum ServeError {
    /// A released folder is not what was released.
    #[error(transparent)]
    Assets(#[from] ReleaseError),
    /// The certificate is none, or not the key's.
    #[error("the certificate {path} cannot be used with this key: {source}", path = .path.display())]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; another port or host may be free")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// What has to be done before a vault serves failed. Trying again may help.
    #[error(transparent)]
    Maintenance(#[from] Failure),
    /// The vault cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nobody reads the line that says that the vault is ready.
    #[error("cannot write to the standard output: {0}")]
    Out(io::Error),
    /// The listener failed.
    #[error("the server failed: {0}")]
    Serve(io::Error),
    /// The process cannot hear signals.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    /// A PEM file cannot be read.
    #[error("the PEM file {path} cannot be read: {source}", path = .path.display())]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
}
