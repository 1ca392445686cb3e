//! A service of the vault's own machine or network, reached by a webhook that a merchant names: a request posted to a
//! daemon on 127.0.0.1, or `failed_attempts` that tell which ports are open. Addresses and names that lead inward
//! are refused when a webhook is made, and again before something is sent; only an operator's setting lets test webhooks lead to
//! this machine.

use std::io::ErrorKind;
use std::net::TcpListener;

use cardseal_vault::merchant::{ClearCards, Mode};
use cardseal_vault::webhook::{NotDelivered, Reach, Sender, WebhookUrl};
use serde_json::json;

use crate::support::{Asked, SHOP, VISA};

/// Inward, however it is written.
const INWARD: [&str; 36] = [
    "http://127.0.0.1:2375/containers/x/kill?signal=9",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://１２７.０.０.１/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://10.1.2.3/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://vault.localhost/",
    "http://localhost:2375/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://printer.local/",
    "https://router.home.arpa/",
    "https://database/",
    "https://db.corp/",
];

#[tokio::test]
async fn no_webhook_leads_inward_with_a_live_or_a_test_key() {
    let asked = Asked::new_with(|setup| setup.test_webhooks = Reach::default()).await;
    let live = asked.merchant_with(Mode::Live, ClearCards::Refused, SHOP).await;
    for account in [asked.merchant().await, live] {
        for url in INWARD {
            let answer = asked.post("/webhooks", &account.secret_key, &json!({ "url": url })).await;
            assert!(answer.error(400, "bad_request").contains("public"), "{url}");
        }
        let public = json!({ "url": "https://shop.example/events" });
        assert_eq!(asked.post("/webhooks", &account.secret_key, &public).await.status, 200);
    }
}

#[tokio::test]
async fn the_setting_for_tests_lets_no_live_webhook_in_and_no_test_one_into_the_network() {
    let asked = Asked::new_with(|setup| setup.test_webhooks = Reach::Loopback).await;
    let live = asked.merchant_with(Mode::Live, ClearCards::Refused, SHOP).await;
    for url in INWARD {
        asked.post("/webhooks", &live.secret_key, &json!({ "url": url })).await.error(400, "bad_request");
    }
    let test = asked.merchant().await;
    for url in [
        "https://10.1.2.3/",
        "https://169.254.169.254/",
        "https://metadata.google.internal/",
        "http://10.1.2.3/",
    ] {
        asked.post("/webhooks", &test.secret_key, &json!({ "url": url })).await.error(400, "bad_request");
    }
}

/// One that was made while the setting allowed it gets nothing any more, whether something listens there or not.
#[tokio::test]
async fn what_was_once_allowed_is_not_connected_to_and_tells_of_no_port() {
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    open.set_nonblocking(true).unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let asked = Asked::new_with(|setup| setup.test_webhooks = Reach::Loopback).await;
    let account = asked.merchant().await;
    for port in [open.local_addr().unwrap().port(), closed] {
        let body = json!({ "url": format!("http://127.0.0.1:{port}/") });
        assert_eq!(asked.post("/webhooks", &account.secret_key, &body).await.status, 200);
    }

    let asked = asked.beside_with(|setup| setup.test_webhooks = Reach::Public).await;
    let token = asked.token(&account, VISA).await;
    assert_eq!(asked.charge(&account, &token).await.json()["status"], "successful");
    for task in asked.vault.deliver().await.unwrap() {
        assert_eq!(task.await.unwrap(), 0);
    }
    assert_eq!(open.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    let list = asked.get("/webhooks", &account.secret_key).await.json();
    let shown = |index: usize| {
        let mut webhook = list["data"][index].clone();
        for own in ["id", "url", "location", "created_at"] {
            webhook[own].take();
        }
        webhook
    };
    assert_eq!((shown(0), list["total"].as_u64()), (shown(1), Some(2)), "open and closed");
}

#[tokio::test]
async fn an_address_is_looked_at_before_it_is_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "127.1", "localhost"] {
        let url = WebhookUrl::parse(&format!("http://{host}:{port}/"), Mode::Test, Reach::Loopback).unwrap();
        for (reach, mode) in [(Reach::Public, Mode::Test), (Reach::Loopback, Mode::Live)] {
            let sent = Sender::within(reach).send(mode, &url, "t=0,v1=0".into(), b"{}".to_vec()).await;
            assert_eq!(sent, Err(NotDelivered::Connect), "{host}");
        }
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
