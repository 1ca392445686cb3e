//! The time, as Thales writes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, each time later than `last`.
pub(crate) fn later_than(last: u64) -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since_1970.as_millis() as u64).max(last + 1)
}

/// ISO 8601, in UTC, to the millisecond.
pub(crate) fn written(millis: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(millis)).to_string()
}
