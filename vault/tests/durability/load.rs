//! Clients that ask for tokens and charges, each as fast as it is answered.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use cardseal::plain;
use cardseal::seal::{KeySet, PublicKey, seal};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::ledger::{Entry, Ledger};
use super::random::Random;
use crate::support::{Account, clear_card, envelope};

/// Cards that pay, of several brands and lengths.
const CARDS: [&str; 6] = [
    "4242424242424242",
    "5555555555554444",
    "3530111333300000",
    "378282246310005",
    "6447032400000000001",
    "36021042000004",
];

/// One in so many cards comes sealed: sealing takes a debug build longer than everything else.
const SEALED: usize = 32;

/// One in so many tokens is charged.
const CHARGED: usize = 4;

/// Clients at work.
pub(crate) struct Load(JoinSet<()>);

/// Nobody answered.
#[derive(Debug)]
struct Gone;

impl Load {
    /// Starts so many clients.
    pub(crate) fn start(
        clients: usize,
        http: &Client,
        vault: &str,
        account: &Account,
        ledger: &Arc<Ledger>,
        random: &mut Random,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let client = LoadClient {
                http: http.clone(),
                vault: vault.to_owned(),
                account: account.clone(),
                ledger: Arc::clone(ledger),
                random: random.split(),
            };
            tasks.spawn(client.work());
        }
        Self(tasks)
    }

    /// Waits until each client has found that nobody answers any more.
    pub(crate) async fn end(mut self) {
        while let Some(ended) = self.0.join_next().await {
            ended.unwrap();
        }
    }
}

struct LoadClient {
    http: Client,
    vault: String,
    account: Account,
    ledger: Arc<Ledger>,
    random: Random,
}

impl LoadClient {
    async fn work(mut self) {
        let Ok(key) = self.sealing_key().await else { return };
        while self.serve_one_customer(&key).await.is_ok() {}
    }

    async fn serve_one_customer(&mut self, key: &PublicKey) -> Result<(), Gone> {
        let public_key = self.account.public_key.clone();
        let card = if self.random.one_in(SEALED) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            json!({ "card": { "sealed": seal(key, &envelope(&public_key, now)).unwrap() } })
        } else {
            clear_card(CARDS[self.random.below(CARDS.len())])
        };
        let token = self.post("/tokens", &public_key, &card).await?;
        let order = json!({ "amount": 10_000, "currency": "thb", "card": token["id"] });
        self.ledger.add(Entry { key: public_key, object: token });
        if self.random.one_in(CHARGED) {
            let secret_key = self.account.secret_key.clone();
            let charge = self.post("/charges", &secret_key, &order).await?;
            assert_eq!(charge["status"], "successful", "{charge}");
            self.ledger.add(Entry { key: secret_key, object: charge });
        }
        Ok(())
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value, Gone> {
        let request = self.http.post(format!("{}{path}", self.vault)).basic_auth(key, None::<&str>);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let (status, text) = read(request.send().await).await?;
        // Whoever is answered at all is served.
        assert_eq!(status, 200, "{text}");
        Ok(serde_json::from_str(&text).unwrap())
    }

    async fn sealing_key(&self) -> Result<PublicKey, Gone> {
        let (_, set) =
            read(self.http.get(format!("{}/.well-known/jwks.json", self.vault)).send().await).await?;
        let set: KeySet = plain::parse(&set).unwrap();
        Ok(set.sealing_key().unwrap())
    }
}

async fn read(answer: reqwest::Result<Response>) -> Result<(u16, String), Gone> {
    let answer = answer.map_err(|_| Gone)?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.map_err(|_| Gone)?))
}
