//! Where the heads of the audit's chains go, out of the database: into the log, and into a file of the operator's.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::audit::Head;
use crate::time::Timestamp;

/// Tells of heads once their rows are durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlet {
    file: Option<mpsc::Sender<Job>>,
    /// The last row of each chain that this process has told of.
    told: Arc<Mutex<HashMap<String, u64>>>,
}

/// A line, and whom to tell when it is on the disk.
#[derive(Debug)]
struct Job {
    line: String,
    done: oneshot::Sender<()>,
}

impl Outlet {
    /// One that writes into a file too, which is made if it is not there. Other processes may write into the same one.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn with_file(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path)?;
        let (sender, jobs) = mpsc::channel();
        let path = path.to_owned();
        thread::Builder::new().name("audit heads".into()).spawn(move || write_all(&file, &path, &jobs))?;
        Ok(Self { file: Some(sender), ..Self::default() })
    }

    /// Tells of a head, and returns when it has left. A head that could not be written is told of as an error in the log,
    /// where the head is too: what it vouches for is done and stays so.
    pub(super) async fn tell(&self, head: &Head, at: Timestamp) {
        head.log();
        self.note(head);
        let Some(file) = &self.file else { return };
        let (done, written) = oneshot::channel();
        let sent = file.send(Job { line: head.line(at), done });
        if sent.is_err() || written.await.is_err() {
            tracing::error!(chain = head.chain(), "the head of the audit was not written into its file");
        }
    }

    fn note(&self, head: &Head) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.entry(head.chain().to_owned()).or_default();
        *last = head.seq.max(*last);
    }

    /// Whether this process has told of this head, or of a later one of its chain.
    pub(super) fn has_told(&self, head: &Head) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(head.chain()).is_some_and(|last| *last >= head.seq)
    }
}

/// Writes lines until nobody sends any more. Those that come while the disk is busy share the next write.
fn write_all(mut file: &File, path: &Path, jobs: &mpsc::Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        let (mut lines, mut waiting) = (String::new(), Vec::new());
        for Job { line, done } in std::iter::once(job).chain(jobs.try_iter()) {
            lines.push_str(&line);
            lines.push('\n');
            waiting.push(done);
        }
        // In one write, so that no other process's line gets into it.
        match file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()) {
            // Whoever waited may have hung up.
            Ok(()) => {
                for done in waiting {
                    let _ = done.send(());
                }
            }
            Err(error) => tracing::error!(%error, place = %path.display(), "the file of the audit's heads"),
        }
    }
}
