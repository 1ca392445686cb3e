use cardseal::card::{Brand, Entry, Number, Reason};
use proptest::prelude::*;

use super::published::{self, made};

fn valid(text: &str) -> Number {
    Number::parse(text).valid().unwrap_or_else(|| panic!("not valid: {text}: {:?}", Number::parse(text)))
}

#[test]
fn published_numbers_are_valid_and_of_their_brand() {
    for (brand, text) in published::all() {
        let number = valid(text);
        assert_eq!((number.brand(), number.expose()), (brand, text));
    }
}

#[test]
fn a_number_of_every_brand_is_valid() {
    let mut seen: Vec<Brand> = published::all().map(|(brand, _)| brand).collect();
    for (brand, starts) in published::MADE {
        for start in *starts {
            assert_eq!(valid(&made(start, 16)).brand(), *brand);
        }
        seen.push(*brand);
    }
    for brand in Brand::ALL {
        assert!(seen.contains(brand), "{brand:?}");
    }
}

#[test]
fn what_people_paste_is_read() {
    let number = valid("4242424242424242");
    for text in [
        "4242 4242 4242 4242",
        " 4242-4242-4242-4242\t",
        "4242\u{A0}4242\u{202F}4242\u{3000}4242",
        "4242‐4242–4242—4242",
        "4242−4242－4242ー4242",
        "\u{FEFF}4242\u{200B}4242\u{200E}4242\u{200F}4242",
        "４２４２　４２４２　４２４２　４２４２",
        "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢",
        "۴۲۴۲ ۴۲۴۲ ۴۲۴۲ ۴۲۴۲",
        "๔๒๔๒ ๔๒๔๒ ๔๒๔๒ ๔๒๔๒",
        "४२४२ ४२४२ ४२४२ ४२४२",
        "4242-4242\r\n4242-4242",
    ] {
        assert_eq!(valid(text), number, "{text}");
    }
}

#[test]
fn other_characters_are_refused() {
    for text in [
        "4242 4242 4242 424x",
        "O242424242424242",
        "4242.4242",
        "4242/4242",
        "½",
        "²",
        "Ⅳ",
        "四二四二",
        "+4242",
    ] {
        assert_eq!(Number::parse(text), Entry::Invalid(Reason::UnexpectedCharacter), "{text}");
    }
}

#[test]
fn an_unfinished_number_is_incomplete() {
    for text in
        ["", " ", "-", "\u{200B}", "4", "4242", "4242 4242 4242", "37828224631000", "620550000000000000"]
    {
        assert_eq!(Number::parse(text), Entry::Incomplete, "{text}");
    }
}

#[test]
fn an_unknown_brand_is_invalid_as_soon_as_it_is_certain() {
    for text in [
        "0",
        "7",
        "32",
        "3111",
        "3350",
        "2205",
        "2199",
        "2721",
        "90",
        "9793",
        "80",
        "8300",
        "0".repeat(19).as_str(),
    ] {
        assert_eq!(Number::parse(text), Entry::Invalid(Reason::UnknownBrand), "{text}");
    }
    for text in ["3", "311", "334", "220", "27", "979", "8"] {
        assert_eq!(Number::parse(text), Entry::Incomplete, "{text}");
    }
}

#[test]
fn a_number_longer_than_its_brand_has_is_too_long() {
    for text in ["37828224631000500", "55555555555544440", "42424242424242424242", "1354100140049550"] {
        assert_eq!(Number::parse(text), Entry::Invalid(Reason::TooLong), "{text}");
    }
    let long = "4".repeat(10_000);
    assert_eq!(Number::parse(&long), Entry::Invalid(Reason::TooLong));
}

#[test]
fn a_wrong_check_digit_is_invalid_at_the_longest_length_and_incomplete_before() {
    assert_eq!(Number::parse("5555555555554445"), Entry::Invalid(Reason::Luhn));
    assert_eq!(Number::parse("378282246310006"), Entry::Invalid(Reason::Luhn));
    assert_eq!(Number::parse("6205500000000000005"), Entry::Invalid(Reason::Luhn));
    assert_eq!(Number::parse("4242424242424241"), Entry::Incomplete, "19 digits may follow");
}

#[test]
fn a_length_between_two_permitted_ones_is_incomplete() {
    assert_eq!(Number::parse(&made("4242", 17)), Entry::Incomplete);
    assert_eq!(Number::parse(&made("506099", 17)), Entry::Incomplete);
}

