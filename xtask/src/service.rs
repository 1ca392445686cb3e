//! A server that runs beside this program and is stopped with it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::process;

/// How long a server may take until it listens, and until it has stopped.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it stops it: SIGTERM first, so that it can finish what it is doing.
#[derive(Debug)]
pub(crate) struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts `command`, whose output goes to `log`, and waits for its line `… listening on URL`; answers with the URL.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<(Self, String)> {
        let mut file = File::create(log).with_context(|| format!("writing {}", log.display()))?;
        let mut child = command
            // Out of the terminal's group: Ctrl-C reaches this process, which then stops its servers in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.try_clone()?)
            .spawn()
            .with_context(|| format!("starting {}", process::line(command)))?;
        let stdout = child.stdout.take();
        let service = Self { name, child, log: log.to_owned() };

        let (found, url) = mpsc::channel();
        if let Some(stdout) = stdout {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if let Some(url) = listening_on(&line) {
                        // The receiver is gone after the first one.
                        let _ = found.send(url.to_owned());
                    }
                    // A full disk must not stop the reading, which would stop the server at its next line.
                    let _ = writeln!(file, "{line}");
                }
            });
        }
        let url = service.wait_for(&url)?;
        Ok((service, url))
    }

    fn wait_for(&self, url: &Receiver<String>) -> Result<String> {
        match url.recv_timeout(PATIENCE) {
            Ok(url) => Ok(url),
            Err(reason) => {
                let happened = match reason {
                    RecvTimeoutError::Timeout => "does not listen",
                    RecvTimeoutError::Disconnected => "ended before it listened",
                };
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                bail!("the {} {happened}; it said:\n{}", self.name, log.trim_end())
            }
        }
    }

    /// An error when the server has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                bail!("the {} ended by itself ({status}); its log is {}", self.name, self.log.display())
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// A program that does its work and ends, and is stopped when dropped before.
#[derive(Debug)]
pub(crate) struct Job(Child);

impl Job {
    /// Starts it, in sight of the user.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", process::line(command)))?;
        Ok(Self(child))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        stop(&mut self.0);
    }
}

/// Asks the child to end, waits, and ends it by force when it does not.
fn stop(child: &mut Child) {
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    // It has not been waited for, so the id is still its own. A failure shows in the wait that follows.
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // Nothing is left to try when these fail.
    let _ = child.kill();
    let _ = child.wait();
}

/// The address in `cardseal-vault listening on http://127.0.0.1:4242`.
fn listening_on(line: &str) -> Option<&str> {
    let (_, url) = line.split_once(" listening on ")?;
    let url = url.trim();
    (url.starts_with("http://") || url.starts_with("https://")).then_some(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address() {
        assert_eq!(listening_on("shop listening on http://127.0.0.1:4243\n"), Some("http://127.0.0.1:4243"));
        assert_eq!(listening_on("listening on a port"), None);
        assert_eq!(listening_on("INFO nothing is listening on it"), None);
    }

    #[test]
    fn starts_and_stops_a_server() {
        let folder = crate::workspace::target().join("xtask-tests");
        fs::create_dir_all(&folder).unwrap();
        let log = folder.join("service.log");
        let script = "trap 'echo stopped; exit 0' TERM; echo up listening on http://127.0.0.1:1; while :; do sleep 0.05; done";
        let (mut service, url) =
            Service::start("server", Command::new("sh").args(["-c", script]), &log).unwrap();
        assert_eq!(url, "http://127.0.0.1:1");
        service.check().unwrap();
        stop(&mut service.child);
        assert!(service.child.try_wait().unwrap().unwrap().success(), "it ended by SIGTERM's own way");
        assert!(service.check().is_err());
    }

    #[test]
    fn says_what_a_server_said_that_did_not_come_up() {
        let folder = crate::workspace::target().join("xtask-tests");
        fs::create_dir_all(&folder).unwrap();
        let script = "echo 'the port is taken' >&2; exit 1";
        let error =
            Service::start("server", Command::new("sh").args(["-c", script]), &folder.join("failed.log"));
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "the server ended before it listened; it said:\nthe port is taken");
    }
}
