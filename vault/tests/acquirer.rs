//! Charges while an acquirer takes its time, or does not answer.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use cardseal::card::{Number, SecurityCode};
use cardseal_vault::acquirer::{
    Acquirer, Acquirers, Answer, Found, Inquiry, Instrument, Journal, NotNoted, Outcome, Payment, Reference,
    Said,
};
use cardseal_vault::charge::FailureCode;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{self, Account, Asked, NOON, VISA};

/// Answers when it is let to, and tells when it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Slow {
    pub(crate) asked: Arc<Semaphore>,
    pub(crate) let_go: Arc<Semaphore>,
}

impl Slow {
    pub(crate) fn new() -> Self {
        Self { asked: Arc::new(Semaphore::new(0)), let_go: Arc::new(Semaphore::new(0)) }
    }
}

impl Acquirer for Slow {
    fn check_security_code<'a>(&'a self, _: &'a Number, _: &'a SecurityCode) -> Answer<'a, bool> {
        Box::pin(async { true })
    }

    fn charge<'a>(&'a self, payment: &'a Payment, _: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        Box::pin(async {
            let Instrument::Card { number, .. } = &payment.instrument else { panic!("no card") };
            // EXPOSE: a published test card, to see that it is what the acquirer gets.
            assert_eq!(number.expose(), VISA);
            assert_eq!(payment.details.expiration_year, 2030);
            self.asked.add_permits(1);
            self.let_go.acquire().await.unwrap().forget();
            Outcome::Successful.into()
        })
    }

    fn find<'a>(&'a self, _: &'a Inquiry) -> Answer<'a, Said<Found>> {
        Box::pin(async { panic!("nothing is to be looked for") })
    }
}

/// Does not say what became of a charge until it is looked for, and tells how often it was asked.
#[derive(Clone, Debug)]
struct Silent {
    charged: Arc<AtomicUsize>,
    looked_for: Arc<AtomicUsize>,
    found: Arc<Mutex<Found>>,
}

impl Silent {
    fn new(found: Found) -> Self {
        let found = Arc::new(Mutex::new(found));
        Self { charged: Arc::default(), looked_for: Arc::default(), found }
    }

    fn now_finds(&self, found: Found) {
        *self.found.lock().unwrap() = found;
    }

    /// How often it was sent a payment, and how often it was asked what became of one.
    fn asked(&self) -> (usize, usize) {
        (self.charged.load(SeqCst), self.looked_for.load(SeqCst))
    }
}

impl Acquirer for Silent {
    fn check_security_code<'a>(&'a self, _: &'a Number, _: &'a SecurityCode) -> Answer<'a, bool> {
        Box::pin(async { true })
    }

    fn charge<'a>(&'a self, _: &'a Payment, _: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        self.charged.fetch_add(1, SeqCst);
        Box::pin(async { Outcome::Unknown.into() })
    }

    fn find<'a>(&'a self, inquiry: &'a Inquiry) -> Answer<'a, Said<Found>> {
        assert_eq!(inquiry.amount.units(), 10_000);
        self.looked_for.fetch_add(1, SeqCst);
        let found = *self.found.lock().unwrap();
        Box::pin(async move { found.into() })
    }
}

impl Asked {
    /// What is shown of a charge: its status and failure code.
    async fn status(&self, account: &Account, charge: &str) -> (String, Option<String>) {
        let shown = self.get(&format!("/charges/{charge}"), &account.secret_key).await.json();
        let text = |name: &str| shown[name].as_str().map(ToOwned::to_owned);
        (text("status").unwrap(), text("failure_code"))
    }
}

