//! What an operator's monitoring sees of a vault, in Prometheus' text format (OpenMetrics 1.0).
//!
//! No label has a value that a caller chooses: routes are templates, methods those that mean something, and the rest are
//! names of this program's own.

mod observed;
mod requests;

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::Vault;
use crate::server::Places;

pub use requests::{Request, Requests};

use observed::Observed;

/// The metrics of a running vault.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Requests,
}

impl Metrics {
    /// Those of a vault that is served over these connections.
    #[must_use]
    pub fn new(vault: Arc<Vault>, places: Places) -> Self {
        let mut registry = Registry::default();
        let requests = Requests::default();
        requests.register(&mut registry);
        let counts = vault.counts();
        registry.register("cardseal_tokens", "Tokens made", counts.tokens.clone());
        registry.register(
            "cardseal_refused_enumeration",
            "Cards refused since too many different numbers that begin and end alike came",
            counts.refused_alike.clone(),
        );
        registry.register(
            "cardseal_charges",
            "Charges that an acquirer was asked for",
            counts.charges.clone(),
        );
        registry.register_collector(Box::new(Observed { vault, places }));
        Self { registry, requests }
    }

    /// What is counted about requests.
    #[must_use]
    pub const fn requests(&self) -> &Requests {
        &self.requests
    }
}

impl fmt::Display for Metrics {
    /// As they are at this moment.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(formatter, &self.registry)
    }
}
