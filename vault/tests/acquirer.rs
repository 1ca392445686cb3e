//! Charges while an acquirer takes its time.

use std::sync::Arc;

use cardseal::card::{Number, SecurityCode};
use cardseal_vault::acquirer::{Acquirer, Acquirers, Answer, Outcome, Payment};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{Asked, NOON, VISA};

/// Answers when it is let to, and tells when it was asked.
#[derive(Clone, Debug)]
struct Slow {
    asked: Arc<Semaphore>,
    let_go: Arc<Semaphore>,
}

impl Slow {
    fn new() -> Self {
        Self { asked: Arc::new(Semaphore::new(0)), let_go: Arc::new(Semaphore::new(0)) }
    }
}

impl Acquirer for Slow {
    fn check_security_code<'a>(&'a self, _: &'a Number, _: &'a SecurityCode) -> Answer<'a, bool> {
        Box::pin(async { true })
    }

    fn charge<'a>(&'a self, payment: &'a Payment) -> Answer<'a, Outcome> {
        Box::pin(async {
            // EXPOSE: a published test card, to see that it is what the acquirer gets.
            assert_eq!(payment.number.expose(), VISA);
            assert_eq!(payment.details.expiration_year, 2030);
            self.asked.add_permits(1);
            self.let_go.acquire().await.unwrap().forget();
            Outcome::Successful
        })
    }
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

        fn charge<'a>(&'a self, payment: &'a Payment) -> Answer<'a, Outcome> {
            // EXPOSE: a code of a published test card, to see that it is what the acquirer gets.
            let code = payment.security_code.as_ref().map(|code| code.expose().to_owned());
            self.0.lock().unwrap().push(code);
            Box::pin(async { Outcome::Successful })
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
