//! `status`: a look at a vault, for a person.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::table::Table;
use super::{CliError, keys, open_database};
use crate::config::{Address, WatchFlags};
use crate::store::{Census, KeyRecord};
use crate::time::{Clock, Timestamp};

#[derive(Args, Debug)]
pub(super) struct Status {
    #[command(flatten)]
    flags: WatchFlags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        let (database, metrics_listen) = self.flags.load()?;
        let store = open_database(database).await?;
        let now = Clock::system().now();
        let (keys, census) = (store.keys().await?, store.census(now).await?);
        store.close().await;
        let server = match metrics_listen {
            Some(address) => Some(Server::ask(address).await),
            None => None,
        };
        if self.json {
            let server = server.as_ref().map(Server::to_json);
            let keys: Vec<_> = keys.iter().map(|key| key_to_json(&keys, key, now)).collect();
            writeln!(out, "{}", json!({ "keys": keys, "kept": kept_to_json(&census), "server": server }))?;
        } else {
            writeln!(out, "{}\n{}", keys::table(&keys, now), kept(&census))?;
            match &server {
                None => writeln!(out, "No server was asked: give --metrics-listen as `serve` got it.")?,
                Some(Server::Silent { address, why }) => {
                    writeln!(out, "No server answers at {address}: {why}")?;
                }
                Some(Server::Answers(answers)) => answers.print(out)?,
            }
        }
        Ok(out.flush()?)
    }
}

fn key_to_json(keys: &[KeyRecord], key: &KeyRecord, now: Timestamp) -> Value {
    json!({
        "purpose": key.purpose.as_str(),
        "version": key.version,
        "state": keys::state(keys, key, now).as_str(),
        "age_seconds": now.since(key.created_at).as_secs(),
        "created_at": key.created_at.to_string(),
        "active_from": key.active_from.to_string(),
    })
}

fn kept_to_json(census: &Census) -> Value {
    let Census { unused_tokens, used_tokens, expired_tokens, cards, pci_tokens, open_charges } = census;
    json!({
        "tokens": { "unused": unused_tokens, "used": used_tokens, "expired": expired_tokens },
        "cards": cards,
        "pci_tokens": pci_tokens,
        "open_charges": open_charges,
    })
}

fn kept(census: &Census) -> Table<2> {
    let Census { unused_tokens, used_tokens, expired_tokens, cards, pci_tokens, open_charges } = census;
    let mut table = Table::new(["KEPT", "COUNT"]);
    for (what, count) in [
        ("tokens, unused", unused_tokens),
        ("tokens, used", used_tokens),
        ("tokens, expired", expired_tokens),
        ("cards on file", cards),
        ("PCI tokens", pci_tokens),
        ("charges without an outcome", open_charges),
    ] {
        table.row([what.into(), count.to_string()]);
    }
    table
}

/// What a running server says of itself, where only its operator gets to.
enum Server {
    Answers(Answers),
    Silent { address: Address, why: String },
}

struct Answers {
    ready: bool,
    /// The checks that fail.
    failing: Vec<String>,
    requests_a_second: f64,
    connections: (f64, f64),
    resident_bytes: f64,
    queued: f64,
    certificates: Vec<Certificate>,
    errors: Vec<Value>,
}

/// A certificate that the server shows to a vendor.
struct Certificate {
    vendor: String,
    mode: String,
    expires_at: Timestamp,
}

/// How long requests are counted.
const COUNTED_FOR: Duration = Duration::from_secs(1);

/// How long an answer may take.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);

impl Server {
    async fn ask(address: Address) -> Self {
        match Answers::of(&address).await {
            Ok(answers) => Self::Answers(answers),
            // Its own words have the address once more.
            Err(error) => Self::Silent { address, why: error.without_url().to_string() },
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Silent { why, .. } => json!({ "answers": false, "why": why }),
            Self::Answers(answers) => json!({
                "answers": true,
                "ready": answers.ready,
                "failing": answers.failing,
                "requests_a_second": answers.requests_a_second,
                "connections": { "open": answers.connections.0, "limit": answers.connections.1 },
                "resident_bytes": answers.resident_bytes,
                "queued_tokens": answers.queued,
                "client_certificates": answers.certificates.iter().map(Certificate::to_json).collect::<Vec<_>>(),
                "errors": answers.errors,
            }),
        }
    }
}

