//! The last look at a line before it leaves the process: no card number and no secret key gets past it.
//!
//! Nothing of a request is logged in the first place. This is for what nobody thought of: a library that puts what it
//! read into its errors, a message that grew a value.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::ops::Range;

use crate::text::{Placed, numbers_anywhere, places};

/// What stands in place of what was taken out.
pub const REDACTED: &str = "[redacted]";

/// The line without card numbers (12 to 19 digits in any script and grouping) and secret keys (`skey_…`), whether they
/// stand there plainly, in the escapes of JSON, Rust or URLs, in base64 (as in Basic authentication), in hexadecimal or as a list of bytes.
#[must_use]
pub fn redact(line: &str) -> Cow<'_, str> {
    let mut secrets = secrets(line);
    if secrets.is_empty() {
        return line.into();
    }
    secrets.sort_by_key(|place| place.start);
    let mut redacted = String::with_capacity(line.len());
    let mut rest = 0;
    for place in secrets {
        // They may overlap: a card number within base64.
        if place.start >= rest {
            redacted.push_str(&line[rest..place.start]);
            redacted.push_str(REDACTED);
        }
        rest = rest.max(place.end);
    }
    redacted.push_str(&line[rest..]);
    redacted.into()
}

fn secrets(line: &str) -> Vec<Range<usize>> {
    let mut secrets = places(line, |characters| {
        let mut secrets = numbers_anywhere(characters);
        secrets.extend(secret_keys(characters));
        secrets
    });
    // Each line about a request has its address, and nobody writes a card in four groups below 256 with dots between.
    secrets.retain(|place| line[place.clone()].parse::<Ipv4Addr>().is_err());
    secrets
}

fn secret_keys(text: &[Placed]) -> Vec<Range<usize>> {
    const PREFIX: &str = "skey_";
    let mut keys: Vec<Range<usize>> = Vec::new();
    for (begin, window) in text.windows(PREFIX.len()).enumerate() {
        let is_within = keys.last().is_some_and(|key| window[0].place.start < key.end);
        let begins = |(placed, of): (&Placed, char)| placed.character.eq_ignore_ascii_case(&of);
        if !is_within && window.iter().zip(PREFIX.chars()).all(begins) {
            let is_letter = |placed: &Placed| placed.character.is_alphanumeric() || placed.character == '_';
            let key = text[begin..].split(|placed| !is_letter(placed)).next().unwrap_or_default();
            keys.extend(key.first().zip(key.last()).map(|(first, last)| first.place.start..last.place.end));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding};
    use proptest::prelude::*;

    use super::*;

    const CARD: &str = "4242424242424242";

    #[test]
    fn an_address_stays_whole_and_a_card_in_its_dress_does_not() {
        for last in 100..=255 {
            let line = format!("request micros=1234 address=\"104.154.203.{last}\" key=\"akey_1\"");
            assert_eq!(redact(&line), line);
        }
        for card in ["4242.4242.4242.4242", "424.242.424.242.424.2"] {
            assert_eq!(redact(&format!("address=\"{card}\"")), format!("address=\"{REDACTED}\""));
        }
    }
    const KEY: &str = "skey_test_0123456789abcdefghjkmnpqrstvwxyz0123abcd";

    fn base64(text: &str) -> String {
        Base64::encode_string(text.as_bytes())
    }

    fn each(text: &str, escape: impl Fn(u8) -> String) -> String {
        text.bytes().map(escape).collect()
    }

    #[test]
    fn secrets_are_taken_out_however_they_are_written() {
        for (line, redacted) in [
            (CARD.to_owned(), "[redacted]"),
            (format!("a {CARD} b"), "a [redacted] b"),
            ("4242 4242 4242 4242, 12/30".to_owned(), "[redacted]"),
            ("x=4242-4242-4242-4242&y".to_owned(), "x=[redacted]&y"),
            (r#"["4242", "4242", "4242", "4242"]"#.to_owned(), r#"["[redacted]"]"#),
            ("4２4２4２4２4２4２4２4２".to_owned(), "[redacted]"),
            ("٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢".to_owned(), "[redacted]"),
            ("4\u{200b}2\u{200b}42 4242 4242 4242".to_owned(), "[redacted]"),
            (r"4242\n4242\t4242\r\n4242".to_owned(), "[redacted]"),
            (format!("\"{}\"", each(CARD, |byte| format!("\\u{byte:04x}"))), "\"[redacted]\""),
            (each(CARD, |byte| format!("\\u{{{byte:x}}}")), "[redacted]"),
            (each(CARD, |byte| format!("\\x{byte:x}")), "[redacted]"),
            (each(CARD, |byte| format!("\\\\\\\\u{byte:04x}")), "[redacted]"),
            (each(CARD, |byte| format!("%{byte:x}")), "[redacted]"),
            (each(CARD, |byte| format!("%25{byte:x}")), "[redacted]"),
            ("4242%204242%204242%204242".to_owned(), "[redacted]"),
            (each("４２４２４２４２４２４２４２４２", |byte| format!("%{byte:X}")), "[redacted]"),
            (format!("/tokens/{CARD}?a"), "/tokens/[redacted]?a"),
            (format!("Basic {}", base64(&format!("{CARD}:"))), "Basic [redacted]"),
            (format!("Basic {}", base64(&format!("{KEY}:"))), "Basic [redacted]"),
            (format!("/a/{}", base64(CARD)), "[redacted]"),
            (base64(&base64(&format!("card {CARD}"))), "[redacted]"),
            (each(CARD, |byte| format!("{byte:02x}")), "[redacted]"),
            (each(&format!("a{CARD}"), |byte| format!("{byte:02X}")), "[redacted]"),
            (format!("key {KEY}, {KEY}"), "key [redacted], [redacted]"),
            ("SKEY_x".to_owned(), "[redacted]"),
            (each(KEY, |byte| format!("%{byte:x}")), "[redacted]"),
            (format!("{:?}", CARD.as_bytes()), "[[redacted]]"),
        ] {
            // What fills base64 up tells nothing.
            assert_eq!(redact(&line).trim_end_matches('='), redacted, "{line}");
        }
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for line in [
            "",
            "2026-11-22T02:49:41.123456Z INFO request method=\"GET\" route=\"/tokens/{id}\" status=200 micros=812",
            "{\"time\":\"2026-11-22T23:59:59.999999Z\",\"request_id\":\"7zq5c2v4n8k1x0h3j6m9p2r5t8\"}",
            "listening on 127.0.0.1:4242",
            "pkey_test_0123456789abcdefghjkmnpqr",
            "4242424242424241",
            "100%, %zz, \\, \\u12, \\u{110000}, %ff%fe",
        ] {
            assert_eq!(redact(line), line);
        }
    }

    proptest! {
        #[test]
        fn a_card_number_is_taken_out_of_any_line(before in "[^0-9]{0,20}", after in "[^0-9]{0,20}") {
            let line = format!("{before} {CARD} {after}");
            prop_assert!(!redact(&line).contains(CARD));
        }

        #[test]
        fn no_line_panics(line in ".*", escapes in r"[\\%u{}0-9a-fx]{0,40}") {
            let _ = redact(&line);
            let _ = redact(&escapes);
        }
    }
}
