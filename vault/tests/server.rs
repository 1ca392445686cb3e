//! Connections over real sockets: how many, how slow, and how they end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use cardseal_vault::config::Connections;
use cardseal_vault::server::{Bounds, Listener, TlsFiles};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::program::message;
use crate::support::{Asked, VISA, clear_card};

/// Shorter than any test would wait, and long enough for one that is not to be cut off.
const SHORT: Duration = Duration::from_millis(200);

/// Nothing that a test does takes as long.
const LONG: Duration = Duration::from_secs(600);

const PATIENT: Bounds = Bounds {
    connections: Connections::DEFAULT,
    longest_handshake: LONG,
    longest_head: LONG,
    longest_body: LONG,
    longest_answer: LONG,
    longest_farewell: LONG,
    longest_silence: LONG,
};

struct Listening {
    address: SocketAddr,
    closing: CancellationToken,
    running: JoinHandle<()>,
}

impl Listening {
    async fn start(router: Router, bounds: Bounds) -> Self {
        let listener = Listener::bind("127.0.0.1:0", None, bounds).await.unwrap();
        Self::run(listener, router)
    }

    fn run(listener: Listener, router: Router) -> Self {
        let (address, closing) = (listener.address().unwrap(), CancellationToken::new());
        let running = tokio::spawn(listener.run(router, closing.clone()));
        Self { address, closing, running }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(message("GET", path, "", "", "").as_bytes()).await.unwrap();
        stream
    }

    async fn close(self) {
        self.closing.cancel();
        self.running.await.unwrap();
    }
}