#[test]
fn a_co_badged_number_has_both_brands_its_own_first() {
    use Brand::*;
    for (number, brands) in [
        ("4571000000000001".to_owned(), &[Dankort, Visa][..]),
        ("6703444444444449".to_owned(), &[Bancontact, Maestro]),
        (made("479658", 16), &[Bancontact, Visa]),
        (made("6221260", 16), &[Unionpay, Discover]),
        (made("652150", 16), &[Rupay, Discover]),
        (made("353800", 16), &[Rupay, Jcb]),
        (made("650031", 16), &[Elo, Discover]),
        // Handed on, not shared.
        (made("401178", 16), &[Elo]),
        (made("506699", 16), &[Elo]),
        (made("627780", 16), &[Elo]),
        (made("650002", 16), &[Verve]),
        (made("384100", 16), &[Hipercard]),
        (made("6011", 16), &[Discover]),
        (made("622125", 16), &[Unionpay]),
        (made("507597", 16), &[CartesBancaires]),
        // Only one of the two has numbers this long.
        (made("652150", 19), &[Discover]),
        (made("4571", 13), &[Visa]),
    ] {
        assert_eq!(valid(&number).brands(), brands, "{number}");
    }
}

#[test]
fn the_last_digits_are_four() {
    assert_eq!(valid("378282246310005").last_digits(), "0005");
    assert_eq!(valid("6447032400000000001").last_digits(), "0001");
}

#[test]
fn printing_shows_the_first_and_last_four() {
    let number = valid("4242424242424242");
    assert_eq!(format!("{number}"), "4242••••••••4242");
    assert_eq!(format!("{number:?}"), "4242••••••••4242");
    assert_eq!(
        valid(&made("500000", 12)).to_string(),
        format!("5000••••{}", valid(&made("500000", 12)).last_digits())
    );
    assert_eq!(format!("{:?}", Number::parse("4242424242424242")), "Valid(4242••••••••4242)");
}

/// A valid number: the digits of any published number's beginning, any digits after, the check digit that
/// fits.
fn any_number() -> impl Strategy<Value = String> {
    let starts: Vec<&str> = published::all().map(|(_, number)| number).collect();
    (proptest::sample::select(starts), 4_usize..=8, 12_usize..=19, "[0-9]{19}")
        .prop_map(|(start, kept, length, rest)| {
            made(&format!("{}{rest}", &start[..kept])[..length - 1], length)
        })
        .prop_filter("the brand has no such length", |number| {
            matches!(Number::parse(number), Entry::Valid(_))
        })
}

proptest! {
    #[test]
    fn formatting_then_parsing_is_the_identity(number in any_number()) {
        prop_assert_eq!(valid(&cardseal::card::brand::format(&number)).expose().to_owned(), number);
    }

    #[test]
    fn a_changed_digit_is_refused(number in any_number(), place in 0_usize..19, by in 1_u8..10) {
        let mut bytes = number.clone().into_bytes();
        let place = place % bytes.len();
        bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(!matches!(Number::parse(&changed), Entry::Valid(_)), "{}", changed);
    }

    #[test]
    fn the_beginning_of_a_valid_number_is_never_invalid(number in any_number()) {
        for end in 0..=number.len() {
            prop_assert!(!matches!(Number::parse(&number[..end]), Entry::Invalid(_)), "{}", &number[..end]);
        }
    }

    #[test]
    fn a_valid_number_passes_luhn_and_fits_each_of_its_brands(number in any_number()) {
        let number = valid(&number);
        prop_assert!(published::luhn(number.expose()));
        prop_assert_eq!(number.brand(), number.brands()[0]);
        for brand in number.brands() {
            prop_assert!(brand.lengths().contains(number.expose().len()));
        }
    }

    #[test]
    fn printing_never_shows_more_than_eight_digits(number in any_number()) {
        let parsed = Number::parse(&number);
        for text in [format!("{parsed:?}"), format!("{parsed:#?}"), valid(&number).to_string()] {
            prop_assert_eq!(text.chars().filter(char::is_ascii_digit).count(), 8);
            prop_assert!(!text.contains(&number[..5]) && !text.contains(&number[number.len() - 5..]));
        }
    }

    #[test]
    fn full_width_digits_are_as_good_as_ascii(number in "[0-9 -]{0,24}") {
        let wide: String = number.chars().map(|c| match c {
            '0'..='9' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
            '-' => '－',
            _ => '\u{3000}',
        }).collect();
        prop_assert_eq!(Number::parse(&wide), Number::parse(&number));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = Number::parse(&text);
    }
}

#[test]
fn a_finished_number_of_a_whole_length_is_wrong_where_an_unfinished_one_may_go_on() {
    for wrong in ["4242424242424241", "3530111333300001", "6250947000000007"] {
        assert!(matches!(Number::parse(wrong), Entry::Incomplete), "{wrong}");
        assert_eq!(Number::parse_finished(wrong).reason(), Some(Reason::Luhn), "{wrong}");
    }
    assert!(matches!(Number::parse_finished("424242424242"), Entry::Incomplete), "no Visa has twelve digits");
    assert!(matches!(Number::parse_finished(""), Entry::Incomplete));
    assert!(matches!(Number::parse_finished("4242424242424242"), Entry::Valid(_)));
}
