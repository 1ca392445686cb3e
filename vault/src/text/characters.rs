use std::iter;
use std::ops::{Deref, Range};
use std::str;

use zeroize::Zeroize;

/// A character, and the place in the text where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) character: char,
    pub(crate) place: Range<usize>,
}

/// The characters of a text, or those that it means once its escapes are read. They are cleared when dropped: any of them
/// may be a card's.
pub(crate) struct Characters(Vec<Placed>);

/// How many escapes within escapes are read: `%2534` is `%34`, and that is `4`.
const DEEPEST_ESCAPE: usize = 3;

/// Most ways in which a text's escapes are read: not at all, and up to each depth.
pub(super) const MOST_READINGS: usize = 1 + DEEPEST_ESCAPE;

impl Characters {
    /// What a text may mean: as it is written, since what looks like an escape may be none (`&4242424242424242;`), and with
    /// its escapes read.
    pub(super) fn readings(text: &str) -> impl Iterator<Item = Self> {
        let written: Self =
            text.char_indices().map(|(at, character)| (character, at..at + character.len_utf8())).collect();
        let mut before = usize::MAX;
        let mut next = Some(written);
        iter::from_fn(move || {
            let reading = next.take().filter(|reading| reading.len() < before)?;
            before = reading.len();
            let has_escapes = reading.iter().any(|placed| matches!(placed.character, '%' | '\\' | '&' | '<'));
            next = has_escapes.then(|| reading.meant());
            Some(reading)
        })
        .take(MOST_READINGS)
    }

    /// These, with their escapes read once.
    fn meant(&self) -> Self {
        let mut meant = Vec::with_capacity(self.0.len());
        let mut rest = self.0.as_slice();
        while let Some((first, after)) = rest.split_first() {
            let escape = match first.character {
                '%' => percent_escape(rest),
                '\\' => backslash_escape(rest),
                '&' => entity(rest),
                '<' => tag(rest),
                _ => None,
            };
            match escape.and_then(|(character, length)| Some((character, rest.split_at_checked(length)?))) {
                Some((character, (written, after))) => {
                    let end = written.last().map_or(first.place.end, |last| last.place.end);
                    meant.push(Placed { character, place: first.place.start..end });
                    rest = after;
                }
                None => {
                    meant.push(first.clone());
                    rest = after;
                }
            }
        }
        Self(meant)
    }
}

/// The character that begins a text in percent-encoded UTF-8 (RFC 3986 section 2.1), and how many it is written with.
fn percent_escape(text: &[Placed]) -> Option<(char, usize)> {
    let mut bytes = Vec::with_capacity(4);
    for escape in text.chunks_exact(3).take(4).take_while(|escape| escape[0].character == '%') {
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
    match text.get(1)?.character {
        'u' if text.get(2)?.character == '{' => {
            let digits = text[3..].iter().take(6).take_while(|placed| placed.character != '}').count();
            Some((char::from_u32(hexadecimal(&text[3..3 + digits])?)?, text.get(..4 + digits)?.len()))
        }
        'u' => Some((char::from_u32(hexadecimal(text.get(2..6)?)?)?, 6)),
        'x' => Some((char::from_u32(hexadecimal(text.get(2..4)?)?)?, 4)),
        // Which of them it is makes no difference between the digits of a card.
        'b' | 'f' | 'n' | 'r' | 't' => Some((' ', 2)),
        character => Some((character, 2)),
    }
}

/// The character that a reference at the beginning of a text means (HTML section 13.5), and how many it is written with. Of
/// those with a name, none is a digit: a space stands for each but those that hide another escape.
fn entity(text: &[Placed]) -> Option<(char, usize)> {
    let end = text.iter().take(LONGEST_ENTITY).position(|placed| placed.character == ';')?;
    let name = text.get(1..end)?;
    let (first, number) = name.split_first()?;
    if first.character != '#' {
        let name: String = name.iter().map(|placed| placed.character).collect();
        let meant = match &*name {
            "amp" | "AMP" => '&',
            "bsol" => '\\',
            "lt" | "LT" => '<',
            "percnt" => '%',
            _ => ' ',
        };
        return name.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some((meant, end + 1));
    }
    let code = match number.split_first() {
        Some((x, digits)) if matches!(x.character, 'x' | 'X') && digits.len() <= 8 => hexadecimal(digits)?,
        _ => {
            let text: String = number.iter().map(|placed| placed.character).collect();
            text.parse().ok()?
        }
    };
    Some((char::from_u32(code)?, end + 1))
}

/// Characters of the longest name in HTML, `&CounterClockwiseContourIntegral;`.
const LONGEST_ENTITY: usize = 33;

/// A space for the tag of HTML that a text begins with, such as `<br>`, and how many it is written with.
fn tag(text: &[Placed]) -> Option<(char, usize)> {
    let name = text.get(1)?.character;
    let is_tag = name == '/' || name.is_ascii_alphabetic();
    let end = 1 + text
        .get(1..)?
        .iter()
        .take(LONGEST_TAG)
        .position(|placed| matches!(placed.character, '<' | '>'))?;
    (is_tag && text.get(end)?.character == '>').then_some((' ', end + 1))
}

/// Characters of a tag that is taken for one.
const LONGEST_TAG: usize = 64;

/// The number that hexadecimal digits make, if they are such and few enough for it.
pub(super) fn hexadecimal(text: &[Placed]) -> Option<u32> {
    text.iter()
        .try_fold(0, |number: u32, placed| Some(number.checked_mul(16)? + placed.character.to_digit(16)?))
}

impl FromIterator<(char, Range<usize>)> for Characters {
    fn from_iter<T: IntoIterator<Item = (char, Range<usize>)>>(characters: T) -> Self {
        let characters = characters.into_iter();
        // Texts are mostly ASCII, and what grows leaves copies behind.
        let mut all = Vec::with_capacity(characters.size_hint().1.unwrap_or_default());
        all.extend(characters.map(|(character, place)| Placed { character, place }));
        Self(all)
    }
}

impl Deref for Characters {
    type Target = [Placed];

    fn deref(&self) -> &[Placed] {
        &self.0
    }
}

impl Drop for Characters {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|placed| placed.character.zeroize());
    }
}
