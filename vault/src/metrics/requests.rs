use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// What is counted about requests. Clones count together.
#[derive(Clone, Debug)]
pub struct Requests {
    answered: Family<Answered, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    errors: Family<Coded, Counter>,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its method, or `-` for one that means nothing.
    pub method: &'static str,
    /// The template of the route that it came to, such as `/tokens/{id}`, or `-` for none.
    pub route: &'a str,
    /// The status it was answered with.
    pub status: u16,
    /// The code of the error it was answered with.
    pub error: Option<&'static str>,
    /// How long that took, from its head being there to its answer being ready.
    pub took: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Coded {
    code: &'static str,
}

/// Seconds. A token takes one or two milliseconds and a commit; a charge as long as its acquirer.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

impl Default for Requests {
    fn default() -> Self {
        Self {
            answered: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            errors: Family::default(),
        }
    }
}

impl Requests {
    /// Counts one.
    pub fn count(&self, request: Request<'_>) {
        let Request { method, route, status, error, took } = request;
        self.answered.get_or_create(&Answered { method, route: route.into(), status }).inc();
        self.durations.get_or_create(&Route { method, route: route.into() }).observe(took.as_secs_f64());
        if let Some(code) = error {
            self.errors.get_or_create(&Coded { code }).inc();
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("cardseal_http_requests", "Requests that were answered", self.answered.clone());
        registry.register_with_unit(
            "cardseal_http_request_duration",
            "How long requests took, from their head to their answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "cardseal_http_errors",
            "Requests answered with an error, by its code: refused seals, rate limits and all others",
            self.errors.clone(),
        );
    }
}
