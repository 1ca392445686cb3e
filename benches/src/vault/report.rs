//! The figures, for people and for programs.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::database::Kind;

/// What was measured with one database, and so many tokens in it. Times are in microseconds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    /// Processor time of the vault for a token while it makes them as fast as it can.
    pub(super) processor: f64,
    /// Processor time of one bare RSA decryption while all cores decrypt, and while one does.
    pub(super) decryption: [f64; 2],
    /// Tokens a second, as fast as they come.
    pub(super) rate: f64,
    /// How long half of the requests took at most at half that rate, and 99 of a hundred.
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// Processor time for a token at half that rate.
    pub(super) processor_at_half: f64,
    /// Memory after all that, in bytes.
    pub(super) memory: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    database: &'static str,
    stored: u64,
    median: Figures,
    rounds: Vec<Figures>,
}

/// Everything that was measured. `Display` is a table.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    rows: Vec<Row>,
}

pub(super) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

impl Report {
    pub(super) fn add(&mut self, kind: Kind, stored: u64, rounds: Vec<Figures>) {
        let median = |of: fn(&Figures) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(of).collect();
            all.sort_unstable_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        let median = Figures {
            processor: median(|figures| figures.processor),
            decryption: [median(|figures| figures.decryption[0]), median(|figures| figures.decryption[1])],
            rate: median(|figures| figures.rate),
            p50: median(|figures| figures.p50),
            p99: median(|figures| figures.p99),
            processor_at_half: median(|figures| figures.processor_at_half),
            memory: median(|figures| figures.memory),
        };
        self.rows.push(Row { database: kind.name(), stored, median, rounds });
    }

    pub(super) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<11}{:>10} {:>9} {:>8} {:>8} {:>6} {:>6} {:>8} {:>8} {:>8} {:>8}",
            "database",
            "stored",
            "CPU/token",
            "RSA all",
            "RSA one",
            "times",
            "times",
            "tokens/s",
            "p50 ms",
            "p99 ms",
            "MB"
        )?;
        for Row { database, stored, median, .. } in &self.rows {
            let [all, one] = median.decryption;
            writeln!(
                f,
                "{database:<11}{stored:>10} {:>6.0} µs {all:>5.0} µs {one:>5.0} µs {:>6.2} {:>6.2} {:>8.0} {:>8.2} {:>8.2} {:>8.1}",
                median.processor,
                median.processor / all,
                median.processor / one,
                median.rate,
                median.p50 / 1e3,
                median.p99 / 1e3,
                median.memory / 1e6,
            )?;
        }
        for pair in self.rows.chunks_exact(2) {
            if let [few, many] = pair {
                let ratio = many.median.p99 / few.median.p99;
                writeln!(
                    f,
                    "{}: p99 with {} tokens is {ratio:.2} times that with {}",
                    few.database, many.stored, few.stored
                )?;
            }
        }
        Ok(())
    }
}
