//! Reading from the device, which is where it tells that it could not do its work.

use crate::error::Error;
use burn::tensor::ExecutionError;

/// What was read, or the device's error as one of ours.
pub(crate) fn on_device<T>(read: Result<T, ExecutionError>) -> Result<T, Error> {
    #[cfg(test)]
    let read = injected::instead_of(read);
    read.map_err(|error| {
        let text = error.to_string();
        match text.lines().find(|line| is_about_memory(line)) {
            Some(line) => Error::OutOfMemory { reason: line.trim().to_owned() },
            None => Error::Device { reason: text },
        }
    })
}

/// Burn passes errors of its backends on as text. These are cubecl's: an allocation that the driver refuses, one above
/// the device's largest buffer, no page left for one, a kernel that found no memory, and the driver's own word for it.
fn is_about_memory(line: &str) -> bool {
    const SIGNS: [&str; 5] = [
        "out of device memory",
        "can't allocate buffer",
        "Can't allocate",
        "out-of-memory error",
        "OUT_OF_MEMORY",
    ];
    SIGNS.iter().any(|sign| line.contains(sign))
}

/// Failures for tests, as no test can rely on a device that is too small.
#[cfg(test)]
pub(crate) mod injected {
    use burn::tensor::ExecutionError;
    use std::cell::RefCell;

    thread_local! {
        /// Reads of this thread, from now, that fail.
        static FAILING: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    }

    /// Makes the reads with these numbers, from 0, find the device out of memory.
    pub(crate) fn fail(reads: &[u64]) {
        FAILING.replace(reads.to_vec());
    }

    pub(super) fn instead_of<T>(read: Result<T, ExecutionError>) -> Result<T, ExecutionError> {
        FAILING.with_borrow_mut(|failing| {
            let fails = failing.contains(&0);
            *failing = failing.iter().filter_map(|number| number.checked_sub(1)).collect();
            if fails {
                let text = "An error\nCaused by:\n  out of device memory allocating 64 bytes\nB";
                return Err(ExecutionError::with_context(text));
            }
            read
        })
    }
}
