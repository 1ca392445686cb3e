//! How much one may ask for: rate limits by key and by client.
//!
//! Everything that is asked counts, and what could serve to guess cards, keys or ids counts once more when it failed,
//! at a much lower rate. A limit never looks at the card, so it is checked before there is any work to do.
//!
//! What has been counted is in the memory of one process: of several processes on one database each grants the whole
//! rate, and a restart forgets. The memory is bounded: each limit keeps the [`REMEMBERED`] callers seen last, 26 MB
//! for all limits together.
//!
//! The algorithm is GCRA (ITU-T I.371, annex A), a leaky bucket with one number a caller. The crate `governor` has it
//! too, but can neither look without counting, which counting failures needs, nor bound its memory.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use super::client::{Client, Proxy};
use crate::time::Stopwatch;

/// How many callers each limit remembers at least, those seen last; it never remembers more than twice as many.
pub const REMEMBERED: usize = 57_344;

/// What a vault allows.
///
/// | limit | counted by | default | room for |
/// | --- | --- | --- | --- |
/// | `address` | client | `200/s burst 1000` | a checkout is ten requests: twenty a second from behind one address |
/// | `key` | key | `1000/s burst 4000` | one merchant of several; a public key's from all its pages |
/// | `failed_authentications` | client | `60/m burst 120` | a wrong key in somebody's set-up, not a search for keys |
/// | `refused_cards` | key and client | `60/m burst 120` | a server that tokenizes five cards a second, one in five mistyped |
/// | `detokenizations` | key | `60/m burst 120` | a look at a card now and then; whoever moves many raises it |
/// | `payment_credentials` | key | `300/m burst 600` | five payments a second with vendors' tokens; whoever has more raises it |
/// | `tokens_by_address` | client | `5/s burst 300` | a mobile network's address at the end of a sale |
/// | `tokens_by_key` | key | `50/s burst 3000` | four million paid checkouts a day |
/// | `failed_charges` | key | `120/m burst 300` | twenty charges a second, one in ten declined |
/// | `passed_seals` | key and client | `10/s burst 120` | ten shoppers a second behind one address, whose cards go to a vendor |
/// | `vendor_refusals` | key | `300/m burst 600` | fifty cards a second to a vendor that refuses one in ten |
/// | `unknown_ids` | key and client | `60/m burst 120` | slips; ids have 130 bits and nobody finds one |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests, but for those that ask how the vault is.
    pub address: Limit,
    /// Requests with a key.
    pub key: Limit,
    /// Keys that the vault does not know.
    pub failed_authentications: Limit,
    /// Cards and seals that were refused.
    pub refused_cards: Limit,
    /// Cards shown in the clear, whether or not that succeeded.
    pub detokenizations: Limit,
    /// Payments with vendors' tokens, whether or not they got what they are made with.
    pub payment_credentials: Limit,
    /// Charges that failed, or named no token.
    pub failed_charges: Limit,
    /// Sealed cards that are passed on to vendors.
    pub passed_seals: Limit,
    /// Cards that became tokens, from one client.
    pub tokens_by_address: Limit,
    /// Cards that became tokens with one key.
    pub tokens_by_key: Limit,
    /// Ids that nothing was found by.
    pub unknown_ids: Limit,
    /// Sealed cards that a vendor refused, from all addresses.
    pub vendor_refusals: Limit,
    /// Proxies that say by `X-Forwarded-For` whose request they pass on. Without them, whoever comes through a proxy
    /// shares that proxy's address.
    pub trusted_proxies: Vec<Proxy>,
}

impl Limits {
    /// One of them, to be set.
    pub const fn limit_mut(&mut self, name: Name) -> &mut Limit {
        match name {
            Name::Address => &mut self.address,
            Name::Detokenizations => &mut self.detokenizations,
            Name::FailedAuthentications => &mut self.failed_authentications,
            Name::FailedCharges => &mut self.failed_charges,
            Name::Key => &mut self.key,
            Name::PassedSeals => &mut self.passed_seals,
            Name::PaymentCredentials => &mut self.payment_credentials,
            Name::RefusedCards => &mut self.refused_cards,
            Name::TokensByAddress => &mut self.tokens_by_address,
            Name::TokensByKey => &mut self.tokens_by_key,
            Name::UnknownIds => &mut self.unknown_ids,
            Name::VendorRefusals => &mut self.vendor_refusals,
        }
    }

