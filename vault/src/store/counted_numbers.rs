//! Which numbers came today beside others that begin and end alike, as MACs: what the guard against enumeration counts
//! with. It is written in the transaction that keeps the token, so that it is durable and the same for all processes.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Row};

use super::tokens::{placeholders, powers_of_two};
use super::transaction::Transaction;
use super::{StoreError, seconds};
use crate::keys::fingerprint::Tag;
use crate::time::Timestamp;

/// A number that counts among those like it.
#[derive(Clone, Debug)]
pub struct CountedNumber {
    /// Which numbers it counts among.
    pub group: Tag,
    /// The number, in this group only.
    pub number: Tag,
    /// How many of the group pass.
    pub most: u32,
    /// From when on it counts no longer.
    pub expires_at: Timestamp,
}

/// What comes of counting a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be kept.
    Passes,
    /// One of its groups is full. Whether the number itself was among the counted makes no difference.
    Refused,
}

/// Counts the numbers of several cards, each with all of its groups, in their order.
///
/// `None` if another transaction has counted in one of the groups meanwhile: then nothing of this one may stay, and it may
/// be tried again. On SQLite that does not happen.
pub(super) async fn count(
    transaction: &mut Transaction,
    cards: &[&[CountedNumber]],
) -> Result<Option<Vec<Verdict>>, StoreError> {
    let groups: BTreeSet<_> =
        cards.iter().flat_map(|card| card.iter().map(|counted| counted.group)).collect();
    let mut tally = Tally::default();
    if let Some(last) = groups.last() {
        // Few lengths, so that few statements are prepared: the last group may be named several times.
        let length = groups.len().next_power_of_two();
        let sql = format!(
            "SELECT family, place, number FROM counted_numbers WHERE family IN {}",
            placeholders(1, length)
        );
        let mut select = sqlx::query(AssertSqlSafe(sql));
        for group in groups.iter().chain(std::iter::repeat(last)).take(length) {
            select = select.bind(group.as_bytes().as_slice());
        }
        for row in select.fetch_all(&mut **transaction).await? {
            tally.add(tag(&row, "family")?, tag(&row, "number")?);
        }
    }
    let verdicts = cards.iter().map(|card| tally.judge(card)).collect();
    // In the order of their keys: two transactions that wait for each other's rows would wait for ever.
    let new: Vec<_> = std::mem::take(&mut tally.new).into_iter().collect();
    for chunk in powers_of_two(&new) {
        let sql = format!(
            "INSERT INTO counted_numbers (family, place, number, expires_at) VALUES {} ON CONFLICT DO NOTHING",
            placeholders(chunk.len(), 4)
        );
        let mut insert = sqlx::query(AssertSqlSafe(sql));
        for ((group, place), (number, expires_at)) in chunk {
            insert = insert
                .bind(group.as_bytes().as_slice())
                .bind(i64::from(*place))
                .bind(number.as_bytes().as_slice())
                .bind(seconds(*expires_at));
        }
        let added = insert.execute(&mut **transaction).await?.rows_affected();
        if usize::try_from(added) != Ok(chunk.len()) {
            return Ok(None);
        }
    }
    Ok(Some(verdicts))
}

fn tag(row: &sqlx::any::AnyRow, column: &'static str) -> Result<Tag, StoreError> {
    Tag::from_bytes(&row.try_get::<Vec<u8>, _>(column)?).ok_or(StoreError::Corrupt(column))
}

/// The numbers of each group, and those that have to be added.
#[derive(Debug, Default)]
struct Tally {
    groups: BTreeMap<Tag, BTreeSet<Tag>>,
    new: BTreeMap<(Tag, u32), (Tag, Timestamp)>,
}

impl Tally {
    fn add(&mut self, group: Tag, number: Tag) {
        self.groups.entry(group).or_default().insert(number);
    }

    /// Counts one card. The first number too many in a group is counted there as well, and from then on the group is
    /// closed: were those passed that it has counted, the answers would tell them from others. What is refused counts in
    /// no other group.
    fn judge(&mut self, card: &[CountedNumber]) -> Verdict {
        if card.iter().any(|counted| self.numbers(counted) > counted.most) {
            return Verdict::Refused;
        }
        let new = |tally: &Self, counted: &CountedNumber| {
            !tally.groups.get(&counted.group).is_some_and(|numbers| numbers.contains(&counted.number))
        };
        let closed: Vec<_> = card
            .iter()
            .filter(|counted| new(self, counted) && self.numbers(counted) == counted.most)
            .collect();
        let (verdict, counting): (_, Vec<_>) = if closed.is_empty() {
            (Verdict::Passes, card.iter().filter(|counted| new(self, counted)).collect())
        } else {
            (Verdict::Refused, closed)
        };
        for counted in counting {
            let place = self.numbers(counted);
            self.add(counted.group, counted.number);
            self.new.insert((counted.group, place), (counted.number, counted.expires_at));
        }
        verdict
    }

    fn numbers(&self, counted: &CountedNumber) -> u32 {
        let numbers = self.groups.get(&counted.group).map_or(0, BTreeSet::len);
        u32::try_from(numbers).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Timestamp = Timestamp::from_unix_seconds(86_400);

    fn counted(group: u8, number: u8, most: u32) -> CountedNumber {
        let tag = |byte| Tag::from_bytes(&[byte; 32]).unwrap_or_else(|| unreachable!());
        CountedNumber { group: tag(group), number: tag(number), most, expires_at: TODAY }
    }

    #[test]
    fn a_group_takes_its_numbers_again_until_one_too_many_closes_it_for_all() {
        let mut tally = Tally::default();
        for (number, verdict) in [
            (1, Verdict::Passes),
            (2, Verdict::Passes),
            (1, Verdict::Passes),
            (2, Verdict::Passes),
            (3, Verdict::Refused),
            (1, Verdict::Refused),
            (2, Verdict::Refused),
            (3, Verdict::Refused),
            (4, Verdict::Refused),
        ] {
            assert_eq!(tally.judge(&[counted(7, number, 2)]), verdict, "{number}");
        }
        // Whoever goes on leaves nothing behind.
        assert_eq!(tally.new.len(), 3);
        assert_eq!(tally.judge(&[counted(8, 3, 2)]), Verdict::Passes, "another group");
    }

    #[test]
    fn what_one_group_refuses_counts_in_no_other() {
        let mut tally = Tally::default();
        for number in 1..=5 {
            tally.judge(&[counted(7, number, 1), counted(8, number, 9)]);
        }
        assert_eq!(tally.numbers(&counted(7, 0, 1)), 2);
        assert_eq!(tally.numbers(&counted(8, 0, 9)), 1);
    }
}
