//! Charges that go to vendors, against their stand-ins.

mod omise;
mod payment_options;

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use cardseal::client::Profile;
use cardseal_sandbox::{Exchange, Server};
use cardseal_vault::vendor::settings::{PaymentOptions, Settings, StatusBy};
use serde_json::{Value, json};

use crate::support::vendors::Vendors;
use crate::support::{Account, Answer, Asked, NOON, clear_card, request};

/// A merchant whose charges go to a vendor.
struct Shop {
    vendors: Vendors,
    settings: Settings,
    asked: Asked,
    account: Account,
}

impl Shop {
    async fn at(profile: Profile) -> Self {
        Self::with(profile, |_| {}).await
    }

    /// Payment Options calls back, and finds purchases by the merchant's reference.
    async fn at_friendly_payment_options() -> Self {
        Self::with(Profile::PaymentOptions, |settings| {
            settings.callback_url = Some("https://vault.example".parse().unwrap());
            settings.status_by = StatusBy::MerchantTxnRef;
        })
        .await
    }

    async fn with(profile: Profile, change: impl FnOnce(&mut PaymentOptions)) -> Self {
        let vendors = Vendors::start().await;
        let mut settings = vendors.settings();
        change(settings.payment_options.test.as_mut().unwrap());
        let asked = Asked::new_with(|setup| setup.vendors = settings.clone()).await;
        let account = asked.merchant().await;
        vendors.connect_for_charges(&asked, &account, profile).await;
        Self { vendors, settings, asked, account }
    }

    /// Another process of the same vault.
    async fn beside(&self) -> Asked {
        self.asked.beside_with(|setup| setup.vendors = self.settings.clone()).await
    }

    /// The id of a new token for a card with an address.
    async fn token(&self, number: &str) -> String {
        self.token_of(&billed(number)).await
    }

    async fn token_of(&self, card: &Value) -> String {
        let answer = self.asked.post("/tokens", &self.account.public_key, card).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["id"].as_str().unwrap().into()
    }

    /// The id of a new customer with a card.
    async fn customer(&self, number: &str) -> String {
        let body = json!({ "card": self.token(number).await });
        let answer = self.asked.post("/customers", &self.account.secret_key, &body).await;
        answer.json()["id"].as_str().unwrap().into()
    }

    async fn post(&self, body: &Value) -> Answer {
        self.asked.post("/charges", &self.account.secret_key, body).await
    }

    /// 100 baht with a new token of a card.
    async fn charge(&self, number: &str) -> Value {
        self.charge_of(&json!({ "card": self.token(number).await })).await
    }

    /// 100 baht, as an answer shows it. `with` says with what.
    async fn charge_of(&self, with: &Value) -> Value {
        let mut body = json!({ "amount": 10_000, "currency": "THB" });
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        let answer = self.post(&body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// A charge as it is now.
    async fn now(&self, charge: &Value) -> Value {
        let path = format!("/charges/{}", charge["id"].as_str().unwrap());
        self.asked.get(&path, &self.account.secret_key).await.json()
    }

    /// Looks charges up at this many seconds after noon, and says how many have an outcome now.
    async fn look_up(&self, seconds: u64) -> u64 {
        self.asked.set_time(NOON + seconds);
        self.asked.vault.resolve_charges().await.unwrap()
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request =
            request(method, path, &self.account.secret_key).header(CONTENT_TYPE, "application/json");
        self.asked.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

/// A card in the clear with an address.
fn billed(number: &str) -> Value {
    let mut card = clear_card(number);
    card["card"].as_object_mut().unwrap().extend([
        ("street1".to_owned(), "1-2-3 Shinjuku".into()),
        ("city".to_owned(), "Shinjuku-ku".into()),
        ("country".to_owned(), "jp".into()),
        ("postal_code".to_owned(), "1600022".into()),
    ]);
    card
}

/// What a shopper's browser brings for 3-D Secure.
fn journey() -> Value {
    json!({
        "ip": "203.0.113.7",
        "return_uri": "https://shop.example/done",
        "browser_info": {
            "acceptHeader": "text/html", "userAgent": "Mozilla/5.0 (X11; Linux x86_64)", "language": "en",
            "javaEnabled": false, "screenColorDepth": 24, "screenHeight": 1080, "screenWidth": "1920",
            "challengeWindow": "5",
        },
    })
}

/// The requests that a server got whose path ends so, as JSON.
fn requests(server: &Server, path: &str) -> Vec<Value> {
    let exchanges = server.records.all();
    let sent = exchanges.iter().filter(|exchange| exchange.path.ends_with(path) && exchange.method == "POST");
    sent.map(|exchange: &Exchange| serde_json::from_str(&exchange.body).unwrap()).collect()
}

/// A charge's status, failure code, and the acquirer's own code.
fn shown(charge: &Value) -> (&str, Option<&str>, Option<&str>) {
    (charge["status"].as_str().unwrap(), charge["failure_code"].as_str(), charge["acquirer"]["code"].as_str())
}