    /// One of them.
    #[must_use]
    pub const fn limit(&self, name: Name) -> Limit {
        match name {
            Name::Address => self.address,
            Name::Detokenizations => self.detokenizations,
            Name::FailedAuthentications => self.failed_authentications,
            Name::FailedCharges => self.failed_charges,
            Name::Key => self.key,
            Name::PassedSeals => self.passed_seals,
            Name::PaymentCredentials => self.payment_credentials,
            Name::RefusedCards => self.refused_cards,
            Name::TokensByAddress => self.tokens_by_address,
            Name::TokensByKey => self.tokens_by_key,
            Name::UnknownIds => self.unknown_ids,
            Name::VendorRefusals => self.vendor_refusals,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address: Limit::at(200, Period::Second, 1000),
            key: Limit::at(1000, Period::Second, 4000),
            failed_authentications: Limit::at(60, Period::Minute, 120),
            refused_cards: Limit::at(60, Period::Minute, 120),
            detokenizations: Limit::at(60, Period::Minute, 120),
            payment_credentials: Limit::at(300, Period::Minute, 600),
            failed_charges: Limit::at(120, Period::Minute, 300),
            passed_seals: Limit::at(10, Period::Second, 120),
            tokens_by_address: Limit::at(5, Period::Second, 300),
            tokens_by_key: Limit::at(50, Period::Second, 3000),
            unknown_ids: Limit::at(60, Period::Minute, 120),
            vendor_refusals: Limit::at(300, Period::Minute, 600),
            trusted_proxies: Vec::new(),
        }
    }
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// [`Limits::address`]
    Address,
    /// [`Limits::detokenizations`]
    Detokenizations,
    /// [`Limits::failed_authentications`]
    FailedAuthentications,
    /// [`Limits::failed_charges`]
    FailedCharges,
    /// [`Limits::key`]
    Key,
    /// [`Limits::passed_seals`]
    PassedSeals,
    /// [`Limits::payment_credentials`]
    PaymentCredentials,
    /// [`Limits::refused_cards`]
    RefusedCards,
    /// [`Limits::tokens_by_address`]
    TokensByAddress,
    /// [`Limits::tokens_by_key`]
    TokensByKey,
    /// [`Limits::unknown_ids`]
    UnknownIds,
    /// [`Limits::vendor_refusals`]
    VendorRefusals,
}

impl Name {
    /// Every one, in the order of its definition.
    pub const ALL: [Self; 12] = [
        Self::Address,
        Self::Detokenizations,
        Self::FailedAuthentications,
        Self::FailedCharges,
        Self::Key,
        Self::PassedSeals,
        Self::PaymentCredentials,
        Self::RefusedCards,
        Self::TokensByAddress,
        Self::TokensByKey,
        Self::UnknownIds,
        Self::VendorRefusals,
    ];

    /// As the configuration writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Detokenizations => "detokenizations",
            Self::FailedAuthentications => "failed_authentications",
            Self::FailedCharges => "failed_charges",
            Self::Key => "key",
            Self::PassedSeals => "passed_seals",
            Self::PaymentCredentials => "payment_credentials",
            Self::RefusedCards => "refused_cards",
            Self::TokensByAddress => "tokens_by_address",
            Self::TokensByKey => "tokens_by_key",
            Self::UnknownIds => "unknown_ids",
            Self::VendorRefusals => "vendor_refusals",
        }
    }
}

/// At most so much, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Limit {
    /// No limit; nothing is counted.
    Off,
    /// So much.
    Rate(Rate),
}

