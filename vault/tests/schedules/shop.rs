//! A merchant's side: it asks for tokens, charges, customers and deletions, notes what it was told, and asks again or gives up.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::bank::Plan;
use super::machine::Reply;
use super::world::{Account, MACHINES, NoAnswer, World, request};
use crate::durability::random::Random;
use crate::support::{VISA, clear_card};

/// What one merchant's servers remember.
#[derive(Debug, Default)]
pub(super) struct Notebook {
    pub(super) tokens: Vec<String>,
    pub(super) purchases: Vec<Purchase>,
    /// Cards whose deletion was answered with 200, whether alone or with the customer.
    pub(super) deleted: Vec<String>,
    /// Answers that nothing which a schedule does excuses.
    pub(super) surprises: Vec<String>,
}

/// Something that is to be paid once.
#[derive(Debug)]
pub(super) struct Purchase {
    pub(super) amount: i64,
    pub(super) heard: Vec<Heard>,
    /// Whether it was asked for after its card was known to be deleted.
    pub(super) is_too_late: bool,
}

#[derive(Debug)]
pub(super) enum Heard {
    Charge {
        id: String,
        status: String,
    },
    /// The vault says that it cannot do that now.
    Busy,
    /// The vault says that this cannot be.
    Refused(String),
    /// No answer.
    Nothing,
}

/// What is charged.
#[derive(Clone, Debug)]
enum Source {
    Card { customer: String, card: String },
    Token(String),
}

pub(super) struct Shopper {
    pub(super) world: Arc<World>,
    pub(super) account: Account,
    pub(super) notebook: Arc<Mutex<Notebook>>,
    pub(super) random: Random,
}

/// Amounts that no other purchase has, in whatever world.
static NUMBER: AtomicI64 = AtomicI64::new(1);

impl Shopper {
    pub(super) async fn shop(mut self) {
        for _ in 0..1 + self.random.below(2) {
            let Some(token) = self.token().await else { continue };
            if self.random.one_in(3) {
                self.keep_and_charge(&token).await;
            } else {
                self.buy(&Source::Token(token), false).await;
            }
        }
    }

    async fn token(&mut self) -> Option<String> {
        for _ in 0..4 {
            let key = self.account.public_key.clone();
            match self.ask(Method::POST, "/tokens", &key, None, Some(&clear_card(VISA))).await {
                Ok(Reply { status: 200, body }) => {
                    let id = body["id"].as_str().unwrap().to_owned();
                    self.notebook.lock().unwrap().tokens.push(id.clone());
                    return Some(id);
                }
                Ok(Reply { status: 503, .. }) | Err(NoAnswer) => {}
                Ok(other) => self.notebook.lock().unwrap().surprises.push(format!("{other:?}")),
            }
        }
        None
    }

    /// Makes a customer of a token, and charges the card while it may be deleted.
    async fn keep_and_charge(&mut self, token: &str) {
        let key = self.account.secret_key.clone();
        let body = json!({ "card": token });
        let Ok(Reply { status: 200, body }) =
            self.ask(Method::POST, "/customers", &key, None, Some(&body)).await
        else {
            return;
        };
        let customer = body["id"].as_str().unwrap().to_owned();
        let card = body["default_card"].as_str().unwrap().to_owned();
        let source = Source::Card { customer: customer.clone(), card: card.clone() };
        self.buy(&source, false).await;
        let deleting = self.random.one_in(2).then(|| {
            let mut deleter = self.split();
            let path = if deleter.random.one_in(2) {
                format!("/customers/{customer}")
            } else {
                format!("/customers/{customer}/cards/{card}")
            };
            tokio::spawn(async move { deleter.delete(&path, card).await })
        });
        self.buy(&source, false).await;
        if let Some(deleting) = deleting
            && deleting.await.unwrap()
        {
            self.buy(&source, true).await;
        }
    }

    /// Whether it is deleted for certain.
    async fn delete(&mut self, path: &str, card: String) -> bool {
        sleep(self.random.shorter_than(Duration::from_millis(100))).await;
        let key = self.account.secret_key.clone();
        for _ in 0..3 {
            if let Ok(Reply { status: 200, .. }) = self.ask(Method::DELETE, path, &key, None, None).await {
                self.notebook.lock().unwrap().deleted.push(card);
                return true;
            }
        }
        false
    }

    async fn buy(&mut self, source: &Source, is_too_late: bool) {
        let plan = Plan::ALL[self.random.below(Plan::ALL.len())];
        let amount = plan.amount(NUMBER.fetch_add(1, Ordering::SeqCst));
        let mut order = json!({ "amount": amount, "currency": "thb" });
        // A card on file is charged again by whoever asks again without a name for the request.
        let is_named = match source {
            Source::Card { customer, card } => {
                order["customer"] = customer.as_str().into();
                order["card"] = card.as_str().into();
                true
            }
            Source::Token(token) => {
                order["card"] = token.as_str().into();
                !self.random.one_in(3)
            }
        };
        let name = is_named.then(|| self.random.name());
        let mut heard = Vec::new();
        loop {
            let next = self.charge(name.as_deref(), &order).await;
            let is_over = !matches!(next, Heard::Busy | Heard::Nothing);
            heard.push(next);
            // It may give up, and never find out.
            if is_over || heard.len() >= 6 || self.random.one_in(4) {
                break;
            }
            sleep(self.random.shorter_than(Duration::from_millis(300))).await;
        }
        self.notebook.lock().unwrap().purchases.push(Purchase { amount, heard, is_too_late });
    }

    async fn charge(&mut self, name: Option<&str>, order: &Value) -> Heard {
        let key = self.account.secret_key.clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match self.ask(Method::POST, "/charges", &key, name, Some(order)).await {
            Ok(Reply { status: 200, body }) => {
                Heard::Charge { id: text(&body["id"]), status: text(&body["status"]) }
            }
            Ok(Reply { status: 503, .. }) => Heard::Busy,
            Ok(Reply { status, body }) => {
                let code = text(&body["code"]);
                if !["used_token", "not_found", "invalid_card"].contains(&&*code) {
                    self.notebook.lock().unwrap().surprises.push(format!("{status} {body}"));
                }
                Heard::Refused(code)
            }
            Err(NoAnswer) => Heard::Nothing,
        }
    }

    /// Asks some machine; now and then for as long as it takes.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        key: &str,
        name: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Reply, NoAnswer> {
        let machine = self.random.below(MACHINES);
        let patience = if self.random.one_in(2) {
            self.random.shorter_than(Duration::from_secs(2))
        } else {
            Duration::from_secs(60)
        };
        self.world.ask(machine, patience, request(method, path, key, name, body)).await
    }

    fn split(&mut self) -> Self {
        Self {
            world: Arc::clone(&self.world),
            account: self.account.clone(),
            notebook: Arc::clone(&self.notebook),
            random: self.random.split(),
        }
    }
}
