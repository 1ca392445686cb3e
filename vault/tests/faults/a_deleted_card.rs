//! A card that is deleted while a charge of it waits is not charged: a deletion that was answered comes before the charge or
//! after it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::http::Method;
use cardseal_vault::acquirer::{
    Acquirer, Acquirers, Answer, Found, Inquiry, Journal, Outcome, Payment, Prospect, Said, Unacceptable,
};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::support::{Account, Asked, VISA, request};

/// Deletes what is charged, just before the charge begins.
#[derive(Clone, Default)]
struct Deleting {
    other: Arc<OnceLock<(Asked, Account, String)>>,
    is_armed: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Deleting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Deleting")
    }
}

impl Acquirer for Deleting {
    fn check(&self, _: &Prospect<'_>) -> Result<(), Unacceptable> {
        if self.is_armed.swap(false, Ordering::SeqCst) {
            let (asked, account, path) = self.other.get().unwrap();
            let delete = request(Method::DELETE, path, &account.secret_key).body(Body::empty()).unwrap();
            let answer = block_in_place(|| Handle::current().block_on(asked.send(delete)));
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        Ok(())
    }

    fn charge<'a>(&'a self, _: &'a Payment, _: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        self.taken.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Outcome::Successful.into() })
    }

    fn find<'a>(&'a self, _: &'a Inquiry) -> Answer<'a, Said<Found>> {
        Box::pin(async { Found::NeverArrived.into() })
    }
}

/// Charges a card on file of which `path` of the customer and the card is deleted meanwhile.
async fn charged_while_deleted(path: impl Fn(&str, &str) -> String, message: &str) {
    let deleting = Deleting::default();
    let asked = Asked::with(Acquirers::new(deleting.clone())).await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let customer = asked.post("/customers", &account.secret_key, &json!({ "card": token })).await.json();
    let (customer, card) = (customer["id"].as_str().unwrap(), customer["default_card"].as_str().unwrap());
    let other = asked.beside(Acquirers::default()).await;
    assert!(deleting.other.set((other, account.clone(), path(customer, card))).is_ok());

    let order = json!({ "amount": 31_337, "currency": "thb", "customer": customer, "card": card });
    let charge = asked.post("/charges", &account.secret_key, &order).await;
    assert_eq!((&charge.json()["status"], deleting.taken.load(Ordering::SeqCst)), (&json!("successful"), 1));
    deleting.is_armed.store(true, Ordering::SeqCst);
    let refused = asked.post("/charges", &account.secret_key, &order).await.error(404, "not_found");
    assert_eq!((&*refused, deleting.taken.load(Ordering::SeqCst)), (message, 1));
    assert_eq!(asked.count("charges").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn is_not_charged() {
    charged_while_deleted(
        |customer, card| format!("/customers/{customer}/cards/{card}"),
        "card was not found",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn is_not_charged_when_it_goes_with_its_customer() {
    charged_while_deleted(|customer, _| format!("/customers/{customer}"), "customer was not found").await;
}
