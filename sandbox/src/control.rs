//! Looking at the stand-ins and telling them how to answer, over HTTP, for tests in other processes.
//!
//! | call | does |
//! | --- | --- |
//! | `GET /NAME/records` | what that server was asked, and its answers |
//! | `DELETE /NAME/records` | forgets it |
//! | `POST /NAME/moods`, `{"mood":"status:503","requests":2}` | says how the next requests are answered |
//! | `DELETE /NAME/moods` | they are answered well again |

use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use crate::Sandbox;
use crate::mood::Mood;
use crate::server::Server;

/// The server that is asked.
#[derive(Debug)]
pub struct Control(Server);

impl Control {
    /// Starts it at a port of this machine, 0 for any free one.
    ///
    /// # Errors
    /// What the system said.
    pub async fn start(port: u16, sandbox: Arc<Sandbox>) -> io::Result<Self> {
        let routes = Router::new()
            .route("/{name}/records", get(records).delete(forget))
            .route("/{name}/moods", post(feel).delete(calm))
            .with_state(sandbox);
        Server::start(port, None, routes).await.map(Self)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }
}

async fn records(State(sandbox): State<Arc<Sandbox>>, Path(name): Path<String>) -> Response {
    match sandbox.server(&name) {
        Some(server) => Json(server.records.all()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn forget(State(sandbox): State<Arc<Sandbox>>, Path(name): Path<String>) -> StatusCode {
    sandbox.server(&name).map_or(StatusCode::NOT_FOUND, |server| {
        server.records.clear();
        StatusCode::NO_CONTENT
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Feel {
    mood: String,
    requests: usize,
}

async fn feel(
    State(sandbox): State<Arc<Sandbox>>,
    Path(name): Path<String>,
    Json(Feel { mood, requests }): Json<Feel>,
) -> Response {
    match (sandbox.server(&name), mood.parse::<Mood>()) {
        (None, _) => StatusCode::NOT_FOUND.into_response(),
        (Some(_), Err(error)) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        (Some(server), Ok(mood)) => {
            server.moods.set(mood, requests);
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

async fn calm(State(sandbox): State<Arc<Sandbox>>, Path(name): Path<String>) -> StatusCode {
    sandbox.server(&name).map_or(StatusCode::NOT_FOUND, |server| {
        server.moods.clear();
        StatusCode::NO_CONTENT
    })
}
