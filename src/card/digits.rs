//! The digits in a text, whatever script or separators they were typed with.

use zeroize::Zeroizing;

/// The digits of `text` as ASCII, everything else left out.
///
/// The result is clear card data as soon as `text` is: who calls this wraps it in [`Zeroizing`] or shows it
/// only to the person who typed it. It is allocated once, in full, so that no copy stays behind from growing.
pub fn fold(text: &str) -> String {
    let mut digits = String::with_capacity(text.chars().filter(|c| is_digit(*c)).count());
    for c in text.chars() {
        if let Sort::Digit(digit) = sort(c) {
            digits.push(ascii(digit));
        }
    }
    digits
}

/// Whether `c` is one of the digits that [`fold`] takes.
pub fn is_digit(c: char) -> bool {
    matches!(sort(c), Sort::Digit(_))
}

/// What a character means in a field of digits.
#[derive(Clone, Copy)]
pub(super) enum Sort {
    /// A decimal digit, 0 to 9.
    Digit(u8),
    /// A space: Unicode's `White_Space` without the separators of lines and paragraphs that no input field
    /// gives.
    Space,
    /// A hyphen, dash or minus, or the long-vowel mark that a Japanese input method gives for the hyphen key.
    Dash,
    /// A mark without ink, as copied pages hold them: zero-width and direction marks, the byte order mark.
    Invisible,
    /// Anything else.
    Other,
}

/// What `c` means in a field of digits.
pub(super) fn sort(c: char) -> Sort {
    match c {
        '0'..='9' => Sort::Digit(c as u8 - b'0'),
        '\t'
        | '\n'
        | '\r'
        | ' '
        | '\u{A0}'
        | '\u{2000}'..='\u{200A}'
        | '\u{202F}'
        | '\u{205F}'
        | '\u{3000}' => Sort::Space,
        '-'
        | '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{30FC}'
        | '\u{FE58}'
        | '\u{FE63}'
        | '\u{FF0D}'
        | '\u{FF70}' => Sort::Dash,
        '\u{AD}'
        | '\u{61C}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}' => Sort::Invisible,
        _ => {
            for zero in ZEROS {
                if let Some(digit @ 0..=9) = u32::from(c).checked_sub(u32::from(*zero)) {
                    return Sort::Digit(digit as u8);
                }
            }
            Sort::Other
        }
    }
}

/// The first digits of a text, and how many it has in all.
pub(super) struct Run {
    pub(super) digits: Zeroizing<String>,
    pub(super) count: usize,
}

/// Reads up to `limit` digits among spaces, dashes and invisible marks; `None` if the text has any other
/// character.
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
            Sort::Space | Sort::Dash | Sort::Invisible => {}
            Sort::Other => return None,
        }
    }
    Some(run)
}

const fn ascii(digit: u8) -> char {
    (b'0' + digit) as char
}

/// The zeros of the scripts whose digits are read (Unicode general category Nd: from each, ten digits in a
/// row).
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
