//! What vendors tell of their tokens: again, out of order, and with what nobody has heard of.

use std::fs;
use std::sync::Arc;

use cardseal::client::Profile;
use cardseal_sandbox::callback::OAuth;
use cardseal_sandbox::certificates as sandbox;
use cardseal_sandbox::thales_d1::Event;
use cardseal_sandbox::{Notification, Receiver, thales_pci};
use cardseal_vault::access::limit::Limits;
use cardseal_vault::access::party;
use cardseal_vault::config::Callbacks;
use cardseal_vault::http::callbacks;
use cardseal_vault::server::{Bounds, Listener};
use reqwest::{Certificate, Client, Identity, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Shop, now};
use crate::support::vendors::Vendors;
use crate::support::{Asked, UNLIMITED, limiter, parts};

const D1: Profile = Profile::ThalesD1;
const PCI: Profile = Profile::ThalesPci;

#[tokio::test]
async fn a_token_ends_in_the_right_state_in_whatever_order_it_is_told_of() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let d1 = &shop.vendors.sandbox.thales_d1;
    let events = [Event::Renewal, Event::Suspension, Event::Resumption, Event::Replacement];
    for order in orders(&[0, 1, 2, 3]) {
        let id = shop.token(D1).await;
        let told = events.map(|event| d1.happen(&id, event).unwrap());
        for number in &order {
            // Each twice, as after an answer that was lost.
            for _ in 0..2 {
                assert_eq!(d1.tell(&receiver, &told[*number]).await.unwrap(), 204);
            }
        }
        let shown = shop.shown(D1, &id).await.json();
        assert_eq!((&shown["state"], &shown["card_expiry_date"]), (&json!("ACTIVE"), &json!("1233")));
        assert_eq!(shown["last_update_timestamp"], told[3].body["lastUpdateTimestamp"], "{order:?}");
        assert_eq!((&shown["card_last_digits"], &shown["par"]), (&json!("4242"), &told[3].body["par"]));
    }
    // Old news is no event: of each order, those that are later than all before.
    let news: usize = orders(&[0, 1, 2, 3]).iter().map(|order| risings(order)).sum();
    let updates = shop.asked.count_where("events", "key = 'vendor_token.update'").await;
    assert_eq!(updates, i64::try_from(news).unwrap());
}

#[tokio::test]
async fn each_thing_that_happens_to_a_card_is_told_to_the_merchant() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let d1 = &shop.vendors.sandbox.thales_d1;
    let id = shop.token(D1).await;
    for (event, state) in [
        (Event::Suspension, "SUSPENDED"),
        (Event::Resumption, "ACTIVE"),
        // No version of the vault knows this state, nor what comes with it.
        (Event::Unheard, "UNKNOWN"),
        (Event::Renewal, "UNKNOWN"),
        (Event::Deletion, "DELETED"),
    ] {
        let notification = d1.happen(&id, event).unwrap();
        assert_eq!(d1.tell(&receiver, &notification).await.unwrap(), 204);
        assert_eq!(shop.shown(D1, &id).await.json()["state"], state);
    }
    let told = shop.events().await;
    let update = "vendor_token.update";
    assert_eq!(told, ["vendor_token.create", update, update, update, update, "vendor_token.destroy"]);
    let events = shop.asked.get("/events?order=chronological", &shop.account.secret_key).await.json();
    assert_eq!(
        (&events["data"][3]["data"]["state"], &events["data"][3]["data"]["id"]),
        (&json!("UNKNOWN"), &json!(id))
    );

    // What was told before comes again: a token that is deleted stays so, even if something is said to be later.
    for notification in d1.notifications(&id) {
        assert_eq!(d1.tell(&receiver, &notification).await.unwrap(), 204);
    }
    let revived = d1.happen(&id, Event::Resumption).unwrap();
    assert_eq!(d1.tell(&receiver, &revived).await.unwrap(), 204);
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "DELETED");
    assert_eq!(shop.events().await.len(), 6);
    // Another process of the vault knows it, too.
    let beside = shop.asked.beside_with(|setup| setup.vendors = shop.vendors.settings()).await;
    let path = super::path(D1, &format!("/tokens/{id}"));
    assert_eq!(beside.get(&path, &shop.account.secret_key).await.json()["state"], "DELETED");
}

