//! A merchant's server that is told of events.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Keeps what it is sent, and answers what it is told to.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    status: Mutex<StatusCode>,
    messages: Mutex<Vec<Message>>,
    came: Notify,
}

/// What it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner =
            Inner { status: Mutex::new(StatusCode::OK), messages: Mutex::default(), came: Notify::new() };
        let receiver = Self { address, inner: Arc::new(inner) };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// Where it is sent to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/events?shop=1", self.address)
    }

    /// Answers with this status from now on.
    pub(crate) fn answers(&self, status: u16) {
        *self.inner.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }

    /// What came since it was looked at last.
    pub(crate) fn messages(&self) -> Vec<Message> {
        std::mem::take(&mut *self.inner.messages.lock().unwrap())
    }

    fn first(&self) -> Option<Message> {
        let mut messages = self.inner.messages.lock().unwrap();
        if messages.is_empty() { None } else { Some(messages.remove(0)) }
    }

    /// What comes next.
    pub(crate) async fn next(&self) -> Message {
        loop {
            let came = self.inner.came.notified();
            if let Some(message) = self.first() {
                return message;
            }
            came.await;
        }
    }
}

async fn receive(
    State(receiver): State<Receiver>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    receiver.inner.messages.lock().unwrap().push(Message { path: uri.to_string(), headers, body });
    receiver.inner.came.notify_one();
    // A redirect leads back here.
    (*receiver.inner.status.lock().unwrap(), [(LOCATION, format!("http://{}/elsewhere", receiver.address))])
}

impl Message {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The time it was signed at, if it is signed with this secret.
    pub(crate) fn signed_at(&self, secret: &str) -> Option<u64> {
        let signature = self.headers.get("cardseal-signature")?.to_str().unwrap();
        let (time, macs) = signature.strip_prefix("t=")?.split_once(",v1=")?;
        let signed = [time.as_bytes(), b".", &self.body].concat();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let is_signed = macs.split(",v1=").any(|mac| {
            let bytes: Vec<_> = (0..mac.len() / 2)
                .map(|index| u8::from_str_radix(&mac[2 * index..2 * index + 2], 16).unwrap())
                .collect();
            hmac::verify(&key, &signed, &bytes).is_ok()
        });
        if is_signed { time.parse().ok() } else { None }
    }
}
