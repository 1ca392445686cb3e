//! One event as one line.

use std::fmt::{self, Write};
use std::time::SystemTime;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::{Format, Sink};

/// Every field that an event may have beside its `message`, sorted. None is for anything that a caller sent, but for the
/// two ids, which are checked before they get here. The value of another field is left out, and its name told.
pub const FIELDS: &[&str] = &[
    "address",
    "attempts",
    "certificate",
    "chain",
    "charge",
    "code",
    "correlation_id",
    "count",
    "counted_numbers",
    "encryptions",
    "error",
    "events",
    "failure",
    "idempotency_keys",
    "key",
    "limit",
    "mac",
    "merchant",
    "method",
    "micros",
    "needed",
    "offset_seconds",
    "passed_seals",
    "place",
    "purpose",
    "request_id",
    "route",
    "said",
    "security_codes",
    "seq",
    "status",
    "taken",
    "tokens",
    "vendor",
    "version",
    "webhook",
    "why",
];

/// Makes a line of each event, with the fields of the spans it is in.
pub(super) struct Lines {
    format: Format,
    sink: Sink,
}

impl Lines {
    pub(super) fn new(format: Format, sink: Sink) -> Self {
        Self { format, sink }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    /// The levels are fixed: finer ones show what libraries carry, and that is cards.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let finest = if is_ours(metadata) { Level::INFO } else { Level::WARN };
        *metadata.level() <= finest
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let line = Line::of(event, &context);
        (self.sink)(&match self.format {
            Format::Text => line.text(),
            Format::Json => line.json(),
        });
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
}

/// What is told of an event.
pub(super) struct Line {
    time: SystemTime,
    level: Level,
    target: Option<&'static str>,
    fields: Fields,
}

impl Line {
    /// An event, with the fields of the spans it is in, which [`Lines`] keeps.
    pub(super) fn of<S>(event: &Event<'_>, context: &Context<'_, S>) -> Self
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut fields = Fields::default();
        event.record(&mut fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.append(of_span);
            }
        }
        let metadata = event.metadata();
        // Who speaks, where it is not the vault itself.
        let target = Some(metadata.target()).filter(|_| !is_ours(metadata));
        Self { time: SystemTime::now(), level: *metadata.level(), target, fields }
    }

    fn text(self) -> String {
        let mut line = format!("{} {:5}", humantime::format_rfc3339_micros(self.time), self.level);
        if let Some(target) = self.target {
            line.push(' ');
            line.push_str(target);
            line.push(':');
        }
        if let Some(message) = self.fields.message {
            line.push(' ');
            // Escaped as a string would be: a line break within an event would let its text pose as another one.
            let quoted = Value::from(message).to_string();
            line.push_str(&quoted[1..quoted.len() - 1]);
        }
        for (name, value) in self.fields.known {
            // Writing to a string does not fail.
            let _ = write!(line, " {name}={value}");
        }
        if !self.fields.unknown.is_empty() {
            let _ = write!(line, " left_out={}", Value::from(self.fields.unknown));
        }
        line
    }

    pub(super) fn json(self) -> String {
        let mut members = vec![
            ("time", humantime::format_rfc3339_micros(self.time).to_string().into()),
            ("level", self.level.as_str().into()),
        ];
        members.extend(self.target.map(|target| ("target", target.into())));
        members.extend(self.fields.message.map(|message| ("message", message.into())));
        members.extend(self.fields.known);
        if !self.fields.unknown.is_empty() {
            members.push(("left_out", self.fields.unknown.into()));
        }
        // By hand, since a map would sort them, and the time is what a line begins with.
        let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// The fields of an event or a span.
#[derive(Default)]
struct Fields {
    message: Option<String>,
    known: Vec<(&'static str, Value)>,
    unknown: Vec<&'static str>,
}

impl Fields {
    fn insert(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        match field.name() {
            "message" => self.message = value().as_str().map(Into::into),
            name if FIELDS.binary_search(&name).is_ok() => self.known.push((name, value())),
            name => self.unknown.push(name),
        }
    }

    fn append(&mut self, outer: &Self) {
        self.known.extend(outer.known.iter().cloned());
        self.unknown.extend(&outer.unknown);
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, || value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, || value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, || value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, || value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, || format!("{value:?}").into());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_fields_are_sorted() {
        assert!(FIELDS.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn no_event_of_the_vault_has_another_field() {
        let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        let mut events = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                for level in ["error", "warn", "info"] {
                    for event in text.split(&format!("tracing::{level}!(")).skip(1) {
                        // What stands before the message, or the end of an event that has none.
                        let fields = event.split(['"', ';']).next().unwrap().split(',').map(str::trim);
                        for field in fields.filter(|field| !field.is_empty()) {
                            let name = field.split('=').next().unwrap().trim().trim_start_matches(['%', '?']);
                            assert!(FIELDS.contains(&name), "{name} in {}: add it to FIELDS", path.display());
                        }
                        events += 1;
                    }
                }
            }
        }
        assert!(events > 10, "{events}");
    }
}
