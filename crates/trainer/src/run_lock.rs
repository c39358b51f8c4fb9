//! One trainer for a run at a time.

use crate::error::Error;
use crate::run_directory::RunDirectory;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};

/// The file in the run's directory. Its text says whose lock it is.
const FILE: &str = "lock";

/// A run's lock, held until it is dropped. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct RunLock {
    file: File,
}

impl RunLock {
    /// Takes the lock; with it comes a line to note, if there is one.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when another process trains this run or the file cannot be written.
    pub(crate) fn take(directory: &RunDirectory) -> Result<(Self, Option<String>), Error> {
        let path = directory.path().join(FILE);
        let fault = |error: std::io::Error| Error::run_directory(&path, error);
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(fault)?;
        let locked = file.try_lock();
        let mut holder = String::new();
        // Not to be read on Windows while another process holds it.
        let _ = file.read_to_string(&mut holder);
        let holder = holder.trim();
        let note = match locked {
            Ok(()) if holder.is_empty() => None,
            Ok(()) => Some(format!("{holder} trained here and ended without finishing its work")),
            Err(TryLockError::WouldBlock) => {
                let holder = if holder.is_empty() { "another process" } else { holder };
                let problem = format!("{holder} is training this run");
                return Err(Error::run_directory(directory.path(), problem));
            }
            Err(TryLockError::Error(error)) => Some(format!(
                "this file system has no locks ({error}): nothing keeps a second trainer from this run"
            )),
        };
        let mut lock = Self { file };
        lock.rewrite(&this_process()).map_err(fault)?;
        Ok((lock, note))
    }

    fn rewrite(&mut self, text: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // An empty file says that the last trainer ended by itself. If that cannot be written, the next one is told that it
        // did not, which does no harm.
        let _ = self.rewrite("");
        // Not left to the closing of the file, which a child that is just being started may still hold.
        let _ = self.file.unlock();
    }
}

fn this_process() -> String {
    let process = format!("process {}", std::process::id());
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(host) => format!("{process} on {}", host.trim()),
        Err(_) => process,
    }
}
