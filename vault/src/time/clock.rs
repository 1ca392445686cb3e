//! The clock that all vaults of a database have in common, and how far it can be trusted.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use super::Timestamp;

/// How far the machine's clock may be from the database's before nothing is done that cannot be taken back. Clocks that are
/// kept right are within a tenth of a second of each other, or within one second while one of them smears a leap second. What
/// is given up first is a payment on its way, half a minute after its acquirer must have answered: two clocks at the two ends
/// of what is allowed are still closer than that.
pub const MOST_APART: Duration = Duration::from_secs(10);

/// How long a clock that was set has to stand before it is believed. Whoever sets one by mistake sees it sooner, and what is
/// not deleted meanwhile is deleted then.
pub const STANDS_AFTER: Duration = Duration::from_secs(10 * 60);

/// How long a reading of the database's clock is good for: six are missed before it is not.
pub const LONGEST_UNREAD: Duration = Duration::from_secs(60);

/// Another clock is followed by a tenth of the time that passes.
const SLOWEST_CATCH: Millis = 10;

/// A reading that took longer tells too little.
const SLOWEST_READING: Duration = Duration::from_secs(2);

/// Tells the time: the database's, or in a test any other.
#[derive(Clone)]
pub struct Clock(Told);

#[derive(Clone)]
enum Told {
    /// What is given is the truth.
    Given(Arc<dyn Fn() -> Timestamp + Send + Sync>),
    Read(Arc<Common>),
}

/// A clock that is read from time to time, and goes with the machine's ticks in between.
struct Common {
    machine: Machine,
    read: Mutex<Option<Read>>,
    /// What [`Clock::news`] told last.
    told: Mutex<Result<(), Doubt>>,
}

/// Milliseconds: since 1970, since the machine was started, or between the two. No clock says how far from zero it can be.
type Millis = i64;

/// What the last readings have told.
#[derive(Clone, Copy, Debug)]
struct Read {
    /// The time at the tick zero.
    anchor: Millis,
    /// The same by the machine's wall clock, while the two agree with each other.
    wall: Millis,
    /// The tick of the last reading.
    at: Millis,
    /// A clock that was set, or that nothing is known of.
    unproven: Option<Unproven>,
}

/// Where a clock stands now, and since which tick.
#[derive(Clone, Copy, Debug)]
struct Unproven {
    anchor: Millis,
    since: Millis,
}

/// Why nothing is done that cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The machine's clock is not the database's.
    Apart,
    /// The database's clock was set, or is the machine's and that was, and has not stood for long enough; or it is not known
    /// whether it was while no vault was running.
    Set,
    /// The database's clock was not read for a while.
    Unread,
}

impl Doubt {
    /// Every one.
    pub const EACH: [Self; 3] = [Self::Apart, Self::Set, Self::Unread];

    /// Its name in `/readyz`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Set => "set",
            Self::Unread => "unread",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Apart => "this machine's clock is not the database's",
            Self::Set => "the clock was set, or may have been while no vault was running, and has to stand for ten minutes",
            Self::Unread => "the database's clock was not read for a while",
        })
    }
}

/// A reading of the database's clock that is under way.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Reading(Millis);