impl Answers {
    async fn of(address: &Address) -> Result<Self, reqwest::Error> {
        let client = Client::builder().timeout(LONGEST_ANSWER).no_proxy().build()?;
        let get = async |path: &str| -> Result<Response, reqwest::Error> {
            client.get(format!("http://{}{path}", address.to_connect_to())).send().await
        };
        let first = Samples(get("/metrics").await?.error_for_status()?.text().await?);
        let begun = Instant::now();
        sleep(COUNTED_FOR).await;
        let last = Samples(get("/metrics").await?.error_for_status()?.text().await?);
        let counted_for = begun.elapsed().as_secs_f64();
        // It answers with another status when it is not ready.
        let readiness: Value = get("/readyz").await?.json().await?;
        let checks = readiness["checks"].as_object().into_iter().flatten();
        let failing = checks.filter(|(_, health)| *health != "ok");
        let failing = failing.map(|(name, why)| match why.as_str() {
            None | Some("failing") => name.clone(),
            Some(why) => format!("{name} ({why})"),
        });
        let errors: Vec<Value> = get("/errors").await?.error_for_status()?.json().await?;
        let requests = |samples: &Samples| samples.sum("cardseal_http_requests_total");
        Ok(Self {
            ready: readiness["status"] == "ok",
            failing: failing.collect(),
            requests_a_second: (requests(&last) - requests(&first)) / counted_for,
            connections: (last.sum("cardseal_connections_open"), last.sum("cardseal_connections_limit")),
            resident_bytes: last.sum("process_resident_memory_bytes"),
            queued: last.sum("cardseal_database_queue"),
            certificates: last.certificates(),
            errors,
        })
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let ready = if self.ready { "yes".to_owned() } else { format!("no: {}", self.failing.join(", ")) };
        let mut table = Table::new(["SERVER", ""]);
        for (what, value) in [
            ("ready", ready),
            ("requests a second", format!("{:.1}", self.requests_a_second)),
            ("connections", format!("{} of {}", self.connections.0, self.connections.1)),
            ("tokens waiting to be committed", self.queued.to_string()),
            ("memory", format!("{:.0} MiB", self.resident_bytes / f64::from(1 << 20))),
        ] {
            table.row([what.into(), value]);
        }
        for Certificate { vendor, mode, expires_at } in &self.certificates {
            table.row([format!("certificate for {vendor}, {mode}"), format!("ends {expires_at}")]);
        }
        write!(out, "{table}\nLAST ERRORS\n")?;
        for error in &self.errors {
            writeln!(out, "{}", error_line(error))?;
        }
        if self.errors.is_empty() { writeln!(out, "none") } else { Ok(()) }
    }
}

/// Metrics in Prometheus' text format.
struct Samples(String);

impl Certificate {
    fn to_json(&self) -> Value {
        let Self { vendor, mode, expires_at } = self;
        json!({ "vendor": vendor, "mode": mode, "expires_at": expires_at.to_string() })
    }
}

impl Samples {
    /// When the vault's certificates for vendors end.
    fn certificates(&self) -> Vec<Certificate> {
        let samples = self.0.lines().filter_map(|line| {
            line.strip_prefix("cardseal_client_certificate_expiry_seconds{")?.rsplit_once("} ")
        });
        let certificate = |(labels, value): (&str, &str)| {
            // Neither has a comma or a quotation mark in it.
            let label = |name: &str| {
                let value = labels.split(',').find_map(|label| label.strip_prefix(name)?.strip_prefix("=\""));
                value.and_then(|value| value.strip_suffix('"')).map(str::to_owned)
            };
            let expires_at = Timestamp::from_unix_seconds(value.parse().ok()?);
            Some(Certificate { vendor: label("vendor")?, mode: label("mode")?, expires_at })
        };
        samples.filter_map(certificate).collect()
    }

    /// The sum of a metric over all its labels.
    fn sum(&self, metric: &str) -> f64 {
        let samples = self.0.lines().filter_map(|line| line.rsplit_once(' '));
        let of_metric = samples.filter(|(name, _)| name.split('{').next() == Some(metric));
        of_metric.filter_map(|(_, value)| value.parse::<f64>().ok()).sum()
    }
}

/// A line of the log, from its JSON. Texts stay quoted, so that a terminal obeys nothing that is in them.
fn error_line(error: &Value) -> String {
    let mut line = format!("{} {}", error["time"].as_str().unwrap_or_default(), error["message"]);
    for (name, value) in error.as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "time" | "message" | "level") {
            line.push_str(&format!(" {name}={value}"));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_summed_over_their_labels() {
        let samples = Samples(
            "# TYPE a counter\na_total{b=\"c d\"} 2\na_total{b=\"e\"} 3\na_total_x 7\n# EOF\n".into(),
        );
        assert!((samples.sum("a_total") - 5.0).abs() < 1e-9);
        assert!(samples.sum("b").abs() < 1e-9);
    }

    #[test]
    fn certificates_are_read_with_whom_they_are_for() {
        let samples = Samples(
            "cardseal_client_certificate_expiry_seconds{vendor=\"thales-d1\",mode=\"test\"} 1577797199\n"
                .into(),
        );
        let read: Vec<_> = samples.certificates().iter().map(Certificate::to_json).collect();
        let expected = json!({ "vendor": "thales-d1", "mode": "test", "expires_at": "2019-12-31T12:59:59Z" });
        assert_eq!(read, [expected]);
    }
}
