//! The brands: which numbers are theirs, how long those are, and how they are printed.
//!
//! No public register says which numbers are whose: ISO/IEC 7812 gives the form of a number, and its register
//! of issuers is not published. So every range in the table at the end names what it is taken from:
//!
//! - `wiki`: Wikipedia, "Payment card number", table of issuer identification numbers.
//! - `dgn`: Discover Global Network, "3Q2021 IPP North America: Compliance Update", table of IIN ranges,
//!   August 2021. The only scheme's own list among these.
//! - `type`: the npm package credit-card-type (Braintree), its table of patterns.
//! - `am`: the Ruby gem ActiveMerchant, `credit_card_methods.rb`. Its Mastercard and Maestro ranges cite the
//!   Mastercard Rules, its Elo ranges Elo's own table of BINs, its UnionPay ranges `dgn`.
//! - `adyen`: adyen-web, `CardType.ts`.
//! - `juspay`: Juspay's hyperswitch-web, `CardPattern.res`.
//!
//! Every brand's numbers end in a check digit (ISO/IEC 7812-1, Annex B), UnionPay's included: some old
//! UnionPay numbers do not, but an acquirer refuses those (braintree_ios#419), and all of UnionPay's
//! published test numbers do.
//!
//! What a number does not tell: whether a French Visa or Mastercard is also a
//! [`CartesBancaires`](Brand::CartesBancaires) card, and whether a Discover number that begins with 65 is on
//! a [`Troy`](Brand::Troy) card. Both take a list of BINs that is not public, so such numbers have their
//! international brand only.

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
    /// What cardholders know it as, such as "CVC".
    pub name: &'static str,
    /// Its digits.
    pub length: usize,
    /// Whether every card of the brand has one. Where not, a form may be submitted without.
    pub required: bool,
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
    ///
    /// Numbers of 16 to 19 digits go in fours; American Express 4-6-5 and Diners Club 4-6-4 are printed so,
    /// and UATP 4-5-6 is what forms use (cleave.js).
    pub const fn gaps(self) -> &'static [usize] {
        match self {
            Self::Amex | Self::Diners => &[4, 10],
            Self::Uatp => &[4, 9],
            _ => FOURS,
        }
    }

    /// How many digits the brand's numbers have.
    pub const fn lengths(self) -> Lengths {
        match self {
            // 13 and 19: wiki, adyen. 18: type.
            Self::Visa => Lengths::of(&[13, 16, 18, 19]),
            // wiki, type.
            Self::Amex | Self::Uatp => Lengths::of(&[15]),
            // dgn: 14 to 19 for 36, else 16 to 19; but published numbers of 300 to 305 and 38 have 14 too.
            Self::Diners => Lengths::of(&[14, 15, 16, 17, 18, 19]),
            // wiki, type, am.
            Self::Maestro => Lengths::of(&[12, 13, 14, 15, 16, 17, 18, 19]),
            // JCB, Discover, UnionPay: wiki, dgn. Mir: wiki, type. Bancontact: adyen.
            Self::Jcb | Self::Discover | Self::Unionpay | Self::Mir | Self::Bancontact => {
                Lengths::of(&[16, 17, 18, 19])
            }
            // wiki, type.
            Self::Verve => Lengths::of(&[16, 18, 19]),
            // 16: type, adyen. 19, on the oldest cards: recurly-js, `credit-card-types.json`.
            Self::Hipercard => Lengths::of(&[16, 19]),
            // wiki, type, am, adyen.
            Self::Mastercard
            | Self::Elo
            | Self::Hiper
            | Self::Rupay
            | Self::Troy
            | Self::Dankort
            | Self::CartesBancaires => Lengths::of(&[16]),
        }
    }

    /// What the brand's security code is called, how long it is, and whether every card has one.
    ///
    /// Names as in the PCI glossary ("card verification code"), Wikipedia's "Card security code" and `type`,
    /// without the 2 that tells the printed code from the one on the stripe. Cards without a code: `adyen`.
    pub const fn code(self) -> CodeRule {
        let (name, length) = match self {
            Self::Amex => ("CID", 4),
            Self::Discover => ("CID", 3),
            Self::Mastercard | Self::Maestro | Self::Hiper | Self::Hipercard | Self::Bancontact => ("CVC", 3),
            Self::Jcb => ("CAV", 3),
            Self::Unionpay => ("CVN", 3),
            Self::Elo => ("CVE", 3),
            Self::Mir => ("CVP", 3),
            Self::Visa
            | Self::Diners
            | Self::Rupay
            | Self::Verve
            | Self::Troy
            | Self::Dankort
            | Self::Uatp
            | Self::CartesBancaires => ("CVV", 3),
        };
        let required = !matches!(self, Self::Maestro | Self::Bancontact | Self::Uatp);
        CodeRule { name, length, required }
    }

    /// The brands whose numbers can begin with `digits` (ASCII; other characters are left out), best first.
    pub fn candidates(digits: &str) -> Candidates {
        Candidates::of(digits)
    }

    /// Whether the cards in this brand's ranges carry the mark of `other` too, where a range of `other`
    /// surrounds them. Any other number in such a place is the narrower range's alone: its numbers were
    /// handed on.
    const fn is_badged_with(self, other: Self) -> bool {
        matches!(
            (self, other),
            // wiki, adyen: Visa/Dankort.
            (Self::Dankort, Self::Visa)
                // Belgium's debit cards carry Bancontact and, to work abroad, Maestro or Visa.
                | (Self::Bancontact, Self::Maestro | Self::Visa)
                // Discover Global Network, "International Card Identification Features" (2019): these cards'
                // backs carry Discover's mark.
                | (Self::Elo, Self::Discover)
                // RuPay Global cards run on Discover's network; wiki: RuPay/JCB.
                | (Self::Rupay, Self::Discover | Self::Jcb)
                // wiki: co-branded.
                | (Self::Unionpay, Self::Discover)
        )
    }
}

