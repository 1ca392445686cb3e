use cardseal::card::{Brand, Entry, Reason, SecurityCode};
use proptest::prelude::*;

#[test]
fn the_brand_says_how_long_a_code_is() {
    for (text, brand, expected) in [
        ("123", Some(Brand::Visa), Some("123")),
        ("12", Some(Brand::Visa), None),
        ("123", Some(Brand::Amex), None),
        ("1234", Some(Brand::Amex), Some("1234")),
        ("123", None, Some("123")),
        ("1234", None, Some("1234")),
        ("", None, None),
        (" １２３ ", Some(Brand::Visa), Some("123")),
        ("๑๒๓", None, Some("123")),
    ] {
        let entry = SecurityCode::parse(text, brand);
        match expected {
            Some(code) => assert_eq!(entry.valid().unwrap().expose(), code),
            None => assert_eq!(entry, Entry::Incomplete, "{text}"),
        }
    }
}

#[test]
fn too_many_digits_and_other_characters_are_refused() {
    for (text, brand, reason) in [
        ("1234", Some(Brand::Visa), Reason::TooLong),
        ("12345", Some(Brand::Amex), Reason::TooLong),
        ("12345", None, Reason::TooLong),
        ("12a", None, Reason::UnexpectedCharacter),
        ("1.2", None, Reason::UnexpectedCharacter),
    ] {
        assert_eq!(SecurityCode::parse(text, brand), Entry::Invalid(reason), "{text}");
    }
}

#[test]
fn printing_shows_nothing() {
    assert_eq!(format!("{:?}", SecurityCode::parse("1234", Some(Brand::Amex))), "Valid(•••)");
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        for brand in Brand::ALL {
            let _ = SecurityCode::parse(&text, Some(*brand));
        }
        let _ = SecurityCode::parse(&text, None);
    }
}