impl Limit {
    /// `count` each `period`, `burst` at once. For constants: neither may be 0.
    #[expect(clippy::expect_used, reason = "evaluated for the defaults only, and each is made by a test")]
    const fn at(count: u32, period: Period, burst: u32) -> Self {
        let count = NonZeroU32::new(count).expect("not 0");
        let burst = NonZeroU32::new(burst).expect("not 0");
        Self::Rate(Rate { count, period, burst })
    }
}

impl FromStr for Limit {
    type Err = NotALimit;

    /// Reads `100/s burst 200`, `20/m burst 40`, `5/h burst 5` or `off`.
    fn from_str(text: &str) -> Result<Self, NotALimit> {
        if text == "off" { Ok(Self::Off) } else { Rate::parse(text).map(Self::Rate).ok_or(NotALimit) }
    }
}

impl TryFrom<String> for Limit {
    type Error = NotALimit;

    fn try_from(text: String) -> Result<Self, NotALimit> {
        text.parse()
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("off"),
            Self::Rate(Rate { count, period, burst }) => {
                write!(formatter, "{count}/{} burst {burst}", period.as_str())
            }
        }
    }
}

/// So many in the long run, and so many at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: NonZeroU32,
    period: Period,
    burst: NonZeroU32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Second,
    Minute,
    Hour,
}

impl Period {
    const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
        }
    }

    const fn nanos(self) -> u64 {
        let seconds = match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 60 * 60,
        };
        seconds * NANOS_IN_A_SECOND
    }
}

const NANOS_IN_A_SECOND: u64 = 1_000_000_000;

/// Above a million a second, the time between two would be lost in rounding.
const HIGHEST: u32 = 1_000_000;

impl Rate {
    fn parse(text: &str) -> Option<Self> {
        let (rate, burst) = text.split_once(" burst ")?;
        let (count, period) = rate.split_once('/')?;
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number: &NonZeroU32| digits && number.get() <= HIGHEST)
        };
        let period = Period::ALL.into_iter().find(|known| known.as_str() == period)?;
        Some(Self { count: number(count)?, period, burst: number(burst)? })
    }

    /// Nanoseconds that one takes of the rate.
    const fn interval(self) -> u64 {
        self.period.nanos() / self.count.get() as u64
    }

    /// How far a caller may be ahead of the rate.
    const fn ahead(self) -> u64 {
        self.interval() * self.burst.get() as u64
    }
}

/// Whose request is counted.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Where it comes from.
    pub client: Client,
    /// The key it was sent with, whether or not the vault knows it.
    pub key: Option<&'a str>,
}

/// Counts, and says who has to wait.
#[derive(Debug)]
pub struct Limiter {
    /// In the order of [`Name::ALL`].
    buckets: [Option<Bucket>; Name::ALL.len()],
    proxies: Vec<Proxy>,
    stopwatch: Stopwatch,
    hasher: RandomState,
}

impl Limiter {
    /// Nobody has been counted yet.
    #[must_use]
    pub fn new(limits: &Limits, stopwatch: Stopwatch) -> Self {
        let buckets = Name::ALL.map(|name| match limits.limit(name) {
            Limit::Off => None,
            Limit::Rate(rate) => Some(Bucket { rate, callers: Mutex::default() }),
        });
        Self { buckets, proxies: limits.trusted_proxies.clone(), stopwatch, hasher: RandomState::new() }
    }

