//! The steps of a test run and how they ended.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    /// It could not run here, and why.
    Skipped(&'static str),
    /// An earlier one failed.
    NotRun,
}

/// What has run so far. `Display` is the summary.
#[derive(Debug)]
pub(super) struct Report {
    /// What the names of the steps to run have in them.
    only: Option<String>,
    started: Instant,
    steps: Vec<(String, Verdict, Duration)>,
}

impl Report {
    pub(super) fn new(only: Option<String>) -> Self {
        Self { only, started: Instant::now(), steps: Vec::new() }
    }

    /// Runs a step, unless it is not asked for or one before it has failed.
    pub(super) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Verdict>) {
        if self.failed() {
            self.steps.push((name.to_owned(), Verdict::NotRun, Duration::ZERO));
            return;
        }
        if self.only.as_ref().is_some_and(|only| !name.contains(only)) {
            self.steps.push((name.to_owned(), Verdict::Skipped("not asked for"), Duration::ZERO));
            return;
        }
        println!("\n== {name}");
        let started = Instant::now();
        let verdict = work().unwrap_or_else(|error| {
            println!("{error:#}");
            Verdict::Failed
        });
        let took = started.elapsed();
        println!("== {name}: {verdict}, {:.1} s", took.as_secs_f64());
        self.steps.push((name.to_owned(), verdict, took));
    }

    pub(super) fn failed(&self) -> bool {
        self.steps.iter().any(|(_, verdict, _)| *verdict == Verdict::Failed)
    }

    fn count(&self, is: fn(Verdict) -> bool) -> usize {
        self.steps.iter().filter(|(_, verdict, _)| is(*verdict)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, verdict, took) in &self.steps {
            writeln!(f, "{:7.1} s  {name}: {verdict}", took.as_secs_f64())?;
        }
        writeln!(f, "{:7.1} s  in all\n", self.started.elapsed().as_secs_f64())?;
        let passed = self.count(|verdict| verdict == Verdict::Passed);
        let failed = self.count(|verdict| verdict == Verdict::Failed);
        write!(f, "{passed} passed, {failed} failed")?;
        match self.count(|verdict| matches!(verdict, Verdict::Skipped(_) | Verdict::NotRun)) {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed => f.write_str("FAILED"),
            Self::Skipped(reason) => write!(f, "skipped, {reason}"),
            Self::NotRun => f.write_str("not run"),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn counts_and_stops_at_the_first_failure() {
        let mut report = Report::new(None);
        report.step("one", || Ok(Verdict::Passed));
        report.step("two", || Ok(Verdict::Skipped("no network")));
        assert!(!report.failed());
        assert!(report.to_string().ends_with("\n1 passed, 0 failed, 1 skipped"), "{report}");
        report.step("three", || bail!("broken"));
        report.step("four", || unreachable!());
        assert!(report.failed());
        let text = report.to_string();
        assert!(text.contains("two: skipped, no network\n") && text.contains("four: not run\n"), "{text}");
        assert!(text.ends_with("\n1 passed, 1 failed, 2 skipped"), "{text}");
    }

    #[test]
    fn runs_what_is_asked_for() {
        let mut report = Report::new(Some("in Chromium".into()));
        report.step("end to end in Firefox", || unreachable!());
        report.step("end to end in Chromium", || Ok(Verdict::Passed));
        let text = report.to_string();
        assert!(
            text.contains("Firefox: skipped, not asked for\n")
                && text.ends_with("\n1 passed, 0 failed, 1 skipped"),
            "{text}"
        );
    }
}