fn id(answer: &support::Answer) -> String {
    answer.json()["id"].as_str().unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_goes_on_when_its_client_hangs_up_and_the_vault_waits_for_it() {
    let slow = Slow::new();
    let asked = Arc::new(Asked::with(Acquirers::new(slow.clone())).await);
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let client = tokio::spawn({
        let (asked, account, token) = (Arc::clone(&asked), account.clone(), token.clone());
        async move { asked.charge(&account, &token).await }
    });
    slow.asked.acquire().await.unwrap().forget();

    // The token is used from the first moment on, and what will come of it is not known yet.
    let shown = asked.get(&format!("/tokens/{token}"), &account.public_key).await.json();
    assert_eq!((&shown["used"], &shown["charge_status"]), (&json!(true), &json!("pending")));
    let used = asked.charge(&account, &token).await.error(400, "used_token");
    let charge = used.rsplit(' ').next().unwrap().to_owned();
    let shown = asked.get(&format!("/charges/{charge}"), &account.secret_key).await.json();
    assert_eq!((&shown["status"], &shown["paid"]), (&json!("pending"), &json!(false)));

    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    let closing = tokio::spawn({
        let vault = Arc::clone(&asked.vault);
        async move { vault.close().await }
    });
    slow.let_go.add_permits(1);
    closing.await.unwrap();

    let dir = Arc::into_inner(asked).unwrap().dir;
    let asked = Asked::reopen(dir, Acquirers::default()).await;
    let shown = asked.get(&format!("/charges/{charge}"), &account.secret_key).await.json();
    assert_eq!((&shown["status"], &shown["paid"]), (&json!("successful"), &json!(true)));
}

#[tokio::test]
async fn a_security_code_reaches_the_acquirer_while_it_is_good() {
    #[derive(Clone, Debug)]
    struct Codes(Arc<std::sync::Mutex<Vec<Option<String>>>>);
    impl Acquirer for Codes {
        fn check_security_code<'a>(&'a self, _: &'a Number, _: &'a SecurityCode) -> Answer<'a, bool> {
            Box::pin(async { true })
        }

        fn charge<'a>(&'a self, payment: &'a Payment, _: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
            let Instrument::Card { security_code, .. } = &payment.instrument else { panic!("no card") };
            // EXPOSE: a code of a published test card, to see that it is what the acquirer gets.
            let code = security_code.as_ref().map(|code| code.expose().to_owned());
            self.0.lock().unwrap().push(code);
            Box::pin(async { Outcome::Successful.into() })
        }

        fn find<'a>(&'a self, _: &'a Inquiry) -> Answer<'a, Said<Found>> {
            Box::pin(async { Found::Unknown.into() })
        }
    }
    let codes = Codes(Arc::default());
    let asked = Asked::with(Acquirers::new(codes.clone())).await;
    let account = asked.merchant().await;
    let (early, late) = (asked.token(&account, VISA).await, asked.token(&account, VISA).await);
    asked.charge(&account, &early).await;
    asked.set_time(NOON + 15 * 60);
    asked.charge(&account, &late).await;
    assert_eq!(*codes.0.lock().unwrap(), [Some("123".to_owned()), None]);
}

#[tokio::test]
async fn a_charge_without_an_answer_stays_pending_until_it_is_found() {
    let silent = Silent::new(Found::Unknown);
    let asked = Asked::with(Acquirers::new(silent.clone())).await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let answer = asked.charge(&account, &token).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &json!("pending")));
    let charge = id(&answer);

    // It is not asked at once, and then later and later.
    let mut asked_at = Vec::new();
    for second in 0..60 * 60 {
        asked.set_time(NOON + second);
        let (_, before) = silent.asked();
        assert_eq!(asked.vault.resolve_charges().await.unwrap(), 0);
        if silent.asked().1 > before {
            asked_at.push(second);
        }
    }
    assert_eq!(asked_at, [10, 20, 40, 80, 160, 320, 640, 1280, 2560]);
    // What may still come is not failed, however long it takes.
    assert_eq!(asked.status(&account, &charge).await, ("pending".into(), None));

    silent.now_finds(Found::Failed(FailureCode::InsufficientFund));
    asked.set_time(NOON + 5120);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 1);
    let failed = ("failed".into(), Some("insufficient_fund".into()));
    assert_eq!(asked.status(&account, &charge).await, failed);
    asked.set_time(NOON + 24 * 60 * 60);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 0);
    assert_eq!(silent.asked(), (1, 10), "it is sent once and looked for until it is found");
}

