//! A server in front of another one that keeps what went through, for a demo that shows it.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use reqwest::Client;
use reqwest::redirect::Policy;

use crate::server::{Server, bare};

/// The server in front.
#[derive(Debug)]
pub struct Tap(Server);

#[derive(Debug)]
struct Behind {
    url: String,
    client: Client,
}

impl Tap {
    /// Starts it at a port of this machine, 0 for any free one, in front of the server at `url`.
    ///
    /// # Errors
    /// What the system said.
    pub async fn start(port: u16, url: &str) -> io::Result<Self> {
        let client =
            Client::builder().no_proxy().redirect(Policy::none()).build().map_err(io::Error::other)?;
        let behind = Arc::new(Behind { url: url.trim_end_matches('/').into(), client });
        Server::start(port, None, Router::new().fallback(pass).with_state(behind)).await.map(Self)
    }

    /// The server in front.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.0
    }
}

async fn pass(State(behind): State<Arc<Behind>>, request: Request<Body>) -> Response<Body> {
    behind.pass(request).await.unwrap_or_else(|_| bare(StatusCode::BAD_GATEWAY))
}

impl Behind {
    /// Asks the same of the server behind. The name that the client knows it by goes along.
    async fn pass(&self, request: Request<Body>) -> reqwest::Result<Response<Body>> {
        let (mut parts, body) = request.into_parts();
        hop(&mut parts.headers);
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let answer = self
            .client
            .request(parts.method, format!("{}{}", self.url, parts.uri))
            .headers(parts.headers)
            .body(body)
            .send()
            .await?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        hop(&mut headers);
        let mut response = Response::new(Body::from(answer.bytes().await?));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Takes out what is about one connection only (RFC 9110 section 7.6.1).
fn hop(headers: &mut HeaderMap) {
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
}
