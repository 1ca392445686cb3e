//! A plain TCP balancer, as stands before vaults in life: it knows nothing of HTTP, and of a backend only whether it can be
//! connected to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running balancer. Dropping it closes its port.
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    backends: Arc<Mutex<Vec<SocketAddr>>>,
    accepting: JoinHandle<()>,
}

impl Balancer {
    pub(crate) async fn start(backends: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let backends = Arc::new(Mutex::new(backends));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&backends)));
        Self { address, backends, accepting }
    }

    /// A backend has come back at another port.
    pub(crate) fn replace(&self, index: usize, backend: SocketAddr) {
        self.backends.lock().unwrap()[index] = backend;
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, backends: Arc<Mutex<Vec<SocketAddr>>>) {
    let turn = Arc::new(AtomicUsize::new(0));
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        let (turn, backends) = (Arc::clone(&turn), backends.lock().unwrap().clone());
        tokio::spawn(async move {
            // Who is next in turn; whoever cannot be reached is passed over. The client is let go when nobody can.
            for _ in 0..backends.len() {
                let next = backends[turn.fetch_add(1, Ordering::Relaxed) % backends.len()];
                if let Ok(mut backend) = TcpStream::connect(next).await {
                    // Either end may break off: that is what the clients are tested with.
                    let _ = copy_bidirectional(&mut client, &mut backend).await;
                    return;
                }
            }
        });
    }
}
