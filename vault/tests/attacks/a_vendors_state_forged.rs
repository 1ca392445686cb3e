//! Somebody with a certificate of a vendor's authority suspends, deletes or freezes tokens in the vendor's name. Stopped by an
//! authority and a name for each vendor, which can tell of nothing but its own tokens; by the vault's own clock; by a limit for
//! who is refused; and by an operator who can put a state right.

use std::sync::Arc;

use cardseal::client::Profile;
use cardseal_sandbox::callback::OAuth;
use cardseal_sandbox::thales_d1::Event;
use cardseal_sandbox::{Notification, Receiver, thales_pci};
use cardseal_vault::access::limit::Limits;
use cardseal_vault::token::Line;
use cardseal_vault::vendor::account::Name;
use cardseal_vault::vendor::token::{Relayed, State};
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::{UNLIMITED, operator};
use crate::vendors::callbacks::{listening, listening_within, with_certificate};
use crate::vendors::{Shop, now};

const D1: Profile = Profile::ThalesD1;
const PCI: Profile = Profile::ThalesPci;

fn at_pci(receiver: &Receiver) -> Receiver {
    Receiver { url: format!("{}/tsh-cof/notify-token-update", receiver.url), ..receiver.clone() }
}

#[tokio::test]
async fn a_certificate_tells_of_its_own_vendors_tokens_under_its_own_name_only() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let (d1, pci) = (&shop.vendors.sandbox.thales_d1, &shop.vendors.sandbox.thales_pci);
    let (of_d1, of_pci) = (shop.token(D1).await, shop.token(PCI).await);
    let deletion = d1.happen(&of_d1, Event::Deletion).unwrap();
    let suspension = pci.happen(&of_pci, thales_pci::Event::Deletion).unwrap();

    // The other vendor's name, in a certificate of one's own authority. There may be whoever asks for one.
    let (as_pci, as_d1) = (d1.certify("sandbox-etp").unwrap(), pci.certify("sandbox-d1").unwrap());
    // The genuine authority, another customer's name: the vault's own certificate is one.
    for (identity, url, body) in [
        (&d1.credentials.client, format!("{}{}", receiver.url, deletion.path), &deletion.body),
        (&pci.credentials.client, at_pci(&receiver).url, &suspension.body),
        // Each vendor's genuine certificate at the other's door.
        (d1.calls_as(), at_pci(&receiver).url, &suspension.body),
        (pci.calls_as(), format!("{}{}", receiver.url, deletion.path), &deletion.body),
        (&as_pci, at_pci(&receiver).url, &suspension.body),
        (&as_d1, format!("{}{}", receiver.url, deletion.path), &deletion.body),
    ] {
        let client = with_certificate(identity, &receiver);
        assert_eq!(client.post(url).json(body).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    // Nor does a body that names nobody, or has a member twice, so that two readers believe two things.
    let nobody =
        json!({ "tokenId": of_pci, "state": "DELETED", "lastUpdateTimestamp": "2026-11-01T00:00:00Z" });
    let nobodys = Notification { path: String::new(), body: nobody };
    assert_eq!(pci.tell(&at_pci(&receiver), &nobodys).await.unwrap(), 400);
    let twice = suspension.body.to_string().replacen('{', "{\"state\":\"ACTIVE\",", 1);
    let client = with_certificate(pci.calls_as(), &receiver);
    let told = client.post(at_pci(&receiver).url).header(CONTENT_TYPE, "application/json").body(twice);
    assert_eq!(told.send().await.unwrap().status(), StatusCode::BAD_REQUEST);

    assert_eq!(shop.shown(D1, &of_d1).await.json()["state"], "ACTIVE");
    assert_eq!(shop.shown(PCI, &of_pci).await.json()["state"], "ACTIVE");
    assert_eq!(shop.asked.count_where("audit", "action = 'callback.refuse'").await, 6);
    // The vendors themselves are heard.
    assert_eq!(d1.tell(&receiver, &deletion).await.unwrap(), 204);
    assert_eq!(pci.tell(&at_pci(&receiver), &suspension).await.unwrap(), 204);
    assert_eq!(shop.shown(D1, &of_d1).await.json()["state"], "DELETED");
    assert_eq!(shop.shown(PCI, &of_pci).await.json()["state"], "DELETED");
}

#[tokio::test]
async fn a_time_that_has_not_come_freezes_no_token() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let d1 = &shop.vendors.sandbox.thales_d1;
    let id = shop.token(D1).await;
    let suspension = d1.happen(&id, Event::Suspension).unwrap();
    let ahead = json!((now() + 6 * 60) * 1000);
    for time in [json!("9999-12-31T23:59:59Z"), json!(253_402_300_799_999_u64), ahead] {
        let mut forged = suspension.clone();
        forged.body["lastUpdateTimestamp"] = time.clone();
        assert_eq!(d1.tell(&receiver, &forged).await.unwrap(), 400, "{time}");
        let shown = shop.shown(D1, &id).await.json();
        assert_eq!((&shown["state"], &shown["last_update_timestamp"]), (&json!("ACTIVE"), &Value::Null));
    }
    assert_eq!(d1.tell(&receiver, &suspension).await.unwrap(), 204);
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "SUSPENDED");
}

