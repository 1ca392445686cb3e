//! Published test cards, none of them anyone's.

use cardseal::card::Brand::{self, *};

/// Omise's: those that succeed, then those whose charge fails (docs.omise.co/api-testing).
pub(super) const OMISE: &[(Brand, &[&str])] = &[
    (
        Visa,
        &[
            "4242424242424242",
            "4111111111111111",
            "4111111111140011",
            "4111111111130012",
            "4111111111120013",
            "4111111111110014",
            "4111111111190016",
            "4111111111180017",
            "4111111111160001",
            "4111111111150002",
            "4111111111140003",
        ],
    ),
    (
        Mastercard,
        &[
            "5555555555554444",
            "5454545454545454",
            "5555551111110011",
            "5555551111100012",
            "5555551111190013",
            "5555551111180014",
            "5555551111160016",
            "5555551111150017",
            "5555551111130001",
            "5555551111120002",
            "5555551111110003",
        ],
    ),
    (
        Jcb,
        &[
            "3530111333300000",
            "3566111111111113",
            "3530111111190011",
            "3530111111180012",
            "3530111111170013",
            "3530111111160014",
            "3530111111140016",
            "3530111111130017",
            "3530111111110001",
            "3530111111100002",
            "3530111111190003",
        ],
    ),
    (Amex, &["378282246310005", "377138160000009"]),
    (Discover, &["6447032400000000001", "6447032400001111005"]),
    (Diners, &["36021042000004", "36021042111108"]),
    (Unionpay, &["6250947000000006", "6250947000000014", "6250947000000022"]),
];

/// Others', for the brands and lengths that Omise has none of: Adyen, Stripe, Authorize.Net, EBANX and
/// Flutterwave in their documents on testing; 13 digits of Visa, and Diners Club's, are PayPal's.
pub(super) const OTHERS: &[(Brand, &[&str])] = &[
    (Visa, &["4222222222222", "4013250000000000006", "4035501000000008", "4871049999999910"]),
    (Mastercard, &["5105105105105100", "2223003122003222", "5577000055770004"]),
    (Amex, &["371449635398431", "370000000000002"]),
    (Jcb, &["3566002020360505", "3569990010095841", "3088000000000017"]),
    (Unionpay, &["6200000000000005", "6205500000000000004", "8171999900000000021", "6243030000000001"]),
    (Diners, &["30569309025904", "38520000023237", "3056930009020004", "36006666333344", "36227206271667"]),
    (Discover, &["6011111111111117", "6011000990139424", "6445644564456445"]),
    (
        Maestro,
        &[
            "6759649826438453",
            "6771798021000008",
            "6771830000000000006",
            "6000070736169237003",
            "5000550000000029",
        ],
    ),
    (Elo, &["5066991111111118", "6362970000457013"]),
    (Hiper, &["6370950000000005"]),
    (Hipercard, &["6062828888666688", "6062825624254001"]),
    (Verve, &["5061460410120223210"]),
    (Troy, &["9792030000000000"]),
    (Dankort, &["5019555544445555", "4571000000000001"]),
    (Bancontact, &["6703444444444449"]),
    (Uatp, &["135410014004955"]),
];

/// Numbers that no one publishes: made from a range, with the check digit that fits.
pub(super) const MADE: &[(Brand, &[&str])] =
    &[(Mir, &["2200"]), (Rupay, &["508500", "652150", "353800"]), (CartesBancaires, &["507597"])];

/// Every published number with its brand.
pub(super) fn all() -> impl Iterator<Item = (Brand, &'static str)> {
    OMISE.iter().chain(OTHERS).flat_map(|(brand, numbers)| numbers.iter().map(|number| (*brand, *number)))
}

/// A number of `length` digits that begins with `start` and ends in the check digit that fits.
pub(super) fn made(start: &str, length: usize) -> String {
    let body = format!("{start:0<width$}", width = length - 1);
    let digit = (0..10).find(|digit| luhn(&format!("{body}{digit}"))).unwrap();
    format!("{body}{digit}")
}

/// Luhn's sum, worked out from the left as ISO/IEC 7812-1 has it, unlike the code under test.
pub(super) fn luhn(number: &str) -> bool {
    let doubled = number.len() % 2;
    let sum: u32 = number
        .chars()
        .enumerate()
        .map(|(place, digit)| match (digit.to_digit(10).unwrap(), place % 2 == doubled) {
            (digit, false) => digit,
            (digit, true) => [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit as usize],
        })
        .sum();
    sum.is_multiple_of(10)
}
