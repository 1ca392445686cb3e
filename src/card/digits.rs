//! The digits in a text, whatever script or separators they were typed with.

use zeroize::Zeroizing;

/// The digits of `text` as ASCII, everything else left out.
///
/// The result is clear card data as soon as `text` is: who calls this wraps it in [`Zeroizing`] or shows it only to the
/// person who typed it. It is allocated once, in full, so that no copy stays behind from growing.
pub fn fold(text: &str) -> String {
    let mut digits =
        String::with_capacity(text.chars().filter(|c| matches!(sort(*c), Sort::Digit(_))).count());
    for c in text.chars() {
        if let Sort::Digit(digit) = sort(c) {
            digits.push(ascii(digit));
        }
    }
    digits
}

/// What a character means in a field of digits.
#[derive(Clone, Copy)]
pub(super) enum Sort {
    /// A decimal digit, 0 to 9.
    Digit(u8),
    /// Space, hyphen or an invisible mark: what people, input methods and copied pages put around digits.
    Filler,
    /// Anything else.
    Other,
}

/// What `c` means in a field of digits.
pub(super) fn sort(c: char) -> Sort {
    if c.is_ascii_digit() {
        return Sort::Digit(c as u8 - b'0');
    }
    if is_space(c) || is_dash(c) || is_invisible(c) {
        return Sort::Filler;
    }
    for zero in ZEROS {
        let distance = u32::from(c).wrapping_sub(u32::from(*zero));
        if distance < 10 {
            return Sort::Digit(distance as u8);
        }
    }
    Sort::Other
}

/// The first `limit` digits of a text, and how many digits it has in all.
pub(super) struct Run {
    pub(super) digits: Zeroizing<String>,
    pub(super) count: usize,
}

/// Reads a text of digits and fillers; `None` if it has any other character.
pub(super) fn read(text: &str, limit: usize) -> Option<Run> {
    let mut run = Run { digits: Zeroizing::new(String::with_capacity(limit)), count: 0 };
    for c in text.chars() {
        match sort(c) {
            Sort::Digit(digit) => {
                if run.count < limit {
                    run.digits.push(ascii(digit));
                }
                run.count += 1;
            }
            Sort::Filler => {}
            Sort::Other => return None,
        }
    }
    Some(run)
}

/// Marks that carry no ink: zero-width characters, direction marks and the byte order mark, as copied pages hold them.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Spaces: Unicode's `White_Space` without the line and paragraph separators that no input field gives.
const fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\r' | ' ' | '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Hyphens, dashes and minus, and the long-vowel marks that a Japanese input method gives for the hyphen key.
const fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'
            ..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' | '\u{FF70}'
    )
}

const fn ascii(digit: u8) -> char {
    (b'0' + digit) as char
}

/// The zeros of the scripts whose digits are read (Unicode general category Nd: ten digits in a row from each).
const ZEROS: &[u16] = &[
    0x0660, // Arabic-Indic
    0x06F0, // extended Arabic-Indic (Persian, Urdu)
    0x0966, // Devanagari
    0x09E6, // Bengali
    0x0A66, // Gurmukhi
    0x0AE6, // Gujarati
    0x0B66, // Oriya
    0x0BE6, // Tamil
    0x0C66, // Telugu
    0x0CE6, // Kannada
    0x0D66, // Malayalam
    0x0E50, // Thai
    0x0ED0, // Lao
    0x1040, // Myanmar
    0x17E0, // Khmer
    0xFF10, // full-width
];
