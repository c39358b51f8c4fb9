//! Writing beside the training.

use super::snapshot::Snapshot;
use super::write::{prune, write};
use crate::error::Error;
use std::cell::Cell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Which sets stay after a new one.
#[derive(Debug)]
pub(crate) struct Keep {
    /// How many of the newest.
    pub(crate) newest: usize,
    /// Names of others.
    pub(crate) needed: HashSet<String>,
}

/// Writes sets on a thread of its own, one at a time and in order.
pub(crate) struct Writer {
    folder: PathBuf,
    /// `metrics.jsonl`, on whose lines a set counts.
    metrics: PathBuf,
    writing: Cell<Option<JoinHandle<Result<(), Error>>>>,
    /// When the last set was begun.
    last: Cell<Instant>,
}

impl Writer {
    /// A writer into `folder`. The file `metrics` is synced before each set.
    pub(crate) fn new(folder: PathBuf, metrics: PathBuf) -> Self {
        let last = Cell::new(Instant::now());
        Self { folder, metrics, writing: Cell::new(None), last }
    }

    /// Begins to write a set, after which old ones are removed. Waits for the one before.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the one before could not be written.
    pub(crate) fn begin(&self, snapshot: Snapshot, keep: Keep) -> Result<(), Error> {
        self.wait()?;
        self.last.set(Instant::now());
        let (folder, metrics) = (self.folder.clone(), self.metrics.clone());
        let job = move || {
            match std::fs::File::open(&metrics).and_then(|file| file.sync_all()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::run_directory(&metrics, error));
                }
                _ => {}
            }
            write(&folder, snapshot)?;
            prune(&folder, keep.newest, &keep.needed)
        };
        let thread = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(job);
        let thread = thread.map_err(|error| Error::checkpoint(&self.folder, error))?;
        self.writing.set(Some(thread));
        Ok(())
    }

    /// The time since the last set was begun, or since the run was.
    pub(crate) fn since(&self) -> Duration {
        self.last.get().elapsed()
    }

    /// Returns at once.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the last set could not be written, as far as that is known already.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let writing = self.writing.take();
        let is_over = writing.as_ref().is_some_and(JoinHandle::is_finished);
        self.writing.set(writing);
        if is_over { self.wait() } else { Ok(()) }
    }

    /// Returns when nothing is being written.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the last set could not be written.
    pub(crate) fn wait(&self) -> Result<(), Error> {
        match self.writing.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(Error::checkpoint(&self.folder, "the writing thread panicked")),
        }
    }
}

impl Drop for Writer {
    /// A run that ends by an error still completes the set it is writing; that error is the one to report.
    fn drop(&mut self) {
        let _ = self.wait();
    }
}
