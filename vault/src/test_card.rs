//! Published test cards, the only ones that test merchants get tokens for: a real card among them would lie in a place
//! that nobody guards as one for real cards.

use std::fmt;
use std::str::FromStr;

use cardseal::card::Number;
use thiserror::Error;

/// Which cards test merchants' keys take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestCards {
    /// Every card.
    Any,
    /// Those that schemes and payment providers publish for tests.
    #[default]
    Published,
}

impl TestCards {
    /// Whether a number is one of them.
    #[must_use]
    pub fn include(self, number: &Number) -> bool {
        // EXPOSE: compared with published numbers.
        let number = number.expose();
        match self {
            Self::Any => true,
            Self::Published => PUBLISHED.iter().any(|(_, numbers)| numbers.contains(&number)),
        }
    }

    /// As the configuration writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Published => "published",
        }
    }
}

impl fmt::Display for TestCards {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for TestCards {
    type Err = NeitherAnyNorPublished;

    fn from_str(text: &str) -> Result<Self, NeitherAnyNorPublished> {
        [Self::Any, Self::Published]
            .into_iter()
            .find(|cards| cards.as_str() == text)
            .ok_or(NeitherAnyNorPublished)
    }
}

/// Not a choice of test cards. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is \"published\", for published test cards, or \"any\"")]
pub struct NeitherAnyNorPublished;

/// Where they are published, and each number once.
const PUBLISHED: &[(&str, &[&str])] = &[
    (
        "Omise: docs.omise.co/api-testing",
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
            "378282246310005",
            "377138160000009",
            "6447032400000000001",
            "6447032400001111005",
            "36021042000004",
            "36021042111108",
            "6250947000000006",
            "6250947000000014",
            "6250947000000022",
            "6250947000000030",
        ],
    ),
    (
        "Stripe: docs.stripe.com/testing",
        &[
            "4000056655665556",
            "2223003122003222",
            "5200828282828210",
            "5105105105105100",
            "371449635398431",
            "6011111111111117",
            "6011000990139424",
            "6011981111111113",
            "3056930009020004",
            "36227206271667",
            "6555900000604105",
            "3566002020360505",
            "6200000000000005",
            "6200000000000047",
            "6205500000000000004",
            "4000000000000002",
            "4000000000009995",
            "4000000000009987",
            "4000000000009979",
            "4000000000000069",
            "4000000000000127",
            "4000000000000119",
            "4000000000000341",
            "4000000000006975",
            "4000002500003155",
            "4000002760003184",
            "4000003800000446",
            "4000000000003220",
            "4000008260003178",
            "4000008400001629",
            "4000000000003063",
            "4000000000003055",
            "4000000000003097",
            "4000007640000003",
            "4000003920000003",
            "4000007020000003",
            "4000000360000006",
        ],
    ),
    (
        "Adyen: docs.adyen.com/development-resources/test-cards-and-credentials/test-card-numbers",
        &[
            "370000000000002",
            "370000000100018",
            "6703444444444449",
            "4871049999999910",
            "4035501000000008",
            "4360000001000005",
            "6243030000000001",
            "5019555544445555",
            "4571000000000001",
            "36070500001020",
            "36006666333344",
            "6011601160116611",
            "6445644564456445",
            "5066991111111118",
            "6062828888666688",
            "3569990010095841",
            "6771798021000008",
            "6771830000000000006",
            "2222400070000005",
            "5555341244441115",
            "5577000055770004",
            "5555444433331111",
            "2222410740360010",
            "2222410700000002",
            "2222400010000008",
            "2223000048410010",
            "2222400060000007",
            "2223520443560010",
            "2222400030000004",
            "2222400050000009",
            "5100060000000002",
            "5100290029002909",
            "5101180000000007",
            "5500000000000004",
            "135410014004955",
            "4111111145551142",
            "4988438843884305",
            "4166676667666746",
            "4646464646464644",
            "4000620000000007",
            "4000060000000006",
            "4293189100000008",
            "4988080000000000",
            "4444333322221111",
            "4001590000000001",
            "4000180000000002",
            "4000020000000000",
            "4000160000000004",
            "4002690000000008",
            "4400000000000008",
            "4484600000000004",
            "4607000000000009",
            "4977949494949497",
            "4000640000000005",
            "4003550000000003",
            "4000760000000001",
            "4017340000000003",
        ],
    ),
    (
        "Braintree: developer.paypal.com/braintree/docs/reference/general/testing",
        &[
            "36259600000004",
            "6011000991300009",
            "6304000000000000",
            "2223000048400011",
            "4005519200000004",
            "4009348888881881",
            "4012000033330026",
            "4012000077777777",
            "4012888888881881",
            "4217651111111119",
            "4500600000000061",
            "6221261111117766",
            "6223164991230014",
        ],
    ),
    (
        "PayPal: paypalobjects.com/en_US/vhelp/paypalmanager_help/credit_card_numbers.htm",
        &["378734493671000", "30569309025904", "38520000023237", "4222222222222"],
    ),
    (
        "Authorize.Net: developer.authorize.net/hello_world/testing_guide",
        &[
            "6011000000000012",
            "3088000000000017",
            "38000000000006",
            "5424000000000015",
            "4007000000027",
            "4012888818888",
        ],
    ),
    ("Cardinal (3-D Secure 2 test cases)", &["4000000000001000", "4000000000001091"]),
    (
        "EBANX, Flutterwave and others, for the brands that those above have none of",
        &[
            "4013250000000000006",
            "8171999900000000021",
            "6759649826438453",
            "6000070736169237003",
            "5000550000000029",
            "6362970000457013",
            "6370950000000005",
            "6062825624254001",
            "5061460410120223210",
            "9792030000000000",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_published_number_is_one_and_listed_once() {
        let mut seen = BTreeSet::new();
        for number in PUBLISHED.iter().flat_map(|(_, numbers)| *numbers) {
            assert!(seen.insert(number), "{number} is there twice");
            // A brand that the form does not know could not be paid with.
            let known = Number::parse(number).valid().unwrap_or_else(|| unreachable!("{number}"));
            assert!(TestCards::Published.include(&known), "{number}");
        }
    }
}
