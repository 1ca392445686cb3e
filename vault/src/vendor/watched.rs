use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::VendorError;

/// Something that is made of files, and made anew when they change: certificates are renewed while a vault serves.
pub struct Watched<T> {
    files: Vec<PathBuf>,
    make: Box<dyn Fn() -> Result<T, VendorError> + Send + Sync>,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    /// The files as they were when it was made.
    marks: Vec<Option<Mark>>,
    made: Arc<T>,
}

/// What tells a file from the one that was there before.
type Mark = (u64, SystemTime);

impl<T> Watched<T> {
    /// Makes it for the first time.
    ///
    /// # Errors
    /// [`VendorError`]
    pub fn new(
        files: Vec<PathBuf>,
        make: impl Fn() -> Result<T, VendorError> + Send + Sync + 'static,
    ) -> Result<Self, VendorError> {
        // Before the files are read: one that changes meanwhile is read once more.
        let marks = marks(&files);
        let held = Mutex::new(Held { marks, made: Arc::new(make()?) });
        Ok(Self { files, make: Box::new(make), held })
    }

    /// It, of the files as they are now. While they cannot be used, as half-way through their renewal, the one before goes
    /// on.
    pub fn get(&self) -> Arc<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = marks(&self.files);
        if marks != held.marks {
            match (self.make)() {
                Ok(made) => held.made = Arc::new(made),
                Err(error) => tracing::error!(%error, "a vendor's files have changed and cannot be used"),
            }
            held.marks = marks;
        }
        Arc::clone(&held.made)
    }
}

fn marks(files: &[PathBuf]) -> Vec<Option<Mark>> {
    let mark = |file: &PathBuf| fs::metadata(file).and_then(|of| Ok((of.len(), of.modified()?))).ok();
    files.iter().map(mark).collect()
}

impl<T: fmt::Debug> fmt::Debug for Watched<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watched").field("files", &self.files).finish_non_exhaustive()
    }
}
