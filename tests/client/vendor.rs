use cardseal::client::{Profile, Vendor};
use cardseal::plain;
use serde_json::{Value, json};

fn vendor(value: &Value) -> Option<Vendor> {
    plain::parse(&value.to_string()).ok()
}

fn with_code(code: &str) -> Option<String> {
    vendor(&json!({ "name": "omise", "code": code })).unwrap().code
}

#[test]
fn a_vendor_is_one_that_is_known_and_what_it_says_may_be_missing() {
    let known =
        vendor(&json!({ "name": "thales-d1", "status": 400, "code": "A", "correlation_id": "b", "more": 1 }));
    let expected = Vendor {
        name: Profile::ThalesD1,
        status: Some(400),
        code: Some("A".into()),
        correlation_id: Some("b".into()),
    };
    assert_eq!(known, Some(expected));
    let bare = Vendor { name: Profile::Omise, status: None, code: None, correlation_id: None };
    assert_eq!(vendor(&json!({ "name": "omise" })), Some(bare));
    for value in [
        json!({}),
        json!({ "name": "acme" }),
        json!([]),
        json!("omise"),
        json!({ "name": "omise", "status": -1 }),
    ] {
        assert_eq!(vendor(&value), None, "{value}");
    }
}

#[test]
fn an_identifier_is_printable_and_short() {
    for good in ["INVALID_FIELD", "6f1d3c1e-5b7a-4a9b-9f0e-123456789012", "a", "<b>", &"x".repeat(64)] {
        assert_eq!(with_code(good).as_deref(), Some(good));
    }
    for bad in ["", "two words", "カード", "a\nb", "a\u{0}", &"x".repeat(65)] {
        assert_eq!(with_code(bad), None, "{bad:?}");
    }
}

#[test]
fn an_identifier_with_a_card_number_in_it_is_none() {
    for bad in ["4242424242424242", "PAN4242424242424242", "x4222222222222x"] {
        assert_eq!(with_code(bad), None, "{bad}");
    }
}
