//! Formatting as one types, with the caret where the person left it.
//!
//! The browser has changed the input's text already; a mask says what the input should show instead. The caret is held
//! by the digits before it: whatever gaps come and go, it stays behind the same digit.

use std::fmt;

use zeroize::Zeroizing;

use crate::card::{Brand, Entry, Expiry, Number, Reason, SecurityCode, YearMonth, brand, digits};

/// One change that a person, or the browser for them, made to an input.
#[derive(Clone, Copy)]
pub struct Edit<'a> {
    /// What the input showed before.
    pub before: &'a str,
    /// What it holds now.
    pub after: &'a str,
    /// Where the caret stands in it now, in UTF-16 code units as the DOM counts.
    pub caret: usize,
    /// What was done.
    pub change: Change,
}

/// What was done to the text, by the `inputType` of the event (Input Events Level 2, section 4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key or an input method brought text.
    Type,
    /// Text came in one go: pasted, dropped, filled in by the browser or a password manager.
    Insert,
    /// The text before the caret was deleted (Backspace).
    DeleteBackward,
    /// The text behind the caret was deleted (Delete).
    DeleteForward,
}

impl Change {
    /// Reads the `inputType` and `data` of an event. Autofill and scripts give no type, or one of their own; to a mask they
    /// insert. So do those that give a key's type and more text than a key has.
    #[must_use]
    pub fn from_input(input_type: &str, data: &str) -> Self {
        let of_a_key = matches!(input_type, "insertText" | "insertCompositionText" | "insertFromComposition");
        if of_a_key && data.chars().nth(1).is_none() {
            Self::Type
        } else if !input_type.starts_with("delete") {
            Self::Insert
        } else if input_type.ends_with("Forward") {
            Self::DeleteForward
        } else {
            Self::DeleteBackward
        }
    }

    const fn brings_text(self) -> bool {
        matches!(self, Self::Type | Self::Insert)
    }
}

/// What an input should show.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its text.
    pub text: Zeroizing<String>,
    /// Where the caret belongs, in UTF-16 code units.
    pub caret: usize,
}

impl fmt::Debug for Edit<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Edit")
            .field("caret", &self.caret)
            .field("change", &self.change)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").field("caret", &self.caret).finish_non_exhaustive()
    }
}

/// A card number, in the groups that its brand prints.
#[must_use]
pub fn number(edit: Edit<'_>) -> Shown {
    let mut typed = Typed::read(edit);
    // What is pasted is kept even where the brand's numbers are shorter, so that the person can see what is wrong.
    let brand = Brand::candidates(&typed.digits).best();
    let longest = brand.map_or(Number::MAX_DIGITS, |brand| brand.lengths().longest());
    typed.ignore_key_beyond(longest, edit.change);
    typed.digits.truncate(Number::MAX_DIGITS);
    let text = Zeroizing::new(brand::format(&typed.digits));
    typed.show(text, edit.change)
}

/// A security code, into which at most `longest` digits are typed.
///
/// One digit more that comes in one go is kept: a password manager may fill it in before the number of the card that it
/// belongs to, while another brand's number stands there.
#[must_use]
pub fn security_code(edit: Edit<'_>, longest: usize) -> Shown {
    let mut typed = Typed::read(edit);
    typed.ignore_key_beyond(longest, edit.change);
    typed.digits.truncate(SecurityCode::MAX_DIGITS);
    let text = typed.digits.clone();
    typed.show(text, edit.change)
}

/// An expiry, as `MM / YY`.
///
/// A month that can only have one digit is given its zero: `4` becomes `04 / `, `1/` becomes `01 / `, `13` becomes
/// `01 / 3`. What comes in one go (pasted, autofilled) is read as an expiry in any of its spellings. A year that comes
/// alone, or first, stays as it is: `2030` is not taken apart into `20 / 30`.
#[must_use]
pub fn expiry(edit: Edit<'_>, today: YearMonth) -> Shown {
    let mut typed = Typed::read(edit);
    let in_one_go = edit.change.brings_text() && typed.inserted() > 1;
    if in_one_go && let Some(text) = whole_date(edit.after, today) {
        return Shown::at_end(text);
    }
    typed.ignore_key_beyond(MAX_EXPIRY_DIGITS, edit.change);
    let inserting_at_end = edit.change.brings_text() && typed.caret == typed.digits.len();
    if edit.change.brings_text() {
        typed.complete_month(edit.after);
    }
    typed.digits.truncate(MAX_EXPIRY_DIGITS);
    let (month, year) = typed.digits.split_at(typed.digits.len().min(2));
    // No month is 20: a year begins so.
    let separated = month != "20" && (!year.is_empty() || (inserting_at_end && may_be_month(month)));
    let text = Zeroizing::new([month, if separated { SEPARATOR } else { "" }, year].concat());
    if inserting_at_end { Shown::at_end(text) } else { typed.show(text, edit.change) }
}

/// An expiry that is right, as the field shows it once it was left.
#[must_use]
pub fn month_and_year(expiry: &Expiry) -> Zeroizing<String> {
    spell(expiry, 2)
}

fn spell(expiry: &Expiry, year_digits: u32) -> Zeroizing<String> {
    let spell = |number: u16, digits: u32| {
        (0..digits).rev().map(move |place| char::from(b'0' + (number / 10_u16.pow(place) % 10) as u8))
    };
    let mut text = Zeroizing::new(String::with_capacity(MAX_EXPIRY_DIGITS + SEPARATOR.len()));
    text.extend(spell(expiry.month().into(), 2));
    text.push_str(SEPARATOR);
    text.extend(spell(expiry.year(), year_digits));
    text
}

