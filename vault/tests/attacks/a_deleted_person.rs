//! Somebody has the whole database and all keys, and wants a person whom the merchant has deleted: e-mail address, name,
//! description and fingerprint, which events show as they were. Deletion takes them out of events, charges and used tokens,
//! and events end.

use axum::body::Body;
use axum::http::Method;
use cardseal::client::Profile;
use cardseal_sandbox::thales_d1::Event;
use cardseal_vault::acquirer::Acquirers;
use cardseal_vault::id::MerchantId;
use cardseal_vault::keys::data::{Ciphertext, Part, Place};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};

use crate::acquirer::Slow;
use crate::support::{Account, Asked, NOON, VISA, clear_card, request};
use crate::vendors::Shop;
use crate::vendors::callbacks::listening;

const DAY: u64 = 24 * 60 * 60;

/// Tables with something encrypted under the id of a row.
const ENCRYPTED: [&str; 9] = [
    "cards",
    "charges",
    "customers",
    "events",
    "pci_tokens",
    "stored_methods",
    "tokens",
    "vendor_accounts",
    "vendor_tokens",
];

#[tokio::test]
async fn nothing_names_a_customer_who_was_deleted() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let person = customer(&asked, &account, "anong@example.com", "Anong Srisai").await;
    let other = customer(&asked, &account, "boon@example.com", "Boon Rattana").await;
    let card =
        asked.get(&format!("/customers/{person}/cards"), &account.secret_key).await.json()["data"][0].clone();
    let fingerprint = card["fingerprint"].as_str().unwrap();
    let names = [
        "anong@example.com",
        "Anong Srisai",
        "A regular",
        "Soi 7",
        "Nonthaburi",
        "ORDER-OF-ANONG",
        fingerprint,
    ];
    let charged = charge(&asked, &account, &person, 10_000, "ORDER-OF-ANONG").await;
    // The acquirer says later what became of this one.
    let pending = charge(&asked, &account, &person, 111_101, "ORDER-OF-ANONG").await;
    assert_eq!(pending["status"], "pending");
    charge(&asked, &account, &other, 10_000, "ORDER-OF-BOON").await;
    for name in &names {
        assert!(!found(&asked, name).await.is_empty(), "{name} is nowhere to begin with");
    }
    assert!(asked.count_where("charges", "length(fingerprint) = 32").await >= 3);
    let others = found(&asked, "boon@example.com").await;

    delete(&asked, &account, &format!("/customers/{person}")).await;
    for name in &names {
        assert_eq!(found(&asked, name).await, [""; 0], "{name}");
    }
    asked.set_time(NOON + 3600);
    assert_eq!(asked.vault.resolve_charges().await.unwrap(), 1);
    asked.vault.maintain().await.unwrap();
    asked.set_time(NOON + 7200);
    asked.vault.maintain().await.unwrap();
    for name in &names {
        assert_eq!(found(&asked, name).await, [""; 0], "{name}, later");
    }
    assert_eq!(asked.count("erasures").await, 0);
    for table in ["cards", "charges", "tokens"] {
        // The other customer's.
        assert_eq!(fingerprints(&asked, table).await, 1, "{table}");
    }
    // What the merchant's books need stays, and so does everybody else.
    let shown =
        asked.get(&format!("/charges/{}", charged["id"].as_str().unwrap()), &account.secret_key).await;
    let shown = shown.json();
    assert_eq!((&shown["amount"], &shown["card"]["last_digits"]), (&json!(10_000), &json!("4242")));
    assert_eq!(shown["customer"], json!(person));
    assert_eq!(found(&asked, "boon@example.com").await, others);
    assert!(asked.get("/events", &account.secret_key).await.body.contains("Boon Rattana"));
}

#[tokio::test]
async fn nothing_names_the_holder_of_a_card_that_was_deleted() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let person = customer(&asked, &account, "anong@example.com", "Anong Srisai").await;
    let path = format!("/customers/{person}");
    let charged = charge(&asked, &account, &person, 10_000, "ORDER-OF-ANONG").await;
    let card = charged["card"]["id"].as_str().unwrap();
    assert!(!found(&asked, "Anong Srisai").await.is_empty());
    delete(&asked, &account, &format!("{path}/cards/{card}")).await;
    assert_eq!(found(&asked, "Anong Srisai").await, [""; 0]);
    assert_eq!(found(&asked, "Nonthaburi").await, [""; 0]);
    assert_eq!(found(&asked, charged["card"]["fingerprint"].as_str().unwrap()).await, [""; 0]);
    // The customer is still one, with what was ordered.
    assert!(!found(&asked, "anong@example.com").await.is_empty());
    assert!(!found(&asked, "ORDER-OF-ANONG").await.is_empty());
}

/// A charge under way meanwhile tells of its end by what it knew. That goes when the time of every charge is over.
#[tokio::test]
async fn nothing_names_for_long_whom_a_charge_was_under_way_for() {
    let slow = Slow::new();
    let asked = Asked::with(Acquirers::new(slow.clone())).await;
    let account = asked.merchant().await;
    let person = customer(&asked, &account, "anong@example.com", "Anong Srisai").await;
    let path = format!("/customers/{person}");
    let deleting = async {
        slow.asked.acquire().await.unwrap().forget();
        delete(&asked, &account, &path).await;
        slow.let_go.add_permits(1);
    };
    let (charged, ()) = tokio::join!(charge(&asked, &account, &person, 10_000, "ORDER-OF-ANONG"), deleting);
    assert_eq!(charged["status"], "successful");
    assert!(!found(&asked, "ORDER-OF-ANONG").await.is_empty(), "what comes too late is there");
    asked.set_time(NOON + 7200);
    asked.vault.maintain().await.unwrap();
    for name in ["anong@example.com", "Anong Srisai", "ORDER-OF-ANONG"] {
        assert_eq!(found(&asked, name).await, [""; 0], "{name}");
    }
}

