//! The last look at a line before it leaves the process: no card number and no secret key gets past it.
//!
//! Nothing of a request is logged in the first place. This is for what nobody thought of: a library that puts what it
//! read into its errors, a message that grew a value.

use std::borrow::Cow;
use std::ops::Range;
use std::str;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::text::card_numbers;

/// What stands in place of what was taken out.
pub const REDACTED: &str = "[redacted]";

/// The line without card numbers (12 to 19 digits in any script and grouping) and secret keys (`skey_…`), whether they
/// stand there plainly, in the escapes of JSON, Rust or URLs, in base64 (as in Basic authentication), in hexadecimal or as a list of bytes.
#[must_use]
pub fn redact(line: &str) -> Cow<'_, str> {
    let mut secrets = secrets(line, DEEPEST_NESTING);
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

/// How many encodings within encodings are looked into.
const DEEPEST_NESTING: usize = 3;

fn secrets(text: &str, nesting: usize) -> Vec<Range<usize>> {
    let characters = unescaped(text);
    let mut secrets = card_numbers(characters.iter().cloned());
    secrets.extend(secret_keys(&characters));
    if let Some(nesting) = nesting.checked_sub(1) {
        secrets.extend(encoded(&characters, nesting));
    }
    secrets
}

/// A character, and the place in the text where it is written.
type Placed = (char, Range<usize>);

/// The characters that a text means once its escapes are read, and the escapes that these escape.
fn unescaped(text: &str) -> Vec<Placed> {
    let mut characters = Vec::with_capacity(text.len());
    characters.extend(text.char_indices().map(|(at, character)| (character, at..at + character.len_utf8())));
    if !text.contains(['%', '\\']) {
        return characters;
    }
    for _ in 0..DEEPEST_NESTING {
        let mut meant = Vec::with_capacity(characters.len());
        let mut rest = characters.as_slice();
        while let Some(((character, place), after)) = rest.split_first() {
            let escape = match character {
                '%' => percent_escape(rest),
                '\\' => backslash_escape(rest),
                _ => None,
            };
            match escape {
                Some((character, length)) => {
                    meant.push((character, place.start..rest[length - 1].1.end));
                    rest = &rest[length..];
                }
                None => {
                    meant.push((*character, place.clone()));
                    rest = after;
                }
            }
        }
        if meant.len() == characters.len() {
            break;
        }
        characters = meant;
    }
    characters
}

/// The character that begins a text in percent-encoded UTF-8 (RFC 3986 section 2.1), and how many it is written with.
fn percent_escape(text: &[Placed]) -> Option<(char, usize)> {
    let mut bytes = Vec::with_capacity(4);
    for escape in text.chunks_exact(3).take(4).take_while(|escape| escape[0].0 == '%') {
        bytes.push(u8::try_from(hexadecimal(&escape[1..])?).ok()?);
        if let Some(character) = str::from_utf8(&bytes).ok().and_then(|text| text.chars().next()) {
            return Some((character, 3 * bytes.len()));
        }
    }
    None
}

/// The character that a backslash at the beginning of a text and what follows it mean (RFC 8259 section 7, and Rust's
/// `escape_debug`), and how many it is written with.
fn backslash_escape(text: &[Placed]) -> Option<(char, usize)> {
    match text.get(1)?.0 {
        'u' if text.get(2)?.0 == '{' => {
            let digits = text[3..].iter().take(6).take_while(|(character, _)| *character != '}').count();
            Some((char::from_u32(hexadecimal(&text[3..3 + digits])?)?, text.get(..4 + digits)?.len()))
        }
        'u' => Some((char::from_u32(hexadecimal(text.get(2..6)?)?)?, 6)),
        'x' => Some((char::from_u32(hexadecimal(text.get(2..4)?)?)?, 4)),
        // Which of them it is makes no difference between the digits of a card.
        'b' | 'f' | 'n' | 'r' | 't' => Some((' ', 2)),
        character => Some((character, 2)),
    }
}

fn hexadecimal(text: &[Placed]) -> Option<u32> {
    text.iter().try_fold(0, |number, (character, _)| Some(number << 4 | character.to_digit(16)?))
}

fn secret_keys(text: &[Placed]) -> Vec<Range<usize>> {
    const PREFIX: &str = "skey_";
    let mut keys = Vec::new();
    for (begin, window) in text.windows(PREFIX.len()).enumerate() {
        if window.iter().zip(PREFIX.chars()).all(|((character, _), of)| character.eq_ignore_ascii_case(&of)) {
            let is_letter = |(character, _): &Placed| character.is_alphanumeric() || *character == '_';
            keys.extend(place(text[begin..].split(|placed| !is_letter(placed)).next().unwrap_or_default()));
        }
    }
    keys
}

/// Where the runs of characters are that are base64, hexadecimal or a list of bytes for a text with a secret in it.
fn encoded(text: &[Placed], nesting: usize) -> Vec<Range<usize>> {
    let is_base64 = |(one, _): &Placed| one.is_ascii_alphanumeric() || matches!(one, '+' | '/' | '-' | '_');
    let is_hexadecimal = |(one, _): &Placed| one.is_ascii_hexdigit();
    let base64 = text.split(|placed| !is_base64(placed)).filter(|run| {
        // Other characters, a path's, may stand before what is encoded.
        run.len() >= SHORTEST_BASE64 && (0..4).any(|from| holds_secret(&from_base64(&run[from..]), nesting))
    });
    let hexadecimal = text.split(|placed| !is_hexadecimal(placed)).filter(|run| {
        run.len() >= SHORTEST_BASE16 && (0..2).any(|from| holds_secret(&from_base16(&run[from..]), nesting))
    });
    let is_list = |(one, _): &Placed| one.is_ascii_digit() || matches!(one, ',' | ' ');
    let lists = text
        .split(|placed| !is_list(placed))
        .filter(|run| run.len() >= SHORTEST_LIST && holds_secret(&from_list(run), nesting));
    base64.chain(hexadecimal).chain(lists).filter_map(place).collect()
}

/// The twelve digits of the shortest card number in base64, in hexadecimal, and as a list of bytes.
const SHORTEST_BASE64: usize = 16;
const SHORTEST_BASE16: usize = 24;
const SHORTEST_LIST: usize = 35;

fn holds_secret(decoded: &[u8], nesting: usize) -> bool {
    !secrets(&String::from_utf8_lossy(decoded), nesting).is_empty()
}

/// Base64 in either alphabet (RFC 4648 sections 4 and 5), cut off anywhere.
fn from_base64(text: &[Placed]) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + 3));
    whole.extend(text.iter().map(|(character, _)| match character {
        '-' => '+',
        '_' => '/',
        other => *other,
    }));
    while !whole.len().is_multiple_of(4) {
        whole.push('A');
    }
    Zeroizing::new(Base64::decode_vec(&whole).unwrap_or_default())
}

fn from_base16(text: &[Placed]) -> Zeroizing<Vec<u8>> {
    let pairs = text.chunks_exact(2).filter_map(hexadecimal);
    Zeroizing::new(pairs.filter_map(|byte| u8::try_from(byte).ok()).collect())
}

/// Bytes as Rust shows them: `52, 50`.
fn from_list(text: &[Placed]) -> Zeroizing<Vec<u8>> {
    let text: Zeroizing<String> = Zeroizing::new(text.iter().map(|(character, _)| character).collect());
    Zeroizing::new(text.split(',').filter_map(|number| number.trim().parse().ok()).collect())
}

fn place(run: &[Placed]) -> Option<Range<usize>> {
    Some(run.first()?.1.start..run.last()?.1.end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CARD: &str = "4242424242424242";
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
