use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// A number of things, from `MIN` to `MAX`; `DEFAULT` if nobody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub struct Count<const MIN: u32, const MAX: u32, const DEFAULT: u32>(u32);

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> Count<MIN, MAX, DEFAULT> {
    /// What it is if nobody says otherwise.
    pub const DEFAULT: Self = {
        assert!(MIN <= DEFAULT && DEFAULT <= MAX);
        Self(DEFAULT)
    };

    /// So many, if there may be so many.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if MIN <= number && number <= MAX { Some(Self(number)) } else { None }
    }

    /// How many.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MAX: u32, const DEFAULT: u32> From<Count<1, MAX, DEFAULT>> for NonZeroU32 {
    fn from(count: Count<1, MAX, DEFAULT>) -> Self {
        Self::new(count.0).unwrap_or(Self::MIN)
    }
}

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> Default for Count<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> TryFrom<u64> for Count<MIN, MAX, DEFAULT> {
    type Error = NotACount;

    fn try_from(number: u64) -> Result<Self, NotACount> {
        u32::try_from(number).ok().and_then(Self::new).ok_or(NotACount { min: MIN, max: MAX })
    }
}

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> FromStr for Count<MIN, MAX, DEFAULT> {
    type Err = NotACount;

    fn from_str(text: &str) -> Result<Self, NotACount> {
        text.parse::<u64>().map_err(|_| NotACount { min: MIN, max: MAX })?.try_into()
    }
}

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> fmt::Display for Count<MIN, MAX, DEFAULT> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Not a number, or one that makes no sense there. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is a whole number from {min} to {max}")]
pub struct NotACount {
    min: u32,
    max: u32,
}
