//! The process: what it may do, and what it uses.

use std::fs;
use std::io;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Keeps the process's memory, which has keys in it, out of core dumps and from other processes of the same user
/// (PCI DSS 3.6.1: as few places as possible).
///
/// # Errors
/// What the system said.
pub fn protect_memory() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // Nobody but root may look into it with a debugger, or read its files in /proc. A core_pattern that is a program
    // does not mind the limit above, but does mind this.
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Lets the process have as many files and connections open as the system allows it, and says how many these are;
/// `None` is any number. Shells start programs with a lower limit, for the sake of programs that use `select`.
///
/// # Errors
/// What the system said.
pub fn raise_file_limit() -> io::Result<Option<u64>> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum)
}

/// What a process uses.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Its memory that is not swapped out, in bytes.
    pub resident_bytes: u64,
    /// The time that it has used processors for, in seconds, of all its threads together.
    pub cpu_seconds: f64,
}

impl Usage {
    /// What this process uses now (proc(5)).
    ///
    /// # Errors
    /// What the system said.
    pub fn now() -> io::Result<Self> {
        let statm = fs::read_to_string("/proc/self/statm")?;
        let stat = fs::read_to_string("/proc/self/stat")?;
        Self::parse(&statm, &stat).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn parse(statm: &str, stat: &str) -> Option<Self> {
        let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
        // The second field is the program's name in parentheses, which may have both spaces and parentheses in it.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let user: u64 = fields.nth(11)?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        Some(Self {
            resident_bytes: pages * page_size() as u64,
            cpu_seconds: (user + system) as f64 / clock_ticks_per_second() as f64,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::process::dumpable_behavior;

    use super::*;

    #[test]
    fn memory_is_protected() {
        protect_memory().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let Rlimit { current, maximum } = getrlimit(Resource::Core);
        assert_eq!((current, maximum), (Some(0), Some(0)));
    }

    #[test]
    fn usage_is_read_whatever_the_program_is_called() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 1 2 3 4 250 50 0 0 20 0 3 0 5 6 7";
        let usage = Usage::parse("100 25 3 1 0 9 0", stat).unwrap();
        assert_eq!(usage.resident_bytes, 25 * page_size() as u64);
        assert!((usage.cpu_seconds - 300.0 / clock_ticks_per_second() as f64).abs() < 1e-9);
        assert!(Usage::parse("", stat).is_none() && Usage::parse("1 2 3", "7 (a) S 1").is_none());
        assert!(Usage::now().unwrap().resident_bytes > 0);
    }
}
