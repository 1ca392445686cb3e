//! Finding a card number where none belongs, so that a mistake of a page or a person does not store one in the clear.

use std::ops::Range;

use cardseal::card::{Number, digits};
use zeroize::{Zeroize, Zeroizing};

/// Whether a text holds a card number: 12 to 19 digits, of any script and in any grouping, that a known brand could
/// have issued and whose check digit fits.
///
/// Digits are taken group by group (`4242 4242 4242 4242 12/30` holds one), never from the middle of a group: every
/// tenth order number would have a part that looks like a card.
#[must_use]
pub fn holds_card_number(text: &str) -> bool {
    runs(text.char_indices().map(|(at, character)| (character, at..at + character.len_utf8())), 1)
        .iter()
        .any(|run| (0..run.groups.len()).any(|first| begin_with_card_number(&run.groups[first..])))
}

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
    holds_card_number(&rest)
}

/// Whether these hexadecimal digits and hyphens are as many digits as a UUID has (RFC 9562 section 4), and not all of them
/// decimal.
fn is_random(digits: &str) -> bool {
    let count = digits.bytes().filter(u8::is_ascii_hexdigit).count();
    count >= 32 && digits.contains(|digit: char| digit.is_ascii_alphabetic())
}

/// The places in a text of everything that could be a card number, for where losing some other number does no harm:
/// digits are taken from the middle of a group too, there may be up to four characters between groups (as in
/// `["4242", "4242"]`), and what stands around a find in the same run of digits (an expiry, say) belongs to it.
///
/// The characters come with their places, since one of them may be written as several: `%34`, `\u0034`.
pub(crate) fn card_numbers(text: impl Iterator<Item = (char, Range<usize>)>) -> Vec<Range<usize>> {
    runs(text, 4).into_iter().filter(Run::holds_card_number_anywhere).map(|run| run.place).collect()
}

fn begin_with_card_number(groups: &[Zeroizing<String>]) -> bool {
    let mut number = Zeroizing::new(String::with_capacity(Number::MAX_DIGITS));
    for group in groups {
        if number.len() + group.len() > Number::MAX_DIGITS {
            return false;
        }
        number.push_str(group);
        if Number::parse(&number).valid().is_some() {
            return true;
        }
    }
    false
}

/// The shortest number of any brand, Maestro's.
const FEWEST_DIGITS: usize = 12;

/// Groups of digits with little between them.
struct Run {
    groups: Vec<Zeroizing<String>>,
    place: Range<usize>,
}

impl Run {
    fn holds_card_number_anywhere(&self) -> bool {
        let digits = Zeroizing::new(self.groups.iter().map(|group| group.as_str()).collect::<String>());
        (0..digits.len()).any(|from| {
            (FEWEST_DIGITS..=Number::MAX_DIGITS).any(|length| {
                digits.get(from..from + length).is_some_and(|part| Number::parse(part).valid().is_some())
            })
        })
    }
}

/// The groups of digits in a text, in runs: within a run there are at most `widest_gap` characters between groups, none
/// of them a letter. Runs with fewer digits than any card has are left out.
fn runs(text: impl Iterator<Item = (char, Range<usize>)>, widest_gap: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut run = Digits::default();
    let mut gap = usize::MAX;
    for (character, place) in text {
        let Some(digit) = digit(character) else {
            let joins = !character.is_alphanumeric();
            gap = if joins { gap.saturating_add(1) } else { usize::MAX };
            continue;
        };
        if gap > widest_gap {
            runs.extend(run.take());
        }
        run.push(digit, gap == 0, place);
        gap = 0;
    }
    runs.extend(run.take());
    runs
}

/// The digits of a run that may go on.
#[derive(Default)]
struct Digits {
    digits: Zeroizing<String>,
    /// Where groups begin.
    begins: Vec<usize>,
    place: Range<usize>,
}

impl Digits {
    fn push(&mut self, digit: char, goes_on: bool, place: Range<usize>) {
        if self.digits.is_empty() {
            // Most runs are short: dates, counts.
            self.digits.reserve(Number::MAX_DIGITS);
            self.place.start = place.start;
        }
        if !goes_on || self.digits.is_empty() {
            self.begins.push(self.digits.len());
        }
        self.digits.push(digit);
        self.place.end = place.end;
    }

    /// The run, if it is long enough; the next one begins.
    fn take(&mut self) -> Option<Run> {
        let ends = self.begins.iter().skip(1).copied().chain([self.digits.len()]);
        let run = (self.digits.len() >= FEWEST_DIGITS).then(|| Run {
            groups: self
                .begins
                .iter()
                .zip(ends)
                .map(|(begin, end)| Zeroizing::new(self.digits[*begin..end].to_owned()))
                .collect(),
            place: self.place.clone(),
        });
        self.digits.zeroize();
        self.begins.clear();
        run
    }
}

/// A digit of any script as ASCII.
fn digit(character: char) -> Option<char> {
    if character.is_ascii() {
        return character.is_ascii_digit().then_some(character);
    }
    digits::fold(character.encode_utf8(&mut [0; 4])).chars().next()
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
            card_numbers(characters).into_iter().map(|place| text[place].to_owned()).collect::<Vec<_>>()
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
            prop_assume!(digits::fold(&before).is_empty() && digits::fold(&after).is_empty());
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
