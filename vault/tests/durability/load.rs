//! Clients that ask for tokens and charges, each as fast as it is answered.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cardseal::plain;
use cardseal::seal::{Algorithm, KeySet, PublicKey, seal};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::sync::watch;
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

/// How long a client waits before it asks again, so that those who are at work on the fault get to it.
const PAUSE: Duration = Duration::from_millis(20);

/// What a client does when nobody answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// It goes home.
    EndsWithTheVault,
    /// It asks for another token, and for the same charge until it has an answer: there is somebody else to answer.
    GoesOn,
}

/// Clients at work.
pub(crate) struct Load {
    clients: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// Nobody answered, or nobody who could do anything.
#[derive(Debug)]
struct Gone;

impl Load {
    /// Starts so many clients.
    pub(crate) fn start(
        clients: usize,
        persistence: Persistence,
        http: &Client,
        vault: &str,
        account: &Account,
        ledger: &Arc<Ledger>,
        random: &mut Random,
    ) -> Self {
        let mut tasks = JoinSet::new();
        let stop = watch::Sender::new(false);
        for _ in 0..clients {
            let client = LoadClient {
                http: http.clone(),
                persistence,
                stopped: stop.subscribe(),
                vault: vault.to_owned(),
                account: account.clone(),
                ledger: Arc::clone(ledger),
                random: random.split(),
            };
            tasks.spawn(client.work());
        }
        Self { clients: tasks, stop }
    }

    /// Tells the clients to stop, and waits until each has an answer to what it has asked.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.ended().await;
    }

    /// Waits until each client has gone home.
    pub(crate) async fn ended(mut self) {
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
    }
}

struct LoadClient {
    http: Client,
    persistence: Persistence,
    stopped: watch::Receiver<bool>,
    vault: String,
    account: Account,
    ledger: Arc<Ledger>,
    random: Random,
}

impl LoadClient {
    async fn work(mut self) {
        let Ok(key) = self.sealing_key().await else { return };
        while !*self.stopped.borrow() {
            let served = self.serve_one_customer(&key).await;
            if served.is_err() && self.persistence == Persistence::EndsWithTheVault {
                return;
            }
            if served.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
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
            let charge = self.charge(&order).await?;
            self.ledger.add(Entry { key: self.account.secret_key.clone(), object: charge });
        }
        Ok(())
    }

    /// Whoever goes on asks for a charge until there is an answer, each time by the same name.
    async fn charge(&mut self, order: &Value) -> Result<Value, Gone> {
        let name = self.random.name();
        loop {
            let request = self.request("/charges", &self.account.secret_key, order);
            match answer(request.header("idempotency-key", &name)).await {
                Err(Gone) if self.persistence == Persistence::GoesOn => tokio::time::sleep(PAUSE).await,
                answered => return answered,
            }
        }
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value, Gone> {
        answer(self.request(path, key, body)).await
    }

    fn request(&self, path: &str, key: &str, body: &Value) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.vault)).basic_auth(key, None::<&str>);
        request.header("content-type", "application/json").body(body.to_string())
    }

    async fn sealing_key(&self) -> Result<PublicKey, Gone> {
        let (_, set) =
            read(self.http.get(format!("{}/.well-known/jwks.json", self.vault)).send().await).await?;
        let set: KeySet = plain::parse(&set).unwrap();
        Ok(set.sealing_key(Algorithm::RsaOaep256, false).unwrap())
    }
}

async fn answer(request: RequestBuilder) -> Result<Value, Gone> {
    match read(request.send().await).await? {
        (200, text) => Ok(serde_json::from_str(&text).unwrap()),
        (503, _) => Err(Gone),
        (status, text) => panic!("{status}: {text}"),
    }
}

async fn read(answer: reqwest::Result<Response>) -> Result<(u16, String), Gone> {
    let answer = answer.map_err(|_| Gone)?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.map_err(|_| Gone)?))
}
