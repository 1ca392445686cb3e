use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use cardseal_vault::acquirer::Acquirers;
use cardseal_vault::audit::Action;
use cardseal_vault::merchant::{ClearCards, Mode};
use cardseal_vault::time::Timestamp;
use cardseal_vault::webhook::{NotDelivered, Reach, Sender, WebhookUrl};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::program::{Served, add_merchant};
use crate::support::receiver::{Message, Receiver};
use crate::support::{Account, Answer, Asked, NOON, SHOP, VISA, clear_card, request};

const JSON: &str = "application/json";

impl Asked {
    async fn delete(&self, path: &str, key: &str) -> Answer {
        self.send(request(Method::DELETE, path, key).body(Body::empty()).unwrap()).await
    }

    /// A webhook to a receiver: its id and its secret.
    async fn webhook(&self, account: &Account, receiver: &Receiver) -> (String, String) {
        let body = json!({ "url": receiver.url() });
        let answer = self.post("/webhooks", &account.secret_key, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    /// Charges a new token, which makes two events.
    async fn pay(&self, account: &Account) -> String {
        let charge = self.charge(account, &self.token(account, VISA).await).await.json();
        charge["id"].as_str().unwrap().into()
    }

    /// Sends what is to be sent, and says how much arrived.
    async fn deliver(&self) -> u64 {
        let mut delivered = 0;
        for task in self.vault.deliver().await.unwrap() {
            delivered += task.await.unwrap();
        }
        delivered
    }
}

/// The keys of events and the ids of what they tell of.
fn told(messages: &[Message]) -> Vec<(String, String)> {
    let text = |json: &Value| json.as_str().unwrap().to_owned();
    messages
        .iter()
        .map(Message::json)
        .map(|event| (text(&event["key"]), text(&event["data"]["id"])))
        .collect()
}

fn charged(charge: &str) -> [(String, String); 2] {
    ["charge.create", "charge.complete"].map(|key| (key.into(), charge.into()))
}

#[tokio::test]
async fn events_are_sent_signed_and_in_order() {
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let account = asked.merchant().await;
    let early = asked.pay(&account).await;
    let (_, secret) = asked.webhook(&account, &receiver).await;
    assert_eq!(asked.deliver().await, 0, "what was before is not sent");

    let (one, two) = (asked.pay(&account).await, asked.pay(&account).await);
    assert_eq!(asked.deliver().await, 4);
    let messages = receiver.messages();
    assert_eq!(told(&messages), [charged(&one), charged(&two)].concat());
    assert_ne!(early, one);
    for message in &messages {
        assert_eq!(
            (&*message.path, message.headers["content-type"].to_str().unwrap()),
            ("/events?shop=1", JSON)
        );
        assert_eq!(message.signed_at(&secret), Some(NOON));
        assert_eq!(message.signed_at("whsec_another"), None);
    }

    // What is sent is what can be looked up, and the object is as it was.
    let event = messages[0].json();
    let path = event["location"].as_str().unwrap();
    assert_eq!(asked.get(path, &account.secret_key).await.json(), event);
    let id = event["id"].as_str().unwrap();
    assert!(id.starts_with("evnt_test_") && path == format!("/events/{id}"), "{event}");
    assert_eq!((&event["object"], &event["livemode"]), (&json!("event"), &json!(false)));
    assert_eq!(event["created_at"], "2026-11-21T12:00:00Z");
    assert_eq!((&event["data"]["status"], &event["data"]["paid"]), (&json!("pending"), &json!(false)));
    let shown = asked.get(&format!("/charges/{one}"), &account.secret_key).await.json();
    assert_eq!(messages[1].json()["data"], shown);

    assert_eq!((asked.deliver().await, receiver.messages().len()), (0, 0));
    let other = asked.merchant().await;
    asked.get(path, &other.secret_key).await.error(404, "not_found");
    asked.get("/events/evnt_test_nowhere", &account.secret_key).await.error(404, "not_found");
}

#[tokio::test]
async fn what_does_not_arrive_is_sent_again_before_anything_else() {
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let account = asked.merchant().await;
    let (id, _) = asked.webhook(&account, &receiver).await;
    let one = asked.pay(&account).await;
    let mut now = NOON;
    for (attempt, status) in [500, 404, 302, 307, 199 + 201].into_iter().enumerate() {
        receiver.answers(status);
        assert_eq!(asked.deliver().await, 0);
        // One message, to one address: no redirect is followed, and nothing overtakes what has to be sent again.
        let messages = receiver.messages();
        assert_eq!((told(&messages), &*messages[0].path), (charged(&one)[..1].to_vec(), "/events?shop=1"));
        assert_eq!(
            (asked.deliver().await, receiver.messages().len()),
            (0, 0),
            "it is not sent again at once"
        );
        let shown = asked.get(&format!("/webhooks/{id}"), &account.secret_key).await.json();
        assert_eq!(shown["failed_attempts"], attempt + 1);
        now += 10 << attempt;
        asked.set_time(now);
    }
    let two = asked.pay(&account).await;
    receiver.answers(204);
    assert_eq!(asked.deliver().await, 4);
    assert_eq!(told(&receiver.messages()), [charged(&one), charged(&two)].concat());
    let shown = asked.get(&format!("/webhooks/{id}"), &account.secret_key).await.json();
    assert_eq!(shown["failed_attempts"], 0);
}

#[tokio::test]
async fn after_three_days_events_are_given_up_and_later_ones_are_not() {
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let account = asked.merchant().await;
    asked.webhook(&account, &receiver).await;
    receiver.answers(500);
    asked.pay(&account).await;
    asked.pay(&account).await;
    let day = 24 * 60 * 60;
    asked.set_time(NOON + 3 * day - 1);
    let late = asked.pay(&account).await;
    assert_eq!(asked.deliver().await, 0);
    asked.set_time(NOON + 3 * day + 60);
    assert_eq!(asked.deliver().await, 0);
    receiver.messages();

    asked.set_time(NOON + 4 * day);
    receiver.answers(200);
    assert_eq!(asked.deliver().await, 2);
    assert_eq!(told(&receiver.messages()), charged(&late));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_processes_one_sends_at_a_time() {
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let account = asked.merchant().await;
    asked.webhook(&account, &receiver).await;
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(Arc::new(asked.beside(Acquirers::default()).await));
    }
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.extend(charged(&asked.pay(&account).await));
    }
    let tasks: Vec<_> = processes
        .iter()
        .map(|process| {
            let process = Arc::clone(process);
            tokio::spawn(async move { process.deliver().await })
        })
        .collect();
    let mut delivered = 0;
    for task in tasks {
        delivered += task.await.unwrap();
    }
    assert_eq!((delivered, told(&receiver.messages())), (10, expected));
}

#[tokio::test]
async fn what_a_process_died_over_is_sent_by_another() {
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let account = asked.merchant().await;
    asked.webhook(&account, &receiver).await;
    asked.pay(&account).await;
    // A process takes the webhook for itself for half a minute, and is seen no more.
    let at = Timestamp::from_unix_seconds;
    let leased = asked.vault.store().lease_webhooks(at(NOON), at(NOON + 30), 1).await.unwrap();
    assert_eq!(leased.len(), 1);
    asked.set_time(NOON + 29);
    assert_eq!(asked.deliver().await, 0);
    asked.set_time(NOON + 30);
    assert_eq!(asked.deliver().await, 2);
}

#[tokio::test]
async fn webhooks_are_listed_without_their_secret_and_deleted() {
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let (id, secret) = asked.webhook(&account, &receiver).await;
    assert!(id.starts_with("hook_test_") && secret.starts_with("whsec_") && secret.len() == 46);
    let path = format!("/webhooks/{id}");
    let expected = json!({
        "object": "webhook", "id": id, "livemode": false, "location": path, "url": receiver.url(),
        "failed_attempts": 0, "created_at": "2026-11-21T12:00:00Z",
    });
    assert_eq!(asked.get(&path, &account.secret_key).await.json(), expected);
    let list = asked.get("/webhooks", &account.secret_key).await.json();
    assert_eq!(list, json!({ "object": "list", "data": [expected], "total": 1, "location": "/webhooks" }));

    for answer in [asked.get(&path, &other.secret_key).await, asked.delete(&path, &other.secret_key).await] {
        answer.error(404, "not_found");
    }
    assert_eq!(asked.get("/webhooks", &other.secret_key).await.json()["total"], 0);
    asked.get("/webhooks", &account.public_key).await.error(401, "authentication_failure");

    let deleted = asked.delete(&path, &account.secret_key).await.json();
    assert_eq!(deleted, json!({ "object": "webhook", "id": id, "livemode": false, "deleted": true }));
    asked.delete(&path, &account.secret_key).await.error(404, "not_found");
    asked.pay(&account).await;
    assert_eq!((asked.deliver().await, receiver.messages().len()), (0, 0));
}

#[tokio::test]
async fn webhooks_lead_to_public_places_over_tls() {
    let asked = Asked::new().await;
    let test = asked.merchant().await;
    let live = asked.merchant_with(Mode::Live, ClearCards::Refused, SHOP).await;
    for (account, url) in [
        (&test, "http://shop.example/"),
        (&test, "https://10.0.0.1/"),
        (&test, "https://169.254.169.254/latest"),
        (&test, "https://user:password@shop.example/"),
        (&test, "https://shop.example/4242424242424242"),
        (&test, "shop.example"),
        (&live, "http://127.0.0.1:4243/"),
        (&live, "https://127.0.0.1/"),
        (&live, "https://[::1]/"),
        (&live, "https://0x7f000001/"),
    ] {
        let answer = asked.post("/webhooks", &account.secret_key, &json!({ "url": url })).await;
        let message = answer.error(400, "bad_request");
        assert!(message.starts_with("url ") && !message.contains("4242"), "{message}");
    }
    asked.post("/webhooks", &test.secret_key, &json!({})).await.error(400, "bad_request");
    assert_eq!(asked.count("webhooks").await, 0);
    for _ in 0..16 {
        let body = json!({ "url": "https://shop.example/events" });
        assert_eq!(asked.post("/webhooks", &live.secret_key, &body).await.status, 200);
    }
    let message = asked
        .post("/webhooks", &live.secret_key, &json!({ "url": "https://shop.example/" }))
        .await
        .error(400, "bad_request");
    assert!(message.contains("16"), "{message}");
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let url = WebhookUrl::parse(&url, Mode::Test, Reach::Loopback).unwrap();
    for (reach, mode) in [(Reach::Loopback, Mode::Live), (Reach::Public, Mode::Test)] {
        let sent = Sender::within(reach).send(mode, &url, "t=0,v1=0".into(), b"{}".to_vec()).await;
        assert_eq!(sent, Err(NotDelivered::Connect));
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    // For tests the operator may allow it, and then there is no TLS.
    let test = Sender::within(Reach::Loopback);
    let connecting = test.send(Mode::Test, &url, "t=0,v1=0".into(), b"{}".to_vec());
    let accepting = async {
        loop {
            match listener.accept() {
                Ok(_) => return,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            tokio::task::yield_now().await;
        }
    };
    let (sent, ()) = tokio::join!(connecting, accepting);
    assert_eq!(sent, Err(NotDelivered::Connect));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_serves_sends_events_by_itself() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let account = add_merchant(&dir);
    let receiver = Receiver::start().await;
    let vault = Served::start_with(&dir, &["--test-webhooks", "loopback"]);
    let ask = |path: &str, key: &str, body: Value| vault.request("POST", path, key, JSON, &body.to_string());
    let webhook = ask("/webhooks", &account.secret_key, json!({ "url": receiver.url() })).json();
    let token = ask("/tokens", &account.public_key, clear_card(VISA)).json();
    let order = json!({ "amount": 100, "currency": "THB", "card": token["id"] });
    let charge = ask("/charges", &account.secret_key, order).json();
    let messages = [receiver.next().await, receiver.next().await];
    assert_eq!(told(&messages), charged(charge["id"].as_str().unwrap()));
    assert!(messages.iter().all(|message| message.signed_at(webhook["secret"].as_str().unwrap()).is_some()));
    let (log, secret) = (vault.log(), webhook["secret"].as_str().unwrap());
    assert!(!log.contains(secret) && !log.contains("shop=1"), "{log}");
}

#[tokio::test]
async fn a_secret_is_followed_by_another_and_signs_beside_it_for_a_day() {
    const DAY: u64 = 24 * 60 * 60;
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let account = asked.merchant().await;
    let (id, first) = asked.webhook(&account, &receiver).await;
    let path = format!("/webhooks/{id}/rotate_secret");
    let rotate = async || {
        let request = request(Method::POST, &path, &account.secret_key).body(Body::empty()).unwrap();
        let answer = asked.send(request).await.json();
        assert_eq!((&answer["id"], &answer["url"]), (&json!(id), &json!(receiver.url())));
        answer["secret"].as_str().unwrap().to_owned()
    };
    let signed_by = async |secrets: &[&String]| {
        asked.pay(&account).await;
        assert_eq!(asked.deliver().await, 2);
        let messages = receiver.messages();
        secrets.iter().map(|secret| messages[0].signed_at(secret).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(signed_by(&[&first]).await, [true]);

    let second = rotate().await;
    assert!(second.starts_with("whsec_") && second != first);
    assert_eq!(signed_by(&[&first, &second]).await, [true, true]);
    let shown = asked.get(&format!("/webhooks/{id}"), &account.secret_key).await.json();
    assert_eq!(shown.get("secret"), None);

    // The answer was lost and the request sent again: what the merchant's server knows still signs.
    asked.set_time(NOON + DAY - 60);
    let third = rotate().await;
    assert_eq!(signed_by(&[&first, &second, &third]).await, [true, true, true]);
    asked.set_time(NOON + DAY);
    assert_eq!(signed_by(&[&first, &second, &third]).await, [false, true, true]);
    asked.set_time(NOON + 2 * DAY - 60);
    assert_eq!(signed_by(&[&first, &second, &third]).await, [false, false, true]);

    // It does not grow for ever.
    let mut last = third.clone();
    for _ in 0..5 {
        last = rotate().await;
    }
    assert_eq!(signed_by(&[&third, &last]).await, [false, true]);

    let kept = asked.chains().await;
    let rows = asked.vault.store().audit_rows(kept[0].merchant.as_ref(), 0, 100).await.unwrap();
    let rotations = rows.iter().filter(|row| row.entry.action == Action::RotateWebhookSecret);
    assert!(rotations.clone().all(|row| row.entry.subject == id));
    assert_eq!((rotations.count(), &kept[0].flaw), (7, &None));
}

#[tokio::test]
async fn nobody_else_rotates_a_secret() {
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let (account, other) = (asked.merchant().await, asked.merchant().await);
    let (id, secret) = asked.webhook(&account, &receiver).await;
    let path = format!("/webhooks/{id}/rotate_secret");
    asked.post(&path, &other.secret_key, &json!({})).await.error(404, "not_found");
    asked.post(&path, &account.public_key, &json!({})).await.error(401, "authentication_failure");
    asked.post(&path, &account.secret_key, &json!({ "secret": "mine" })).await.error(400, "bad_request");
    asked
        .post("/webhooks/hook_test_0/rotate_secret", &account.secret_key, &json!({}))
        .await
        .error(404, "not_found");
    asked.pay(&account).await;
    asked.deliver().await;
    let message = receiver.next().await;
    let signature = message.headers["cardseal-signature"].to_str().unwrap();
    assert!(message.signed_at(&secret).is_some() && signature.matches("v1=").count() == 1, "{signature}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_at_once_are_all_kept() {
    let (asked, receiver) = (Asked::new().await, Receiver::start().await);
    let account = asked.merchant().await;
    let (id, first) = asked.webhook(&account, &receiver).await;
    let path = format!("/webhooks/{id}/rotate_secret");
    let rotations = (0..4)
        .map(|_| asked.send(request(Method::POST, &path, &account.secret_key).body(Body::empty()).unwrap()));
    let secrets = join_all(rotations).await;
    asked.pay(&account).await;
    asked.deliver().await;
    let message = receiver.next().await;
    assert!(message.signed_at(&first).is_some());
    for answer in secrets {
        assert!(message.signed_at(answer.json()["secret"].as_str().unwrap()).is_some());
    }
}
