//! A card number written so that the check of free text does not see it: it would be kept in the clear, where none belongs.
//! The check reads digits of every script, whatever is between them, escapes, base64, hexadecimal and lists of bytes.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use cardseal_vault::log::redact;
use cardseal_vault::text::{holds_card_number, look};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Asked, VISA};

fn fours(between: &str) -> String {
    ["4242"; 4].join(between)
}

fn each(escape: impl Fn(u8) -> String) -> Vec<String> {
    VISA.bytes().map(escape).collect()
}

fn disguises() -> Vec<String> {
    let plain = [
        "(4242)(4242)(4242)(4242)",
        "[4242] [4242] [4242] [4242]",
        r#"[["4242"], ["4242"], ["4242"], ["4242"]]"#,
        "<b>4242</b><b>4242</b><b>4242</b><b>4242</b>",
        "(3782)(822463)(10005)",
        "(4)(2)(4)(2)(4)(2)(4)(2)(4)(2)(4)(2)(4)(2)(4)(2)",
        "42 / 42 / 42 / 42 / 42 / 42 / 42 / 42",
        "4\u{200b}242\u{2060}4242\u{feff}4242\u{200b} \u{200b}4242",
        "4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣",
        "④②④②④②④②④②④②④②④②",
        "𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐",
        "四二四二四二四二四二四二四二四二",
        "４２４２　４２４２　４２４２　４２４２",
        "४२४२ ४२४२ ४२४२ ४२४२",
        "᠔᠒᠔᠒᠔᠒᠔᠒᠔᠒᠔᠒᠔᠒᠔᠒",
    ];
    let mut all: Vec<String> = plain.map(str::to_owned).into();
    all.extend(
        [
            "%20",
            "%2520",
            "%252520",
            "&nbsp;",
            "&#160;",
            "&#xA0;",
            "&amp;nbsp;",
            "<br>",
            "<br />",
            "\\n",
            "\\u0020",
        ]
        .map(fours),
    );
    all.extend([" - ", " – ", ", ", "; ", " | ", " ... ", "/", "_", "•", "\u{a0}", " \t "].map(fours));
    all.push(each(|byte| format!("%{byte:x}")).concat());
    all.push(each(|byte| format!("&#{byte};")).concat());
    all.push(each(|byte| format!("&#x{byte:x};")).concat());
    all.push(each(|byte| format!("\\x{byte:x}")).concat());
    all.push(each(|byte| format!("{byte:x}")).concat());
    all.push(each(|byte| format!("{byte:x}")).join(" "));
    all.push(each(|byte| format!("{byte:x}")).join(":"));
    all.push(each(|byte| format!("0x{byte:x}")).join(", "));
    all.push(each(|byte| byte.to_string()).join(", "));
    for text in [
        VISA.to_owned(),
        format!("card {VISA} 12/30"),
        fours(" "),
        "４２４２４２４２４２４２４２４２".to_owned(),
    ] {
        let encoded = Base64::encode_string(text.as_bytes());
        all.push(format!("https://shop.example/a/{}", Base64UrlUnpadded::encode_string(text.as_bytes())));
        all.push(Base64::encode_string(encoded.as_bytes()));
        all.push(encoded);
        all.push(text.bytes().map(|byte| format!("{byte:02X}")).collect());
    }
    all
}

#[test]
fn a_number_is_seen_however_it_is_written() {
    for text in disguises() {
        assert!(holds_card_number(&text), "{text}");
        assert!(holds_card_number(&format!("see {text}.")), "{text}");
        assert!(holds_card_number(&json!({ "note": text }).to_string()), "{text}");
    }
}

#[tokio::test]
async fn nothing_that_is_kept_takes_one() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for text in disguises() {
        let (in_metadata, in_a_line) =
            (json!({ "metadata": { "note": text } }), json!({ "description": text }));
        for body in [in_metadata, in_a_line] {
            let answer = asked.post("/customers", &account.secret_key, &body).await;
            answer.error(400, "bad_request");
        }
    }
    assert_eq!(asked.count("customers").await, 0);
}

#[test]
fn no_log_line_has_one() {
    for text in disguises() {
        assert!(redact(&text).contains("[redacted]"), "{text}");
    }
}

#[test]
fn what_honest_shops_write_is_taken() {
    for text in [
        "1448/4 Praditmanutham Road, Wang Thonglang, Bangkok 10310",
        "+66 2 252 8777, +66 (0) 81-234-5678",
        "4-2-8 Shibakōen, Minato-ku, Tōkyō 105-0011",
        "東京都港区芝公園四丁目二番八号",
        "2026-11-21 10:30:45 - 2026-11-21 11:00:00",
        "2026-11-21T10:30:45.123456Z/2026-11-22T10:30:45.123456Z",
        "40012345, 40012346",
        "order 2026-11-21 0001 (2 of 3), 4500 g, 1250 x 340 x 560 mm",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0",
        "00:1B:44:11:3A:B7, 2001:db8:85a3:8d3:1319:8a2e:370:7348",
        "IBAN DE89 3704 0044 0532 0130 01",
    ] {
        assert!(!holds_card_number(text), "{text}");
    }
}

/// How many of two thousand are refused by chance; the texts are the same in each run.
fn refused(text: impl Fn(&mut dyn FnMut(u64) -> u64) -> String) -> usize {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    };
    (0..2_000).filter(|_| holds_card_number(&text(&mut random))).count()
}

#[test]
fn chance_hardly_ever_looks_like_a_number() {
    let letters = |alphabet: &'static [u8], count: usize| {
        move |random: &mut dyn FnMut(u64) -> u64| -> String {
            (0..count).map(|_| char::from(alphabet[random(alphabet.len() as u64) as usize])).collect()
        }
    };
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_eq!(refused(letters(base64, 43)), 0);
    assert_eq!(refused(letters(b"0123456789abcdefghjkmnpqrstvwxyz", 26)), 0);
    let phones = |random: &mut dyn FnMut(u64) -> u64| {
        format!("+66 {} {} {}", random(100), random(1000), random(10_000))
    };
    assert_eq!(refused(phones), 0);
    let times = |random: &mut dyn FnMut(u64) -> u64| {
        let (day, hour, minute) = (1 + random(28), random(24), random(60));
        format!(
            "2026-11-{day:02} {hour:02}:{minute:02}:{minute:02} to 2026-12-{day:02} {hour:02}:{minute:02}:00"
        )
    };
    assert_eq!(refused(times), 0);
    let orders = |random: &mut dyn FnMut(u64) -> u64| {
        format!("{:08}, {:08}", random(100_000_000), random(100_000_000))
    };
    assert_eq!(refused(orders), 0);
}

proptest! {
    #[test]
    fn one_number_in_its_plainest_form_is_seen_by_the_form_as_well(digits in "[0-9]{12,19}") {
        let is_number = cardseal::card::Number::parse(&digits).valid().is_some();
        let seen = look(&digits).holds_card_number;
        // Such a text may be hexadecimal for another number, too.
        prop_assert!(seen == is_number);
    }
}
