use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A whole number of seconds, from `MIN` to `MAX`; `DEFAULT` if nobody says otherwise. Written as a number with a unit:
/// `45s`, `30m`, `24h`, `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period<const MIN: u64, const MAX: u64, const DEFAULT: u64>(u64);

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> Period<MIN, MAX, DEFAULT> {
    /// What it is if nobody says otherwise.
    pub const DEFAULT: Self = {
        assert!(MIN <= DEFAULT && DEFAULT <= MAX);
        Self(DEFAULT)
    };

    /// How long it is.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> Default for Period<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> FromStr for Period<MIN, MAX, DEFAULT> {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let (unit, seconds_each) =
            UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit)).ok_or(NotAPeriod::Malformed)?;
        let number = text.trim_end_matches(unit);
        if number.len() + 1 != text.len() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAPeriod::Malformed);
        }
        // Digits only, so it fails for a number too large only; the empty text is no number either.
        let number: u64 = number.parse().map_err(|_| NotAPeriod::Malformed)?;
        match number.checked_mul(seconds_each) {
            Some(seconds) if (MIN..=MAX).contains(&seconds) => Ok(Self(seconds)),
            _ => Err(NotAPeriod::OutOfRange { min: MIN, max: MAX }),
        }
    }
}

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> fmt::Display for Period<MIN, MAX, DEFAULT> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", Seconds(self.0))
    }
}

/// Largest first.
const UNITS: [(char, u64); 4] = [('d', 24 * 60 * 60), ('h', 60 * 60), ('m', 60), ('s', 1)];

/// Seconds in the largest unit of which they are a whole number.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.into_iter().find(|(_, seconds_each)| self.0 != 0 && self.0.is_multiple_of(*seconds_each))
        {
            Some((unit, seconds_each)) => write!(formatter, "{}{unit}", self.0 / seconds_each),
            None => write!(formatter, "{}s", self.0),
        }
    }
}

/// Not a period, or one that makes no sense there. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAPeriod {
    /// It has another form.
    #[error("a period is a number and one of s, m, h and d, such as 30m, 24h or 90d")]
    Malformed,
    /// It is too short or too long.
    #[error("it is from {} to {}", Seconds(*min), Seconds(*max))]
    OutOfRange {
        /// The shortest, in seconds.
        min: u64,
        /// The longest, in seconds.
        max: u64,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Example = Period<60, { 90 * 24 * 60 * 60 }, 1800>;

    #[test]
    fn periods_are_a_number_and_a_unit() {
        for (text, seconds, shown) in [
            ("60s", 60, "1m"),
            ("90s", 90, "90s"),
            ("30m", 1800, "30m"),
            ("24h", 86_400, "1d"),
            ("36h", 129_600, "36h"),
            ("90d", 7_776_000, "90d"),
            ("0090d", 7_776_000, "90d"),
        ] {
            let period: Example = text.parse().unwrap();
            assert_eq!((period.duration().as_secs(), period.to_string().as_str()), (seconds, shown));
        }
        assert_eq!(Example::default().to_string(), "30m");
        assert_eq!("0m".parse::<Period<0, 1, 0>>().unwrap().to_string(), "0s");
    }

    #[test]
    fn other_texts_are_no_periods() {
        for text in [
            "",
            "m",
            "30",
            "30 m",
            "30min",
            "mm",
            "3mm",
            "-1m",
            "+1m",
            "1.5h",
            "1h30m",
            "٣m",
            "99999999999999999999s",
        ] {
            assert_eq!(text.parse::<Example>(), Err(NotAPeriod::Malformed), "{text:?}");
        }
        for text in ["0s", "59s", "91d", "18446744073709551615d"] {
            let error = text.parse::<Example>().unwrap_err();
            assert_eq!(error.to_string(), "it is from 1m to 90d", "{text}");
        }
    }
}
