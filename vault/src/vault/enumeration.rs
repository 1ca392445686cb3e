//! The guard against enumeration: against whoever knows how a card number begins and ends and tries all that may be
//! between, to find one that is known by its fingerprint or to find cards that there are.
//!
//! Numbers with the same first six and last four digits are a group: of a card of 16 digits, 100,000 numbers that pass
//! Luhn. The vault counts the different numbers of each group that became tokens today (UTC), for each merchant and for
//! each network, and refuses a group that has had too many for the rest of the day.
//!
//! **How many.** A bank's six digits have 10,000 groups. If `n` different cards of one such bank come in a day, a group has
//! had `n / 10,000` on average, and more than `k` with the probability of Poisson's tail. For a merchant `k` = 10: with
//! `n` = 10,000 that is 10⁻⁸, so one shopper in 10,000 days is refused; with 20,000, 8·10⁻⁶, one in 12 days. For a
//! network `k` = 5: with `n` = 5,000, 10⁻⁵, one in 7 days. Whoever has more raises the limits. A search of 1,000 numbers,
//! which is what six digits, the two after them and the last four leave, takes 100 days at one merchant, of 100,000 27
//! years.
//!
//! **What a network is.** An IPv4 network of 24 bits, an IPv6 network of 48: the smallest that are announced on the
//! internet (RFC 7454 section 6.1.3), so that a search from many addresses needs many networks, which cost more.
//!
//! **No oracle.** A full group refuses all of its numbers alike, also those that it has counted, so that no answer tells a
//! number that came before from one that did not. For a merchant the same number from two networks counts twice: else
//! a stranger would see by when the group is full whether his guesses were among the shoppers' numbers. What is left is
//! the shopper's own network: whoever sends from it, on the same day, learns whether the number is among the few that the
//! network has room for.

use std::num::NonZeroU32;
use std::time::Duration;

use cardseal::card::Number;
use thiserror::Error;

use super::{Failure, Vault};
use crate::access::client::Client;
use crate::id::MerchantId;
use crate::keys::aad::Aad;
use crate::keys::fingerprint::FingerprintKey;
use crate::merchant::{Merchant, Mode};
use crate::store::CountedNumber;
use crate::test_card::TestCards;
use crate::time::Timestamp;

/// How many different numbers of a group become tokens in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Of one merchant.
    pub merchant: NonZeroU32,
    /// From one network.
    pub network: NonZeroU32,
}

impl Default for Guard {
    fn default() -> Self {
        const fn at_most(numbers: u32) -> NonZeroU32 {
            match NonZeroU32::new(numbers) {
                Some(numbers) => numbers,
                None => NonZeroU32::MIN,
            }
        }
        Self { merchant: at_most(10), network: at_most(5) }
    }
}

impl Guard {
    /// As what a number counts that a merchant gets from a client.
    ///
    /// Groups and numbers are MACs under the fingerprint key, over bytes that no fingerprint is over: whoever has the
    /// database learns neither digits nor networks.
    #[must_use]
    pub fn counted(
        self,
        key: &FingerprintKey,
        merchant: &MerchantId,
        client: Client,
        number: &Number,
        now: Timestamp,
    ) -> [CountedNumber; 2] {
        // EXPOSE: into MACs, which do not give them back.
        let digits = number.expose();
        let (first, last) = (&digits[..FIRST], &digits[digits.len() - LAST..]);
        let (day, network) = (Day::of(now), network(client));
        [
            ("merchant", merchant.as_str().as_bytes(), self.merchant),
            ("network", network.as_slice(), self.network),
        ]
        .map(|(kind, whose, most)| {
            let group = Aad::new("numbers that begin and end alike").field(kind).bytes(whose);
            let group = key.tag(group.field(first).field(last).bytes(&day.number.to_be_bytes()));
            let number = Aad::new("one of the numbers").bytes(group.as_bytes()).bytes(&network).field(digits);
            CountedNumber { group, number: key.tag(number), most: most.get(), expires_at: day.end }
        })
    }
}

/// A day of UTC.
#[derive(Clone, Copy, Debug)]
struct Day {
    number: u64,
    /// When the next begins.
    end: Timestamp,
}

impl Day {
    const fn of(now: Timestamp) -> Self {
        const SECONDS: u64 = 24 * 60 * 60;
        let number = now.unix_seconds() / SECONDS;
        Self { number, end: Timestamp::from_unix_seconds((number + 1) * SECONDS) }
    }
}

