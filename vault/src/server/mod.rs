//! A vault on the network: the listener, TLS, and stopping without losing a request.

mod body;
mod listener;
mod notify;
mod opening;
mod operator_socket;
mod places;
mod stop;
mod stream;
mod tls;
mod worded;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use thiserror::Error;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;

use crate::access::limit::Limiter;
use crate::access::party;
use crate::acquirer::Acquirers;
use crate::assets::{Assets, ReleaseError};
use crate::audit::{Action, By};
use crate::config::{Address, Connections, NoFolder, Settings, ShutdownDelay};
use crate::http::{self, Parts, Waiting};
use crate::keys::kek::Source;
use crate::log::Recent;
use crate::merchant::Mode;
use crate::metrics::Metrics;
use crate::process;
use crate::store::{StoredMerchant, Waits};
use crate::time::{Clock, Pauses, Stopwatch};
use crate::vault::{Done, Failure, OpenError, Setup, Vault};

pub use listener::{Bounds, Listener, Routes};
pub use operator_socket::{Answer, Answered, ask};
pub use places::Places;
pub use tls::{TlsError, TlsFiles};

use opening::Lobby;
use stop::Stop;

/// How often a vault looks for new keys and for what has expired.
const MAINTAIN_EVERY: Duration = Duration::from_secs(10);

