use super::plain_name;

/// An acquirer's own name for a payment: 1 to [`Reference::MAX_CHARS`] ASCII letters, digits, hyphens and underscores, so
/// that it can stand in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// Most characters. No acquirer documents how many there may be; Payment Options' have 36, Omise's 29.
    pub const MAX_CHARS: usize = 128;

    /// Reads one; `None` if the text has another form, or holds a card number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        plain_name(text, Self::MAX_CHARS).map(Self)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_can_stand_in_a_path_and_hold_no_card() {
        for text in ["fc565b43-26f5-4906-92ae-d849edc3c3a1", "tokn_test_5fzbwqrkdn9g0e8yv3m", "74811"] {
            assert_eq!(Reference::parse(text).as_ref().map(Reference::as_str), Some(text));
        }
        for text in ["", "..", "a/b", "a b", "a%2fb", "4242424242424242", "pay_4242424242424242", "é"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
        assert_eq!(Reference::parse(&"x".repeat(129)), None);
    }
}
