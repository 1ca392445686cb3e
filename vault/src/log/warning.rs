use std::cell::Cell;
use std::future::{self, Future};
use std::pin::pin;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Hears when PostgreSQL warns. Its driver only makes an event of that, while it waits for the answer to a statement.
#[derive(Debug)]
pub(super) struct Warnings;

/// What the driver calls such events.
const NOTICE: &str = "sqlx::postgres::notice";

thread_local! {
    /// Whether PostgreSQL has warned on this thread.
    static WARNED: Cell<bool> = const { Cell::new(false) };
}

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() == NOTICE && *metadata.level() <= Level::WARN {
            WARNED.set(true);
        }
    }
}

/// Waits for an answer of PostgreSQL's, and says whether it came with a warning. Only a process whose [log has
/// begun](super::begin) hears of it.
pub(crate) async fn with_warning<T>(answer: impl Future<Output = T>) -> (T, bool) {
    let (mut answer, mut warned) = (pin!(answer), false);
    let answer = future::poll_fn(|context| {
        // Others wait on the same thread in between.
        WARNED.set(false);
        let polled = answer.as_mut().poll(context);
        warned |= WARNED.take();
        polled
    });
    let answer = answer.await;
    (answer, warned)
}
