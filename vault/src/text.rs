//! Finding a card number where none belongs, so that a mistake of a page or a person does not store one in the clear.

use cardseal::card::{Number, digits};
use zeroize::Zeroizing;

/// Whether a text holds a card number: 12 to 19 digits, of any script and in any grouping, that a known brand could
/// have issued and whose check digit fits.
///
/// Digits are taken group by group (`4242 4242 4242 4242 12/30` holds one), never from the middle of a group: every
/// tenth order number would have a part that looks like a card.
#[must_use]
pub fn holds_card_number(text: &str) -> bool {
    runs(text).iter().any(|run| {
        let mut groups = run.as_slice();
        while let Some((_, rest)) = groups.split_first() {
            if begin_with_card_number(groups) {
                return true;
            }
            groups = rest;
        }
        false
    })
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

/// The groups of digits in a text, in runs: within a run there is one character between groups, of those that people
/// write between the digits of a card.
fn runs(text: &str) -> Vec<Vec<Zeroizing<String>>> {
    let mut runs: Vec<Vec<Zeroizing<String>>> = Vec::new();
    let mut gap = usize::MAX;
    for character in text.chars() {
        let mut buffer = [0; 4];
        let digit = Zeroizing::new(digits::fold(character.encode_utf8(&mut buffer)));
        if digit.is_empty() {
            let joins = !character.is_alphanumeric();
            gap = if joins { gap.saturating_add(1) } else { usize::MAX };
            continue;
        }
        match (runs.last_mut(), gap) {
            (Some(run), 0) => {
                if let Some(group) = run.last_mut() {
                    group.push_str(&digit);
                }
            }
            (Some(run), 1) => run.push(digit),
            _ => runs.push(vec![digit]),
        }
        gap = 0;
    }
    runs
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
    fn long_texts_of_digits_do_not_take_long() {
        let text = "1 ".repeat(4096);
        assert!(!holds_card_number(&text));
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
