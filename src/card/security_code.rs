use core::fmt;

use zeroize::Zeroizing;

use super::{Brand, Entry, Reason, digits};

/// The code printed on a card (CVC2, CVV2, CID …): sensitive authentication data, never stored past
/// authorization (PCI DSS 3.3.1).
#[derive(Clone, Eq, PartialEq)]
pub struct SecurityCode(Zeroizing<String>);

impl SecurityCode {
    /// The most digits a code has; American Express prints four.
    pub const MAX_DIGITS: usize = 4;

    /// Reads a code for a card of `brand`: digits of any common script, with spaces, hyphens and invisible
    /// marks around.
    ///
    /// While the brand is not known, three digits and four are both valid. More digits than the brand's codes
    /// have are [`Reason::TooLong`], anything that is not a digit is [`Reason::UnexpectedCharacter`].
    pub fn parse(text: &str, brand: Option<Brand>) -> Entry<Self> {
        let (shortest, longest) = match brand {
            Some(brand) => (brand.code().length, brand.code().length),
            None => (3, Self::MAX_DIGITS),
        };
        let Some(run) = digits::read(text, longest) else {
            return Entry::Invalid(Reason::UnexpectedCharacter);
        };
        if run.count > longest {
            Entry::Invalid(Reason::TooLong)
        } else if run.count < shortest {
            Entry::Incomplete
        } else {
            Entry::Valid(Self(run.digits))
        }
    }

    /// The code, ASCII digits only.
    pub fn expose(&self) -> &str {
        // EXPOSE: the one way to the clear code; every caller says what it needs it for.
        &self.0
    }
}

impl fmt::Debug for SecurityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}