/// The digits of a number, or of the beginning of one, in the groups that its brand prints: `42424242`
/// becomes `4242 4242`. Characters other than ASCII digits are left out.
///
/// The result is as clear as `digits` is, and allocated once, in full.
pub fn format(digits: &str) -> String {
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let gaps = match Brand::candidates(digits).best() {
        // Only the numbers of 14 digits are printed 4-6-4.
        Some(Brand::Diners) if count > 14 => FOURS,
        Some(brand) => brand.gaps(),
        None => FOURS,
    };
    let mut text = String::with_capacity(count + gaps.len());
    for (place, digit) in digits.bytes().filter(u8::is_ascii_digit).enumerate() {
        if gaps.contains(&place) {
            text.push(' ');
        }
        text.push(digit as char);
    }
    text
}

const FOURS: &[usize] = &[4, 8, 12, 16];

/// Brands that a number, or the beginning of one, can belong to.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Candidates {
    list: [Brand; Brand::ALL.len()],
    /// How many of the list are candidates.
    len: usize,
    /// How many of those the digits already belong to; the rest take further digits.
    reached: usize,
}

impl Candidates {
    /// All candidates, best first: those that the digits already belong to, longest prefix first, then those
    /// that further digits could lead to, fewest digits first.
    pub fn as_slice(&self) -> &[Brand] {
        self.list.get(..self.len).unwrap_or_default()
    }

