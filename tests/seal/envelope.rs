use cardseal::card::{Field, Reason, YearMonth};
use cardseal::client::Pkey;
use cardseal::seal::envelope::Refused;
use cardseal::seal::jwk::Unusable;
use cardseal::seal::{Compact, Envelope, Jti, SealError, seal};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::recipient::Recipient;

const TODAY: YearMonth = YearMonth::new(2026, 11).unwrap();

fn plaintext() -> Value {
    json!({
        "number": "4242424242424242",
        "expiration_month": 2,
        "expiration_year": 2030,
        "security_code": "123",
        "name": "Taro Yamada",
        "merchant": "pkey_test_abc",
        "iat": 1_795_000_000,
        "jti": "abcdefghijklmnop",
    })
}

fn parse(plaintext: &Value) -> Result<Envelope, Refused> {
    Envelope::parse(plaintext.to_string().as_bytes(), TODAY)
}

fn with(member: &str, value: Value) -> Result<Envelope, Refused> {
    let mut plaintext = plaintext();
    plaintext[member] = value;
    parse(&plaintext)
}

fn without(member: &str) -> Result<Envelope, Refused> {
    let mut plaintext = plaintext();
    plaintext.as_object_mut().unwrap().remove(member).unwrap();
    parse(&plaintext)
}

#[test]
fn every_member_is_read() {
    let envelope = parse(&plaintext()).unwrap();
    let card = &envelope.card;
    assert_eq!(card.number.expose(), "4242424242424242");
    assert_eq!((card.expiry.month(), card.expiry.year()), (2, 2030));
    assert_eq!(card.security_code.as_ref().unwrap().expose(), "123");
    assert_eq!(card.holder.as_ref().unwrap().expose(), "Taro Yamada");
    assert_eq!(envelope.merchant, Pkey::parse("pkey_test_abc").unwrap());
    assert_eq!(envelope.issued_at, 1_795_000_000);
    assert_eq!(envelope.id.as_str(), "abcdefghijklmnop");
}

#[test]
fn what_was_sealed_is_what_is_read() {
    let recipient = Recipient::with_bits(2048);
    for plaintext in [plaintext(), {
        let mut amex = plaintext();
        amex["number"] = "378282246310005".into();
        amex["security_code"] = Value::Null;
        amex["name"] = r#"O"Brien \ 山田"#.into();
        amex["iat"] = u64::MAX.into();
        amex
    }] {
        let envelope = parse(&plaintext).unwrap();
        let sealed = seal(&recipient.public_key(), &envelope).unwrap();
        let back = Envelope::parse(&recipient.open(&sealed).unwrap(), TODAY).unwrap();
        assert_eq!(back.card, envelope.card);
        assert_eq!(
            (back.merchant, back.issued_at, back.id),
            (envelope.merchant, envelope.issued_at, envelope.id)
        );
    }
}

#[test]
fn month_and_year_may_be_numbers_or_text_of_one_two_or_four_digits() {
    for month in [json!(2), json!("2"), json!("02")] {
        for year in [json!(2030), json!("2030"), json!(30), json!("30")] {
            let mut plaintext = plaintext();
            plaintext["expiration_month"] = month.clone();
            plaintext["expiration_year"] = year.clone();
            let expiry = parse(&plaintext).unwrap().card.expiry;
            assert_eq!((expiry.month(), expiry.year()), (2, 2030), "{month} {year}");
        }
    }
}

#[test]
fn code_and_name_may_be_left_out_and_nothing_else() {
    assert_eq!(without("security_code").unwrap().card.security_code, None);
    assert_eq!(without("name").unwrap().card.holder, None);
    for member in ["number", "expiration_month", "expiration_year", "merchant", "iat", "jti"] {
        assert_eq!(without(member).err(), Some(Refused::Malformed), "{member}");
    }
}

#[test]
fn a_member_that_is_not_known_is_refused() {
    for member in ["pan", "cvc", "exp", "nbf", "Number", "security_code ", ""] {
        assert_eq!(with(member, json!("x")).err(), Some(Refused::Malformed), "{member}");
    }
}

#[test]
fn a_member_that_comes_twice_is_refused() {
    let text = plaintext().to_string();
    for (member, value) in plaintext().as_object().unwrap() {
        let twice = format!("{},\"{member}\":{value}}}", text.strip_suffix('}').unwrap());
        assert_eq!(Envelope::parse(twice.as_bytes(), TODAY).err(), Some(Refused::Malformed), "{member}");
    }
}

