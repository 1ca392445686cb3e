//! A charge of which the client was told 503 takes no money, however long it has waited for somebody's lock and whatever
//! moment its time ended at; one that has begun is never an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cardseal_vault::acquirer::{
    Acquirer, Acquirers, Answer, Found, Inquiry, Journal, Outcome, Payment, Said,
};
use cardseal_vault::audit::By;
use cardseal_vault::charge::{Amount, ChargeStatus, Currency, Order, Source};
use cardseal_vault::id::TokenId;
use cardseal_vault::idempotency::Made;
use cardseal_vault::shopper::Shopper;
use cardseal_vault::vault::{AnswerBy, ChargeError};
use serde_json::{Map, json};
use sqlx::{AnyConnection, Connection};
use tokio::sync::Semaphore;

use crate::support::{Account, Asked, VISA};

/// Takes the money when it is let to, and counts how often.
#[derive(Clone, Debug)]
struct Bank {
    let_go: Arc<Semaphore>,
    taken: Arc<AtomicUsize>,
}

impl Bank {
    fn new(payments: usize) -> Self {
        Self { let_go: Arc::new(Semaphore::new(payments)), taken: Arc::default() }
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Acquirer for Bank {
    fn charge<'a>(&'a self, _: &'a Payment, _: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        Box::pin(async {
            self.let_go.acquire().await.unwrap().forget();
            self.taken.fetch_add(1, Ordering::SeqCst);
            Outcome::Successful.into()
        })
    }

    fn find<'a>(&'a self, _: &'a Inquiry) -> Answer<'a, Said<Found>> {
        let found = if self.taken() > 0 { Found::Successful } else { Found::NeverArrived };
        Box::pin(async move { found.into() })
    }
}

/// Long enough to get anywhere, and short enough to wait for.
const PATIENCE: Duration = Duration::from_millis(600);

impl Asked {
    async fn charge_within(
        &self,
        account: &Account,
        token: &str,
        patience: Duration,
    ) -> Result<ChargeStatus, ChargeError> {
        let order = Order {
            amount: Amount::new(31_337).unwrap(),
            currency: Currency::parse("THB").unwrap(),
            source: Source::Token(TokenId::parse(token).unwrap()),
            description: None,
            metadata: Map::new(),
        };
        let merchant = self.holder(account).await;
        let shopper = Shopper { ip: None, browser: None, return_uri: None };
        let answer_by = AnswerBy::within(patience);
        let made = self.vault.charge(merchant, By::VAULT, order, shopper, None, answer_by).await;
        made.map(|made| match made {
            Made::Now(charge) | Made::Before(charge) => charge.status,
        })
    }

    async fn is_used(&self, account: &Account, token: &str) -> bool {
        let token = self.get(&format!("/tokens/{token}"), &account.secret_key).await.json();
        token["used"].as_bool().unwrap()
    }
}

/// A stranger's session on PostgreSQL; none where the tests run on SQLite.
async fn stranger(asked: &Asked) -> Option<AnyConnection> {
    std::env::var_os("CARDSEAL_TEST_POSTGRES")?;
    Some(asked.dir.connect().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waited_for_a_lock_is_not_taken_when_the_lock_goes() {
    let bank = Bank::new(9);
    let asked = Asked::with(Acquirers::new(bank.clone())).await;
    let account = asked.merchant().await;
    let Some(mut stranger) = stranger(&asked).await else { return };
    asked.charge(&account, &asked.token(&account, VISA).await).await;
    let token = asked.token(&account, VISA).await;
    let mut held = stranger.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM audit_heads FOR UPDATE").fetch_all(&mut *held).await.unwrap();

    let refused = asked.charge_within(&account, &token, PATIENCE).await;
    assert!(matches!(refused, Err(ChargeError::NotBegun)), "{refused:?}");
    assert!(!asked.is_used(&account, &token).await);
    held.rollback().await.unwrap();
    // Whatever was left of it has ended by now.
    asked.vault.close().await;
    let asked = asked.beside(Acquirers::new(bank.clone())).await;
    assert!(!asked.is_used(&account, &token).await);
    assert_eq!((bank.taken(), asked.count("charges").await), (1, 1));
    assert_eq!(asked.charge(&account, &token).await.json()["status"], "successful");
    assert_eq!(bank.taken(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_commit_took_too_long_ends_as_failed_and_takes_no_money() {
    let bank = Bank::new(9);
    let asked = Asked::with(Acquirers::new(bank.clone())).await;
    let account = asked.merchant().await;
    let Some(mut stranger) = stranger(&asked).await else { return };
    let token = asked.token(&account, VISA).await;
    // Commits of charges wait for whoever has the lock, as they wait for a standby.
    asked
        .execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON charges DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION wait();",
        )
        .await;
    sqlx::query("SELECT 1 FROM (SELECT pg_advisory_lock(1)) AS taken")
        .fetch_one(&mut stranger)
        .await
        .unwrap();

    let refused = asked.charge_within(&account, &token, PATIENCE).await;
    assert!(matches!(refused, Err(ChargeError::NotBegun)), "{refused:?}");
    stranger.close().await.unwrap();
    asked.vault.close().await;
    let asked = asked.beside(Acquirers::new(bank.clone())).await;
    assert_eq!(bank.taken(), 0);
    assert_eq!(asked.count_where("charges", "status = 'failed'").await, asked.count("charges").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_has_begun_is_pending_when_the_answer_has_to_be_there() {
    let bank = Bank::new(0);
    let asked = Asked::with(Acquirers::new(bank.clone())).await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let status = asked.charge_within(&account, &token, 2 * PATIENCE).await.unwrap();
    assert_eq!((status, bank.taken()), (ChargeStatus::Pending, 0));
    assert!(asked.is_used(&account, &token).await);
    bank.let_go.add_permits(1);
    asked.vault.close().await;
    let asked = asked.beside(Acquirers::new(bank.clone())).await;
    let token = asked.get(&format!("/tokens/{token}"), &account.secret_key).await.json();
    assert_eq!((&token["charge_status"], bank.taken()), (&json!("successful"), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_outcome_cannot_be_stored_is_pending_and_no_error() {
    let bank = Bank::new(9);
    let asked = Asked::with(Acquirers::new(bank.clone())).await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let (refuse, allow) = if stranger(&asked).await.is_some() {
        (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON charges FOR EACH ROW EXECUTE FUNCTION refuse();",
            "DROP TRIGGER refuse ON charges",
        )
    } else {
        (
            "CREATE TRIGGER refuse BEFORE UPDATE ON charges BEGIN SELECT RAISE(ABORT, 'no'); END",
            "DROP TRIGGER refuse",
        )
    };
    asked.execute(refuse).await;
    let charge = asked.charge(&account, &token).await;
    assert_eq!((charge.status.as_u16(), &charge.json()["status"]), (200, &json!("pending")), "{charge:?}");
    assert_eq!(bank.taken(), 1);
    asked.execute(allow).await;
    asked.set_time(crate::support::NOON + 10 * 60);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 1);
    let token = asked.get(&format!("/tokens/{token}"), &account.secret_key).await.json();
    assert_eq!((&token["charge_status"], bank.taken()), (&json!("successful"), 1));
}
