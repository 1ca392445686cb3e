use super::plain_name;

/// An acquirer's own code for what came of a payment: `51`, `Err3004`, `insufficient_fund`. Four digits at most, perhaps with a
/// sign or up to eight letters in front, or a word of up to [`Code::MAX_CHARS`] small letters and underscores: no form in
/// which a card's number, or a half of one, could come. It is shown to the merchant, for whom the acquirer's documents explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Most characters.
    pub const MAX_CHARS: usize = 64;

    /// Reads one; `None` if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = plain_name(text, Self::MAX_CHARS)?;
        let letters = name.trim_end_matches(|char: char| char.is_ascii_digit());
        let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let is_short = letters.len() <= 8 && name.len() - letters.len() <= 4;
        let is_code = letters == "-" || letters.bytes().all(|byte| byte.is_ascii_alphabetic());
        (is_word || is_short && is_code).then_some(Self(name))
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
        for text in [
            "",
            "not found",
            "4242424242424242",
            "42424242",
            "A42424242",
            "NDI0MjQyNDI0MjQyNDI0Mg",
            "34323432343234323432343234323432",
            &*"x".repeat(65),
        ] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }
}
