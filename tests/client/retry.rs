use std::time::Duration;

use cardseal::client::Policy;
use proptest::prelude::*;

const POLICY: Policy = Policy {
    attempts: 6,
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_secs(1),
    timeout: Duration::from_secs(5),
};

const fn millis(count: u64) -> Option<Duration> {
    Some(Duration::from_millis(count))
}

#[test]
fn the_limit_doubles_up_to_the_longest_wait_and_ends_with_the_attempts() {
    for (attempt, limit) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1_000)] {
        assert_eq!(POLICY.wait(attempt, None, 1.0), millis(limit), "{attempt}");
        assert_eq!(POLICY.wait(attempt, None, 0.5), millis(limit / 2), "{attempt}");
        assert_eq!(POLICY.wait(attempt, None, 0.0), millis(0), "{attempt}");
    }
    for attempt in [6, 7, u32::MAX] {
        assert_eq!(POLICY.wait(attempt, None, 0.0), None, "{attempt}");
    }
}

#[test]
fn what_the_vault_asks_for_is_waited_and_jitter_goes_on_top() {
    let wish = Duration::from_millis(700);
    assert_eq!(POLICY.wait(1, Some(wish), 0.0), millis(700));
    assert_eq!(POLICY.wait(1, Some(wish), 1.0), millis(800));
    assert_eq!(POLICY.wait(5, Some(wish), 1.0), millis(800));
    assert_eq!(POLICY.wait(1, Some(Duration::ZERO), 0.0), millis(0));
    assert_eq!(POLICY.wait(1, Some(POLICY.longest_wait), 0.0), millis(1_000));
}

#[test]
fn a_vault_that_asks_for_more_than_a_person_waits_is_given_up_on() {
    let wish = POLICY.longest_wait + Duration::from_nanos(1);
    assert_eq!(POLICY.wait(1, Some(wish), 0.0), None);
    assert_eq!(POLICY.wait(1, Some(Duration::MAX), 1.0), None);
}

#[test]
fn a_policy_of_one_attempt_never_waits() {
    for attempts in [0, 1] {
        assert_eq!(Policy { attempts, ..POLICY }.wait(1, None, 1.0), None);
    }
}

#[test]
fn all_waits_at_the_checkout_together_stay_under_four_seconds_unless_the_vault_asks_for_more() {
    let waits: Duration = (1..).map_while(|attempt| Policy::CHECKOUT.wait(attempt, None, 1.0)).sum();
    assert_eq!(waits, Duration::from_millis(500 + 1_000 + 2_000));
}

fn policies() -> impl Strategy<Value = Policy> {
    (0..20_u32, 0..10_000_u64, 0..3_600_000_u64).prop_map(|(attempts, first, longest)| Policy {
        attempts,
        first_wait: Duration::from_millis(first),
        longest_wait: Duration::from_millis(longest),
        timeout: Duration::from_secs(1),
    })
}

proptest! {
    #[test]
    fn a_wait_stays_within_its_limits(policy in policies(), attempt in any::<u32>(), jitter in 0.0..=1.0) {
        match policy.wait(attempt, None, jitter) {
            Some(wait) => {
                prop_assert!(attempt < policy.attempts);
                prop_assert!(wait <= policy.longest_wait);
                prop_assert!(attempt > 1 || wait <= policy.first_wait);
            }
            None => prop_assert!(attempt >= policy.attempts),
        }
    }

    #[test]
    fn a_wait_never_undercuts_the_vaults_wish(
        policy in policies(),
        attempt in any::<u32>(),
        wish in 0..4_000_000_u64,
        jitter in 0.0..=1.0,
    ) {
        let wish = Duration::from_millis(wish);
        match policy.wait(attempt, Some(wish), jitter) {
            Some(wait) => {
                prop_assert!(wish <= wait && wait <= wish + policy.first_wait);
                prop_assert!(wish <= policy.longest_wait);
            }
            None => prop_assert!(attempt >= policy.attempts || wish > policy.longest_wait),
        }
    }

    #[test]
    fn the_limit_never_shrinks(policy in policies(), attempt in 1..20_u32) {
        if let (Some(one), Some(next)) = (policy.wait(attempt, None, 1.0), policy.wait(attempt + 1, None, 1.0)) {
            prop_assert!(one <= next);
        }
    }

    /// A page can put anything in the place of `Math.random`.
    #[test]
    fn no_jitter_panics_or_leaves_the_limits(jitter in prop::num::f64::ANY, wish in any::<Option<u8>>()) {
        let wish = wish.map(|wish| Duration::from_millis(wish.into()));
        let wait = POLICY.wait(1, wish, jitter).unwrap();
        prop_assert!(wait <= wish.unwrap_or_default() + POLICY.first_wait);
    }
}