#[tokio::test]
async fn what_an_acquirer_has_not_heard_of_may_be_on_its_way_for_ten_minutes() {
    let silent = Silent::new(Found::NeverArrived);
    let asked = Asked::with(Acquirers::new(silent.clone())).await;
    let account = asked.merchant().await;
    let late = id(&asked.charge(&account, &asked.token(&account, VISA).await).await);
    let lost = id(&asked.charge(&account, &asked.token(&account, VISA).await).await);
    asked.set_time(NOON + 10 * 60 - 1);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 0);

    asked.set_time(NOON + 3 * 10 * 60);
    silent.now_finds(Found::Successful);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 2);
    for charge in [late, lost] {
        assert_eq!(asked.status(&account, &charge).await, ("successful".into(), None));
    }

    let lost = id(&asked.charge(&account, &asked.token(&account, VISA).await).await);
    silent.now_finds(Found::NeverArrived);
    asked.set_time(NOON + 2 * 3 * 10 * 60);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 1);
    let failed = ("failed".into(), Some("failed_processing".into()));
    assert_eq!(asked.status(&account, &lost).await, failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_processes_one_looks_for_a_charge() {
    let silent = Silent::new(Found::Successful);
    let asked = Asked::with(Acquirers::new(silent.clone())).await;
    let account = asked.merchant().await;
    for _ in 0..5 {
        asked.charge(&account, &asked.token(&account, VISA).await).await;
    }
    asked.set_time(NOON + 60);
    let mut processes = Vec::new();
    for _ in 0..4 {
        processes.push(asked.beside(Acquirers::new(silent.clone())).await);
    }
    let tasks: Vec<_> = processes
        .iter()
        .map(|process| {
            let vault = Arc::clone(&process.vault);
            tokio::spawn(async move { vault.resolve_charges().await.unwrap() })
        })
        .collect();
    let mut resolved = 0;
    for task in tasks {
        resolved += task.await.unwrap();
    }
    assert_eq!((resolved, silent.asked()), (5, (5, 5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_was_killed_over_is_found_by_another() {
    let slow = Slow::new();
    let asked = Arc::new(Asked::with(Acquirers::new(slow.clone())).await);
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let client = tokio::spawn({
        let (asked, account, token) = (Arc::clone(&asked), account.clone(), token.clone());
        async move { asked.charge(&account, &token).await }
    });
    slow.asked.acquire().await.unwrap().forget();

    // To another process one that takes forever is like one that was killed.
    let silent = Silent::new(Found::Failed(FailureCode::PaymentRejected));
    let other = asked.beside(Acquirers::new(silent.clone())).await;
    let used = other.charge(&account, &token).await.error(400, "used_token");
    let charge = used.rsplit(' ').next().unwrap();
    other.set_time(NOON + 119);
    assert_eq!(other.vault.resolve_charges().await.unwrap(), 0);
    other.set_time(NOON + 120);
    assert_eq!(other.vault.resolve_charges().await.unwrap(), 1);
    let failed = ("failed".into(), Some("payment_rejected".into()));
    assert_eq!(other.status(&account, charge).await, failed);
    assert_eq!(silent.asked(), (0, 1), "it was sent again");

    // Money that was taken after all was taken.
    slow.let_go.add_permits(1);
    let answer = client.await.unwrap();
    assert_eq!((&answer.json()["id"], &answer.json()["status"]), (&json!(charge), &json!("successful")));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_money_is_asked_for_once_another_process_has_given_the_charge_up() {
    /// Notes a name when it is let to.
    #[derive(Clone, Debug)]
    struct Noting(Slow);
    impl Acquirer for Noting {
        fn charge<'a>(&'a self, _: &'a Payment, journal: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
            Box::pin(async {
                self.0.asked.add_permits(1);
                self.0.let_go.acquire().await.unwrap().forget();
                let noted = journal.note(&Reference::parse("tokn_test_1").unwrap()).await;
                assert_eq!(noted, Err(NotNoted));
                Outcome::Failed(FailureCode::FailedFraudCheck).into()
            })
        }

        fn find<'a>(&'a self, _: &'a Inquiry) -> Answer<'a, Said<Found>> {
            Box::pin(async { panic!("nothing is to be looked for") })
        }
    }
    let slow = Slow::new();
    let asked = Arc::new(Asked::with(Acquirers::new(Noting(slow.clone()))).await);
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let client = tokio::spawn({
        let (asked, account, token) = (Arc::clone(&asked), account.clone(), token.clone());
        async move { asked.charge(&account, &token).await }
    });
    slow.asked.acquire().await.unwrap().forget();
    let other = asked.beside(Acquirers::new(Silent::new(Found::NeverArrived))).await;
    other.set_time(NOON + 10 * 60);
    assert_eq!(other.vault.resolve_charges().await.unwrap(), 1);
    slow.let_go.add_permits(1);
    let charge = client.await.unwrap().json();
    assert_eq!((&charge["status"], &charge["failure_code"]), (&json!("failed"), &json!("failed_processing")));
    assert_eq!(charge["acquirer"]["reference"], json!(null));
}

#[tokio::test]
async fn the_test_acquirer_leaves_some_amounts_open() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let mut charges = Vec::new();
    for amount in [111_101, 111_102, 111_103, 111_104] {
        let token = asked.token(&account, VISA).await;
        let body = json!({ "amount": amount, "currency": "THB", "card": token });
        let answer = asked.post("/charges", &account.secret_key, &body).await;
        assert_eq!(answer.json()["status"], "pending");
        let token = asked.get(&format!("/tokens/{token}"), &account.public_key).await.json();
        assert_eq!((&token["used"], &token["charge_status"]), (&json!(true), &json!("pending")));
        charges.push(id(&answer));
    }
    asked.set_time(NOON + 10);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 2);
    asked.set_time(NOON + 10 * 60);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 1);
    for (charge, status, code) in [
        (&charges[0], "successful", None),
        (&charges[1], "failed", Some("payment_rejected")),
        (&charges[2], "failed", Some("failed_processing")),
        (&charges[3], "pending", None),
    ] {
        assert_eq!(asked.status(&account, charge).await, (status.into(), code.map(Into::into)));
    }
    // A card that fails does so at once.
    let token = asked.token(&account, "4111111111140011").await;
    let body = json!({ "amount": 111_101, "currency": "THB", "card": token });
    let charge = asked.post("/charges", &account.secret_key, &body).await.json();
    assert_eq!(charge["failure_code"], "insufficient_fund");
}
