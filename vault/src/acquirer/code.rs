use super::plain_name;

/// An acquirer's own code for what came of a payment: `51`, `Err3004`, `insufficient_fund`. 1 to [`Code::MAX_CHARS`] ASCII
/// letters, digits, hyphens and underscores. It is shown to the merchant, for whom the acquirer's documents explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Most characters.
    pub const MAX_CHARS: usize = 64;

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
    fn codes_are_short_and_hold_no_card() {
        for text in ["51", "-1", "Err3004", "insufficient_fund"] {
            assert_eq!(Code::parse(text).as_ref().map(Code::as_str), Some(text));
        }
        for text in ["", "not found", "4242424242424242", &*"x".repeat(65)] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }
}
