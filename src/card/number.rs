use core::fmt;

use zeroize::Zeroizing;

use super::brand::{Brand, Candidates};
use super::{Entry, Reason, digits};

/// A primary account number (PAN, ISO/IEC 7812-1): a brand's prefix, a length that brand has, and a check
/// digit that fits.
#[derive(Clone, Eq, PartialEq)]
pub struct Number {
    digits: Zeroizing<String>,
    brands: Candidates,
}

impl Number {
    /// The most digits a number has (ISO/IEC 7812-1).
    pub const MAX_DIGITS: usize = 19;

    /// Reads what a person typed or pasted: digits of any common script, spaces, hyphens and invisible marks.
    ///
    /// - Too few digits so far is incomplete. So is a length the brand has with a check digit that does not
    ///   fit, as long as the brand also has longer numbers.
    /// - No brand begins like this: [`Reason::UnknownBrand`], as soon as that is certain.
    /// - More digits than any brand that fits has: [`Reason::TooLong`].
    /// - The longest length, and the check digit does not fit: [`Reason::Luhn`].
    /// - Anything that is not a digit, space, hyphen or invisible: [`Reason::UnexpectedCharacter`].
    pub fn parse(text: &str) -> Entry<Self> {
        Self::read(text, Typing::GoesOn)
    }

    /// Reads a number that nobody is typing any more: from a field that was left, or from a request.
    ///
    /// As [`parse`](Self::parse), but a check digit that does not fit is [`Reason::Luhn`] at every length the brand has.
    pub fn parse_finished(text: &str) -> Entry<Self> {
        Self::read(text, Typing::Over)
    }

    fn read(text: &str, typing: Typing) -> Entry<Self> {
        let Some(run) = digits::read(text, Self::MAX_DIGITS) else {
            return Entry::Invalid(Reason::UnexpectedCharacter);
        };
        let candidates = Brand::candidates(&run.digits);
        let lengths = candidates.lengths();
        if candidates.as_slice().is_empty() {
            return Entry::Invalid(Reason::UnknownBrand);
        }
        if run.count > lengths.longest() {
            return Entry::Invalid(Reason::TooLong);
        }
        let brands = candidates.with_length(run.count);
        let is_whole = !brands.as_slice().is_empty();
        if is_whole && luhn(&run.digits) {
            return Entry::Valid(Self { digits: run.digits, brands });
        }
        if run.count == lengths.longest() || (is_whole && typing == Typing::Over) {
            return Entry::Invalid(Reason::Luhn);
        }
        Entry::Incomplete
    }

    /// The brand of the number; the first of [`brands`](Self::brands).
    pub fn brand(&self) -> Brand {
        // There is one: `parse` makes no number without a brand.
        self.brands.first()
    }

    /// All brands that the card may be charged under, its own first: more than one if it is co-badged.
    pub fn brands(&self) -> &[Brand] {
        self.brands.as_slice()
    }

    /// Whether no further digit is to be expected: it has the most that its brand has, or the 16 that cards have of nearly
    /// every brand, whatever ISO/IEC 7812-1 leaves room for. Of UnionPay and Maestro, many have 19.
    pub fn is_of_full_length(&self) -> bool {
        let count = self.digits.len();
        let may_go_on = matches!(self.brand(), Brand::Unionpay | Brand::Maestro);
        count == self.brand().lengths().longest() || (count == 16 && !may_go_on)
    }

    /// The last four digits, which may be shown and stored in the clear (PCI DSS 3.4.1).
    pub fn last_digits(&self) -> &str {
        self.digits.get(self.digits.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// The whole number, ASCII digits only.
    pub fn expose(&self) -> &str {
        // EXPOSE: the one way to the clear number; every caller says what it needs it for.
        &self.digits
    }

    /// First four digits, a dot for each of the rest, last four digits.
    fn redacted(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits.get(..4).unwrap_or_default())?;
        for _ in 8..self.digits.len() {
            f.write_str("•")?;
        }
        f.write_str(self.last_digits())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.redacted(f)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.redacted(f)
    }
}

/// Whether more digits may follow.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Typing {
    GoesOn,
    Over,
}

/// Whether the last digit is the check digit of those before it (ISO/IEC 7812-1, Annex B).
fn luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (place, digit) in digits.bytes().rev().enumerate() {
        let digit = u32::from(digit - b'0') << (place % 2);
        sum += digit / 10 + digit % 10;
    }
    sum % 10 == 0
}
