//! What a vault has done since it started, for its metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::merchant::Mode;

/// Counters. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Tokens made.
    pub tokens: Family<TokenLabels, Counter>,
    /// What came of charges that an acquirer was asked for.
    pub charges: Family<ChargeLabels, Counter>,
}

/// What tokens are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TokenLabels {
    kind: &'static str,
    mode: &'static str,
}

/// What charges are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ChargeLabels {
    mode: &'static str,
    outcome: &'static str,
}

impl Counts {
    pub(super) fn token(&self, mode: Mode) {
        self.tokens.get_or_create(&TokenLabels { kind: "token", mode: mode.as_str() }).inc();
    }

    pub(super) fn pci_token(&self, mode: Mode) {
        self.tokens.get_or_create(&TokenLabels { kind: "pci_token", mode: mode.as_str() }).inc();
    }

    pub(super) fn charge(&self, mode: Mode, outcome: &'static str) {
        self.charges.get_or_create(&ChargeLabels { mode: mode.as_str(), outcome }).inc();
    }
}