impl Clock {
    /// The database's, with the system's in between.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Machine::system())
    }

    /// The database's, on this machine. Until it is first read it is the machine's.
    #[must_use]
    pub fn of(machine: Machine) -> Self {
        Self(Told::Read(Arc::new(Common { machine, read: Mutex::new(None), told: Mutex::new(Ok(())) })))
    }

    /// A clock that tells what `now` tells, which is the truth.
    #[must_use]
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Told::Given(Arc::new(now)))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Told::Given(now) => now(),
            Told::Read(common) => timestamp(common.now()),
        }
    }

    /// Whether to do what cannot be taken back: to delete by age, to take over from another process, to give up.
    ///
    /// # Errors
    /// Why not.
    pub fn trust(&self) -> Result<(), Doubt> {
        match &self.0 {
            Told::Given(_) => Ok(()),
            Told::Read(common) => common.trust(),
        }
    }

    /// Whether it is trusted, if that is not what this told before. At first it is.
    #[must_use]
    pub fn news(&self) -> Option<Result<(), Doubt>> {
        match &self.0 {
            Told::Given(_) => None,
            Told::Read(common) => {
                let now = common.trust();
                let before = std::mem::replace(&mut *hold(&common.told), now);
                (before != now).then_some(now)
            }
        }
    }

    /// How far the machine's clock is ahead of the time, in seconds; negative if it is behind.
    #[must_use]
    pub fn ahead(&self) -> f64 {
        match &self.0 {
            Told::Given(_) => 0.0,
            // Less than 2^53 milliseconds.
            Told::Read(common) => common.machine.wall().saturating_sub(common.now()) as f64 / 1000.0,
        }
    }

    /// Begins to read the database's clock; none if there is nothing to read.
    pub fn begin_reading(&self) -> Option<Reading> {
        match &self.0 {
            Told::Given(_) => None,
            Told::Read(common) => Some(Reading(common.machine.ticks())),
        }
    }

    /// Takes in what the database's clock told, in milliseconds since 1970; none if that is the machine's (SQLite).
    pub fn take_in(&self, Reading(asked): Reading, told: Option<i64>) {
        if let Told::Read(common) = &self.0 {
            let answered = common.machine.ticks();
            if answered.saturating_sub(asked) > millis(SLOWEST_READING) {
                return;
            }
            let wall = common.machine.wall().saturating_sub(answered);
            let between = told.map_or((wall, wall), |told| (told - answered, told - asked));
            let mut read = common.read();
            *read = Some(match *read {
                None => {
                    let anchor = between.0.midpoint(between.1);
                    Read { anchor, wall, at: answered, unproven: None }
                }
                Some(read) => read.after(between, wall, answered),
            });
        }
    }

    /// Hears when a vault that could trust its clock last looked at it. What is later than this clock, or too long ago, does not
    /// tell whether the clock was set since: it has to stand first.
    pub fn compare_with_last(&self, last: Timestamp) {
        if let Told::Read(common) = &self.0
            && let now = timestamp(common.now())
            && let last = last.minus(MOST_APART)
            && (now < last || now.since(last) > LONGEST_ABSENCE)
            && let Some(read) = &mut *common.read()
        {
            read.unproven = Some(Unproven { anchor: read.anchor, since: read.at });
        }
    }
}

/// How long there may have been no vault before nobody can tell whether the clock was set meanwhile. Shorter than anything
/// that is given up or deleted by its age.
const LONGEST_ABSENCE: Duration = Duration::from_secs(5 * 60);

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Clock").field(&self.now()).finish()
    }
}

impl Common {
    fn read(&self) -> MutexGuard<'_, Option<Read>> {
        hold(&self.read)
    }

    fn now(&self) -> Millis {
        match *self.read() {
            Some(read) => read.anchor.saturating_add(self.machine.ticks()),
            None => self.machine.wall(),
        }
    }

    fn trust(&self) -> Result<(), Doubt> {
        let read = self.read().ok_or(Doubt::Unread)?;
        let ticks = self.machine.ticks();
        if ticks.saturating_sub(read.at) > millis(LONGEST_UNREAD) {
            Err(Doubt::Unread)
        } else if read.unproven.is_some() {
            Err(Doubt::Set)
        } else if are_apart(read.anchor, self.machine.wall().saturating_sub(ticks)) {
            Err(Doubt::Apart)
        } else {
            Ok(())
        }
    }
}

impl Read {
    /// What is known after another reading. The database's clock told its time between two ticks, so its own time at the tick
    /// zero is `between` two others: what was known already stays as it is, or comes no nearer than it must. A slow reading
    /// thus spoils nothing, and a fast one mends.
    fn after(self, between: (Millis, Millis), wall: Millis, at: Millis) -> Self {
        let told = self.anchor.clamp(between.0, between.1);
        if !are_apart(told, self.anchor) {
            // Clocks that are put right are so slowly. One that goes at another pace, or stands still, is left behind.
            let most = at.saturating_sub(self.at).max(0) / SLOWEST_CATCH;
            let anchor = told.clamp(self.anchor.saturating_sub(most), self.anchor.saturating_add(most));
            let read = Self { anchor, at, ..self };
            return match self.unproven {
                Some(unproven) if are_apart(unproven.anchor, anchor) => {
                    // It was set back to what it was.
                    Self { unproven: Some(Unproven { anchor, since: at }), ..read }
                }
                Some(unproven) if at.saturating_sub(unproven.since) < millis(STANDS_AFTER) => read,
                Some(_) | None => Self { wall, unproven: None, ..read },
            };
        }
        let anchor = between.0.midpoint(between.1);
        let is_corrected = !are_apart(wall, self.wall) && !are_apart(wall, anchor);
        let stands = self.unproven.is_some_and(|unproven| {
            !are_apart(unproven.anchor, anchor) && at.saturating_sub(unproven.since) >= millis(STANDS_AFTER)
        });
        if is_corrected || stands {
            return Self { anchor, wall, at, unproven: None };
        }
        let unproven = self.unproven.filter(|unproven| !are_apart(unproven.anchor, anchor));
        Self { at, unproven: unproven.or(Some(Unproven { anchor, since: at })), ..self }
    }
}

