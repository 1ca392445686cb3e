//! A program that serves until it is dropped.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The line by which it said that it serves.
    pub(crate) greeting: String,
}

impl Server {
    /// Starts it and waits for the line of standard output that has `ready` in it. The rest of what it prints goes
    /// into the log.
    pub(crate) fn start(command: &mut Command, ready: &str, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.try_clone()?)
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let output = child.stdout.take().context("standard output is piped")?;
        let mut server = Self { child, greeting: String::new() };
        let mut lines = BufReader::new(output).lines();
        for line in lines.by_ref() {
            let line = line?;
            if line.contains(ready) {
                server.greeting = line;
                // A pipe that nobody empties would stop the program in the end.
                std::thread::spawn(move || {
                    use std::io::Write as _;
                    for line in lines.map_while(Result::ok) {
                        let _ = writeln!(&file, "{line}");
                    }
                });
                return Ok(server);
            }
        }
        bail!("{command:?} ended without serving; see {}", log.display())
    }

    /// The address at the end of its greeting.
    pub(crate) fn url(&self) -> Result<String> {
        let url = self.greeting.rsplit(' ').next().unwrap_or_default();
        if url.starts_with("http") { Ok(url.to_owned()) } else { bail!("no address in {:?}", self.greeting) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
