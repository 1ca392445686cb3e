//! Card numbers among digits, in one pass.

use std::ops::Range;
use std::sync::LazyLock;

use cardseal::card::{Brand, Number};
use zeroize::Zeroizing;

use super::characters::Placed;
use super::script;

/// How the groups of a number's digits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    /// A number begins and ends where a group does, and with more than a character between, the groups are those of a
    /// printed card, or ones or twos.
    Kept,
    /// A number may begin and end anywhere.
    Ignored,
}

impl Grouping {
    /// Most characters between groups, where they are kept: `"], ["`.
    pub(super) const WIDEST_GAP: usize = 8;
}

/// The shortest number of any brand, Maestro's.
const FEWEST_DIGITS: usize = 12;

/// Most steps that one character takes: the ends of a number that could begin with it, for each length a check digit, and
/// once the brand.
pub(super) const MOST_STEPS: usize = Number::MAX_DIGITS + LENGTHS + 1;

const LENGTHS: usize = Number::MAX_DIGITS - FEWEST_DIGITS + 1;

/// The digits of a text.
pub(super) struct Digits {
    digits: Zeroizing<Vec<u8>>,
    /// As many as there are digits.
    places: Vec<Digit>,
    /// Where runs end, among the digits: between two runs there is a letter, or too much of something else.
    ends: Vec<usize>,
}

struct Digit {
    place: Range<usize>,
    /// What is between this digit and the one before, of the same run.
    gap: Gap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    None,
    Narrow,
    Wide,
}

impl Digits {
    /// The digits among characters. Within a run there are at most `widest_gap` characters between them, none of them a
    /// letter; marks without ink do not count.
    pub(super) fn of(characters: &[Placed], widest_gap: usize) -> Self {
        let count = characters.iter().filter(|placed| script::digit(placed.character).is_some()).count();
        let mut found = Self {
            digits: Zeroizing::new(Vec::with_capacity(count)),
            places: Vec::with_capacity(count),
            ends: Vec::new(),
        };
        let mut gap = usize::MAX;
        for Placed { character, place } in characters {
            let Some(digit) = script::digit(*character) else {
                if character.is_alphanumeric() {
                    gap = usize::MAX;
                } else if !script::is_invisible(*character) {
                    gap = gap.saturating_add(1);
                }
                continue;
            };
            let gap = match std::mem::take(&mut gap) {
                0 => Gap::None,
                1 => Gap::Narrow,
                wide if wide <= widest_gap => Gap::Wide,
                _ => {
                    found.end_run();
                    Gap::Wide
                }
            };
            found.digits.push(digit);
            found.places.push(Digit { place: place.clone(), gap });
        }
        found.end_run();
        found
    }

    fn end_run(&mut self) {
        if !self.digits.is_empty() {
            self.ends.push(self.digits.len());
        }
    }

    /// Where the first card number is.
    pub(super) fn first(&self, grouping: Grouping, steps: &mut usize) -> Option<Range<usize>> {
        self.runs().find_map(|run| run.first(grouping, steps))
    }

    /// Where the runs are that hold a card number.
    pub(super) fn runs_with_number(&self, grouping: Grouping) -> Vec<Range<usize>> {
        self.runs()
            .filter(|run| run.first(grouping, &mut 0).is_some())
            .filter_map(|run| place(run.places))
            .collect()
    }

    /// The runs that are long enough.
    fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(self.ends.iter().copied()).filter(|(begin, end)| end - begin >= FEWEST_DIGITS).filter_map(
            |(begin, end)| {
                Some(Run { digits: self.digits.get(begin..end)?, places: self.places.get(begin..end)? })
            },
        )
    }
}

fn place(digits: &[Digit]) -> Option<Range<usize>> {
    Some(digits.first()?.place.start..digits.last()?.place.end)
}

struct Run<'a> {
    digits: &'a [u8],
    places: &'a [Digit],
}

