//! Chance that can be had again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A sequence of numbers that follows from its seed (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From `CARDSEAL_TEST_SEED`, or another one each time.
    #[expect(clippy::print_stdout, reason = "shown of a test that fails")]
    pub(crate) fn of_the_run() -> Self {
        let seed = match std::env::var("CARDSEAL_TEST_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into(),
        };
        println!("CARDSEAL_TEST_SEED={seed}");
        Self(seed)
    }

    /// The sequence of a seed.
    pub(crate) const fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// Another sequence, which follows from this one.
    pub(crate) fn split(&mut self) -> Self {
        Self(self.next())
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    /// True in one of `of` cases.
    pub(crate) fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn shorter_than(&mut self, limit: Duration) -> Duration {
        Duration::from_micros(self.next() % u64::try_from(limit.as_micros()).unwrap())
    }

    /// A name that nothing else has.
    pub(crate) fn name(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