#[test]
fn a_member_of_another_type_is_refused() {
    for (member, values) in [
        ("number", json!([4242424242424242_u64, null, ["4242424242424242"], {}, true])),
        ("expiration_month", json!([null, true, 2.0, -2, [2], {}])),
        ("expiration_year", json!([null, false, 2030.5, -2030, [], {}])),
        ("security_code", json!([123, true, ["123"], {}])),
        ("name", json!([1, true, ["Taro Yamada"], {}])),
        ("merchant", json!([null, 1, ["pkey_test_abc"]])),
        ("iat", json!([null, "1795000000", -1, 1.5, 1e30, true])),
        ("jti", json!([null, 1, ["abcdefghijklmnop"]])),
    ] {
        for value in values.as_array().unwrap() {
            assert_eq!(with(member, value.clone()).err(), Some(Refused::Malformed), "{member}: {value}");
        }
    }
}

#[test]
fn what_is_not_one_json_object_is_refused() {
    let object = plaintext().to_string();
    let values: Vec<String> =
        ["number", "expiration_month", "expiration_year", "security_code", "name", "merchant", "iat", "jti"]
            .iter()
            .map(|member| plaintext()[member].to_string())
            .collect();
    for text in [
        String::new(),
        "null".into(),
        "{}".into(),
        "[]".into(),
        format!("[{}]", values.join(",")),
        format!("[{object}]"),
        format!("{object}{object}"),
        format!("{object} x"),
        object[..object.len() - 1].into(),
        format!("\u{FEFF}{object}"),
    ] {
        assert_eq!(Envelope::parse(text.as_bytes(), TODAY).err(), Some(Refused::Malformed), "{text}");
    }
    let mut broken = object.into_bytes();
    let place = broken.windows(4).position(|four| four == b"Taro").unwrap();
    broken[place] = 0xFF;
    assert_eq!(Envelope::parse(&broken, TODAY).err(), Some(Refused::Malformed));
}

#[test]
fn a_card_that_cannot_be_right_is_refused_by_the_name_of_its_field() {
    use Field::*;
    use Reason::*;
    for (member, value, refused) in [
        ("number", json!("424242424242"), Refused::Incomplete(Number)),
        ("number", json!("4242424242424"), Refused::Invalid(Number, Luhn)),
        ("number", json!(""), Refused::Incomplete(Number)),
        ("number", json!("5555555555554445"), Refused::Invalid(Number, Luhn)),
        ("number", json!("9999999999999999"), Refused::Invalid(Number, UnknownBrand)),
        ("number", json!("42424242424242424242"), Refused::Invalid(Number, TooLong)),
        ("number", json!("4242x"), Refused::Invalid(Number, UnexpectedCharacter)),
        ("expiration_month", json!(13), Refused::Invalid(Expiry, MonthOutOfRange)),
        ("expiration_month", json!(0), Refused::Invalid(Expiry, MonthOutOfRange)),
        ("expiration_month", json!(""), Refused::Incomplete(Expiry)),
        ("expiration_month", json!(u64::MAX), Refused::Invalid(Expiry, TooLong)),
        ("expiration_year", json!(2025), Refused::Invalid(Expiry, Past)),
        ("expiration_year", json!("20"), Refused::Invalid(Expiry, Past)),
        ("expiration_year", json!(2099), Refused::Invalid(Expiry, TooFarAhead)),
        ("expiration_year", json!("20x0"), Refused::Invalid(Expiry, UnexpectedCharacter)),
        ("security_code", json!("12"), Refused::Incomplete(SecurityCode)),
        ("security_code", json!("1234"), Refused::Invalid(SecurityCode, TooLong)),
        ("security_code", json!("12a"), Refused::Invalid(SecurityCode, UnexpectedCharacter)),
        ("name", json!(""), Refused::Incomplete(Holder)),
        ("name", json!("4242 4242 4242 4242"), Refused::Invalid(Holder, IsCardNumber)),
        ("name", json!("a\u{0}b"), Refused::Invalid(Holder, UnexpectedCharacter)),
        ("name", json!("x".repeat(257)), Refused::Invalid(Holder, TooLong)),
    ] {
        assert_eq!(with(member, value.clone()).err(), Some(refused), "{member}: {value}");
    }
}

#[test]
fn a_card_is_good_to_the_end_of_its_month() {
    for (month, good) in [(10, false), (11, true), (12, true)] {
        let mut plaintext = plaintext();
        plaintext["expiration_month"] = month.into();
        plaintext["expiration_year"] = 2026.into();
        assert_eq!(parse(&plaintext).is_ok(), good, "{month}");
    }
}

