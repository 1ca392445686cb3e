//! The brands: which numbers are theirs, how long those are, and how they are printed.

use core::fmt;

/// A card brand (scheme).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Brand {
    /// Visa.
    Visa,
    /// Mastercard.
    Mastercard,
    /// American Express.
    Amex,
    /// JCB.
    Jcb,
    /// UnionPay.
    Unionpay,
    /// Diners Club International.
    Diners,
    /// Discover.
    Discover,
    /// Maestro.
    Maestro,
    /// Elo (Brazil).
    Elo,
    /// Hiper (Brazil).
    Hiper,
    /// Hipercard (Brazil).
    Hipercard,
    /// Mir (Russia).
    Mir,
    /// RuPay (India).
    Rupay,
    /// Verve (Nigeria).
    Verve,
    /// Troy (Türkiye).
    Troy,
    /// Dankort (Denmark).
    Dankort,
    /// Bancontact (Belgium).
    Bancontact,
    /// Universal Air Travel Plan.
    Uatp,
    /// Cartes Bancaires (France).
    CartesBancaires,
}

/// A brand's security code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CodeRule {
    /// What the brand calls it on its cards' backs, such as "CVC".
    pub name: &'static str,
    /// Its digits.
    pub length: usize,
}

impl Brand {
    /// Every brand.
    pub const ALL: &[Self] = &[
        Self::Visa,
        Self::Mastercard,
        Self::Amex,
        Self::Jcb,
        Self::Unionpay,
        Self::Diners,
        Self::Discover,
        Self::Maestro,
        Self::Elo,
        Self::Hiper,
        Self::Hipercard,
        Self::Mir,
        Self::Rupay,
        Self::Verve,
        Self::Troy,
        Self::Dankort,
        Self::Bancontact,
        Self::Uatp,
        Self::CartesBancaires,
    ];

    /// The brand's name in JavaScript and on the wire.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::Amex => "amex",
            Self::Jcb => "jcb",
            Self::Unionpay => "unionpay",
            Self::Diners => "diners",
            Self::Discover => "discover",
            Self::Maestro => "maestro",
            Self::Elo => "elo",
            Self::Hiper => "hiper",
            Self::Hipercard => "hipercard",
            Self::Mir => "mir",
            Self::Rupay => "rupay",
            Self::Verve => "verve",
            Self::Troy => "troy",
            Self::Dankort => "dankort",
            Self::Bancontact => "bancontact",
            Self::Uatp => "uatp",
            Self::CartesBancaires => "cartes_bancaires",
        }
    }

    /// The brand's name for people, as Omise's API writes it in `card.brand`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visa => "Visa",
            Self::Mastercard => "MasterCard",
            Self::Amex => "American Express",
            Self::Jcb => "JCB",
            Self::Unionpay => "UnionPay",
            Self::Diners => "Diners Club",
            Self::Discover => "Discover",
            Self::Maestro => "Maestro",
            Self::Elo => "Elo",
            Self::Hiper => "Hiper",
            Self::Hipercard => "Hipercard",
            Self::Mir => "Mir",
            Self::Rupay => "RuPay",
            Self::Verve => "Verve",
            Self::Troy => "Troy",
            Self::Dankort => "Dankort",
            Self::Bancontact => "Bancontact",
            Self::Uatp => "UATP",
            Self::CartesBancaires => "Cartes Bancaires",
        }
    }

    /// After how many digits a gap is printed.
    pub const fn gaps(self) -> &'static [u8] {
        match self {
            Self::Amex | Self::Diners => &[4, 10],
            _ => FOURS,
        }
    }

    /// How many digits the brand's numbers have.
    pub const fn lengths(self) -> Lengths {
        match self {
            Self::Visa => Lengths::of(&[13, 16, 19]),
            Self::Amex | Self::Uatp => Lengths::of(&[15]),
            Self::Diners => Lengths::of(&[14, 15, 16, 17, 18, 19]),
            Self::Maestro => Lengths::of(&[12, 13, 14, 15, 16, 17, 18, 19]),
            Self::Jcb | Self::Discover | Self::Unionpay | Self::Mir | Self::Verve => {
                Lengths::of(&[16, 17, 18, 19])
            }
            _ => Lengths::of(&[16]),
        }
    }

    /// What the brand's security code is called, and how long it is.
    pub const fn code(self) -> CodeRule {
        match self {
            Self::Amex => CodeRule { name: "CID", length: 4 },
            Self::Mastercard | Self::Maestro => CodeRule { name: "CVC", length: 3 },
            _ => CodeRule { name: "CVV", length: 3 },
        }
    }

    /// The brands whose numbers can begin with `digits`, best first.
    pub fn candidates(digits: &str) -> Candidates {
        Candidates::of(digits)
    }
}

/// The digits of a number, or of the beginning of one, in the groups that its brand prints: `"42424242"` becomes
/// `"4242 4242"`. Characters other than ASCII digits are left out.
pub fn format(digits: &str) -> String {
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let gaps = match Brand::candidates(digits).best() {
        Some(Brand::Diners) if count > 14 => FOURS,
        Some(brand) => brand.gaps(),
        None => FOURS,
    };
    let mut text = String::with_capacity(count + gaps.len());
    for (place, digit) in digits.bytes().filter(u8::is_ascii_digit).enumerate() {
        if gaps.iter().any(|gap| usize::from(*gap) == place) {
            text.push(' ');
        }
        text.push(digit as char);
    }
    text
}

