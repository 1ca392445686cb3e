//! The network between a machine and the database: it passes what is sent, or holds it back without a word, or breaks.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A TCP proxy on this machine. Dropping it breaks every connection.
pub(super) struct Wire {
    pub(super) address: SocketAddr,
    state: watch::Sender<State>,
    accepting: AbortHandle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// What is sent arrives.
    Passing,
    /// Nothing arrives and nobody hears that: a cable that was pulled. What was sent arrives once it is plugged in again.
    Silent,
    /// Connections are reset, and no new ones made.
    Broken,
}

impl Wire {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = watch::Sender::new(State::Passing);
        let accepting = tokio::spawn(accept_all(listener, server, state.subscribe())).abort_handle();
        Self { address, state, accepting }
    }

    pub(super) fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
        self.state.send_replace(State::Broken);
    }
}

async fn accept_all(listener: TcpListener, server: SocketAddr, state: watch::Receiver<State>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        tokio::spawn(connect(client, server, state.clone()));
    }
}

async fn connect(client: TcpStream, server: SocketAddr, mut state: watch::Receiver<State>) {
    if pass(&mut state).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
    let mut broken = state.clone();
    tokio::select! {
        () = carry(client_in, server_out, state.clone()) => {}
        () = carry(server_in, client_out, state) => {}
        _ = broken.wait_for(|state| *state == State::Broken) => {}
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        if pass(&mut state).await.is_err() || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Waits until something passes again, or the wire breaks.
async fn pass(state: &mut watch::Receiver<State>) -> Result<(), ()> {
    let now = state.wait_for(|state| *state != State::Silent).await.map(|state| *state);
    if now.is_ok_and(|now| now == State::Passing) { Ok(()) } else { Err(()) }
}
