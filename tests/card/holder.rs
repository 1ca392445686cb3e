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

/// How a digit can be written: whatever a keyboard, an input method or a conversion makes of it.
const WRITINGS: &[fn(u32) -> String] = &[
    |digit| digit.to_string(),
    |digit| from(0xFF10 + digit),
    |digit| from(0x0660 + digit),
    |digit| from(0x0E50 + digit),
    // NKo, Balinese, Adlam, segmented: no field takes them for digits.
    |digit| from(0x07C0 + digit),
    |digit| from(0x1B50 + digit),
    |digit| from(0x1E950 + digit),
    |digit| from(0x1FBF0 + digit),
    // Mathematical, subscript, circled, Roman, Suzhou.
    |digit| from(0x1D7CE + digit),
    |digit| from(0x2080 + digit),
    |digit| from(0x245F + digit.max(1)),
    |digit| from(0x215F + digit.max(1)),
    |digit| from(0x3020 + digit.max(1)),
    // A keycap.
    |digit| format!("{digit}\u{FE0F}\u{20E3}"),
    |digit| "〇一二三四五六七八九".chars().nth(digit as usize).unwrap().to_string(),
    |digit| "零壱弐参肆伍陸漆捌玖".chars().nth(digit as usize).unwrap().to_string(),
    |digit| "零壹貳參肆伍陸柒捌玖".chars().nth(digit as usize).unwrap().to_string(),
    |digit| "零壹贰叁肆伍陆柒捌玖".chars().nth(digit as usize).unwrap().to_string(),
];

fn from(code: u32) -> String {
    char::from_u32(code).unwrap().to_string()
}

#[test]
fn a_name_has_three_digits_in_a_row_at_most_however_they_are_written() {
    for (at, write) in WRITINGS.iter().enumerate() {
        let text = |digits: &str, between: &str| -> String {
            let digits = digits.chars().map(|digit| write(digit.to_digit(10).unwrap()));
            format!("Taro{}Yamada", digits.collect::<Vec<_>>().join(between))
        };
        assert!(Holder::parse(&text("424", "")).valid().is_some(), "writing {at}");
        for between in ["", "-", "/", "・", "\u{301}", "\u{FE0F}", "\u{200D}"] {
            let text = text("4242", between);
            assert_eq!(Holder::parse(&text), Entry::Invalid(Reason::IsCardNumber), "{text}");
        }
        // In several rows, five in all, and six of those with which names are written.
        for between in ["x", "山", "ก"] {
            assert!(Holder::parse(&text("42424", between)).valid().is_some(), "writing {at}");
            let text = text("4242424", between);
            assert_eq!(Holder::parse(&text), Entry::Invalid(Reason::IsCardNumber), "{text}");
        }
    }
    for text in [
        "Taro 42 42",
        "Taro 4 2 4 2",
        "424 Taro 242",
        "a4b2c4d2e4f2",
        "四千二百四十二",
        "山田4二4二",
        "4二x4二x4二",
    ] {
        assert_eq!(Holder::parse(text), Entry::Invalid(Reason::IsCardNumber), "{text}");
    }
}

#[test]
fn names_that_are_written_with_numerals_are_names() {
    for name in [
        "一二三",
        "山田 三郎",
        "佐藤 一二三",
        "一二三 一郎",
        "五十嵐 五十六",
        "九十九 一二三",
        "九十九 五十六",
        "四十九 千秋",
        "八百板 八十八",
        "五百旗頭 真",
        "千葉 千代子",
        "陸 伍",
        "漆原 壱",
        "百々 百子",
        "十一 十一郎",
        "Louis Ⅻ",
        "John Smith 3rd",
        "7-Eleven 24/7",
        "สมชาย ใจดี ๒",
        "𞤀𞤣𞤤𞤢𞤥 𞤆𞤵𞤤𞤢𞤪",
    ] {
        assert!(Holder::parse(name).valid().is_some(), "{name}");
    }
}

#[test]
fn printing_shows_nothing() {
    assert_eq!(format!("{:?}", Holder::parse("Taro Yamada")), "Valid(•••)");
}

proptest! {
    /// Whatever is put between four digits of a number that is no letter.
    #[test]
    fn no_four_digits_of_a_number_leave_in_a_name(
        before in "[a-zก-ฮ山田 ]{0,9}",
        gaps in prop::array::uniform3(prop::collection::vec(any::<char>(), 0..3)),
        after in "[a-z ]{0,9}",
    ) {
        let gaps = gaps.map(|gap| gap.into_iter().filter(|c| !c.is_alphabetic() && !c.is_control()).collect::<String>());
        let [one, two, three] = gaps;
        let text = format!("{before}4{one}9{two}8{three}8{after}");
        prop_assert_eq!(Holder::parse(&text), Entry::Invalid(Reason::IsCardNumber));
    }

    #[test]
    fn a_valid_name_is_its_own_reading(text in any::<String>()) {
        if let Some(name) = Holder::parse(&text).valid() {
            prop_assert_eq!(Holder::parse(name.expose()), Entry::Valid(name.clone()));
            prop_assert!(name.expose().len() <= Holder::MAX_BYTES);
        }
    }
}