/// What comes until the other side is done, or gone.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let listening = Listening::start(hello(), Bounds { longest_head: SHORT, ..PATIENT }).await;
    assert_eq!(rest(listening.connect().await).await, "");
    let mut stream = listening.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: vau").await.unwrap();
    assert!(!rest(stream).await.contains("hello"));
    assert!(rest(listening.ask("/").await).await.ends_with("hello"));
    listening.close().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_ends_the_connection() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["vault.test".to_owned()]).unwrap();
    let files = TlsFiles { certificate: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    crate::support::write_secret(&files.key, made.signing_key.serialize_pem());
    let bounds = Bounds { longest_handshake: SHORT, ..PATIENT };
    let tls = Some(files.read().unwrap());
    let listening = Listening::run(Listener::bind("127.0.0.1:0", tls, bounds).await.unwrap(), hello());
    assert_eq!(rest(listening.connect().await).await, "");
    listening.close().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_refused() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let listening = Listening::start(asked.router.clone(), Bounds { longest_body: SHORT, ..PATIENT }).await;
    let body = clear_card(VISA).to_string();
    let text = message("POST", "/tokens", &account.public_key, "application/json", &body);
    let (begun, last) = text.split_at(text.len() - 1);

    // One that stops before its end, and one that comes letter by letter without end.
    let mut stopped = listening.connect().await;
    stopped.write_all(begun.as_bytes()).await.unwrap();
    let endless = listening.connect().await;
    let (endless, mut drops) = endless.into_split();
    let dripping = tokio::spawn(async move {
        let head = "POST /tokens HTTP/1.1\r\nHost: vault.test\r\nContent-Type: application/json\r\n";
        let key = crate::support::basic(&account.public_key);
        drops
            .write_all(format!("{head}Authorization: {key}\r\nContent-Length: 8000\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut pace = tokio::time::interval(Duration::from_millis(1));
        while drops.write_all(b" ").await.is_ok() {
            pace.tick().await;
        }
    });
    let mut dripped = String::new();
    let mut endless = tokio::io::BufReader::new(endless);
    while !dripped.ends_with('}') {
        dripped.push(char::from(endless.read_u8().await.unwrap()));
    }
    drop(endless);
    for answer in [rest(stopped).await, dripped] {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408 "), "{answer}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], "request_timeout");
    }
    assert_eq!(asked.count("tokens").await, 0);
    dripping.abort();

    // In two parts, but in time.
    let mut stream = listening.connect().await;
    stream.write_all(begun.as_bytes()).await.unwrap();
    stream.write_all(last.as_bytes()).await.unwrap();
    assert!(rest(stream).await.starts_with("HTTP/1.1 200 "));
    listening.close().await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    /// More than the system keeps for a connection.
    struct Large(Vec<u8>, Arc<Notify>);
    impl AsRef<[u8]> for Large {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    impl Drop for Large {
        fn drop(&mut self) {
            self.1.notify_one();
        }
    }
    const LENGTH: usize = 64 << 20;
    let given_up = Arc::new(Notify::new());
    let large = {
        let given_up = Arc::clone(&given_up);
        async move || Bytes::from_owner(Large(vec![b'x'; LENGTH], given_up))
    };
    let router = hello().route("/large", get(large));
    let listening = Listening::start(router.clone(), Bounds { longest_answer: SHORT, ..PATIENT }).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(listening.address).await.unwrap();
    stream.write_all(message("GET", "/large", "", "", "").as_bytes()).await.unwrap();
    given_up.notified().await;
    assert!(rest(stream).await.len() < LENGTH);

    listening.close().await;

    // Who takes it gets it.
    let listening = Listening::start(router, PATIENT).await;
    assert!(rest(listening.ask("/large").await).await.len() > LENGTH);
    listening.close().await;
}

#[tokio::test]
async fn there_are_no_more_connections_than_there_may_be() {
    let (begun, mut order) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let hold = {
        let (begun, go_on) = (begun.clone(), Arc::clone(&go_on));
        async move || {
            begun.send("held").unwrap();
            go_on.notified().await;
            begun.send("let go").unwrap();
        }
    };
    let next = async move || begun.send("next").unwrap();
    let router = Router::new().route("/hold", get(hold)).route("/next", get(next));
    let listening = Listening::start(router, Bounds { connections: "1".parse().unwrap(), ..PATIENT }).await;
    let other = Listening::start(hello(), PATIENT).await;

    let held = listening.ask("/hold").await;
    assert_eq!(order.recv().await, Some("held"));
    let next = listening.ask("/next").await;
    // Time enough for it to get in, if it could.
    for _ in 0..10 {
        assert!(rest(other.ask("/").await).await.ends_with("hello"));
    }
    go_on.notify_one();
    assert!(rest(held).await.starts_with("HTTP/1.1 200 "));
    assert!(rest(next).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(order.recv().await, Some("let go"));
    assert_eq!(order.recv().await, Some("next"));
    listening.close().await;
    other.close().await;
}

#[tokio::test]
async fn closing_finishes_what_has_begun_and_lets_the_silent_go() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        async move |body: String| {
            begun.notify_one();
            go_on.notified().await;
            body
        }
    };
    let router = hello().route("/slow", post(slow));
    let listening = Listening::start(router, Bounds { longest_silence: SHORT, ..PATIENT }).await;
    let silent = listening.connect().await;
    let mut asking = listening.connect().await;
    asking.write_all(message("POST", "/slow", "", "text/plain", "done").as_bytes()).await.unwrap();
    begun.notified().await;
    listening.closing.cancel();
    assert_eq!(rest(silent).await, "");
    while TcpStream::connect(listening.address).await.is_ok() {}
    go_on.notify_one();
    assert!(rest(asking).await.ends_with("done"));
    listening.close().await;
}

#[tokio::test]
async fn closing_gives_up_what_takes_too_long() {
    let begun = Arc::new(Notify::new());
    let endless = {
        let begun = Arc::clone(&begun);
        async move || {
            begun.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let router = Router::new().route("/endless", get(endless));
    let listening = Listening::start(router, Bounds { longest_farewell: SHORT, ..PATIENT }).await;
    let stream = listening.ask("/endless").await;
    begun.notified().await;
    listening.close().await;
    assert_eq!(rest(stream).await, "");
}
