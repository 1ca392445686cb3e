/// A month of a year of the Gregorian calendar.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct YearMonth {
    year: u16,
    month: u8,
}

impl YearMonth {
    /// The month `month` (1 to 12) of `year`; `None` for any other month.
    pub const fn new(year: u16, month: u8) -> Option<Self> {
        match month {
            1..=12 => Some(Self { year, month }),
            _ => None,
        }
    }

    /// The month to judge an expiry by at `seconds` since 1970-01-01T00:00:00Z: the one that it still is
    /// somewhere.
    ///
    /// A card is valid through the end of its month, and no one says in whose time zone. So the month changes
    /// here when it has changed everywhere, which is last at UTC−12: a card is never refused that is still
    /// good where its holder is.
    pub const fn today(seconds: u64) -> Self {
        Self::from_unix_seconds(seconds.saturating_sub(12 * 60 * 60))
    }

    /// The month in UTC at `seconds` since 1970-01-01T00:00:00Z. Years past 65535 count as December 65535.
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        // Days are counted from 0000-03-01, so that a leap day is the last of its year; an era is the 400
        // years (146097 days) after which the calendar repeats. 719468 days lie between that day and
        // 1970-01-01.
        let days = seconds / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // Months from March repeat in fives of 153 days: 31, 30, 31, 30, 31.
        let month = (5 * day + 2) / 153;
        let (month, new_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = era * 400 + year + new_year;
        if year > u16::MAX as u64 {
            return Self { year: u16::MAX, month: 12 };
        }
        Self { year: year as u16, month: month as u8 }
    }

    /// The year.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }
}
