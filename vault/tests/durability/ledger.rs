//! What the vault has acknowledged, kept outside of it.

use std::sync::Mutex;

use reqwest::Client;
use serde_json::Value;
use tokio::sync::watch;

/// Everything that was acknowledged to anybody.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
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
        Self { entries: Mutex::default(), count: watch::Sender::new(0) }
    }

    pub(crate) fn add(&self, entry: Entry) {
        self.entries.lock().unwrap().push(entry);
        self.count.send_modify(|count| *count += 1);
    }

    pub(crate) fn len(&self) -> usize {
        *self.count.borrow()
    }

    /// Waits until there are so many entries.
    pub(crate) async fn grow_to(&self, count: usize) {
        self.count.subscribe().wait_for(|now| *now >= count).await.unwrap();
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
        let found =
            serde_json::from_str(&answer).is_ok_and(|now: Value| lasting(&now) == lasting(&entry.object));
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

/// What of a token or a charge stays as it is: a token may be used after it was acknowledged.
fn lasting(object: &Value) -> Value {
    let mut object = object.clone();
    if object["object"] == "token" {
        let token = object.as_object_mut().unwrap();
        token.remove("used");
        token.remove("charge_status");
    }
    object
}
