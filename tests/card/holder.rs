use cardseal::card::{Entry, Holder, Reason};
use proptest::prelude::*;

use super::published;

#[test]
fn names_of_any_script_are_taken_as_written() {
    for name in [
        "Taro Yamada",
        "山田　太郎",
        "สมชาย ใจดี",
        "محمد علی",
        "Renée O’Connor-Smith Jr.",
        "Ng",
        "Louis XIV",
        "R2 D2",
        "サトー",
    ] {
        let entry = Holder::parse(name).valid().unwrap();
        assert_eq!(entry.expose(), name.replace('\u{3000}', " "));
    }
}

#[test]
fn spaces_are_made_single_and_invisible_marks_removed() {
    for text in [
        "  Taro   Yamada ",
        "Taro\u{A0}\u{3000}Yamada\n",
        "\u{FEFF}Taro\u{200B} \u{200E}Yamada",
        "\u{202E} Taro Yamada",
    ] {
        assert_eq!(Holder::parse(text).valid().unwrap().expose(), "Taro Yamada", "{text:?}");
    }
    // A zero-width non-joiner belongs to the spelling.
    assert_eq!(Holder::parse("علی\u{200C}رضا").valid().unwrap().expose(), "علی\u{200C}رضا");
}

#[test]
fn too_little_is_incomplete() {
    for text in ["", "  ", "\u{200B}", "T"] {
        assert_eq!(Holder::parse(text), Entry::Incomplete, "{text:?}");
    }
}

#[test]
fn control_characters_and_long_names_are_refused() {
    for text in ["Taro\u{7}Yamada", "Taro\tYamada", "Taro\nYamada", "Taro\u{0}", "Taro\u{85}Yamada"] {
        assert_eq!(Holder::parse(text), Entry::Invalid(Reason::UnexpectedCharacter), "{text:?}");
    }
    assert!(matches!(Holder::parse(&"山".repeat(85)), Entry::Valid(_)));
    assert_eq!(Holder::parse(&"山".repeat(86)), Entry::Invalid(Reason::TooLong));
}

#[test]
fn a_card_number_is_no_name() {
    for text in [
        "4242 4242 4242 4242",
        "４２４２　４２４２",
        "12",
        "1",
        "Taro 4242-4242-4242-4242",
        "4242424242424242 12/30 Taro",
    ] {
        assert_eq!(Holder::parse(text), Entry::Invalid(Reason::IsCardNumber), "{text}");
    }
    for (_, number) in published::all() {
        assert_eq!(Holder::parse(&format!("x{number}")), Entry::Invalid(Reason::IsCardNumber), "{number}");
    }
}

#[test]
fn printing_shows_nothing() {
    assert_eq!(format!("{:?}", Holder::parse("Taro Yamada")), "Valid(•••)");
}

proptest! {
    #[test]
    fn a_valid_name_is_its_own_reading(text in any::<String>()) {
        if let Some(name) = Holder::parse(&text).valid() {
            prop_assert_eq!(Holder::parse(name.expose()), Entry::Valid(name.clone()));
            prop_assert!(name.expose().len() <= Holder::MAX_BYTES);
        }
    }
}