/// Brands that a number, or the beginning of one, can belong to.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Candidates {
    list: [Brand; Brand::ALL.len()],
    /// How many of the list are candidates.
    len: usize,
    /// How many of those the digits already belong to; the rest need further digits.
    reached: usize,
}

impl Candidates {
    /// All candidates, best first: those that the digits already belong to, then those that further digits could lead to.
    pub fn as_slice(&self) -> &[Brand] {
        self.list.get(..self.len).unwrap_or_default()
    }

    /// The brand to show: the first that the digits already belong to, or the only one left.
    pub fn best(&self) -> Option<Brand> {
        match self.as_slice() {
            [first, ..] if self.reached > 0 => Some(*first),
            [only] => Some(*only),
            _ => None,
        }
    }

    /// Every length that a candidate has.
    pub(super) fn lengths(&self) -> Lengths {
        self.as_slice().iter().fold(Lengths(0), |all, brand| Lengths(all.0 | brand.lengths().0))
    }

    /// Those that the digits already belong to and that have numbers of `length` digits.
    pub(super) fn with_length(&self, length: usize) -> Self {
        let mut some = Self::NONE;
        for brand in self.as_slice().iter().take(self.reached) {
            if brand.lengths().contains(length) {
                some.push(*brand);
            }
        }
        some.reached = some.len;
        some
    }

    /// The first candidate; of an empty list, any brand.
    pub(super) const fn first(&self) -> Brand {
        self.list[0]
    }

    const NONE: Self = Self { list: [Brand::Visa; Brand::ALL.len()], len: 0, reached: 0 };

    fn of(digits: &str) -> Self {
        let mut candidates = Self::NONE;
        let (mut start, mut known) = (0_u32, 0_u32);
        for digit in digits.bytes().filter(u8::is_ascii_digit).take(WIDEST as usize) {
            start = start * 10 + u32::from(digit - b'0');
            known += 1;
        }
        for width in (1..=known).rev() {
            let start = start / 10_u32.pow(known - width);
            for range in RANGES.iter().filter(|range| range.width() == width) {
                let fits = range.low <= start && start <= range.high;
                if fits
                    && candidates.as_slice().first().is_none_or(|first| range.brand.is_badged_with(*first))
                {
                    candidates.push(range.brand);
                }
            }
        }
        candidates.reached = candidates.len;
        for width in known + 1..=WIDEST {
            let scale = 10_u32.pow(width - known);
            for range in RANGES.iter().filter(|range| range.width() == width) {
                if range.low / scale <= start && start <= range.high / scale {
                    candidates.push(range.brand);
                }
            }
        }
        candidates
    }

    fn push(&mut self, brand: Brand) {
        if self.as_slice().contains(&brand) {
            return;
        }
        if let Some(place) = self.list.get_mut(self.len) {
            *place = brand;
            self.len += 1;
        }
    }
}

impl fmt::Debug for Candidates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// A set of lengths of card numbers, in digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lengths(u32);

impl Lengths {
    /// Whether numbers may have `length` digits.
    pub const fn contains(self, length: usize) -> bool {
        length < 32 && self.0 >> length & 1 == 1
    }

    /// The longest.
    pub const fn longest(self) -> usize {
        (self.0 | 1).ilog2() as usize
    }

    const fn of(lengths: &[u8]) -> Self {
        let mut set = 0;
        let mut at = 0;
        while at < lengths.len() {
            set |= 1 << lengths[at];
            at += 1;
        }
        Self(set)
    }
}

impl Brand {
    /// Whether cards exist that carry both brands.
    const fn is_badged_with(self, other: Self) -> bool {
        matches!((other, self), (Self::Dankort, Self::Visa) | (Self::Bancontact, Self::Visa | Self::Maestro))
    }
}

const FOURS: &[u8] = &[4, 8, 12, 16];

/// Numbers that begin with `low` to `high`, both of the same width.
struct Range {
    low: u32,
    high: u32,
    brand: Brand,
}

impl Range {
    const fn width(&self) -> u32 {
        self.low.ilog10() + 1
    }
}

const fn range(brand: Brand, low: u32, high: u32) -> Range {
    Range { low, high, brand }
}

/// Digits of the widest prefix.
const WIDEST: u32 = 8;

const RANGES: &[Range] = &[
    range(Brand::Visa, 4, 4),
    range(Brand::Mastercard, 51, 55),
    range(Brand::Mastercard, 2221, 2720),
    range(Brand::Amex, 34, 34),
    range(Brand::Amex, 37, 37),
    range(Brand::Jcb, 3528, 3589),
    range(Brand::Unionpay, 62, 62),
    range(Brand::Diners, 36, 36),
    range(Brand::Diners, 38, 39),
    range(Brand::Diners, 300, 305),
    range(Brand::Discover, 6011, 6011),
    range(Brand::Discover, 644, 649),
    range(Brand::Discover, 65, 65),
    range(Brand::Maestro, 50, 50),
    range(Brand::Maestro, 56, 58),
    range(Brand::Maestro, 6, 6),
];
