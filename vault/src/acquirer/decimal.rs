use std::fmt;

use crate::charge::{Amount, Currency};

/// An amount as people write it, in the currency's main unit: `100.00` baht, `1000` yen. As many decimal places as the
/// currency has (ISO 4217, "minor unit").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    amount: Amount,
    places: u16,
}

impl Decimal {
    /// The amount; `None` for a currency that is not in ISO 4217, or is no money, such as gold.
    pub(super) fn new(amount: Amount, currency: &Currency) -> Option<Self> {
        let places = iso_currency::Currency::from_code(currency.as_str())?.exponent()?;
        Some(Self { amount, places })
    }

    /// Whether a text is this amount, with as many zeros behind it as may be: `100`, `100.0` and `100.00` are the same.
    pub(super) fn is(self, text: &str) -> bool {
        let without_zeros = |text: &str| match text.split_once('.') {
            Some((whole, part)) => (whole.to_owned(), part.trim_end_matches('0').to_owned()),
            None => (text.to_owned(), String::new()),
        };
        without_zeros(text) == without_zeros(&self.to_string())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::from(self.places);
        // One digit at least before the point.
        let digits = format!("{:0width$}", self.amount.units(), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        formatter.write_str(whole)?;
        if places > 0 {
            write!(formatter, ".{part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_its_decimal_places() {
        for (units, currency, text) in [
            (10_000, "THB", "100.00"),
            (1, "THB", "0.01"),
            (99, "USD", "0.99"),
            (1000, "JPY", "1000"),
            (1, "JPY", "1"),
            (1000, "KWD", "1.000"),
            (5, "KWD", "0.005"),
            (Amount::MAX, "EUR", "9999999999.99"),
        ] {
            let (amount, currency) = (Amount::new(units).unwrap(), Currency::parse(currency).unwrap());
            assert_eq!(Decimal::new(amount, &currency).unwrap().to_string(), text);
        }
        let amount = Amount::new(1).unwrap();
        for currency in ["QQQ", "XAU", "XTS"] {
            assert_eq!(Decimal::new(amount, &Currency::parse(currency).unwrap()), None, "{currency}");
        }
    }

    #[test]
    fn zeros_at_the_end_do_not_matter_and_others_do() {
        let hundred = Decimal::new(Amount::new(10_000).unwrap(), &Currency::parse("THB").unwrap()).unwrap();
        for text in ["100", "100.0", "100.00", "100.000"] {
            assert!(hundred.is(text), "{text}");
        }
        for text in ["", "10000", "1000", "10", "100.01", "0100", "-100", "1e2", "100,00"] {
            assert!(!hundred.is(text), "{text}");
        }
    }
}
