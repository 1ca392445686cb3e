//! Finding a card number where none belongs, so that a mistake of a page or a person does not store one in the clear.
//!
//! Whatever a text is, looking through it takes at most [`MOST_STEPS`] steps a byte: texts come from strangers.

mod characters;
mod encoded;
mod numbers;
mod script;

use std::ops::Range;

use zeroize::Zeroizing;

pub(crate) use characters::{Characters, Placed};

use numbers::{Digits, Grouping};

/// Whether a text holds a card number: 12 to 19 digits, of any script, that a known brand could have issued and whose
/// check digit fits. They may stand in any groups with a character between, or as cards are printed or in ones or twos with
/// more between: `(4242)(4242)(4242)(4242)`. They may be written in the escapes of URLs, HTML, JSON or Rust, or encoded in
/// base64, in hexadecimal or as a list of bytes.
///
/// Digits are taken group by group (`4242 4242 4242 4242 12/30` holds one), never from the middle of a group: every
/// tenth order number would have a part that looks like a card.
#[must_use]
pub fn holds_card_number(text: &str) -> bool {
    look(text).holds_card_number
}

/// What became of looking through a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Whether it holds a card number; see [`holds_card_number`].
    pub holds_card_number: bool,
    /// How many steps it took: characters that were read, ends of a number that were looked for, check digits and brands.
    pub steps: usize,
}

/// Looks through a text as [`holds_card_number`] does.
#[must_use]
pub fn look(text: &str) -> Looked {
    let mut search = Search::new(text, |characters, steps| {
        Digits::of(characters, Grouping::WIDEST_GAP).first(Grouping::Kept, steps).into_iter().collect()
    });
    let holds_card_number = !search.within(text, DEEPEST_NESTING).is_empty();
    Looked { holds_card_number, steps: search.steps }
}

/// Most steps that looking through a text takes, for each of its bytes.
pub const MOST_STEPS: usize =
    MOST_READ * characters::MOST_READINGS * (1 + encoded::MOST_READINGS + numbers::MOST_STEPS);

/// Whether a name that a program gave to a request holds a card number. Among random hexadecimal digits, such as a
/// UUID's, chance makes one of some ten thousand look so: they are left out, as requests would be refused now and then
/// for nothing.
pub(crate) fn name_holds_card_number(name: &str) -> bool {
    let is_separator = |character: char| !character.is_ascii_hexdigit() && character != '-';
    let mut rest = Zeroizing::new(String::with_capacity(name.len()));
    for part in name.split_inclusive(is_separator) {
        let end = part.trim_start_matches(|character| !is_separator(character));
        rest.push_str(if is_random(&part[..part.len() - end.len()]) { "x" } else { part });
    }
    holds_card_number(&rest) || (rest.len() != name.len() && encodes_card_number(name))
}

/// Whether these hexadecimal digits and hyphens are as many digits as a UUID has (RFC 9562 section 4), and not all of them
/// decimal.
fn is_random(digits: &str) -> bool {
    let count = digits.bytes().filter(u8::is_ascii_hexdigit).count();
    count >= 32 && digits.contains(|digit: char| digit.is_ascii_alphabetic())
}

/// Whether a text holds a card number in base64, in hexadecimal or as a list of bytes.
fn encodes_card_number(text: &str) -> bool {
    let mut is_text = true;
    let mut search = Search::new(text, |characters, steps| {
        // The text itself comes first.
        if std::mem::take(&mut is_text) {
            return Vec::new();
        }
        Digits::of(characters, Grouping::WIDEST_GAP).first(Grouping::Kept, steps).into_iter().collect()
    });
    !search.within(text, DEEPEST_NESTING).is_empty()
}

/// The places in a text of everything that could be a card number, for where losing some other number does no harm:
/// digits are taken from the middle of a group too, there may be up to four characters between groups (as in
/// `["4242", "4242"]`) and more in the groups of a printed card, and what stands around a find in the same run of digits (an expiry, say) belongs to it.
pub(crate) fn numbers_anywhere(characters: &[Placed]) -> Vec<Range<usize>> {
    let mut places = Digits::of(characters, ANYWHERE_GAP).runs_with_number(Grouping::Ignored);
    places.extend(Digits::of(characters, Grouping::WIDEST_GAP).runs_with_number(Grouping::Kept));
    places.sort_by_key(|place| (place.start, place.end));
    places.dedup();
    places
}

/// Most characters between digits of a number where losing some other number does no harm.
const ANYWHERE_GAP: usize = 4;

/// The places in a text of whatever `find` finds among its characters, once its escapes are read, or in what it encodes.
pub(crate) fn places(text: &str, mut find: impl FnMut(&[Placed]) -> Vec<Range<usize>>) -> Vec<Range<usize>> {
    Search::new(text, |characters, _| find(characters)).within(text, DEEPEST_NESTING)
}

