//! The check digit of card numbers (ISO/IEC 7812-1 annex B), by another way than cardseal's own.

/// Whether the last of twelve digits or more is the right one.
pub(crate) fn passes_luhn(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().map(|digit| digit.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| digits.len() >= 12) else { return false };
    let sum: u32 = (0..)
        .zip(digits.iter().rev())
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => digit * 2 % 10 + digit / 5,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_cards_pass_and_their_neighbours_do_not() {
        for number in ["4242424242424242", "378282246310005", "6447032400000000001", "4000000000001091"] {
            assert!(passes_luhn(number), "{number}");
        }
        for number in ["4242424242424241", "5123456789012345", "1234567891234567", "", "0", "4242 4242"] {
            assert!(!passes_luhn(number), "{number}");
        }
    }
}