/// Nothing panics while one is held.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn are_apart(one: Millis, other: Millis) -> bool {
    one.abs_diff(other) > MOST_APART.as_millis() as u64
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

fn timestamp(time: Millis) -> Timestamp {
    Timestamp::from_unix_seconds(u64::try_from(time).unwrap_or(0) / 1000)
}

impl fmt::Debug for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Machine").field("wall", &self.wall()).field("ticks", &self.ticks()).finish()
    }
}

/// The two clocks of a machine: one that people set, and one that nobody can.
#[derive(Clone)]
pub struct Machine {
    wall: Source,
    ticks: Source,
}

type Source = Arc<dyn Fn() -> Duration + Send + Sync>;

impl Machine {
    /// This one. What it ticks while it sleeps counts.
    #[must_use]
    pub fn system() -> Self {
        // A clock before 1970 reads as 1970.
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ticks = || {
            let time = clock_gettime(ClockId::Boottime);
            Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
        };
        Self::new(wall, ticks)
    }

    /// One whose wall clock shows this, since 1970, and whose ticks this, since whenever.
    #[must_use]
    pub fn new(
        wall: impl Fn() -> Duration + Send + Sync + 'static,
        ticks: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { wall: Arc::new(wall), ticks: Arc::new(ticks) }
    }

    fn wall(&self) -> Millis {
        millis((self.wall)())
    }

