use std::sync::{Arc, Mutex};

use cardseal_vault::log::{Format, subscriber};
use tracing::subscriber::DefaultGuard;

/// What is logged on this thread, as it is before it is redacted.
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Log {
    pub(crate) fn listen(format: Format) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = {
            let lines = Arc::clone(&lines);
            move |line: &str| lines.lock().unwrap().push(line.to_owned())
        };
        let subscriber = subscriber(format, Arc::new(sink));
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}
