//! What a vault has done since it started, for its metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::merchant::Mode;

/// Counters. Clones count together.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Tokens made.
    pub tokens: Family<TokenLabels, Counter>,
    /// Cards refused since too many numbers like theirs came.
    pub refused_alike: Family<ModeLabel, Counter>,
    /// What came of charges that an acquirer was asked for.
    pub charges: Family<ChargeLabels, Counter>,
}

/// What tokens are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TokenLabels {
    kind: &'static str,
    mode: &'static str,
}

/// What refused cards are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ModeLabel {
    mode: &'static str,
}

/// What charges are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ChargeLabels {
    mode: &'static str,
    outcome: &'static str,
}

impl Default for Counts {
    fn default() -> Self {
        let refused_alike = Family::<ModeLabel, Counter>::default();
        // There before the first, so that a rise from nothing shows.
        for mode in [Mode::Test, Mode::Live] {
            refused_alike.get_or_create(&ModeLabel { mode: mode.as_str() }).inc_by(0);
        }
        Self { tokens: Family::default(), refused_alike, charges: Family::default() }
    }
}

impl Counts {
    pub(super) fn token(&self, mode: Mode) {
        self.tokens.get_or_create(&TokenLabels { kind: "token", mode: mode.as_str() }).inc();
    }

    pub(super) fn pci_token(&self, mode: Mode) {
        self.tokens.get_or_create(&TokenLabels { kind: "pci_token", mode: mode.as_str() }).inc();
    }

    pub(super) fn refused_alike(&self, mode: Mode) {
        self.refused_alike.get_or_create(&ModeLabel { mode: mode.as_str() }).inc();
    }

    pub(super) fn charge(&self, mode: Mode, outcome: &'static str) {
        self.charges.get_or_create(&ChargeLabels { mode: mode.as_str(), outcome }).inc();
    }
}
