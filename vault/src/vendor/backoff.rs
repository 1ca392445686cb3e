//! How long to wait before a vendor is asked again.

use std::time::Duration;

use aws_lc_rs::rand;

/// Requests in all.
const MOST_TRIES: u32 = 4;

/// The first pause, twice as long each time, and by chance up to half of it less: many who were turned away together do
/// not come back together.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause that a vendor may wish for. Nobody at a checkout waits for longer.
const LONGEST_WISH: Duration = Duration::from_secs(5);

/// The pauses of one request.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    pauses: u32,
}

impl Backoff {
    /// The next pause, no shorter than the vendor wished for; `None` if it is not to be asked again.
    pub(crate) fn next(&mut self, wish: Option<Duration>) -> Option<Duration> {
        let wish = wish.unwrap_or_default();
        if self.pauses + 1 == MOST_TRIES || wish > LONGEST_WISH {
            return None;
        }
        let longest = FIRST_PAUSE * 2_u32.pow(self.pauses);
        self.pauses += 1;
        Some((longest - longest * chance() / (2 * u32::from(u8::MAX))).max(wish))
    }
}

/// A number from 0 to 255.
fn chance() -> u32 {
    let mut byte = [0];
    // Without chance the pauses are whole ones.
    let _ = rand::fill(&mut byte);
    u32::from(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_come_to_an_end() {
        let mut backoff = Backoff::default();
        for longest in [250, 500, 1000].map(Duration::from_millis) {
            let pause = backoff.next(None);
            assert!(pause.is_some_and(|pause| (longest / 2..=longest).contains(&pause)), "{pause:?}");
        }
        assert_eq!(backoff.next(None), None);
    }

    #[test]
    fn a_vendors_wish_counts_unless_it_is_too_long() {
        let wish = Some(Duration::from_secs(5));
        assert_eq!(Backoff::default().next(wish), wish);
        assert_eq!(Backoff::default().next(Some(Duration::from_secs(6))), None);
    }
}