/// Digits of a group's beginning and end. The shortest card numbers have 12.
const FIRST: usize = 6;
const LAST: usize = 4;

fn network(client: Client) -> [u8; 7] {
    match client {
        Client::V4(address) => {
            let [a, b, c, _] = address.octets();
            [4, a, b, c, 0, 0, 0]
        }
        Client::V6([a, b, c, _]) => {
            let ([a, b], [c, d], [e, f]) = (a.to_be_bytes(), b.to_be_bytes(), c.to_be_bytes());
            [6, a, b, c, d, e, f]
        }
    }
}

/// There were too many different numbers today that begin and end like this one. Says no more on purpose: not whose count is
/// full, nor whether this number was counted. The fault of whoever searches, or shares a network with somebody who does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many different card numbers that begin and end alike came today")]
pub struct TooManyAlike {
    /// Until the next day, when they are counted anew.
    pub wait: Duration,
}

impl Vault {
    /// As what a number counts that becomes a merchant's token. A published test card counts as nothing with a test merchant:
    /// there is nothing to find, and a shop's developers send it from many networks.
    pub(super) fn counted(
        &self,
        merchant: &Merchant,
        client: Client,
        number: &Number,
    ) -> Result<Vec<CountedNumber>, Failure> {
        if merchant.mode == Mode::Test && TestCards::Published.include(number) {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let rings = self.keys.rings();
        let held = rings.fingerprint.active(now).ok_or(Failure::NoActiveKey("fingerprint"))?;
        Ok(self.policy.guard.counted(&held.key, &merchant.id, client, number, now).into())
    }

    /// Tells the operator that a number was refused, and nothing of it.
    pub(super) fn too_many_alike(&self, merchant: &Merchant) -> TooManyAlike {
        self.counts.refused_alike(merchant.mode);
        tracing::warn!(
            merchant = %merchant.id,
            "a card was refused: too many different numbers that begin and end alike came today, as in a search"
        );
        let now = self.clock.now();
        TooManyAlike { wait: Day::of(now).end.since(now) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_262_400;

    fn counted(merchant: &MerchantId, client: Client, number: &str, now: u64) -> [CountedNumber; 2] {
        let key = FingerprintKey::new(1, &[7; 32]).unwrap();
        let number = Number::parse(number).valid().unwrap();
        Guard::default().counted(&key, merchant, client, &number, Timestamp::from_unix_seconds(now))
    }

    #[test]
    fn groups_are_a_merchants_or_a_networks_and_a_days() {
        let (merchant, other) = (MerchantId::random(Mode::Test), MerchantId::random(Mode::Test));
        let near = Client::V4([192, 0, 2, 1].into());
        let [of_merchant, of_network] = counted(&merchant, near, "4242424242424242", NOON);
        let same = |merchant, client, number: &str, now| {
            let [one, two] = counted(merchant, client, number, now);
            (one.group == of_merchant.group, two.group == of_network.group)
        };
        assert_eq!(same(&merchant, near, "4242424242424242", NOON + 40_000), (true, true));
        assert_eq!(same(&merchant, near, "4242424242424242", NOON + 50_000), (false, false));
        assert_eq!(same(&merchant, near, "5555555555554444", NOON), (false, false));
        assert_eq!(same(&other, near, "4242424242424242", NOON), (false, true));
        for (client, one_network) in [
            (Client::V4([192, 0, 2, 255].into()), true),
            (Client::V4([192, 0, 3, 1].into()), false),
            (Client::V6([0x2001, 0xdb8, 1, 2]), false),
        ] {
            assert_eq!(same(&merchant, client, "4242424242424242", NOON), (true, one_network), "{client:?}");
        }
        assert_eq!(network(Client::V6([1, 2, 3, 4])), network(Client::V6([1, 2, 3, 5])));
        assert_ne!(network(Client::V6([1, 2, 3, 4])), network(Client::V6([1, 2, 4, 4])));
    }

    #[test]
    fn a_merchants_group_counts_the_same_number_from_two_networks_twice() {
        let merchant = MerchantId::random(Mode::Test);
        let from =
            |address: [u8; 4]| counted(&merchant, Client::V4(address.into()), "4242424242424242", NOON);
        let ([one, _], [two, _]) = (from([192, 0, 2, 1]), from([198, 51, 100, 1]));
        assert_eq!(one.group, two.group);
        assert_ne!(one.number, two.number);
        assert_eq!(one.number, from([192, 0, 2, 9])[0].number);
    }
}