    /// Who sent a request that came from `peer` with these values of `X-Forwarded-For`.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> Client {
        Client::of(peer, forwarded, &self.proxies)
    }

    /// Whether any proxy is believed.
    #[must_use]
    pub const fn trusts_a_proxy(&self) -> bool {
        !self.proxies.is_empty()
    }

    /// How long `caller` has to wait for a limit; `None` if not at all. Counts nothing.
    #[must_use]
    pub fn wait(&self, name: Name, caller: Caller<'_>) -> Option<Duration> {
        let (bucket, caller) = self.find(name, caller)?;
        bucket.wait(caller, self.stopwatch.nanos())
    }

    /// Counts one more of `caller`, even beyond the limit: what was begun before the limit was reached is made up for
    /// by a longer wait, so that the rate holds however many requests run at once.
    pub fn count(&self, name: Name, caller: Caller<'_>) {
        if let Some((bucket, caller)) = self.find(name, caller) {
            bucket.count(caller, self.stopwatch.nanos());
        }
    }

    /// The bucket of a limit, and the caller's number in it.
    fn find(&self, name: Name, caller: Caller<'_>) -> Option<(&Bucket, u64)> {
        let bucket = self.buckets[name as usize].as_ref()?;
        let Caller { client, key } = caller;
        // The hash is keyed at random, so nobody can choose callers that share a number.
        let caller = match name {
            Name::Address | Name::FailedAuthentications | Name::TokensByAddress => {
                self.hasher.hash_one(client)
            }
            Name::Detokenizations
            | Name::FailedCharges
            | Name::Key
            | Name::PaymentCredentials
            | Name::TokensByKey
            | Name::VendorRefusals => self.hasher.hash_one(key?),
            Name::PassedSeals | Name::RefusedCards | Name::UnknownIds => self.hasher.hash_one((client, key)),
        };
        Some((bucket, caller))
    }
}

#[derive(Debug)]
struct Bucket {
    rate: Rate,
    callers: Mutex<Callers>,
}

impl Bucket {
    fn wait(&self, caller: u64, now: u64) -> Option<Duration> {
        let due = self.callers().due(caller).max(now);
        let wait = (due - now).saturating_add(self.rate.interval()).saturating_sub(self.rate.ahead());
        (wait > 0).then(|| Duration::from_nanos(wait))
    }

    fn count(&self, caller: u64, now: u64) {
        let mut callers = self.callers();
        let due = callers.due(caller).max(now).saturating_add(self.rate.interval());
        callers.set(caller, due);
    }

    fn callers(&self) -> std::sync::MutexGuard<'_, Callers> {
        // Numbers cannot be half-written.
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When each caller will be at the rate again: GCRA's theoretical arrival time, in nanoseconds.
///
/// Two generations, the younger with those seen last. When it is full, it becomes the older one, and who is only in
/// that is forgotten. Whoever has so many addresses that this happens before its time gains nothing by it: each of its
/// addresses has a burst of its own anyhow.
#[derive(Debug, Default)]
struct Callers {
    younger: HashMap<u64, u64>,
    older: HashMap<u64, u64>,
}

impl Callers {
    fn due(&mut self, caller: u64) -> u64 {
        if let Some(due) = self.younger.get(&caller) {
            return *due;
        }
        let Some(due) = self.older.remove(&caller) else { return 0 };
        self.set(caller, due);
        due
    }