/// How often a vault looks for events that other processes told of.
const DELIVER_EVERY: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT, and then to the end of what has begun. Says on `out` when it is ready, in one line,
/// and in another one where its metrics are. `recent` has the last errors for the operator, whose
/// requests on the vault's socket `answer` answers.
///
/// # Errors
/// [`ServeError`]
pub async fn serve(
    settings: Settings,
    recent: Recent,
    answer: Answer,
    mut out: impl Write + Send,
) -> Result<(), ServeError> {
    let policy = settings.policy();
    let location = settings.database.location()?;
    let tls = settings.tls.as_ref().map(TlsFiles::read).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let assets = match &*settings.assets {
        [] => None,
        [current, older @ ..] => Some(Arc::new(Assets::load(current, older)?)),
    };
    check_file_limit(settings.connections);
    let bounds = Bounds { connections: settings.connections, ..Bounds::default() };
    let (listener, address) = listen(&settings.listen, tls, bounds).await?;
    let listener = listener.trusting(&settings.limits.trusted_proxies);
    let operations = match &settings.metrics_listen {
        Some(address) => Some(listen(address, None, Bounds { connections: OPERATORS, ..bounds }).await?),
        None => None,
    };
    let callbacks = match settings.callbacks {
        Some(callbacks) => {
            let parties = callbacks.parties().map_err(TlsError::from)?;
            let clients = party::verifier(&callbacks.authorities()).map_err(TlsError::from)?;
            let tls = callbacks.tls.read_mutual(clients)?;
            let bounds = Bounds { connections: VENDORS, ..bounds };
            Some((listen(&callbacks.listen, Some(tls), bounds).await?, (callbacks, parties)))
        }
        None => None,
    };
    // From here on a signal means to stop in good order, even before the first request.
    let mut stop = Stop::new().map_err(ServeError::Signals)?;

    // A vault that waits for its custodians says so. They may take their time.
    let waiting = match settings.kek {
        Source::Custodians(_) => Waiting::Locked,
        _ => Waiting::Starting,
    };
    tracing::info!(%address, why = waiting.as_str(), "listening, but not open yet");
    let places = listener.places();
    let (stopping, closing) = (CancellationToken::new(), CancellationToken::new());
    // Whatever makes this function end ends what it has begun.
    let _ends = closing.clone().drop_guard();
    let (switch, routes) = Routes::switched(http::waiting(waiting));
    let serving = tokio::spawn(listener.run(routes, closing.clone()));
    let operations = operations.map(|(listener, address)| {
        let (switch, routes) = Routes::switched(http::waiting(waiting));
        (tokio::spawn(listener.run(routes, CancellationToken::new())), switch, address)
    });

    let callbacks = callbacks.map(|((listener, address), settings)| {
        let (switch, routes) = Routes::switched(http::waiting(waiting));
        (tokio::spawn(listener.run(routes, closing.clone())), switch, address, settings)
    });

    let operator_socket = operator_socket::place(&settings.kek, &location);
    let (kek, acquirers, vendors) = (settings.kek, Acquirers::default(), settings.vendors);
    let (clock, pauses) = (Clock::system(), Pauses::system());
    let (audit_heads, test_webhooks) = (settings.audit_heads, settings.test_webhooks);
    let setup = Setup {
        location,
        waits: Waits::SERVING,
        kek,
        acquirers,
        vendors,
        clock,
        pauses,
        policy,
        audit_heads,
        test_webhooks,
    };
    let switches = [
        Some(&switch),
        operations.as_ref().map(|(_, switch, _)| switch),
        callbacks.as_ref().map(|(_, switch, ..)| switch),
    ];
    let lobby = Lobby::new(waiting, switches.into_iter().flatten().cloned());
    let opening = async {
        let store = lobby.store(&setup.location, setup.waits).await.map_err(OpenError::from)?;
        let vault = Vault::open_on(store, setup, &mut out).await?;
        let begin = async || {
            vault.audit(None, By::VAULT, Action::Start, env!("CARGO_PKG_VERSION"), None).await?;
            // It deletes some of what expired while no vault was running; the rest goes beside serving.
            vault.maintain().await
        };
        lobby.insist(begin, Failure::is_temporary).await?;
        Ok::<_, ServeError>(vault)
    };
    let vault = tokio::select! {
        vault = opening => vault?,
        () = stop.wait() => {
            tracing::info!("stopping before it was open");
            return Ok(());
        }
    };
    let maintenance = tokio::spawn(maintain(Arc::clone(&vault)));
    let deliveries = tokio::spawn(deliver(Arc::clone(&vault)));
    let operator_socket = operator_socket
        .map(|folder| tokio::spawn(operator_socket::serve(folder, Arc::clone(&vault), answer)));

    if scheme == "http" && !address.ip().is_loopback() && settings.limits.trusted_proxies.is_empty() {
        if vault.store().merchants().await.map_err(Failure::from)?.iter().any(is_live) {
            return Err(ServeError::Unencrypted(address));
        }
        tracing::warn!(
            "listening without TLS beyond this machine: keys and clear cards can be read on the way"
        );
    }
    let mut lines = format!("cardseal-vault listening on {scheme}://{address}\n");
    if let Some((_, _, address)) = &operations {
        lines.push_str(&format!("cardseal-vault metrics on http://{address}/metrics\n"));
    }
    if let Some((_, _, address, _)) = &callbacks {
        lines.push_str(&format!("cardseal-vault callbacks on https://{address}\n"));
    }
    tokio::spawn(stop_in_turn(stop, settings.shutdown_delay, stopping.clone(), closing.clone()));
    let parts = Parts {
        assets,
        limiter: Arc::new(Limiter::new(&settings.limits, Stopwatch::start())),
        metrics: Arc::new(Metrics::new(Arc::clone(&vault), places)),
        stopping,
        vault: Arc::clone(&vault),
    };
    // To the very end: whoever watches wants to see it.
    let operations = operations.map(|(operating, switch, _)| {
        drop(switch.send_replace(http::operations(&parts, recent)));
        operating
    });
    let callbacks = callbacks.map(|(calling, switch, _, settings)| {
        let (settings, parties) = settings;
        let routes = http::callbacks(&parts, &settings, parties);
        drop(switch.send_replace(routes));
        calling
    });
    drop(switch.send_replace(http::router(parts)));
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).map_err(ServeError::Out)?;
    notify::ready();
    // It ends by itself; a panic of its own would have ended it too.
    let _ = serving.await;
    if let Some(calling) = callbacks {
        let _ = calling.await;
    }
    maintenance.abort();
    deliveries.abort();
    if let Some(answering) = operator_socket {
        answering.abort();
    }
    if let Err(error) = vault.audit(None, By::VAULT, Action::Stop, env!("CARGO_PKG_VERSION"), None).await {
        tracing::error!(%error, "the audit does not tell of the end");
    }
    vault.close().await;
    if let Some(operations) = operations {
        operations.abort();
    }
    Ok(())
}

fn is_live(merchant: &StoredMerchant) -> bool {
    merchant.merchant.mode == Mode::Live
}

/// Connections for the operator's own tools.
const OPERATORS: Connections = match Connections::new(16) {
    Some(connections) => connections,
    None => Connections::DEFAULT,
};

