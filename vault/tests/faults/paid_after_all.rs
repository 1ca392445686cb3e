//! A charge that was held for lost, and whose money was taken all the same, is corrected and told of; what contradicts it the
//! other way around changes nothing and is told of too.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cardseal_vault::acquirer::{
    Acquirer, Acquirers, Answer, Found, Inquiry, Journal, Outcome, Payment, Said,
};
use cardseal_vault::charge::FailureCode;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{Account, Asked, NOON, VISA};

/// Says what it is told to say, when it is let to, as a process does that was stopped for a while.
#[derive(Clone, Debug)]
struct Stopped {
    asked: Arc<Semaphore>,
    let_go: Arc<Semaphore>,
    outcome: Outcome,
    found: Arc<Mutex<Found>>,
    looked_for: Arc<AtomicUsize>,
}

impl Stopped {
    fn new(outcome: Outcome, found: Found) -> Self {
        let (asked, let_go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        Self { asked, let_go, outcome, found: Arc::new(Mutex::new(found)), looked_for: Arc::default() }
    }
}

impl Acquirer for Stopped {
    fn charge<'a>(&'a self, _: &'a Payment, _: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        Box::pin(async {
            self.asked.add_permits(1);
            self.let_go.acquire().await.unwrap().forget();
            self.outcome.clone().into()
        })
    }

    fn find<'a>(&'a self, _: &'a Inquiry) -> Answer<'a, Said<Found>> {
        self.looked_for.fetch_add(1, Ordering::SeqCst);
        let found = *self.found.lock().unwrap();
        Box::pin(async move { found.into() })
    }
}

/// What is known of a charge that one process is stopped over while another ends it by what it finds after ten minutes; then
/// the first goes on. Gives the vault and the charge as it is in the end, after having been `between`.
async fn ended_twice(stopped: &Stopped, meanwhile: Found, between: &str) -> (Arc<Asked>, Account, Value) {
    let asked = Arc::new(Asked::with(Acquirers::new(stopped.clone())).await);
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let client = tokio::spawn({
        let (asked, account) = (Arc::clone(&asked), account.clone());
        async move { asked.charge(&account, &token).await }
    });
    stopped.asked.acquire().await.unwrap().forget();
    let found = Stopped::new(Outcome::Unknown, meanwhile);
    let other = asked.beside(Acquirers::new(found)).await;
    other.set_time(NOON + 10 * 60);
    assert_eq!(other.vault.resolve_charges().await.unwrap(), 1);
    stopped.let_go.add_permits(1);
    let charge = client.await.unwrap().json();
    let path = format!("/charges/{}", charge["id"].as_str().unwrap());
    let events = other.get("/events", &account.secret_key).await.json();
    let complete = events["data"].as_array().unwrap().iter().find(|event| event["key"] == "charge.complete");
    assert_eq!(complete.unwrap()["data"]["status"], between);
    let charge = asked.get(&path, &account.secret_key).await.json();
    (asked, account, charge)
}

/// What is told of it: keys of events, and actions in the audit.
async fn told(asked: &Asked, account: &Account) -> (Vec<String>, Vec<&'static str>) {
    let events = asked.get("/events?order=chronological", &account.secret_key).await.json();
    let keys =
        events["data"].as_array().unwrap().iter().map(|event| event["key"].as_str().unwrap().to_owned());
    let chains = asked.chains().await;
    assert_eq!(chains[0].flaw, None);
    let rows = asked.vault.store().audit_rows(chains[0].merchant.as_ref(), 0, 10).await.unwrap();
    (keys.collect(), rows.iter().map(|row| row.entry.action.as_str()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_charge_is_corrected() {
    let stopped = Stopped::new(Outcome::Successful, Found::Unknown);
    let (asked, account, charge) = ended_twice(&stopped, Found::NeverArrived, "failed").await;
    assert_eq!((&charge["status"], &charge["paid"]), (&json!("successful"), &json!(true)));
    assert_eq!(charge["failure_code"], json!(null));
    let (events, audit) = told(&asked, &account).await;
    assert_eq!(events, ["charge.create", "charge.complete", "charge.update"]);
    assert_eq!(audit, ["card.charge", "charge.correct"]);
    let metrics = asked.vault.counts();
    assert!(format!("{:?}", metrics.charges).contains("corrected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_got_no_answer_asks_once_more_before_it_stays_failed() {
    let stopped = Stopped::new(Outcome::Unknown, Found::Successful);
    let (asked, account, charge) = ended_twice(&stopped, Found::NeverArrived, "failed").await;
    assert_eq!((&charge["status"], stopped.looked_for.load(Ordering::SeqCst)), (&json!("successful"), 1));
    assert_eq!(told(&asked, &account).await.1, ["card.charge", "charge.correct"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_stays_paid() {
    let stopped = Stopped::new(Outcome::Failed(FailureCode::PaymentRejected), Found::Unknown);
    let (asked, account, charge) = ended_twice(&stopped, Found::Successful, "successful").await;
    assert_eq!(charge["status"], "successful");
    let (events, audit) = told(&asked, &account).await;
    assert_eq!(events, ["charge.create", "charge.complete"]);
    assert_eq!(audit, ["card.charge", "charge.contradict"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_cannot_be_stored_is_made_an_hour_later() {
    let stopped = Stopped::new(Outcome::Successful, Found::Successful);
    let asked = Arc::new(Asked::with(Acquirers::new(stopped.clone())).await);
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let client = tokio::spawn({
        let (asked, account) = (Arc::clone(&asked), account.clone());
        async move { asked.charge(&account, &token).await }
    });
    stopped.asked.acquire().await.unwrap().forget();
    let failed = Stopped::new(Outcome::Unknown, Found::Failed(FailureCode::PaymentRejected));
    let other = asked.beside(Acquirers::new(failed)).await;
    other.set_time(NOON + 10 * 60);
    assert_eq!(other.vault.resolve_charges().await.unwrap(), 1);
    let (refuse, allow) = if std::env::var_os("CARDSEAL_TEST_POSTGRES").is_some() {
        (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION refuse();",
            "DROP TRIGGER refuse ON audit",
        )
    } else {
        (
            "CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END",
            "DROP TRIGGER refuse",
        )
    };
    asked.execute(refuse).await;
    stopped.let_go.add_permits(1);
    let charge = client.await.unwrap().json();
    asked.execute(allow).await;
    asked.set_time(NOON + 2 * 60 * 60);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 1);
    let path = format!("/charges/{}", charge["id"].as_str().unwrap());
    assert_eq!(asked.get(&path, &account.secret_key).await.json()["status"], "successful");
}