    fn set(&mut self, caller: u64, due: u64) {
        if self.younger.len() >= REMEMBERED && !self.younger.contains_key(&caller) {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(caller, due);
    }
}

/// Not a limit. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a limit is off, or a rate a second, minute or hour and how many may come at once, such as \"100/s burst 200\", \
     \"20/m burst 40\" or \"5/h burst 5\", each from 1 to {HIGHEST}"
)]
pub struct NotALimit;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;

    /// More than are remembered, four times over.
    const MANY: u32 = 250_000;

    /// A limiter with one limit, and its time in nanoseconds.
    fn limiter(name: Name, limit: &str) -> (Limiter, Arc<AtomicU64>) {
        let mut limits = Limits::default();
        *limits.limit_mut(name) = limit.parse().unwrap();
        let time = Arc::new(AtomicU64::new(0));
        let stopwatch = Stopwatch::new({
            let time = Arc::clone(&time);
            move || Duration::from_nanos(time.load(Ordering::SeqCst))
        });
        (Limiter::new(&limits, stopwatch), time)
    }

    fn client(number: u32) -> Caller<'static> {
        Caller { client: Client::V4(Ipv4Addr::from_bits(number)), key: None }
    }

    /// Counts if it may, and says whether it did.
    fn ask(limiter: &Limiter, name: Name, caller: Caller<'_>) -> bool {
        let may = limiter.wait(name, caller).is_none();
        if may {
            limiter.count(name, caller);
        }
        may
    }

    #[test]
    fn limits_are_read_as_they_are_written() {
        for text in ["100/s burst 200", "20/m burst 40", "5/h burst 1", "1000000/s burst 1000000", "off"] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "100",
            "100/s",
            "100/s burst",
            "100/s burst 0",
            "0/s burst 1",
            "-1/s burst 1",
            "+1/s burst 1",
            "1.5/s burst 2",
            "100/d burst 200",
            "100 /s burst 200",
            "100/s  burst 200",
            "100/s burst 200 ",
            "Off",
            "1000001/s burst 1",
            "1/s burst 1000001",
            "99999999999999999999/s burst 1",
        ] {
            let error = text.parse::<Limit>().unwrap_err().to_string();
            assert!(error.contains("\"100/s burst 200\""), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_tables_of_defaults_are_true() {
        let documented = include_str!("../../../docs/rate-limits.md");
        for (text, start) in [(include_str!("limit.rs"), "/// | "), (documented, "| ")] {
            for name in Name::ALL {
                let row = format!("{start}`{}` | ", name.as_str());
                let row = text.lines().find(|line| line.starts_with(&row)).unwrap();
                assert!(row.contains(&format!("`{}`", Limits::default().limit(name))), "{row}");
            }
        }
    }

    #[test]
    fn each_name_has_its_own_bucket() {
        for (index, name) in Name::ALL.into_iter().enumerate() {
            assert_eq!(name as usize, index);
            let (limiter, _) = limiter(name, "1/h burst 1");
            let caller = Caller { key: Some("pkey_test_1"), ..client(1) };
            limiter.count(name, caller);
            for other in Name::ALL {
                assert_eq!(limiter.wait(other, caller).is_some(), other == name, "{other:?}");
            }
        }
    }

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate() {
        let (limiter, time) = limiter(Name::Address, "20/m burst 40");
        for _ in 0..40 {
            assert!(ask(&limiter, Name::Address, client(1)));
        }
        assert_eq!(limiter.wait(Name::Address, client(1)), Some(Duration::from_secs(3)));
        // Asking in vain makes nobody wait longer.
        assert!(!ask(&limiter, Name::Address, client(1)));
        time.store(3 * NANOS_IN_A_SECOND - 1, Ordering::SeqCst);
        assert!(!ask(&limiter, Name::Address, client(1)));
        time.store(3 * NANOS_IN_A_SECOND, Ordering::SeqCst);
        assert!(ask(&limiter, Name::Address, client(1)));
        assert!(!ask(&limiter, Name::Address, client(1)));
        // Another client was never in the way.
        assert!(ask(&limiter, Name::Address, client(2)));
    }

    #[test]
    fn what_is_counted_beyond_the_limit_is_waited_for() {
        let (limiter, time) = limiter(Name::RefusedCards, "60/m burst 10");
        for _ in 0..25 {
            limiter.count(Name::RefusedCards, client(1));
        }
        assert_eq!(limiter.wait(Name::RefusedCards, client(1)), Some(Duration::from_secs(16)));
        time.store(16 * NANOS_IN_A_SECOND, Ordering::SeqCst);
        assert_eq!(limiter.wait(Name::RefusedCards, client(1)), None);
    }

    #[test]
    fn who_is_counted_depends_on_the_limit() {
        let one = Caller { key: Some("pkey_test_1"), ..client(1) };
        let other_client = Caller { key: Some("pkey_test_1"), ..client(2) };
        let other_key = Caller { key: Some("pkey_test_2"), ..client(1) };
        for (name, by_client, by_key) in [
            (Name::Address, true, false),
            (Name::FailedAuthentications, true, false),
            (Name::Detokenizations, false, true),
            (Name::FailedCharges, false, true),
            (Name::Key, false, true),
            (Name::PaymentCredentials, false, true),
            (Name::RefusedCards, true, true),
            (Name::UnknownIds, true, true),
        ] {
            let (limiter, _) = limiter(name, "1/h burst 1");
            limiter.count(name, one);
            assert!(limiter.wait(name, one).is_some());
            assert_eq!(limiter.wait(name, other_client).is_none(), by_client, "{name:?}");
            assert_eq!(limiter.wait(name, other_key).is_none(), by_key, "{name:?}");
        }
    }

    #[test]
    fn a_limit_that_is_off_counts_nothing() {
        let (limiter, _) = limiter(Name::Address, "off");
        for _ in 0..10_000 {
            assert!(ask(&limiter, Name::Address, client(1)));
        }
    }

    #[test]
    fn the_slowest_rate_does_not_overflow() {
        let (limiter, time) = limiter(Name::Address, "1/h burst 1000000");
        time.store(u64::MAX, Ordering::SeqCst);
        assert!(ask(&limiter, Name::Address, client(1)));
    }

    #[test]
    fn ever_so_many_clients_take_no_more_memory_than_a_few() {
        let (limiter, _) = limiter(Name::Address, "1/h burst 1");
        let bucket = limiter.buckets[Name::Address as usize].as_ref().unwrap();
        for number in 0..MANY {
            assert!(ask(&limiter, Name::Address, client(number)));
        }
        let callers = bucket.callers();
        for generation in [&callers.younger, &callers.older] {
            assert!(
                generation.len() <= REMEMBERED && generation.capacity() <= REMEMBERED,
                "{}",
                generation.capacity()
            );
        }
        drop(callers);
        // The last are remembered, and the first forgotten.
        assert!(!ask(&limiter, Name::Address, client(MANY - 1)));
        assert!(!ask(&limiter, Name::Address, client(MANY - u32::try_from(REMEMBERED).unwrap())));
        assert!(ask(&limiter, Name::Address, client(0)));
    }

    #[test]
    fn who_keeps_asking_is_remembered() {
        let (limiter, _) = limiter(Name::Address, "1/h burst 1000");
        let mut passed = 0;
        for number in 0..MANY {
            if number % 100 == 0 {
                passed += u32::from(ask(&limiter, Name::Address, client(u32::MAX)));
            }
            ask(&limiter, Name::Address, client(number));
        }
        assert_eq!(passed, 1000);
    }

    proptest! {
        /// Whatever the rate, the steps and the retries: in no stretch of time passes more than the burst and what the rate
        /// gives; and whoever waits as long as told passes.
        #[test]
        fn never_more_than_burst_and_rate(
            count in 1_u32..100,
            period in prop::sample::select(vec!["s", "m", "h"]),
            burst in 1_u32..50,
            steps in prop::collection::vec((0_u64..5_000_000_000, 1_usize..20), 1..60),
        ) {
            let (limiter, time) = limiter(Name::Address, &format!("{count}/{period} burst {burst}"));
            let Limit::Rate(rate) = format!("{count}/{period} burst {burst}").parse().unwrap() else { unreachable!() };
            let (mut now, mut passed) = (0, Vec::new());
            for (step, requests) in steps {
                now += step;
                time.store(now, Ordering::SeqCst);
                for _ in 0..requests {
                    if ask(&limiter, Name::Address, client(1)) {
                        passed.push(now);
                    }
                }
            }
            for (index, from) in passed.iter().enumerate() {
                for (more, to) in passed[index..].iter().enumerate() {
                    let allowed = u64::from(burst) + (to - from) / rate.interval();
                    prop_assert!((more as u64) < allowed, "{} from {from} to {to}", more + 1);
                }
            }
            if let Some(wait) = limiter.wait(Name::Address, client(1)) {
                time.store(now + u64::try_from(wait.as_nanos()).unwrap() - 1, Ordering::SeqCst);
                prop_assert!(!ask(&limiter, Name::Address, client(1)));
                time.store(now + u64::try_from(wait.as_nanos()).unwrap(), Ordering::SeqCst);
                prop_assert!(ask(&limiter, Name::Address, client(1)));
            }
        }
    }
}