impl Run<'_> {
    fn first(&self, grouping: Grouping, steps: &mut usize) -> Option<Range<usize>> {
        let sums = Sums::of(self.digits);
        for from in 0..=self.digits.len() - FEWEST_DIGITS {
            let begins = from == 0 || self.places[from].gap != Gap::None || grouping == Grouping::Ignored;
            let lengths = if begins { lengths_by_prefix(&self.digits[from..]) } else { 0 };
            if lengths == 0 {
                continue;
            }
            let lengths = lengths & self.ends(from, grouping, steps);
            // Looked up once, and seldom: only where a check digit fits.
            let mut of_brand = None;
            for length in FEWEST_DIGITS..=Number::MAX_DIGITS {
                let to = from + length;
                if lengths >> length & 1 == 0 || to > self.digits.len() {
                    continue;
                }
                *steps += 1;
                if !sums.fit(from, to) {
                    continue;
                }
                let of_brand = *of_brand.get_or_insert_with(|| {
                    *steps += 1;
                    lengths_by_brand(&self.digits[from..to])
                });
                if of_brand >> length & 1 == 1 {
                    return place(&self.places[from..to]);
                }
            }
        }
        None
    }

    /// The lengths of what begins at `from` and ends where a number may end, a bit each.
    fn ends(&self, from: usize, grouping: Grouping, steps: &mut usize) -> u32 {
        if grouping == Grouping::Ignored {
            return u32::MAX;
        }
        let (mut ends, mut groups) = (0, Groups::default());
        let most = (self.digits.len() - from).min(Number::MAX_DIGITS);
        for length in 1..=most {
            *steps += 1;
            let next = self.places.get(from + length).map(|digit| digit.gap);
            groups.push();
            if next == Some(Gap::None) {
                continue;
            }
            if groups.are_a_cards() {
                ends |= 1 << length;
            }
            groups.end(next == Some(Gap::Wide));
        }
        ends
    }
}

/// The groups of what may be a number, up to some digit.
#[derive(Clone, Copy, Debug, Default)]
struct Groups {
    /// How many have ended.
    ended: usize,
    /// How many digits the last one has so far.
    last: usize,
    /// Whether there was much between two of them.
    wide: bool,
    /// Whether all that have ended have one digit, two, or four.
    shapes: Shapes,
    /// The lengths of the first two.
    first: [usize; 2],
}

#[derive(Clone, Copy, Debug)]
struct Shapes {
    ones: bool,
    twos: bool,
    fours: bool,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { ones: true, twos: true, fours: true }
    }
}

impl Groups {
    const fn push(&mut self) {
        self.last += 1;
    }

    fn end(&mut self, wide: bool) {
        if let Some(first) = self.first.get_mut(self.ended) {
            *first = self.last;
        }
        self.shapes.ones &= self.last == 1;
        self.shapes.twos &= self.last == 2;
        self.shapes.fours &= self.last == 4;
        self.wide |= wide;
        self.ended += 1;
        self.last = 0;
    }

    /// Whether a number may be written like this, if the last group ends here.
    fn are_a_cards(&self) -> bool {
        let Shapes { ones, twos, fours } = self.shapes;
        // American Express 4-6-5, Diners Club 4-6-4, UATP 4-5-6; numbers of 19 digits are printed in fours or as 6-13.
        let printed = matches!((self.ended, self.first), (2, [4, 5 | 6]) | (1, [6, _]));
        !self.wide || (ones && self.last == 1) || (twos && self.last <= 2) || fours || printed
    }
}

/// Sums of digits by which a check digit is looked at in one step (ISO/IEC 7812-1, Annex B).
struct Sums {
    /// At each digit the sum of those before it, with every other one doubled: those at odd places, those at even ones.
    sums: [Zeroizing<Vec<u32>>; 2],
}

impl Sums {
    fn of(digits: &[u8]) -> Self {
        let sums = [0, 1].map(|plain| {
            let mut sums = Zeroizing::new(Vec::with_capacity(digits.len() + 1));
            let mut sum = 0;
            sums.push(sum);
            for (place, digit) in digits.iter().enumerate() {
                let digit = u32::from(*digit) << u32::from(place % 2 != plain);
                sum += digit / 10 + digit % 10;
                sums.push(sum);
            }
            sums
        });
        Self { sums }
    }

    /// Whether the last of these digits is the check digit of those before it.
    fn fit(&self, from: usize, to: usize) -> bool {
        // The last digit is not doubled.
        let sums = &self.sums[(to + 1) % 2];
        (sums[to] - sums[from]).is_multiple_of(10)
    }
}

/// The lengths of all numbers that begin with the same three digits as these, a bit each.
fn lengths_by_prefix(digits: &[u8]) -> u32 {
    static LENGTHS: LazyLock<Vec<u32>> =
        LazyLock::new(|| (0..1000).map(|prefix| lengths_of(&format!("{prefix:03}"))).collect());
    let prefix = digits.iter().take(3).fold(0, |prefix, digit| prefix * 10 + usize::from(*digit));
    LENGTHS.get(prefix).copied().unwrap_or_default()
}

fn lengths_by_brand(digits: &[u8]) -> u32 {
    let text: Zeroizing<String> =
        Zeroizing::new(digits.iter().map(|digit| char::from(b'0' + digit)).collect());
    lengths_of(&text)
}

/// The lengths of the numbers that begin like this, a bit each.
fn lengths_of(digits: &str) -> u32 {
    let brands = Brand::candidates(digits);
    (FEWEST_DIGITS..=Number::MAX_DIGITS)
        .filter(|length| brands.as_slice().iter().any(|brand| brand.lengths().contains(*length)))
        .fold(0, |lengths, length| lengths | 1 << length)
}
