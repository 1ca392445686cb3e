//! What the vault has acknowledged, kept outside of it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use tokio::sync::watch;

/// Everything that was acknowledged to anybody.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    /// When each was acknowledged.
    times: Mutex<Vec<Instant>>,
    count: watch::Sender<usize>,
}

/// A token or a charge, as the vault answered with it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) object: Value,
}

/// An entry that the vault does not answer with any more.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) entry: Entry,
    /// What it answers with instead.
    pub(crate) answer: String,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default(), times: Mutex::default(), count: watch::Sender::new(0) }
    }

    pub(crate) fn add(&self, entry: Entry) {
        self.entries.lock().unwrap().push(entry);
        self.times.lock().unwrap().push(Instant::now());
        self.count.send_modify(|count| *count += 1);
    }

    pub(crate) fn len(&self) -> usize {
        *self.count.borrow()
    }

    /// Waits until there are so many entries.
    pub(crate) async fn grow_to(&self, count: usize) {
        self.count.subscribe().wait_for(|now| *now >= count).await.unwrap();
    }

    /// The longest time in which nothing was acknowledged, since there were so many entries.
    pub(crate) fn longest_gap(&self, since: usize) -> Duration {
        let times = self.times.lock().unwrap();
        let gaps = times[since.saturating_sub(1)..].windows(2).map(|pair| pair[1] - pair[0]);
        gaps.max().unwrap_or_default()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }
}

/// Asks a vault for each of the entries.
pub(crate) async fn lost(entries: Vec<Entry>, http: &Client, vault: &str) -> Vec<Lost> {
    let mut lost = Vec::new();
    for entry in entries {
        let url = format!("{vault}{}", entry.object["location"].as_str().unwrap());
        let answer = http.get(url).basic_auth(&entry.key, None::<&str>).send().await.unwrap();
        let answer = answer.text().await.unwrap();
        let found = serde_json::from_str(&answer).is_ok_and(|now| is_still(&entry.object, now));
        if !found {
            lost.push(Lost { entry, answer });
        }
    }
    lost
}

#[track_caller]
pub(crate) fn assert_none(lost: &[Lost]) {
    assert!(lost.is_empty(), "{} lost, first {:?}", lost.len(), lost.first());
}

/// Whether an object is what it was when it was acknowledged, but for what may have come of it since.
fn is_still(acknowledged: &Value, mut now: Value) -> bool {
    let outcome: &[&str] = match (acknowledged["object"].as_str(), acknowledged["status"].as_str()) {
        (Some("token"), _) => &["used", "charge_status"],
        (Some("charge"), Some("pending")) => {
            &["status", "paid", "authorized", "captured", "failure_code", "failure_message"]
        }
        _ => &[],
    };
    for name in outcome {
        now[*name] = acknowledged[*name].clone();
    }
    now == *acknowledged
}
