//! When a call is sent again, and how long it waits first.

use std::time::Duration;

/// Exponential backoff with full jitter: each wait is drawn evenly from nothing up to a limit that doubles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How often a call is sent at the most, the first time included.
    pub attempts: u32,
    /// The limit of the first wait.
    pub first_wait: Duration,
    /// The limit that no backoff passes. A vault that asks for more by `Retry-After` is not waited for.
    pub longest_wait: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
}

impl Policy {
    /// What a person at a checkout page will put up with.
    pub const CHECKOUT: Self = Self {
        attempts: 4,
        first_wait: Duration::from_millis(500),
        longest_wait: Duration::from_secs(8),
        timeout: Duration::from_secs(15),
    };

    /// How long to wait after attempt number `attempt` (from 1) failed, or nothing when it was the last.
    ///
    /// `retry_after` is the vault's wish (RFC 9110 section 10.2.3): never undercut, and jitter goes on top so that the
    /// pages that were turned away together do not come back together. `jitter` lies between 0 and 1; what is no number
    /// at all, as a page's own `Math.random` may give, counts as 1.
    #[must_use]
    pub fn wait(&self, attempt: u32, retry_after: Option<Duration>, jitter: f64) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let limit = doubled.min(self.longest_wait);
        let jitter = if jitter.is_nan() { 1.0 } else { jitter.clamp(0.0, 1.0) };
        let backoff = Duration::from_millis((limit.as_millis() as u64 as f64 * jitter) as u64);
        match retry_after {
            None => Some(backoff),
            Some(wish) if wish <= self.longest_wait => Some(wish + backoff.min(self.first_wait)),
            Some(_) => None,
        }
    }
}
