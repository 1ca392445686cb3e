//! What is looked at when somebody asks, and not counted.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Unit;

use crate::Vault;
use crate::process::Usage;
use crate::server::Places;
use crate::vendor::ClientCertificate;

/// Where to look.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) vault: Arc<Vault>,
    pub(super) places: Places,
}

impl Collector for Observed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.build(&mut encoder)?;
        self.connections(&mut encoder)?;
        self.database(&mut encoder)?;
        self.clock(&mut encoder)?;
        self.sealing_keys(&mut encoder)?;
        self.data_keys(&mut encoder)?;
        self.client_certificates(&mut encoder)?;
        process(&mut encoder)
    }
}

impl Observed {
    fn build(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let info = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        info.encode(encoder.encode_descriptor("cardseal_build", "The program", None, info.metric_type())?)
    }

    fn connections(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        gauge(encoder, "cardseal_connections_open", "Connections", self.places.taken())?;
        gauge(encoder, "cardseal_connections_limit", "Connections that there may be", self.places.total())
    }

    fn database(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let load = self.vault.store().load();
        let help = "Connections to the database, by whether something is done with them";
        let mut family =
            encoder.encode_descriptor("cardseal_database_connections", help, None, MetricType::Gauge)?;
        for (state, count) in [("busy", load.busy), ("idle", load.idle)] {
            family.encode_family(&State { state })?.encode_gauge(&count)?;
        }
        gauge(encoder, "cardseal_database_queue", "Tokens that wait to be committed", load.queued)
    }

    fn clock(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let clock = self.vault.clock();
        let ahead = ConstGauge::new(clock.ahead());
        let help = "How far the machine's clock is ahead of the database's";
        let unit = Some(&Unit::Seconds);
        ahead.encode(encoder.encode_descriptor(
            "cardseal_clock_offset",
            help,
            unit,
            ahead.metric_type(),
        )?)?;
        let help = "Whether the clock is trusted, so that what has an age is deleted";
        gauge(encoder, "cardseal_clock_trusted", help, clock.trust().is_ok().into())
    }

    fn sealing_keys(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let now = self.vault.clock().now();
        let rings = self.vault.keys().rings();
        let help = "How long ago each sealing key was made";
        let seconds = Some(&Unit::Seconds);
        let mut family =
            encoder.encode_descriptor("cardseal_sealing_key_age", help, seconds, MetricType::Gauge)?;
        for (mode, ring) in rings.sealing.each() {
            for key in ring.iter() {
                let state = ring.state(key, now).as_str();
                let labels = Key { mode: mode.as_str(), version: key.version, state };
                family.encode_family(&labels)?.encode_gauge(&now.since(key.created_at).as_secs())?;
            }
        }
        Ok(())
    }

    fn data_keys(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "How many encryptions with each data key were reserved, by all processes";
        let mut family =
            encoder.encode_descriptor("cardseal_data_key_encryptions", help, None, MetricType::Gauge)?;
        let now = self.vault.clock().now();
        let ring = &self.vault.keys().rings().data;
        for key in ring.iter() {
            let labels = DataKeyLabels { version: key.version, state: ring.state(key, now).as_str() };
            family.encode_family(&labels)?.encode_gauge(&key.key.wear())?;
        }
        Ok(())
    }

    fn client_certificates(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "When each certificate ends that the vault shows to a vendor, in seconds since 1970";
        let seconds = Some(&Unit::Seconds);
        let name = "cardseal_client_certificate_expiry";
        let mut family = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
        for ClientCertificate { profile, mode, expires_at } in self.vault.vendors().client_certificates() {
            let labels = Vendor { vendor: profile.as_str(), mode: mode.as_str() };
            family.encode_family(&labels)?.encode_gauge(&expires_at.unix_seconds())?;
        }
        Ok(())
    }
}

/// The names are those that Prometheus' own libraries have for every program.
fn process(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    // Where there is no /proc nothing can be told.
    let Ok(usage) = Usage::now() else { return Ok(()) };
    let cpu = ConstCounter::new(usage.cpu_seconds);
    let help = "Time that processors worked for the process";
    cpu.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), cpu.metric_type())?)?;
    let memory = ConstGauge::new(usage.resident_bytes);
    let help = "Memory of the process that is not swapped out";
    memory.encode(encoder.encode_descriptor(
        "process_resident_memory",
        help,
        Some(&Unit::Bytes),
        memory.metric_type(),
    )?)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

#[derive(Debug, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Debug, EncodeLabelSet)]
struct Vendor {
    vendor: &'static str,
    mode: &'static str,
}

#[derive(Debug, EncodeLabelSet)]
struct Key {
    mode: &'static str,
    version: u32,
    state: &'static str,
}

#[derive(Debug, EncodeLabelSet)]
struct DataKeyLabels {
    version: u32,
    state: &'static str,
}