/// Connections for vendors that tell of their tokens.
const VENDORS: Connections = match Connections::new(64) {
    Some(connections) => connections,
    None => Connections::DEFAULT,
};

async fn listen(
    address: &Address,
    tls: Option<Arc<ServerConfig>>,
    bounds: Bounds,
) -> Result<(Listener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Listen { address: address.clone(), source };
    let listener = Listener::bind(address.as_str(), tls, bounds).await.map_err(failed)?;
    let bound = listener.address().map_err(failed)?;
    Ok((listener, bound))
}

/// First whoever balances load gets to know, and then nobody new is let in.
async fn stop_in_turn(
    mut stop: Stop,
    delay: ShutdownDelay,
    stopping: CancellationToken,
    closing: CancellationToken,
) {
    stop.wait().await;
    tracing::info!("stopping");
    notify::stopping();
    stopping.cancel();
    // Who asks a second time does not want to wait.
    let _ = timeout(delay.duration(), stop.wait()).await;
    tracing::info!("finishing what has begun");
    closing.cancel();
}

/// Says so when the system does not let the process have as many connections as it may have.
fn check_file_limit(connections: Connections) {
    /// The database, the log, the listeners, and what libraries open.
    const OTHER_FILES: u64 = 64;
    match process::raise_file_limit() {
        Ok(Some(limit)) if limit < u64::from(connections.get()) + OTHER_FILES => {
            tracing::warn!(limit, "the limit on open files (ulimit -n) is below limits.connections");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit on open files was not raised"),
    }
}

async fn maintain(vault: Arc<Vault>) {
    let mut ticks = tokio::time::interval_at(Instant::now() + MAINTAIN_EVERY, MAINTAIN_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let until = Instant::now() + MAINTAIN_EVERY;
        let mut done = vault.maintain().await;
        if let Err(error) = &done {
            tracing::error!(%error, "maintenance failed; it is tried again");
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
        if let Ok(done) = &mut done {
            if let Err(error) = expire(&vault, done, until).await {
                tracing::error!(%error, "what has expired is not all deleted; it is tried again");
            }
            tell_of(*done);
        }
    }
}

/// Deletes what has expired, until the time for other things has come. Half of the time is others': they write too.
async fn expire(vault: &Vault, done: &mut Done, until: Instant) -> Result<(), Failure> {
    let mut may_be_more = done.may_be_more();
    while may_be_more && Instant::now() < until {
        let begun = Instant::now();
        let step = vault.expire().await?;
        *done += step;
        may_be_more = step.may_be_more();
        tokio::time::sleep(begun.elapsed()).await;
    }
    Ok(())
}

fn tell_of(done: Done) {
    let Done { security_codes, counted_numbers, idempotency_keys, events, passed_seals, tokens } = done;
    if done != Done::default() {
        tracing::info!(
            security_codes,
            counted_numbers,
            idempotency_keys,
            events,
            passed_seals,
            tokens,
            "deleted what had expired"
        );
    }
}

/// Sends events to webhooks: those of this process at once, those of others and those that did not arrive a little later.
async fn deliver(vault: Arc<Vault>) {
    loop {
        if let Err(error) = vault.deliver().await {
            tracing::error!(%error, "events were not sent; it is tried again");
            tokio::time::sleep(DELIVER_EVERY).await;
        }
        vault.wait_for_event(DELIVER_EVERY).await;
    }
}

/// Why a vault does not serve. The operator's to put right.
#[derive(Debug, Error)]
pub enum ServeError {
    /// A released folder is not what was released.
    #[error(transparent)]
    Assets(#[from] ReleaseError),
    /// The folder cannot be had.
    #[error(transparent)]
    DataDir(#[from] NoFolder),
    /// What has to be done from time to time failed the first time.
    #[error(transparent)]
    Maintain(#[from] Failure),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; another port or host may be free")]
    Listen {
        /// The address.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The vault cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nobody reads the line that says that the vault is ready.
    #[error("cannot write to the standard output: {0}")]
    Out(io::Error),
    /// The process cannot hear signals.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    /// Real cards' pages and keys would come over the network in the clear.
    #[error(
        "there are live merchants, and {0} is beyond this machine without TLS: give --tls-cert and --tls-key; or, where TLS \
         ends at a proxy in front of the vault, name that one: --trusted-proxies ADDRESS"
    )]
    Unencrypted(SocketAddr),
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
