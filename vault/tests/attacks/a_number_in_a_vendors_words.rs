//! A vendor's message has the card's number in it, in two halves or another writing, or what a merchant's page would run. Of
//! a message the vault keeps what it has a type for, and no word of the vendor's own.

use base64ct::{Base64, Base64Unpadded, Encoding};
use cardseal::client::Profile;
use cardseal_sandbox::Notification;
use cardseal_sandbox::thales_d1::Event;
use serde_json::{Value, json};

use crate::vendors::Shop;
use crate::vendors::callbacks::listening;

const D1: Profile = Profile::ThalesD1;

#[tokio::test]
async fn nothing_that_a_vendor_says_in_its_own_words_reaches_a_merchant() {
    let shop = Shop::open().await;
    let receiver = listening(&shop, None).await;
    let d1 = &shop.vendors.sandbox.thales_d1;
    let id = shop.token(D1).await;
    let number = "4242424242424242";
    let base64 = Base64::encode_string(number.as_bytes());
    let bare = Base64Unpadded::encode_string(number.as_bytes());
    let hex: String = number.bytes().map(|byte| format!("{byte:02x}")).collect();
    let script = "<script>alert(1)</script>";
    let members: [(&str, Value); 14] = [
        ("first", json!("42424242")),
        ("second", json!("42424242")),
        ("encoded", json!(base64)),
        ("hex", json!(hex)),
        (script, json!("name")),
        ("note", json!(script)),
        ("42424242", json!({ "42424242": [4242, 4242] })),
        ("seasons", json!({ "until": "spring" })),
        ("vProvisionedTokenId", json!(hex)),
        ("cardBin", json!("42424242")),
        ("par", json!(bare)),
        ("par", json!(format!("{}{}", "A".repeat(13), number))),
        ("cardLastDigits", json!("54242")),
        ("tokenExpiryDate", json!(script)),
    ];
    let secret =
        [base64.as_str(), &bare, &hex, "script", "42424242", "seasons", "spring", "54242", "cardBin"];
    for (name, value) in members {
        let Notification { path, mut body } = d1.happen(&id, Event::Suspension).unwrap();
        body[name] = value;
        assert_eq!(d1.tell(&receiver, &Notification { path, body }).await.unwrap(), 204, "{name}");
        let shown = shop.shown(D1, &id).await.json().to_string();
        let events = shop.asked.get("/events", &shop.account.secret_key).await.json().to_string();
        for text in secret {
            assert!(!shown.contains(text), "{name}: {shown}");
            assert!(!events.contains(text), "{name}: {events}");
        }
        assert!(
            shown.contains("SUSPENDED") && shown.contains("\"4242\""),
            "what it may tell is told: {shown}"
        );
    }
    // A state is of a closed list, or one that is not known: never the vendor's word for it.
    for (state, status) in
        [(json!("HIBERNATED"), 204), (json!(bare), 400), (json!(script), 400), (json!("4242"), 400)]
    {
        let Notification { path, mut body } = d1.happen(&id, Event::Suspension).unwrap();
        body["state"] = state.clone();
        assert_eq!(d1.tell(&receiver, &Notification { path, body }).await.unwrap(), status, "{state}");
    }
    assert_eq!(shop.shown(D1, &id).await.json()["state"], "UNKNOWN");
}
