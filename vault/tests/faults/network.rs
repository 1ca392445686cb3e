//! A network before a PostgreSQL that can be cut: nothing comes through any more, and nobody hears of it.

use std::net::SocketAddr;

use cardseal_vault::store::Location;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::home::Home;

/// Dropping it breaks its connections.
pub(crate) struct Network {
    /// Where it leads to the server from.
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    url: String,
    _carrying: JoinSet<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Cut,
    /// It is cut as soon as somebody sends the server this, which does not get there.
    CutBefore(&'static [u8]),
    /// The same, but it gets there, and only the answer does not come back.
    CutAfter(&'static [u8]),
}

impl Network {
    /// To the database of a vault's home; none where that is a file.
    pub(super) async fn to(home: &Home) -> Option<Self> {
        Some(Self::before(home.postgres()?).await)
    }

    /// To the server of this address.
    pub(crate) async fn before(url: String) -> Self {
        let server = host(&url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), watch::Sender::new(State::Open));
        let mut carrying = JoinSet::new();
        carrying.spawn({
            let state = state.clone();
            async move {
                let mut connections = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    connections.spawn(carry(client, server.clone(), state.clone()));
                }
            }
        });
        Self { address, state, url, _carrying: carrying }
    }

    /// The database through it.
    pub(super) fn location(&self) -> Location {
        let url = self.url.replacen(host(&self.url), &self.address.to_string(), 1);
        Location::Postgres(url.parse().unwrap())
    }

    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub(super) fn cut_before(&self, text: &'static str) {
        self.state.send_replace(State::CutBefore(text.as_bytes()));
    }

    pub(super) fn cut_after(&self, text: &'static str) {
        self.state.send_replace(State::CutAfter(text.as_bytes()));
    }

    /// Waits until it is cut.
    pub(super) async fn is_cut(&self) {
        self.state.subscribe().wait_for(|state| *state == State::Cut).await.unwrap();
    }

    pub(crate) fn heal(&self) {
        self.state.send_replace(State::Open);
    }
}

/// `postgres://user:password@host:port/name`
fn host(url: &str) -> &str {
    url.rsplit_once('@').unwrap().1.split('/').next().unwrap()
}

async fn carry(client: TcpStream, server: String, state: watch::Sender<State>) {
    // Whoever connects while it is cut gets no word from the server either.
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(pass(from_client, to_server, &state), pass(from_server, to_client, &state));
}

/// Passes on what comes, as long as it is open. What comes meanwhile is not lost, as with TCP.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &watch::Sender<State>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer).await.unwrap_or(0);
        let bytes = &buffer[..length];
        let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        state.send_if_modified(|state| match *state {
            State::CutBefore(text) if has(text) => {
                *state = State::Cut;
                true
            }
            _ => false,
        });
        let Ok(last) = state.subscribe().wait_for(|state| *state != State::Cut).await.map(|state| *state)
        else {
            return;
        };
        if let State::CutAfter(text) = last
            && has(text)
        {
            // Before the server can answer.
            state.send_replace(State::Cut);
        }
        if length == 0 || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
