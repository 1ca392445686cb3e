//! The issuers that have enrolled their cards, behind one call for all of them.

/// An issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// A bank with Visa cards. Answers name it.
    North,
    /// A bank with Mastercard cards. Answers do not name it.
    South,
}

impl Issuer {
    /// Whose card it is; `None` if nobody has enrolled it.
    #[must_use]
    pub fn of(pan: &str) -> Option<Self> {
        let begins = |first: u32, last: u32, digits: usize| {
            pan.get(..digits)
                .and_then(|bin| bin.parse().ok())
                .is_some_and(|bin| (first..=last).contains(&bin))
        };
        if begins(4, 4, 1) {
            Some(Self::North)
        } else if begins(51, 55, 2) || begins(2221, 2720, 4) {
            Some(Self::South)
        } else {
            None
        }
    }

    pub(super) const fn named(self) -> Option<&'static str> {
        match self {
            Self::North => Some("sandbox-issuer-north"),
            Self::South => None,
        }
    }
}
