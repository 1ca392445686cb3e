//! The last errors, for somebody who looks at a running vault.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::line::Line;
use super::redact;

/// How many are kept.
const KEPT: usize = 20;

/// The lines of the last errors, as JSON, without secrets. Clones keep the same ones. Shown as a JSON array, the newest
/// last.
#[derive(Clone, Debug, Default)]
pub struct Recent(Arc<Mutex<VecDeque<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recent {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if *event.metadata().level() != Level::ERROR {
            return;
        }
        let line = redact(&Line::of(event, &context).json()).into_owned();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

impl fmt::Display for Recent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        formatter.write_str("[")?;
        for (index, line) in lines.iter().enumerate() {
            formatter.write_str(if index == 0 { "" } else { "," })?;
            formatter.write_str(line)?;
        }
        formatter.write_str("]")
    }
}