#[test]
fn a_merchant_that_is_no_public_key_is_refused() {
    for merchant in ["", "pkey_", "skey_test_abc", "pkey_test_", "PKEY_TEST_ABC", "pkey_test_abc "] {
        assert_eq!(with("merchant", json!(merchant)).err(), Some(Refused::Malformed), "{merchant}");
    }
}

#[test]
fn an_id_has_16_to_64_characters_of_base64url() {
    let longest = "-_".repeat(32);
    for id in [
        "abcdefghijklmnop",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "0123456789abcdef0123456789abcdef",
        "AAAAAAAAAAAAAAAAAAAAAA",
        &longest,
    ] {
        assert_eq!(Jti::parse(id).unwrap().as_str(), id);
        assert_eq!(with("jti", json!(id)).unwrap().id.as_str(), id);
    }
    let too_long = "a".repeat(65);
    for id in [
        "",
        "abcdefghijklmno",
        &too_long,
        "abcdefghijklmnop=",
        "abcdefgh ijklmnop",
        "abcdefgh+ijklmno",
        "ａｂｃｄｅｆｇｈ",
    ] {
        assert_eq!(Jti::parse(id), None, "{id}");
        assert_eq!(with("jti", json!(id)).err(), Some(Refused::Malformed), "{id}");
    }
}

#[test]
fn printing_anything_of_a_seal_shows_no_card_data() {
    let recipient = Recipient::with_bits(2048);
    let envelope = parse(&plaintext()).unwrap();
    let sealed = seal(&recipient.public_key(), &envelope).unwrap();
    let printed = [
        format!("{envelope:?} {envelope:#?}"),
        format!("{:?}", recipient.public_key()),
        format!("{:?}", Compact::parse(&sealed)),
        format!("{:?} {}", SealError::Key, SealError::Random),
        format!("{:?} {}", Unusable::Modulus, Unusable::Modulus),
    ]
    .join(" ");
    for secret in ["4242424242424242", "42424", "24242", "\"123\"", "Taro", "Yamada", "2030", "02/30"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert!(printed.contains("4242••••••••4242"));
}

#[test]
fn a_refusal_names_the_field_and_shows_nothing_of_what_was_in_it() {
    for (member, value) in [
        ("number", "5555555555554445"),
        ("number", "42424242"),
        ("expiration_year", "1999"),
        ("security_code", "98765"),
        ("name", "5555 5555 5555 4444"),
        ("jti", "5555555555554444 "),
        ("merchant", "skey_test_5555"),
    ] {
        let refused = with(member, json!(value)).unwrap_err();
        let printed = format!("{refused} {refused:?}");
        assert!(!printed.contains(|c: char| c.is_ascii_digit()), "{printed}");
    }
    let refused = with("expiration_year", json!(1999)).unwrap_err();
    assert_eq!(refused.to_string(), "the card's expiry is invalid: the card has expired");
    let refused = with("number", json!("4242")).unwrap_err();
    assert_eq!(refused.to_string(), "the card's number is incomplete");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(Envelope::parse(&bytes, TODAY).is_err());
    }

    #[test]
    fn no_text_in_a_member_panics(
        member in prop::sample::select(vec![
            "number", "expiration_month", "expiration_year", "security_code", "name", "merchant", "jti",
        ]),
        text in any::<String>(),
    ) {
        let _ = with(member, json!(text));
    }
}

#[test]
fn a_card_for_a_pci_token_is_bound_as_any_other() {
    let plaintext = json!({
        "fpan": "4242424242424242", "exp": "0230",
        "merchant": "pkey_test_abc", "iat": 1_795_000_000, "jti": "abcdefghijklmnop",
    });
    let read = |plaintext: &Value| Envelope::parse_pci(plaintext.to_string().as_bytes(), TODAY);
    let envelope = read(&plaintext).unwrap();
    let card = &envelope.card;
    assert_eq!(
        (card.number.expose(), card.expiry.month(), card.expiry.year()),
        ("4242424242424242", 2, 2030)
    );
    assert_eq!((envelope.merchant.as_str(), envelope.issued_at), ("pkey_test_abc", 1_795_000_000));
    assert_eq!(envelope.id.as_str(), "abcdefghijklmnop");
    for member in ["fpan", "exp", "merchant", "iat", "jti"] {
        let mut less = plaintext.clone();
        less.as_object_mut().unwrap().remove(member);
        assert_eq!(read(&less).unwrap_err(), Refused::Malformed, "without {member}");
    }
    for (member, wrong) in [("merchant", json!("skey_test_abc")), ("iat", json!(-1)), ("jti", json!("short"))]
    {
        let mut other = plaintext.clone();
        other[member] = wrong;
        assert_eq!(read(&other).unwrap_err(), Refused::Malformed, "{member}");
    }
}