#[tokio::test]
async fn pci_tokens_are_told_of_at_a_path_that_was_agreed_on() {
    let shop = Shop::open().await;
    let d1 = listening(&shop, None).await;
    let receiver = Receiver { url: format!("{}/tsh-cof/notify-token-update", d1.url), ..d1 };
    let pci = &shop.vendors.sandbox.thales_pci;
    let id = shop.token(PCI).await;
    let renewal = pci.happen(&id, thales_pci::Event::Renewal).unwrap();
    let deletion = pci.happen(&id, thales_pci::Event::Deletion).unwrap();
    for _ in 0..2 {
        assert_eq!(pci.tell(&receiver, &renewal).await.unwrap(), 204);
    }
    let shown = shop.shown(PCI, &id).await.json();
    assert_eq!((&shown["state"], &shown["card_expiry_date"]), (&json!("ACTIVE"), &json!("1231")));
    for notification in [&deletion, &renewal, &deletion] {
        assert_eq!(pci.tell(&receiver, notification).await.unwrap(), 204);
    }
    assert_eq!(shop.shown(PCI, &id).await.json()["state"], "DELETED");
    let told = shop.events().await;
    assert_eq!(told, ["vendor_token.create", "vendor_token.update", "vendor_token.destroy"]);

    let of = |change: fn(&mut Value)| {
        let mut body = renewal.body.clone();
        change(&mut body);
        Notification { path: String::new(), body }
    };
    for (notification, status) in [
        (of(|body| body["tokenId"] = json!("other")), 404),
        (of(|body| body["merchantId"] = json!("other")), 404),
        (of(|body| body["merchantId"] = Value::Null), 400),
        (of(|body| body["tokenId"] = json!(1)), 400),
        (of(|body| body["tokenId"] = json!("a/b")), 400),
    ] {
        assert_eq!(pci.tell(&receiver, &notification).await.unwrap(), status);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let d1 = &shop.vendors.sandbox.thales_d1;
    let id = shop.token(D1).await;
    let good = d1.happen(&id, Event::Suspension).unwrap();
    let at = |path: String| Notification { path, ..good.clone() };
    let with = |member: &str, value: Value| {
        let mut body = good.body.clone();
        body[member] = value;
        Notification { body, ..good.clone() }
    };
    for (notification, status) in [
        (at(good.path.replace(&id, "other")), 404),
        (at(good.path.replace("sandbox-gateway", "other")), 404),
        (at(good.path.replace("sandbox-merchant", "other")), 404),
        (at(good.path.replace("notify-update", "notify")), 404),
        (at("/profiles/thales-d1".into()), 404),
        (with("state", json!(1)), 400),
        (with("state", json!("4242424242424242")), 400),
        (with("lastUpdateTimestamp", json!("yesterday")), 400),
        (with("lastUpdateTimestamp", Value::Null), 400),
        (Notification { body: json!([]), ..good.clone() }, 400),
        (with("seasons", json!("x".repeat(9000))), 413),
    ] {
        assert_eq!(d1.tell(&receiver, &notification).await.unwrap(), status, "{}", notification.path);
    }
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "ACTIVE");
    assert_eq!(d1.tell(&receiver, &good).await.unwrap(), 204);
    // The public face knows nothing of it.
    shop.asked.post(&good.path, &shop.account.secret_key, &good.body).await.error(404, "not_found");
}

#[tokio::test]
async fn nobody_without_a_vendors_certificate_is_heard() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let id = shop.token(D1).await;
    let notification = shop.vendors.sandbox.thales_d1.happen(&id, Event::Deletion).unwrap();
    let other = Vendors::start().await;
    assert!(other.sandbox.thales_d1.tell(&receiver, &notification).await.is_err());
    let authority = Certificate::from_pem(receiver.authority.as_bytes()).unwrap();
    let stranger = Client::builder().tls_certs_only([authority]).build().unwrap();
    let url = format!("{}{}", receiver.url, notification.path);
    assert!(stranger.post(url).json(&notification.body).send().await.is_err());
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "ACTIVE");
}