    /// The brand to show: the first that the digits already belong to, or the only one left. `None` while it
    /// is open.
    pub fn best(&self) -> Option<Brand> {
        match self.as_slice() {
            [first, ..] if self.reached > 0 => Some(*first),
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The first candidate; of an empty list, any brand.
    pub(super) const fn first(&self) -> Brand {
        self.list[0]
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

    const NONE: Self = Self { list: [Brand::Visa; Brand::ALL.len()], len: 0, reached: 0 };

    fn of(digits: &str) -> Self {
        let mut candidates = Self::NONE;
        let (first, last, known) = Range::span(digits);
        // Longest prefix first while they are there whole; then those that further digits could lead into.
        for width in (1..=known).rev().chain(known + 1..=Range::WIDEST) {
            for range in RANGES {
                if range.width != width || range.first > last || first > range.last {
                    continue;
                }
                if width > known {
                    candidates.push(range.brand);
                } else if candidates.len == 0 || candidates.first().is_badged_with(range.brand) {
                    candidates.push(range.brand);
                    candidates.reached = candidates.len;
                }
            }
        }
        candidates
    }

    fn push(&mut self, brand: Brand) {
        if !self.as_slice().contains(&brand)
            && let Some(place) = self.list.get_mut(self.len)
        {
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

/// Numbers that begin with certain prefixes of one width.
struct Range {
    /// The lowest and the highest of the numbers' first eight digits.
    first: u32,
    last: u32,
    /// Digits of the prefixes.
    width: u32,
    brand: Brand,
}

impl Range {
    /// Digits of the widest prefix.
    const WIDEST: u32 = 8;

    /// The lowest and the highest first eight digits of a number that begins with `digits`, and how many of
    /// them are known.
    fn span(digits: &str) -> (u32, u32, u32) {
        let (mut first, mut last, mut known) = (0, 0, 0);
        for digit in digits.bytes().filter(u8::is_ascii_digit).take(Self::WIDEST as usize) {
            first = first * 10 + u32::from(digit - b'0');
            last = first;
            known += 1;
        }
        for _ in known..Self::WIDEST {
            first *= 10;
            last = last * 10 + 9;
        }
        (first, last, known)
    }
}

/// Numbers of `brand` that begin with `prefix`.
const fn one(brand: Brand, prefix: u32) -> Range {
    to(brand, prefix, prefix)
}

/// Numbers of `brand` that begin with `low` to `high`. The compiler works the table out, and refuses a slip
/// in it.
const fn to(brand: Brand, low: u32, high: u32) -> Range {
    let width = low.ilog10() + 1;
    assert!(low <= high && high.ilog10() + 1 == width && width <= Range::WIDEST);
    let scale = 10_u32.pow(Range::WIDEST - width);
    Range { first: low * scale, last: (high + 1) * scale - 1, width, brand }
}

#[rustfmt::skip]
const RANGES: &[Range] = &[
    one(Brand::Visa, 4), // wiki, type.
    to(Brand::Mastercard, 51, 55), // wiki, am.
    to(Brand::Mastercard, 2221, 2720), // wiki, am.
    one(Brand::Amex, 34), // wiki, type.
    one(Brand::Amex, 37), // wiki, type.
    to(Brand::Jcb, 3088, 3094), // dgn, am.
    to(Brand::Jcb, 3096, 3102), // dgn, am.
    to(Brand::Jcb, 3112, 3120), // am.
    to(Brand::Jcb, 3158, 3159), // am.
    to(Brand::Jcb, 3337, 3349), // am.
    to(Brand::Jcb, 3528, 3589), // wiki, type, am.
    one(Brand::Unionpay, 62), // wiki, adyen.
    one(Brand::Unionpay, 810), // am, type.
    to(Brand::Unionpay, 8110, 8171), // am, type.
    // Again, because the row of Discover below would beat 62. Of two rows as wide, the upper wins.
    to(Brand::Unionpay, 622126, 622925), // wiki: co-branded with Discover.
    one(Brand::Diners, 36), // wiki, dgn.
    to(Brand::Diners, 38, 39), // type.
    to(Brand::Diners, 300, 305), // dgn, type.
    one(Brand::Diners, 3095), // dgn.
    one(Brand::Discover, 65), // wiki, type.
    to(Brand::Discover, 644, 649), // wiki, type.
    one(Brand::Discover, 6011), // wiki, type.
    to(Brand::Discover, 622126, 622925), // wiki: co-branded with UnionPay.
    one(Brand::Maestro, 50), // type, adyen.
    to(Brand::Maestro, 56, 59), // type, am.
    // All of 6 that is no other brand's, with prefixes as narrow as Discover's beside them: a Discover number
    // half typed must not pass for a Maestro number.
    to(Brand::Maestro, 66, 69), // type, adyen.
    to(Brand::Maestro, 6000, 6010), // type, adyen.
    to(Brand::Maestro, 6012, 6199), // type, adyen.
    to(Brand::Maestro, 6300, 6439), // type, adyen.
    one(Brand::Maestro, 493698), // type.
    to(Brand::Elo, 401178, 401179), // type.
    one(Brand::Elo, 431274), // type.
    one(Brand::Elo, 438935), // type, adyen.
    one(Brand::Elo, 451416), // type, adyen.
    one(Brand::Elo, 457393), // type.
    to(Brand::Elo, 457631, 457632), // type, adyen.
    one(Brand::Elo, 504175), // type, adyen.
    to(Brand::Elo, 506699, 506778), // type, adyen.
    to(Brand::Elo, 509000, 509999), // type, am.
    one(Brand::Elo, 627780), // type, am, adyen.
    to(Brand::Elo, 636297, 636298), // am; 636297 also type, adyen.
    one(Brand::Elo, 636368), // type, am, adyen.
    to(Brand::Elo, 650031, 650033), // type, am.
    to(Brand::Elo, 650035, 650051), // type, am.
    to(Brand::Elo, 650057, 650081), // am.
    to(Brand::Elo, 650405, 650439), // type, am.
    to(Brand::Elo, 650485, 650538), // type, am.
    to(Brand::Elo, 650541, 650598), // type, am.
    to(Brand::Elo, 650700, 650718), // type.
    to(Brand::Elo, 650720, 650727), // type, am.
    to(Brand::Elo, 650901, 650978), // type, am.
    to(Brand::Elo, 651652, 651704), // am.
    to(Brand::Elo, 655000, 655019), // type, am.
    to(Brand::Elo, 655021, 655058), // type, am.
    one(Brand::Hiper, 637095), // type, adyen.
    one(Brand::Hiper, 637568), // type, adyen.
    one(Brand::Hiper, 637599), // type, adyen.
    one(Brand::Hiper, 637609), // type, adyen.
    one(Brand::Hiper, 637612), // type, adyen.
    one(Brand::Hiper, 63737423), // type.
    one(Brand::Hiper, 63743358), // type.
    one(Brand::Hipercard, 384100), // am.
    one(Brand::Hipercard, 384140), // am.
    one(Brand::Hipercard, 384160), // am.
    one(Brand::Hipercard, 606282), // type, am, adyen.
    to(Brand::Mir, 2200, 2204), // wiki, type.
    one(Brand::Rupay, 82), // wiki.
    to(Brand::Rupay, 5085, 5089), // juspay, adyen.
    to(Brand::Rupay, 8172, 8199), // wiki: 81, of which UnionPay has the rest.
    one(Brand::Rupay, 353800), // juspay, adyen: co-badged with JCB.
    one(Brand::Rupay, 508227), // juspay.
    one(Brand::Rupay, 603741), // juspay.
    to(Brand::Rupay, 606985, 607984), // juspay.
    to(Brand::Rupay, 608001, 608500), // juspay.
    to(Brand::Rupay, 652150, 653149), // juspay: co-badged with Discover.
    to(Brand::Verve, 506099, 506198), // wiki.
    to(Brand::Verve, 507865, 507964), // wiki.
    to(Brand::Verve, 650002, 650027), // wiki.
    one(Brand::Troy, 9792), // wiki, adyen.
    one(Brand::Dankort, 5019), // wiki, adyen.
    one(Brand::Dankort, 4571), // wiki, adyen: Visa/Dankort.
    one(Brand::Bancontact, 6703), // adyen: with Maestro.
    one(Brand::Bancontact, 479658), // adyen: with Visa.
    one(Brand::Bancontact, 606005), // adyen.
    one(Brand::Uatp, 1), // wiki, adyen.
    // Cards of Cartes Bancaires alone.
    to(Brand::CartesBancaires, 507589, 507590), // am.
    to(Brand::CartesBancaires, 507593, 507595), // am.
    one(Brand::CartesBancaires, 507597), // am.
    one(Brand::CartesBancaires, 560408), // am.
    one(Brand::CartesBancaires, 581752), // am.
    to(Brand::CartesBancaires, 585402, 585405), // am.
    to(Brand::CartesBancaires, 585501, 585505), // am.
    to(Brand::CartesBancaires, 585577, 585582), // am.
];
