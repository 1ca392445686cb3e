//! Texts within a text: in base64, in hexadecimal, and as a list of bytes.

use std::ops::Range;

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

use super::characters::{Placed, hexadecimal};

/// A run of characters that may encode a text.
pub(super) struct Run<'a> {
    characters: &'a [Placed],
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// Either alphabet (RFC 4648 sections 4 and 5), cut off anywhere.
    Base64,
    /// RFC 4648 section 8.
    Base16,
    /// Bytes as Rust shows them, `52, 50`, or in hexadecimal, `34:32`, `0x34 0x32`.
    List,
}

impl Encoding {
    const ALL: [Self; 3] = [Self::Base64, Self::Base16, Self::List];

    const fn has(self, character: char) -> bool {
        match self {
            Self::Base64 => character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '-' | '_'),
            Self::Base16 => character.is_ascii_hexdigit(),
            Self::List => character.is_ascii_hexdigit() || is_between(character) || character == 'x',
        }
    }

    /// Characters of the twelve digits of the shortest card number.
    const fn shortest(self) -> usize {
        match self {
            Self::Base64 => 16,
            Self::Base16 => 24,
            Self::List => 35,
        }
    }
}

/// What may stand between the bytes of a list.
const fn is_between(character: char) -> bool {
    matches!(character, ',' | ' ' | ':' | '-' | ';')
}

/// The runs of a text that are long enough.
pub(super) fn runs(text: &[Placed]) -> impl Iterator<Item = Run<'_>> {
    Encoding::ALL.into_iter().flat_map(move |encoding| {
        text.split(move |placed| !encoding.has(placed.character))
            .filter(move |characters| characters.len() >= encoding.shortest())
            .map(move |characters| Run { characters, encoding })
    })
}

/// Most ways in which a character is read: base64 that begins at one of its first four letters, hexadecimal at one of two,
/// and a list in either notation.
pub(super) const MOST_READINGS: usize = 8;

impl Run<'_> {
    pub(super) const fn len(&self) -> usize {
        self.characters.len()
    }

    pub(super) fn place(&self) -> Option<Range<usize>> {
        Some(self.characters.first()?.place.start..self.characters.last()?.place.end)
    }

    /// What the run may encode. Other characters, a path's, may stand before what is encoded.
    pub(super) fn readings(&self) -> impl Iterator<Item = Zeroizing<String>> {
        let count = if self.encoding == Encoding::Base64 { 4 } else { 2 };
        (0..count).map(|reading| self.reading(reading))
    }

    fn reading(&self, reading: usize) -> Zeroizing<String> {
        let from = self.characters.get(reading..).unwrap_or_default();
        text_in(&match self.encoding {
            Encoding::Base64 => from_base64(from),
            Encoding::Base16 => from_base16(from),
            Encoding::List => from_list(self.characters, reading == 0),
        })
    }
}

/// The text among bytes. What is none, as most is where they are read wrongly, is one character.
fn text_in(bytes: &[u8]) -> Zeroizing<String> {
    const SHORTEST: usize = 4;
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 3));
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        if valid.len() >= SHORTEST {
            text.push_str(valid);
        }
        if !text.is_empty() && !text.ends_with(char::REPLACEMENT_CHARACTER) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

fn from_base64(text: &[Placed]) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + 3));
    whole.extend(text.iter().map(|placed| match placed.character {
        '-' => '+',
        '_' => '/',
        other => other,
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

fn from_list(text: &[Placed], is_decimal: bool) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for number in text.split(|placed| is_between(placed.character)).filter(|number| !number.is_empty()) {
        let number = match number {
            [zero, x, number @ ..] if zero.character == '0' && x.character == 'x' => number,
            number => number,
        };
        let byte = match number.len() {
            1..=3 if is_decimal => {
                number.iter().try_fold(0_u32, |byte, placed| Some(byte * 10 + placed.character.to_digit(10)?))
            }
            2 if !is_decimal => hexadecimal(number),
            _ => None,
        };
        // No byte of UTF-8 in the place of what is none.
        bytes.push(byte.and_then(|byte| u8::try_from(byte).ok()).unwrap_or(u8::MAX));
    }
    bytes
}
