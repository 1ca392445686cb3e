//! A vault that nobody else gets into: one address holds every connection with requests that it never sends to their end,
//! and renews them. When there are no more places, the address that has most of them gives up its own.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use cardseal_vault::server::{Bounds, Listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

/// Nothing that a test does takes as long: only a place that was taken away helps.
const LONG: Duration = Duration::from_secs(600);

const PLACES: usize = 8;

struct Attacked {
    address: SocketAddr,
    closing: CancellationToken,
}

impl Attacked {
    async fn start() -> Self {
        let bounds = Bounds {
            connections: PLACES.to_string().parse().unwrap(),
            longest_handshake: LONG,
            longest_head: LONG,
            longest_body: LONG,
            longest_answer: LONG,
            ..Bounds::default()
        };
        let router = Router::new()
            .route("/", get(async || "hello").post(async |body: String| body))
            .route("/large", post(async || "x".repeat(16 << 20)));
        let listener = Listener::bind("127.0.0.1:0", None, bounds).await.unwrap();
        let (address, closing) = (listener.address().unwrap(), CancellationToken::new());
        tokio::spawn(listener.run(router, closing.clone()));
        Self { address, closing }
    }

    /// A connection from another address of this machine, on which something is sent.
    async fn flood(&self, begun: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        // It may be cut already.
        let _ = stream.write_all(begun.as_bytes()).await;
        stream
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream
            .write_all(b"POST / HTTP/1.1\r\nHost: vault.test\r\nContent-Length: 4\r\n\r\nshop")
            .await
            .unwrap();
        let mut answer = String::new();
        while !answer.ends_with("\r\n\r\nshop") {
            answer.push(char::from(stream.read_u8().await.expect("an answer")));
        }
        answer
    }
}

#[tokio::test]
async fn a_shop_from_another_address_loses_no_request() {
    for begun in [
        "",
        "GET / HTTP/1.1\r\nHost: vau",
        "POST / HTTP/1.1\r\nHost: vault.test\r\nContent-Length: 8000\r\n\r\nhalf",
        "POST /large HTTP/1.1\r\nHost: vault.test\r\nContent-Length: 0\r\n\r\n",
    ] {
        let attacked = Attacked::start().await;
        let mut held = Vec::new();
        for _ in 0..4 * PLACES {
            held.push(attacked.flood(begun).await);
        }
        // One that it keeps, and new ones, while the flood goes on.
        let mut kept = TcpStream::connect(attacked.address).await.unwrap();
        for _ in 0..10 {
            for _ in 0..PLACES {
                held.push(attacked.flood(begun).await);
            }
            let mut new = TcpStream::connect(attacked.address).await.unwrap();
            for stream in [&mut kept, &mut new] {
                let answer = tokio::time::timeout(LONG / 10, Attacked::ask(stream)).await.expect("in time");
                assert!(answer.starts_with("HTTP/1.1 200 "), "{begun:?}: {answer}");
            }
        }
        attacked.closing.cancel();
    }
}

/// Whoever has no more than others keeps what it has.
#[tokio::test]
async fn a_flood_takes_places_from_itself() {
    let attacked = Attacked::start().await;
    let mut shop = Vec::new();
    for _ in 0..PLACES / 2 {
        shop.push(TcpStream::connect(attacked.address).await.unwrap());
        Attacked::ask(shop.last_mut().unwrap()).await;
    }
    let mut first = attacked.flood("GET / HT").await;
    let mut held = Vec::new();
    for _ in 0..8 * PLACES {
        held.push(attacked.flood("GET / HT").await);
    }
    let mut rest = Vec::new();
    let _ = first.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "the oldest of the flood is cut");
    for stream in &mut shop {
        assert!(Attacked::ask(stream).await.starts_with("HTTP/1.1 200 "));
    }
    attacked.closing.cancel();
}
