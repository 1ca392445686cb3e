//! Lists, of which a request shows a part.

use crate::time::Timestamp;

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Most items.
    pub limit: Limit,
    /// How many are left out before them.
    pub offset: u32,
    /// What comes first.
    pub order: Order,
    /// Since when they were made.
    pub from: Timestamp,
    /// Until when they were made; none for no end, so that a clock that is behind hides nothing.
    pub to: Option<Timestamp>,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Which part.
    pub window: Window,
    /// What is in it.
    pub items: Vec<T>,
    /// How many there are from its `from` to its `to`, on other pages too.
    pub total: u64,
}

/// How many items a page has at most: 1 to [`Limit::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u8);

/// What comes first in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// What was made first.
    Chronological,
    /// What was made last.
    ReverseChronological,
}

impl Default for Window {
    /// What Omise shows unless something else is said.
    fn default() -> Self {
        Self {
            limit: Limit(20),
            offset: 0,
            order: Order::Chronological,
            from: Timestamp::from_unix_seconds(0),
            to: None,
        }
    }
}

impl Limit {
    /// The most that a page has.
    pub const MAX: u8 = 100;

    /// At least one, at most [`Limit::MAX`].
    #[must_use]
    pub fn new(items: u8) -> Option<Self> {
        (1..=Self::MAX).contains(&items).then_some(Self(items))
    }

    /// How many.
    #[must_use]
    pub const fn items(self) -> u8 {
        self.0
    }
}

impl Order {
    /// Every order.
    pub(crate) const ALL: [Self; 2] = [Self::Chronological, Self::ReverseChronological];

    /// Its name in Omise's API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chronological => "chronological",
            Self::ReverseChronological => "reverse_chronological",
        }
    }

    /// The order of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_to_a_hundred_items() {
        assert_eq!([0, 1, 100, 101].map(|items| Limit::new(items).is_some()), [false, true, true, false]);
    }

    #[test]
    fn orders_are_found_by_name() {
        for order in [Order::Chronological, Order::ReverseChronological] {
            assert_eq!(Order::parse(order.as_str()), Some(order));
        }
        assert_eq!(Order::parse("random"), None);
    }
}
