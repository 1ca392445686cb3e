use core::fmt;

use zeroize::Zeroizing;

use super::digits::{self, Sort};
use super::unicode::{is_letter, is_numeral};
use super::{Entry, Reason};

/// The name on a card, in any script.
#[derive(Clone, Eq, PartialEq)]
pub struct Holder(Zeroizing<String>);

impl Holder {
    /// The most bytes of UTF-8 a name has. A magnetic stripe holds 26 characters (ISO/IEC 7813), but people
    /// type the name as they write it; 256 is what Thales's token service takes, the narrowest of those a
    /// card is passed on to.
    pub const MAX_BYTES: usize = 256;
    /// The fewest characters a name has (ISO/IEC 7813).
    pub const MIN_CHARS: usize = 2;
    /// The most digits a name has in all, of whatever script or shape.
    pub const MAX_DIGITS: usize = 5;
    /// The most digits a name has in a row.
    pub const MAX_ROW: usize = 3;

    /// Reads a name: outer spaces are dropped, inner ones made single, invisible marks removed.
    ///
    /// A control character is [`Reason::UnexpectedCharacter`], more than [`MAX_BYTES`](Self::MAX_BYTES) is
    /// [`Reason::TooLong`]. More digits than a name has, or nothing but digits, is [`Reason::IsCardNumber`]: a
    /// number must not leave the form in its name, not even in parts.
    ///
    /// Digits are all that Unicode calls numeric (Nd, Nl, No: those of every script, circled, raised, Roman), in a
    /// row until the next letter, whatever else stands between them. So are the Chinese numerals, which real names
    /// have many of: 一二三 is one, and so are 五十嵐 and 九十九. A space ends a row of these alone, and a name with
    /// no others may have one more, three before the space and three behind it.
    pub fn parse(text: &str) -> Entry<Self> {
        // Nothing below makes the text longer, so the buffer never grows and leaves no copy behind.
        let mut name = Zeroizing::new(String::with_capacity(text.len()));
        let (mut space, mut control) = (false, false);
        for c in text.chars() {
            if c.is_whitespace() {
                space = !name.is_empty();
                // Of those that are white too, such as the end of a line, none matters at either end.
                control |= space && c.is_control();
            } else if control || c.is_control() {
                return Entry::Invalid(Reason::UnexpectedCharacter);
            } else if !is_dropped(c) {
                if space {
                    name.push(' ');
                    space = false;
                }
                name.push(c);
            }
        }
        if is_card_number(&name) {
            return Entry::Invalid(Reason::IsCardNumber);
        }
        if name.len() > Self::MAX_BYTES {
            return Entry::Invalid(Reason::TooLong);
        }
        if name.chars().count() < Self::MIN_CHARS {
            return Entry::Incomplete;
        }
        Entry::Valid(Self(name))
    }

    /// The name as it is to be sent.
    pub fn expose(&self) -> &str {
        // EXPOSE: the one way to the clear name; every caller says what it needs it for.
        &self.0
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// Invisible marks but for the joiners, with which Persian and Indic names are written.
fn is_dropped(c: char) -> bool {
    matches!(digits::sort(c), Sort::Invisible) && !matches!(c, '\u{200C}' | '\u{200D}')
}

/// The numerals among the letters, as they are written every day and in contracts. 〇 is numeric to Unicode.
const NUMERALS: &str = "零一二三四五六七八九十百千壱弐参肆伍陸漆捌玖拾壹貳參叄贰叁陆柒";

/// Whether a name has more digits than a name has, or digits only.
fn is_card_number(name: &str) -> bool {
    let (mut row, mut digits, mut numerals, mut has_letter) = (0, 0, 0, false);
    for c in name.chars() {
        if is_numeral(c) {
            digits += 1;
            row += 1;
        } else if NUMERALS.chars().any(|numeral| numeral == c) {
            numerals += 1;
            row += 1;
        } else if is_letter(c) {
            has_letter = true;
            row = 0;
        } else if c == ' ' && digits == 0 {
            row = 0;
        }
        if row > Holder::MAX_ROW {
            return true;
        }
    }
    digits + numerals > Holder::MAX_DIGITS + usize::from(digits == 0)
        || (digits > 0 && numerals == 0 && !has_letter)
}
