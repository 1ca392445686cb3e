//! Looking at the stand-ins and telling them how to answer, over HTTP, for tests in other processes.
//!
//! | call | does |
//! | --- | --- |
//! | `GET /NAME/records` | what that server was asked, and its answers |
//! | `DELETE /NAME/records` | forgets it |
//! | `POST /NAME/moods`, `{"mood":"status:503","requests":2}` | says how the next requests are answered |
//! | `DELETE /NAME/moods` | they are answered well again |
//! | `GET /wires` | what went over all wires, the vault's too where it is tapped, without a card |
//! | `POST /thales-d1/tokens/ID/events`, `{"event":"renewal"}` | something happens to that token's card; nobody is told yet |
//! | `GET /thales-d1/tokens/ID/notifications` | what there is to tell of it, in order |
//! | `POST /thales-d1/tokens/ID/notifications/0`, a [`Receiver`] | tells of the first; again if it is asked again |
//!
//! The last three are there for `thales-pci` too. Events of D1 are `deletion`, `renewal`, `replacement`, `resumption`,
//! `suspension` and `unheard`; of PCI tokens `deletion`, `renewal` and `unheard`.

use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Sandbox;
use crate::callback::{Notification, Receiver};
use crate::mood::Mood;
use crate::server::Server;
use crate::tap::Tap;
use crate::wire::Wire;
use crate::{thales_d1, thales_pci};

/// The server that is asked.
#[derive(Debug)]
pub struct Control(Server);

impl Control {
    /// Starts it at a port of this machine, 0 for any free one.
    ///
    /// # Errors
    /// What the system said.
    pub async fn start(port: u16, sandbox: Arc<Sandbox>, tap: Option<Tap>) -> io::Result<Self> {
        let wires = Arc::new(Wires { sandbox: Arc::clone(&sandbox), tap });
        let routes = Router::new()
            .route("/{name}/records", get(records).delete(forget))
            .route("/{name}/moods", post(feel).delete(calm))
            .route("/thales-d1/tokens/{id}/events", post(happen_at_d1))
            .route("/thales-pci/tokens/{id}/events", post(happen_at_pci))
            .route("/{name}/tokens/{id}/notifications", get(notifications))
            .route("/{name}/tokens/{id}/notifications/{number}", post(tell))
            .with_state(sandbox)
            .merge(Router::new().route("/wires", get(wires_of)).with_state(wires));
        Server::start(port, None, routes).await.map(Self)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }
}

/// Everything that went over a wire.
struct Wires {
    sandbox: Arc<Sandbox>,
    tap: Option<Tap>,
}

/// What browsers load to show the form is left out.
const ASSETS: [&str; 4] = ["/v1/", "/frame", "/livez", "/favicon"];

async fn wires_of(State(wires): State<Arc<Wires>>) -> Json<Vec<Wire>> {
    let vendors = Sandbox::NAMES.iter().filter_map(|name| Some((*name, wires.sandbox.server(name)?)));
    let tapped = wires.tap.iter().map(|tap| ("vault", tap.server()));
    let all = vendors.chain(tapped).flat_map(|(name, server)| {
        server.records.all().into_iter().map(move |exchange| Wire::new(name, &exchange))
    });
    let is_asset = |wire: &Wire| ASSETS.iter().any(|asset| wire.path.starts_with(asset));
    let mut all: Vec<_> = all.filter(|wire| wire.method != "OPTIONS" && !is_asset(wire)).collect();
    all.sort_by_key(|wire| wire.number);
    Json(all)
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

/// Something that happens to a card.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "E: DeserializeOwned")]
struct Happening<E> {
    event: E,
}

async fn happen_at_d1(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    Json(Happening { event }): Json<Happening<thales_d1::Event>>,
) -> Response {
    happened(sandbox.thales_d1.happen(&id, event))
}

async fn happen_at_pci(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    Json(Happening { event }): Json<Happening<thales_pci::Event>>,
) -> Response {
    happened(sandbox.thales_pci.happen(&id, event))
}

fn happened(notification: Option<Notification>) -> Response {
    match notification {
        Some(notification) => (StatusCode::CREATED, Json(notification.body)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn notifications(
    State(sandbox): State<Arc<Sandbox>>,
    Path((name, id)): Path<(String, String)>,
) -> Json<Vec<Value>> {
    Json(told(&sandbox, &name, &id).into_iter().map(|notification| notification.body).collect())
}

/// The answer's status, or what went wrong.
async fn tell(
    State(sandbox): State<Arc<Sandbox>>,
    Path((name, id, number)): Path<(String, String, usize)>,
    Json(receiver): Json<Receiver>,
) -> Response {
    let Some(notification) = told(&sandbox, &name, &id).into_iter().nth(number) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let answer = match &*name {
        "thales-d1" => sandbox.thales_d1.tell(&receiver, &notification).await,
        _ => sandbox.thales_pci.tell(&receiver, &notification).await,
    };
    match answer {
        Ok(status) => Json(json!({ "status": status })).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

fn told(sandbox: &Sandbox, name: &str, id: &str) -> Vec<Notification> {
    match name {
        "thales-d1" => sandbox.thales_d1.notifications(id),
        "thales-pci" => sandbox.thales_pci.notifications(id),
        _ => Vec::new(),
    }
}
