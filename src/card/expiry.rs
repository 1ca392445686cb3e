use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::digits::{self, Sort};
use super::{Entry, Reason, YearMonth};

/// The month a card is valid through, to its end.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct Expiry {
    year: u16,
    month: u8,
}

impl Expiry {
    /// How many years ahead of today an expiry may lie. Cards are issued for a few years, and nothing public
    /// says for how many at most; Stripe draws the line here (stripe-ios#3545), Braintree at 19.
    pub const YEARS_AHEAD: u16 = 50;

    /// Reads what a person typed or a browser filled in, as of `today` (see [`YearMonth::today`]).
    ///
    /// - Month first: `12/30`, `12 / 2030`, `1/30`, `01-30`, `12.30`, `12 30`, `1230`, `122030`.
    /// - Year first, as `<input type=month>` and some password managers give it: `2030-12`, `2030/12`,
    ///   `203012`, `2030年12月`. No month is 20, so what begins so is taken for a year.
    ///
    /// Digits of any common script, and the separators that go with them. A year of two digits is in this
    /// century: cards are not issued for longer than that. `12/20` in 2026 is incomplete, not past, as it may
    /// become `12/2030`. So is a year alone, `2030` or `30`, which lacks its month: a password manager that takes
    /// the field for the year's fills that in.
    pub fn parse(text: &str, today: YearMonth) -> Entry<Self> {
        let [first, second] = match groups(text) {
            Ok(groups) => groups,
            Err(reason) => return Entry::Invalid(reason),
        };
        match (first.len, second.len) {
            (0, _) => Entry::Incomplete,
            (_, 0) => Self::of_one(first, today),
            (1 | 2, _) => Self::of_month_and_year(first.value, second, today),
            (4, 1) if second.value < 2 => Entry::Incomplete,
            (4, 1 | 2) => Self::of(second.value, first.value, today),
            _ => Entry::Invalid(Reason::TooLong),
        }
    }

    /// Reads month (`1`, `01`) and year (`30`, `2030`) from texts of their own, as Omise's `expiration_month`
    /// and `expiration_year` are. Nothing is typed on here, so `20` is 2020.
    pub fn from_parts(month: &str, year: &str, today: YearMonth) -> Entry<Self> {
        let (Some(month), Some(year)) = (Group::read(month), Group::read(year)) else {
            return Entry::Invalid(Reason::UnexpectedCharacter);
        };
        match (month.len, year.len) {
            (1 | 2, 2) => Self::of(month.value, CENTURY + year.value, today),
            (1 | 2, 4) => Self::of(month.value, year.value, today),
            (0..=2, 0..=4) => Entry::Incomplete,
            _ => Entry::Invalid(Reason::TooLong),
        }
    }

    /// The month, 1 to 12.
    pub const fn month(&self) -> u8 {
        self.month
    }

    /// The year, four digits.
    pub const fn year(&self) -> u16 {
        self.year
    }

    /// A date typed without a separator, or not typed further than its first part.
    fn of_one(date: Group, today: YearMonth) -> Entry<Self> {
        let scale = match date.len {
            0 | 1 => return Entry::Incomplete,
            2 => 1,
            3 => 10,
            4 => 100,
            5 => 1_000,
            _ => 10_000,
        };
        match (date.value / scale, date.len) {
            (20, 6) => Self::of(date.value % 100, date.value / 100, today),
            (20, _) => Entry::Incomplete,
            (year, 2) if Self::of(12, CENTURY + year, today).valid().is_some() && year > 12 => {
                Entry::Incomplete
            }
            (month, len) => {
                Self::of_month_and_year(month, Group { value: date.value % scale, len: len - 2 }, today)
            }
        }
    }

    /// A month, and as much of a year as is typed.
    fn of_month_and_year(month: u32, year: Group, today: YearMonth) -> Entry<Self> {
        if !(1..=12).contains(&month) {
            return Entry::Invalid(Reason::MonthOutOfRange);
        }
        match year.len {
            2 => match Self::of(month, CENTURY + year.value, today) {
                Entry::Invalid(Reason::Past) if year.value == 20 => Entry::Incomplete,
                entry => entry,
            },
            4 => Self::of(month, year.value, today),
            0..=3 => Entry::Incomplete,
            _ => Entry::Invalid(Reason::TooLong),
        }
    }

    fn of(month: u32, year: u32, today: YearMonth) -> Entry<Self> {
        // Both come from at most four digits.
        let (month, year) = (u8::try_from(month).unwrap_or(u8::MAX), u16::try_from(year).unwrap_or(u16::MAX));
        match YearMonth::new(year, month) {
            None => Entry::Invalid(Reason::MonthOutOfRange),
            Some(expiry) if expiry < today => Entry::Invalid(Reason::Past),
            Some(_) if year > today.year().saturating_add(Self::YEARS_AHEAD) => {
                Entry::Invalid(Reason::TooFarAhead)
            }
            Some(_) => Entry::Valid(Self { year, month }),
        }
    }
}

impl fmt::Debug for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••/••")
    }
}

/// The first year of the century that two digits of a year are in.
const CENTURY: u32 = 2000;

/// Digits that stand together.
#[derive(Clone, Copy)]
struct Group {
    value: u32,
    len: u32,
}

impl Group {
    const EMPTY: Self = Self { value: 0, len: 0 };
    /// The most digits a date has: month and year, or year and month, without a separator.
    const LONGEST: u32 = 6;

    /// The digits of a text that has nothing else but fillers; `None` if it has.
    fn read(text: &str) -> Option<Self> {
        let run = digits::read(text, Self::LONGEST as usize + 1)?;
        let mut group = Self::EMPTY;
        for digit in run.digits.bytes() {
            group.push(digit - b'0');
        }
        Some(group)
    }

    fn push(&mut self, digit: u8) {
        self.value = self.value * 10 + u32::from(digit);
        self.len += 1;
    }
}

/// The two parts of a date; the first is empty if a separator comes before any digit.
fn groups(text: &str) -> Result<[Group; 2], Reason> {
    let mut groups = [Group::EMPTY; 2];
    let mut at = 0;
    let mut parted = false;
    for c in text.chars() {
        match digits::sort(c) {
            Sort::Digit(digit) => {
                at += usize::from(parted);
                parted = false;
                match groups.get_mut(at) {
                    Some(group) if group.len < Group::LONGEST => group.push(digit),
                    _ => return Err(Reason::TooLong),
                }
            }
            Sort::Space => parted |= groups.iter().any(|group| group.len > 0),
            Sort::Dash => parted = true,
            Sort::Other if is_separator(c) => parted = true,
            Sort::Invisible => {}
            Sort::Other => return Err(Reason::UnexpectedCharacter),
        }
    }
    Ok(groups)
}

/// Slashes and full stops as they are typed in different scripts, the middle dot that a Japanese input method
/// gives for the slash key, and the words for year and month in dates such as 2030年12月.
const fn is_separator(c: char) -> bool {
    matches!(c, '/' | '.' | '\u{2044}' | '\u{2215}' | '／' | '．' | '。' | '｡' | '・' | '･' | '年' | '月')
}
