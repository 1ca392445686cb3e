//! What the process says of itself: one line an event, on its standard error.
//!
//! Three things keep cards out of it. An event has only fields of a closed set, none of which is for what a caller
//! sent. Of libraries, only warnings and errors are heard. And every line is looked through before it leaves the
//! process, for what nobody thought of.

mod line;
mod recent;
mod redact;
mod warning;

use std::io::{self, Write as _};
use std::panic;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;
use tracing_subscriber::registry::LookupSpan;

pub use line::FIELDS;
pub use recent::Recent;
pub use redact::{REDACTED, redact};
pub(crate) use warning::with_warning;

use line::Lines;
use warning::Warnings;

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For a person: `2026-11-22T12:00:00.000000Z INFO request method="GET" status=200`.
    #[default]
    Text,
    /// For a machine: `{"time":"2026-11-22T12:00:00.000000Z","level":"INFO","message":"request","method":"GET","status":200}`.
    Json,
}

impl Format {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        [Self::Text, Self::Json].into_iter().find(|format| format.as_str() == text).ok_or(NotAFormat)
    }
}

/// Not a format of the log. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the log is written as text or json")]
pub struct NotAFormat;

/// Where lines go.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Sends events to the process's standard error from now on, and keeps the last errors. Only the first call does so.
pub fn begin(format: Format) -> Recent {
    let recent = Recent::default();
    let subscriber = subscriber(format, Arc::new(say)).with(recent.clone()).with(Warnings);
    // A second subscriber is refused, which is as good.
    let _ = tracing::subscriber::set_global_default(subscriber);
    recent
}

/// Makes an event of each panic from now on. What it says may come from anywhere, so only its place is told, which is
/// enough to find it.
pub fn tell_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        if tracing::dispatcher::has_been_set() {
            tracing::error!(place, "panic");
        } else {
            say(&format!("panic at {place}"));
        }
    }));
}

/// Writes a line on the standard error, without the secrets that may be in it.
pub fn say(line: &str) {
    let mut line = redact(line).into_owned();
    line.push('\n');
    // At once, so that no other process's line gets into it. Where nobody reads the standard error there is nobody to tell.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Makes lines of events, and gives them to `sink`, which is to redact them.
pub fn subscriber(format: Format, sink: Sink) -> impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync {
    registry().with(Lines::new(format, sink))
}