#[tokio::test]
async fn wrong_secrets_are_limited_and_each_is_in_the_audit() {
    let shop = Shop::open().await;
    let oauth = OAuth { client_id: "thales".into(), client_secret: "s3cret".into() };
    let limits = Limits { failed_authentications: "2/m burst 5".parse().unwrap(), ..UNLIMITED };
    let receiver = listening_within(&shop, Some(oauth), &limits).await;
    let client = with_certificate(shop.vendors.sandbox.thales_d1.calls_as(), &receiver);
    let mut answers = Vec::new();
    for number in 0..20 {
        let request = client.post(format!("{}/oauth2/token", receiver.url));
        let request = request.basic_auth("thales", Some(format!("wrong{number}")));
        answers.push(request.form(&[("grant_type", "client_credentials")]).send().await.unwrap().status());
    }
    let wrong = answers.iter().filter(|status| **status == StatusCode::UNAUTHORIZED).count();
    assert_eq!(
        answers[wrong..].iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count(),
        20 - wrong
    );
    assert!((1..=6).contains(&wrong), "{answers:?}");
    // At once, and what comes again of the same kind is counted.
    assert_eq!(shop.asked.count_where("audit", "action = 'callback.refuse'").await, 1);
}

#[tokio::test]
async fn the_operator_puts_a_forged_state_right() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let d1 = &shop.vendors.sandbox.thales_d1;
    let id = shop.token(D1).await;
    assert_eq!(d1.tell(&receiver, &d1.happen(&id, Event::Deletion).unwrap()).await.unwrap(), 204);
    let merchant = shop.asked.holder(&shop.account).await;
    let token = Name::parse(&id).unwrap();
    let vault = Arc::clone(&shop.asked.vault);
    let set = async |state, token: &Name| {
        let reason = Line::parse("Thales says so").unwrap();
        vault
            .set_vendor_token_state(&merchant, Relayed::ThalesD1, token, &state, operator(), reason)
            .await
            .unwrap()
    };
    assert!(set(State::Active, &token).await);
    assert!(!set(State::Active, &Name::parse("other").unwrap()).await);
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "ACTIVE");
    assert_eq!(shop.asked.count_where("audit", "action = 'vendor_token.set'").await, 1);
    // What is told from then on counts.
    let mut suspension = d1.happen(&id, Event::Suspension).unwrap();
    suspension.body["lastUpdateTimestamp"] = json!((now() + 60) * 1000);
    assert_eq!(d1.tell(&receiver, &suspension).await.unwrap(), 204);
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "SUSPENDED");
}