/// How many encodings within encodings are looked into.
const DEEPEST_NESTING: usize = 3;

/// How many bytes of what a text encodes are looked through, for each of its own.
const MOST_DECODED: usize = 8;

/// How many bytes are read, for each of the text's own: each of them, and what they encode.
const MOST_READ: usize = 1 + MOST_DECODED;

struct Search<F> {
    find: F,
    /// How many bytes of what is encoded may still be read. A text that is wound up in itself further than that is taken
    /// for one that hides something.
    left: usize,
    steps: usize,
}

impl<F: FnMut(&[Placed], &mut usize) -> Vec<Range<usize>>> Search<F> {
    const fn new(text: &str, find: F) -> Self {
        Self { find, left: MOST_DECODED * text.len(), steps: 0 }
    }

    fn within(&mut self, text: &str, nesting: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for characters in Characters::readings(text) {
            self.steps += characters.len();
            found.extend((self.find)(&characters, &mut self.steps));
            let Some(nesting) = nesting.checked_sub(1) else { continue };
            for run in encoded::runs(&characters) {
                // Of several readings of one run, such as base64 that begins at one of its first letters.
                for text in run.readings() {
                    self.steps += run.len();
                    let is_too_much = text.len() > self.left;
                    self.left = self.left.saturating_sub(text.len());
                    if is_too_much || !self.within(&text, nesting).is_empty() {
                        found.extend(run.place());
                        break;
                    }
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn card_numbers_are_found() {
        for text in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "4242.4242.4242.4242",
            "４２４２４２４２４２４２４２４２",
            "card: 4242 4242 4242 4242 12/30",
            "room 12, 4242424242424242",
            "7 4242 4242 4242 4242",
            "3782 822463 10005",
            "6447032400000000001",
            "x4242424242424242x",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_card_number_is_left_alone() {
        for text in [
            "",
            "1448/4 Praditmanutham Road",
            "4242424242424241",
            "0123456789",
            "+66 2 252 8777",
            "order 2026-11-21 0001",
            "94242424242424242",
            "42424242424242420",
            "1, 2, 3, 4",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn chance_makes_no_card_number_of_a_random_name() {
        for name in [
            "42424242-4242-4242-a1b2-c3d4e5f60718",
            "order-7:42424242-4242-4242-a1b2-c3d4e5f60718",
            "6f4242424242424242f6a0b1c2d3e4f5",
        ] {
            assert!(holds_card_number(name) && !name_holds_card_number(name), "{name}");
        }
        for name in [
            "4242424242424242",
            "4242.4242.4242.4242",
            "a-4242424242424242",
            "pay-4242424242424242:42424242-4242-4242-a1b2-c3d4e5f60718",
        ] {
            assert!(name_holds_card_number(name), "{name}");
        }
    }

    #[test]
    fn long_texts_of_digits_do_not_take_long() {
        let text = "1 ".repeat(4096);
        assert!(!holds_card_number(&text));
    }

    #[test]
    fn the_places_of_what_could_be_a_card_number_are_found() {
        let found = |text: &str| {
            let characters = text.char_indices().map(|(at, one)| (one, at..at + one.len_utf8()));
            numbers_anywhere(&characters.collect::<Characters>())
                .into_iter()
                .map(|place| text[place].to_owned())
                .collect::<Vec<_>>()
        };
        for (text, places) in [
            ("card 4242424242424242.", &["4242424242424242"][..]),
            ("a 4242 4242 4242 4242 12/30 b", &["4242 4242 4242 4242 12/30"]),
            ("94242424242424242", &["94242424242424242"]),
            (r#"["4242","4242","4242","4242"]"#, &[r#"4242","4242","4242","4242"#]),
            ("４２４２４２４２４２４２４２４２", &["４２４２４２４２４２４２４２４２"]),
            ("4242424242424242 and 378282246310005", &["4242424242424242", "378282246310005"]),
            ("4242x4242x4242x4242", &[]),
            ("2026-11-22T23:59:59.999999Z", &[]),
        ] {
            assert_eq!(found(text), places, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_card_number_is_found_between_any_words(before in "[^0-9]{0,20}", after in "[^0-9]{0,20}") {
            prop_assume!(before.chars().chain(after.chars()).all(|character| script::digit(character).is_none()));
            let text = format!("{before}4242 4242 4242 4242{after}");
            prop_assert!(holds_card_number(&text));
            prop_assert!(!holds_card_number(&text.replace("4242 4242 4242 4242", "4242 4242 4242 4241")));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = holds_card_number(&text);
        }
    }
}