/// The text of a date that came in one go, or nothing when it is none.
fn whole_date(text: &str, today: YearMonth) -> Option<Zeroizing<String>> {
    match Expiry::parse(text, today) {
        Entry::Valid(expiry) => Some(spell(&expiry, 2)),
        // Read as well, lest 2024-12 become 20 / 2412. Its year stays whole: 20 alone could still become 2030.
        Entry::Invalid(Reason::Past) if fold(text).len() > 4 => {
            let long_ago = YearMonth::new(today.year().saturating_sub(Expiry::YEARS_AHEAD), 1)?;
            Some(spell(&Expiry::parse(text, long_ago).valid()?, 4))
        }
        _ => None,
    }
}

const SEPARATOR: &str = " / ";

/// Month and year without a separator, the year whole.
const MAX_EXPIRY_DIGITS: usize = 6;

/// The digits of an edit.
struct Typed {
    digits: Zeroizing<String>,
    /// How many of them stand before the caret.
    caret: usize,
    /// The digits before the edit.
    before: Zeroizing<String>,
}

impl Typed {
    fn read(edit: Edit<'_>) -> Self {
        let mut typed = Self {
            digits: fold(edit.after),
            caret: fold(utf16_prefix(edit.after, edit.caret)).len(),
            before: fold(edit.before),
        };
        // Where only a gap was deleted, the person meant the digit beyond it.
        let gap_deleted = edit.after.len() < edit.before.len() && typed.before == typed.digits;
        match edit.change {
            Change::DeleteBackward if gap_deleted => typed.remove_before_caret(),
            Change::DeleteForward if gap_deleted && typed.caret < typed.digits.len() => {
                typed.digits.remove(typed.caret);
            }
            _ => {}
        }
        typed
    }

    fn remove_before_caret(&mut self) {
        if let Some(last) = self.caret.checked_sub(1) {
            self.digits.remove(last);
            self.caret = last;
        }
    }

    /// Takes back a key that makes the digits too many, as a field with a maximum length would.
    fn ignore_key_beyond(&mut self, longest: usize, change: Change) {
        let is_key =
            change == Change::Type && self.digits.len() == self.before.len() + 1 && self.inserted() == 1;
        if is_key && self.digits.len() > longest {
            self.digits = self.before.clone();
            self.caret = self.caret.saturating_sub(1);
        }
    }

    /// How many digits are new, beside those at either end that were there before.
    fn inserted(&self) -> usize {
        let same = |(one, other): &(u8, u8)| one == other;
        let head = self.digits.bytes().zip(self.before.bytes()).take_while(same).count();
        let (digits, before) = (&self.digits[head..], &self.before[head..]);
        digits.len() - digits.bytes().rev().zip(before.bytes().rev()).take_while(same).count()
    }

    /// Gives a month its leading zero where it can have no second digit.
    fn complete_month(&mut self, after: &str) {
        let mut from_month = after.chars().skip_while(|c| !digits::is_digit(*c));
        let stands_alone = from_month.next().is_some() && from_month.next().is_some_and(is_separator);
        let single = if self.caret == self.digits.len() {
            stands_alone || matches!(self.digits.as_bytes(), [b'2'..=b'9'] | [b'1', b'3'..=b'9'])
        } else {
            // Typed over another month, with the year behind it; a 1 there waits for its second digit.
            stands_alone && matches!(self.digits.as_bytes(), [b'2'..=b'9', ..])
        };
        if single {
            self.digits = Zeroizing::new(["0", &self.digits].concat());
            self.caret += 1;
        }
    }

    /// Puts the caret behind the digit that it stood behind; after an insertion also behind the gap that follows.
    fn show(self, text: Zeroizing<String>, change: Change) -> Shown {
        let mut digits_left = self.caret;
        let mut caret = 0;
        for character in text.chars() {
            let is_digit = character.is_ascii_digit();
            if digits_left == 0 && (is_digit || !change.brings_text()) {
                break;
            }
            digits_left -= usize::from(is_digit);
            caret += 1;
        }
        Shown { text, caret }
    }
}

impl Shown {
    fn at_end(text: Zeroizing<String>) -> Self {
        Self { caret: text.len(), text }
    }
}

/// What people end a month with: signs of every script, the word for month in 1月, the long-vowel mark that a Japanese
/// input method gives for the hyphen, the ฝ where a Thai keyboard has the slash. So letters count, but for Latin ones;
/// which other characters are letters would take a table, and that weighs.
fn is_separator(c: char) -> bool {
    !c.is_ascii_alphabetic() && !digits::is_digit(c)
}

fn may_be_month(digits: &str) -> bool {
    matches!(digits.as_bytes(), [b'0', _] | [b'1', b'0'..=b'2'])
}

fn fold(text: &str) -> Zeroizing<String> {
    Zeroizing::new(digits::fold(text))
}

/// The part of a text that lies before a position in UTF-16 code units.
fn utf16_prefix(text: &str, units: usize) -> &str {
    let mut left = units;
    for (index, character) in text.char_indices() {
        match left.checked_sub(character.len_utf16()) {
            Some(rest) if left > 0 => left = rest,
            _ => return &text[..index],
        }
    }
    text
}