#[tokio::test]
async fn access_is_given_to_d1_where_that_is_agreed_on() {
    let shop = Shop::open().await;
    let oauth = || OAuth { client_id: "thales".into(), client_secret: "s3cret".into() };
    let receiver = listening(&shop, Some(oauth())).await;
    let d1 = &shop.vendors.sandbox.thales_d1;
    let id = shop.token(D1).await;
    let notification = d1.happen(&id, Event::Suspension).unwrap();
    let bare = Receiver { oauth: None, ..receiver.clone() };
    assert_eq!(d1.tell(&bare, &notification).await.unwrap(), 401);
    let wrong = OAuth { client_secret: "other".into(), ..oauth() };
    let wrong = Receiver { oauth: Some(wrong), ..receiver.clone() };
    assert!(d1.tell(&wrong, &notification).await.is_err());
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "ACTIVE");
    assert_eq!(d1.tell(&receiver, &notification).await.unwrap(), 204);
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "SUSPENDED");

    let client = with_certificate(d1.calls_as(), &receiver);
    let ask = async |form: &[(&str, &str)]| {
        let request = client.post(format!("{}/oauth2/token", receiver.url));
        request.basic_auth("thales", Some("s3cret")).form(form).send().await.unwrap()
    };
    assert_eq!(ask(&[("grant_type", "password")]).await.status(), StatusCode::BAD_REQUEST);
    let granted: Value =
        ask(&[("grant_type", "client_credentials"), ("scope", "x")]).await.json().await.unwrap();
    assert_eq!((&granted["expires_in"], &granted["token_type"]), (&json!(900), &json!("Bearer")));
    let tell = async |token: &str| {
        let request = client.post(format!("{}{}", receiver.url, notification.path)).bearer_auth(token);
        request.json(&notification.body).send().await.unwrap().status()
    };
    let token = granted["access_token"].as_str().unwrap();
    assert_eq!(tell(token).await, StatusCode::NO_CONTENT);
    for forged in
        [token.replacen('1', "2", 1), format!("{token}A"), "..".into(), "a.b.c".into(), String::new()]
    {
        assert_eq!(tell(&forged).await, StatusCode::UNAUTHORIZED, "{forged}");
    }
    shop.asked.set_time(now() + 16 * 60);
    assert_eq!(tell(token).await, StatusCode::UNAUTHORIZED);
}

/// Where vendors can tell the vault.
pub(crate) async fn listening(shop: &Shop, oauth: Option<OAuth>) -> Receiver {
    listening_within(shop, oauth, &UNLIMITED).await
}

/// The same with limits.
pub(crate) async fn listening_within(shop: &Shop, oauth: Option<OAuth>, limits: &Limits) -> Receiver {
    let Asked { vault, .. } = &shop.asked;
    let credentials = oauth.as_ref().map_or_else(String::new, |OAuth { client_id, client_secret }| {
        format!(", client_id = \"{client_id}\", client_secret = \"{client_secret}\"")
    });
    let (table, authority) = table(&shop.vendors, &credentials);
    let settings: Callbacks = toml::from_str(&table).unwrap();
    let tls = settings.tls.read_mutual(party::verifier(&settings.authorities()).unwrap()).unwrap();
    let listener = Listener::bind(settings.listen.as_str(), Some(tls), Bounds::default()).await.unwrap();
    let url = format!("https://{}", listener.address().unwrap());
    let parts = parts(vault, None, limiter(limits, &Arc::default()));
    let routes = callbacks(&parts, &settings, settings.parties().unwrap());
    tokio::spawn(listener.run(routes, CancellationToken::new()));
    Receiver { url, authority, oauth }
}

/// The table `callbacks` for a free port, and whose certificate the vault shows there. `more` is what else D1's table has.
pub(super) fn table(vendors: &Vendors, more: &str) -> (String, String) {
    let path = |name: &str| vendors.path(name).display().to_string();
    let client = |vendor: &str, subject: &str| {
        let authority = path(&format!("callbacks-{vendor}.pem"));
        format!("client_authority = \"{authority}\", client_subject = \"{subject}\"")
    };
    let table = format!(
        "listen = \"127.0.0.1:0\"\ntls_cert = \"{}\"\ntls_key = \"{}\"\nthales_d1 = {{ {}{more} }}\nthales_pci = {{ {} }}\n",
        path("callbacks.pem"),
        path("callbacks-key.pem"),
        client("thales-d1", "sandbox-d1"),
        client("thales-pci", "sandbox-etp"),
    );
    (table, fs::read_to_string(vendors.path("callbacks-authority.pem")).unwrap())
}

/// A client that shows a certificate.
pub(crate) fn with_certificate(identity: &sandbox::Identity, receiver: &Receiver) -> Client {
    let identity = format!("{}{}", identity.certificate, identity.key);
    let authority = Certificate::from_pem(receiver.authority.as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([authority]);
    client.identity(Identity::from_pem(identity.as_bytes()).unwrap()).build().unwrap()
}

/// Every order of some numbers.
fn orders(numbers: &[usize]) -> Vec<Vec<usize>> {
    if numbers.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in numbers {
        let rest: Vec<_> = numbers.iter().copied().filter(|number| number != first).collect();
        all.extend(orders(&rest).into_iter().map(|order| [vec![*first], order].concat()));
    }
    all
}

/// How many numbers are greater than all before them.
fn risings(order: &[usize]) -> usize {
    (0..order.len()).filter(|at| order[..*at].iter().all(|before| before < &order[*at])).count()
}
