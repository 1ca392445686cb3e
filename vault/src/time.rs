//! The moment things happen at, the clock that tells it, and waiting.

mod clock;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use cardseal::card::YearMonth;

pub use clock::{Clock, Doubt, LONGEST_UNREAD, MOST_APART, Machine, Reading, STANDS_AFTER};

/// A second of UTC from 1970 to the end of the year 9999. Shown as ISO 8601, `2019-12-31T12:59:59Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    const LAST: u64 = 253_402_300_799;

    /// The moment `seconds` after 1970 began; the last second of 9999 if that is later.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(if seconds < Self::LAST { seconds } else { Self::LAST })
    }

    /// Reads RFC 3339 in UTC, as it is shown: `2019-12-31T12:59:59Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let time = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self::from_unix_seconds(time.as_secs()))
    }

    /// Seconds since 1970 began.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.0
    }

    /// The moment `duration` later.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self::from_unix_seconds(self.0.saturating_add(duration.as_secs()))
    }

    /// The moment `duration` earlier; the beginning of 1970 if that is later.
    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// How long ago `earlier` was; nothing if it is still to come.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// How far apart two moments are, whichever comes first.
    #[must_use]
    pub const fn distance(self, other: Self) -> Duration {
        Duration::from_secs(self.0.abs_diff(other.0))
    }

    /// As HTTP shows it: `Tue, 31 Dec 2019 12:59:59 GMT` (RFC 9110 section 5.6.7).
    #[must_use]
    pub fn http_date(self) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.0))
    }

    /// The month that a card's expiry is held against at this moment.
    #[must_use]
    pub const fn month(self) -> YearMonth {
        YearMonth::today(self.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(self.0)).fmt(formatter)
    }
}

/// Lets time pass before something is tried again: by the system's clock, or in a test by any other.
#[derive(Clone)]
pub struct Pauses(Arc<dyn Fn(Duration) -> Pause + Send + Sync>);

/// A pause takes a while.
pub type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Pauses {
    /// As long as they are said to be.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|time| Box::pin(tokio::time::sleep(time)))
    }

    /// Pauses that end when those of `pause` do.
    #[must_use]
    pub fn new(pause: impl Fn(Duration) -> Pause + Send + Sync + 'static) -> Self {
        Self(Arc::new(pause))
    }

    /// Waits.
    pub async fn pause(&self, time: Duration) {
        (self.0)(time).await;
    }
}

impl fmt::Debug for Pauses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pauses")
    }
}

/// Tells how long ago something began: by the system's clock that never goes back, or in a test by any other.
#[derive(Clone)]
pub struct Stopwatch(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Stopwatch {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        let begun = Instant::now();
        Self::new(move || begun.elapsed())
    }

    /// A stopwatch that shows what `elapsed` tells.
    #[must_use]
    pub fn new(elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(elapsed))
    }

    /// Nanoseconds since it began: up to 584 years.
    #[must_use]
    pub fn nanos(&self) -> u64 {
        u64::try_from((self.0)().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Stopwatch").field(&self.nanos()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_as_omise_shows_it() {
        let time = Timestamp::from_unix_seconds(1_577_797_199);
        assert_eq!(time.to_string(), "2019-12-31T12:59:59Z");
        assert_eq!(time.http_date(), "Tue, 31 Dec 2019 12:59:59 GMT");
    }

    #[test]
    fn is_read_as_it_is_shown() {
        let time = Timestamp::from_unix_seconds(1_577_797_199);
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        for text in
            ["", "2019-12-31", "1969-12-31T23:59:59Z", "2019-12-31T12:59:59+07:00", "2019-13-01T00:00:00Z"]
        {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ends_with_the_year_9999() {
        assert_eq!(Timestamp::from_unix_seconds(u64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }
}