/// What Thales tells of a token has a reference in it that is the same for all tokens of an account (EMVCo's PAR).
#[tokio::test]
async fn nothing_links_a_vendors_token_that_was_deleted() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let d1 = &shop.vendors.sandbox.thales_d1;
    let id = shop.token(Profile::ThalesD1).await;
    assert_eq!(d1.tell(&receiver, &d1.happen(&id, Event::Suspension).unwrap()).await.unwrap(), 204);
    let shown = shop.shown(Profile::ThalesD1, &id).await.json();
    let par = shown["par"].as_str().unwrap();
    let there = found(&shop.asked, par).await;
    assert!(there.iter().any(|row| row.starts_with("events ")), "{there:?}");
    assert_eq!(shop.delete(Profile::ThalesD1, &id).await.status, 204);
    assert_eq!(found(&shop.asked, par).await, [""; 0]);
}

#[tokio::test]
async fn events_and_used_tokens_end() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    customer(&asked, &account, "anong@example.com", "Anong Srisai").await;
    let used = asked.token(&account, VISA).await;
    assert_eq!(asked.charge(&account, &used).await.json()["status"], "successful");
    asked.set_time(NOON + 89 * DAY);
    asked.vault.maintain().await.unwrap();
    assert!(asked.count("events").await >= 3 && asked.count("tokens").await == 2);
    let late = asked.token(&account, VISA).await;
    assert_eq!(asked.charge(&account, &late).await.json()["status"], "successful");
    let kept = asked.count("events").await;
    asked.set_time(NOON + 91 * DAY);
    let done = asked.vault.maintain().await.unwrap();
    assert_eq!(
        (done.events, done.tokens, asked.count("tokens").await),
        (u64::try_from(kept).unwrap() - 2, 2, 1)
    );
    assert_eq!(asked.count("events").await, 2);
}

/// A customer with a card, both changed once.
async fn customer(asked: &Asked, account: &Account, email: &str, name: &str) -> String {
    let mut card = clear_card(if name.starts_with('A') { VISA } else { "5555555555554444" });
    card["card"]["name"] = json!(name);
    card["card"]["street1"] = json!(if name.starts_with('A') { "Soi 7" } else { "Soi 8" });
    let token = asked.post("/tokens", &account.public_key, &card).await.json()["id"].clone();
    let body = json!({ "email": email, "card": token });
    let id =
        asked.post("/customers", &account.secret_key, &body).await.json()["id"].as_str().unwrap().to_owned();
    if name.starts_with('A') {
        let body = json!({ "description": "A regular" }).to_string();
        let patch = request(Method::PATCH, &format!("/customers/{id}"), &account.secret_key)
            .header("content-type", "application/json");
        assert_eq!(asked.send(patch.body(Body::from(body)).unwrap()).await.status, 200);
        let cards = format!("/customers/{id}/cards");
        let card = asked.get(&cards, &account.secret_key).await.json()["data"][0]["id"].clone();
        let path = format!("{cards}/{}", card.as_str().unwrap());
        let patch =
            request(Method::PATCH, &path, &account.secret_key).header("content-type", "application/json");
        let body = json!({ "city": "Nonthaburi" }).to_string();
        assert_eq!(asked.send(patch.body(Body::from(body)).unwrap()).await.status, 200);
    }
    id
}

async fn charge(asked: &Asked, account: &Account, customer: &str, amount: i64, order: &str) -> Value {
    let body = json!({ "amount": amount, "currency": "thb", "customer": customer, "description": order });
    let answer = asked.post("/charges", &account.secret_key, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn delete(asked: &Asked, account: &Account, path: &str) {
    let delete = request(Method::DELETE, path, &account.secret_key).body(Body::empty()).unwrap();
    assert_eq!(asked.send(delete).await.status, 200);
}

/// The rows in which a text is, once they are decrypted.
async fn found(asked: &Asked, text: &str) -> Vec<String> {
    let rings = asked.vault.keys().rings();
    let mut database = asked.dir.connect().await;
    let mut found = Vec::new();
    for table in ENCRYPTED {
        let sql = format!(
            "SELECT merchant_id, id, data_key_version, details FROM {table} WHERE details IS NOT NULL"
        );
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut database).await.unwrap() {
            let (merchant, owner): (String, String) = (row.get(0), row.get(1));
            let key_version = u32::try_from(row.get::<i64, _>(2)).unwrap();
            let merchant = MerchantId::parse(&merchant).unwrap();
            let place = Place { merchant: &merchant, owner: &owner, part: Part::Details };
            let details = Ciphertext { key_version, bytes: row.get(3) };
            let opened = rings.data.version(key_version).unwrap().key.decrypt(place, &details).unwrap();
            if opened.windows(text.len()).any(|part| part == text.as_bytes()) {
                found.push(format!("{table} {owner}"));
            }
        }
    }
    found
}

async fn fingerprints(asked: &Asked, table: &'static str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE length(fingerprint) > 0"));
    sqlx::query_scalar(sql).fetch_one(&mut asked.dir.connect().await).await.unwrap()
}