    fn ticks(&self) -> Millis {
        millis((self.ticks)())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use super::*;

    const NOON: i64 = 1_795_262_400_000;
    const SECOND: i64 = 1000;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;

    /// A machine, and a database on it or on another one.
    struct World {
        clock: Clock,
        ticks: Arc<AtomicI64>,
        /// How far the machine's clock is from the truth.
        wall: Arc<AtomicI64>,
        /// How far the database's is; none for one that has none.
        database: Option<i64>,
    }

    impl World {
        fn new(database: Option<i64>) -> Self {
            let (ticks, wall) = (Arc::new(AtomicI64::new(7 * HOUR)), Arc::new(AtomicI64::new(0)));
            let source = |of: i64, parts: [&Arc<AtomicI64>; 2]| {
                let parts = parts.map(Arc::clone);
                move || {
                    let sum: i64 = parts.iter().map(|part| part.load(SeqCst)).sum();
                    Duration::from_millis((of + sum).try_into().unwrap_or(0))
                }
            };
            let machine =
                Machine::new(source(NOON - 7 * HOUR, [&ticks, &wall]), source(0, [&ticks, &Arc::default()]));
            let world = Self { clock: Clock::of(machine), ticks, wall, database };
            world.read();
            world
        }

        /// A reading that takes no time.
        fn read(&self) {
            self.read_in(0, 0);
        }

        /// One that takes a while before, and after, the database looks at its clock.
        fn read_in(&self, before: i64, after: i64) {
            let Some(reading) = self.clock.begin_reading() else { unreachable!() };
            self.pass(before);
            let told = self.database.map(|off| self.truth() + off);
            self.pass(after);
            self.clock.take_in(reading, told);
        }

        fn pass(&self, time: i64) {
            self.ticks.fetch_add(time, SeqCst);
        }

        /// Lets time pass with a reading every ten seconds.
        fn go_on(&self, time: i64) {
            for _ in 0..time / (10 * SECOND) {
                self.pass(10 * SECOND);
                self.read();
            }
        }

        fn set_machine(&self, off: i64) {
            self.wall.store(off, SeqCst);
        }

        fn truth(&self) -> i64 {
            NOON - 7 * HOUR + self.ticks.load(SeqCst)
        }

        /// How far the vault's time is from the truth, in seconds.
        fn off(&self) -> i64 {
            self.clock.now().unix_seconds().cast_signed() - self.truth() / SECOND
        }
    }

    #[test]
    fn time_is_the_databases_and_the_machine_knows_how_far_it_is_off() {
        for off in [25 * MINUTE, 25 * HOUR, 3 * 365 * 24 * HOUR, -25 * HOUR] {
            let world = World::new(Some(0));
            assert_eq!((world.off(), world.clock.trust()), (0, Ok(())));
            world.set_machine(off);
            // At once, without a reading.
            assert_eq!((world.off(), world.clock.trust()), (0, Err(Doubt::Apart)));
            assert_eq!(world.clock.ahead(), off as f64 / 1000.0);
            world.go_on(HOUR);
            assert_eq!((world.off(), world.clock.trust()), (0, Err(Doubt::Apart)));
            world.set_machine(0);
            assert_eq!(world.clock.trust(), Ok(()));
        }
    }

    #[test]
    fn a_machine_whose_clock_was_set_on_its_own_has_to_see_it_stand() {
        for off in [25 * MINUTE, -25 * HOUR] {
            let world = World::new(None);
            world.go_on(HOUR);
            world.set_machine(off);
            assert_eq!((world.off(), world.clock.trust()), (0, Err(Doubt::Apart)));
            world.go_on(10 * MINUTE);
            assert_eq!((world.off(), world.clock.trust()), (0, Err(Doubt::Set)));
            world.go_on(10 * SECOND);
            assert_eq!((world.off(), world.clock.trust()), (off / SECOND, Ok(())));
        }
    }

    #[test]
    fn a_clock_that_was_wrong_for_seconds_moves_nothing() {
        let world = World::new(None);
        world.set_machine(25 * HOUR);
        world.go_on(20 * SECOND);
        world.set_machine(0);
        world.read();
        assert_eq!((world.off(), world.clock.trust()), (0, Err(Doubt::Set)));
        world.go_on(11 * MINUTE);
        assert_eq!((world.off(), world.clock.trust()), (0, Ok(())));
    }

    #[test]
    fn a_database_whose_clock_jumps_is_not_followed_until_it_stands_and_then_not_trusted() {
        let mut world = World::new(Some(0));
        world.database = Some(-HOUR);
        world.read();
        assert_eq!((world.off(), world.clock.trust()), (0, Err(Doubt::Set)));
        world.go_on(11 * MINUTE);
        assert_eq!((world.off(), world.clock.trust()), (-3600, Err(Doubt::Apart)));
        // Put right, with a machine that says the same and was not set.
        world.database = Some(0);
        world.go_on(11 * MINUTE);
        assert_eq!((world.off(), world.clock.trust()), (0, Ok(())));
    }

    #[test]
    fn a_database_whose_clock_stands_still_does_not_stop_time() {
        let mut world = World::new(Some(0));
        for _ in 0..600 {
            world.pass(10 * SECOND);
            world.database = world.database.map(|off| off - 10 * SECOND);
            world.read();
        }
        assert_eq!((world.off(), world.clock.trust()), (-1, Err(Doubt::Set)));
    }

    #[test]
    fn a_machine_that_is_the_databases_too_is_not_its_own_witness() {
        let mut world = World::new(Some(0));
        world.database = Some(25 * HOUR);
        world.set_machine(25 * HOUR);
        world.go_on(9 * MINUTE);
        assert_eq!((world.off(), world.clock.trust()), (0, Err(Doubt::Set)));
    }

    #[test]
    fn a_slow_reading_spoils_nothing_and_a_fast_one_mends() {
        let world = World::new(Some(0));
        world.read_in(0, 1900);
        assert_eq!(world.off(), 0);
        world.read_in(0, HOUR);
        assert_eq!((world.off(), world.clock.trust()), (0, Err(Doubt::Unread)));
        world.read_in(900, 900);
        assert_eq!((world.off(), world.clock.trust()), (0, Ok(())));
    }

    #[test]
    fn a_clock_that_is_not_read_is_not_trusted() {
        let world = World::new(Some(0));
        world.pass(MINUTE);
        assert_eq!(world.clock.trust(), Ok(()));
        world.pass(SECOND);
        assert_eq!(world.clock.trust(), Err(Doubt::Unread));
        world.read();
        assert_eq!(world.clock.trust(), Ok(()));
    }

    #[test]
    fn a_vault_that_was_away_cannot_tell_whether_the_clock_was_set() {
        for (last, trusted) in [
            (NOON, true),
            (NOON - 4 * MINUTE, true),
            (NOON - 6 * MINUTE, false),
            (NOON + SECOND, true),
            (NOON + HOUR, false),
        ] {
            let world = World::new(None);
            world.clock.compare_with_last(timestamp(last));
            assert_eq!(world.clock.trust().is_ok(), trusted, "{last}");
            world.go_on(10 * MINUTE + 10 * SECOND);
            assert_eq!((world.off(), world.clock.trust()), (0, Ok(())));
        }
    }
}
