//! How the vault is, for whoever runs it: a load balancer, a service manager, a monitoring.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::openapi::{OPERATIONS, Object, Operation, Routes, get, schema};
use crate::Vault;
use crate::store::Trouble;
use crate::time::Doubt;
use crate::vault::{Health, Readiness};

/// `/livez`, `/readyz`
pub(super) fn routes() -> Routes<Ready> {
    let alive =
        Operation::new("showLive", "Whether the process is alive", "For whoever restarts it if it is not.")
            .unlimited()
            .shows(StatusCode::OK, "It is.", "text/plain", schema::constant("ok\n"));
    let readiness =
        Operation::new("showReady", "Whether requests should be sent here", "For load balancers.")
            .unlimited()
            .answers(StatusCode::OK, "They should.", Object::Readiness)
            .answers(
                StatusCode::SERVICE_UNAVAILABLE,
                "They should not. `checks` says why.",
                Object::Readiness,
            );
    let (name, about) = OPERATIONS;
    Routes::about(name, about).at("/livez", [get(live, alive)]).at("/readyz", [get(ready, readiness)])
}

/// `GET /livez`: it answers, so it is.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// What readiness is told from.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub(super) vault: Arc<Vault>,
    pub(super) stopping: CancellationToken,
}

/// `GET /readyz`: whether requests should be sent here. It names what is checked, and nothing that would help an attacker.
pub(super) async fn ready(State(Ready { vault, stopping }): State<Ready>) -> (StatusCode, Json<Value>) {
    let Readiness { database, keys, sealing_key, clock } = vault.readiness().await;
    let serving = Health::of(!stopping.is_cancelled());
    let storing = Health::of(database.is_ok());
    let is_ready = [storing, keys, sealing_key, serving].iter().all(|health| *health == Health::Ok);
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let checks = json!({
        "clock": clock.map_or_else(Doubt::as_str, |()| Health::Ok.as_str()),
        "database": database.map_or_else(trouble, |()| storing.as_str()),
        "keys": keys.as_str(),
        "sealing_key": sealing_key.as_str(),
        "serving": serving.as_str(),
    });
    (status, Json(json!({ "status": Health::of(is_ready).as_str(), "checks": checks })))
}

/// Why nothing can be stored.
pub(super) const fn trouble(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Busy => Health::Failing.as_str(),
        Trouble::Full => "full",
        Trouble::ReadOnly => "read_only",
    }
}
