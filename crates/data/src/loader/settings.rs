//! What a user chooses about loading. None of it changes what a batch holds, except which files are refused.

use serde::{Deserialize, Serialize};
use std::thread::available_parallelism;

/// How batches are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoaderSettings {
    /// Worker threads. With 0, pictures are prepared on the thread that asks for the batch, and nothing overlaps
    /// with training.
    pub workers: usize,
    /// Limit in bytes of the buffers of batches in the making and waiting to be taken. One batch is always made,
    /// however large; two are needed to prepare one while another waits.
    pub max_bytes: usize,
    /// What happens to a file that is not a usable picture.
    pub on_bad_image: OnBadImage,
}

impl Default for LoaderSettings {
    /// A worker for each processor, at most 8; 256 MiB; bad pictures are errors.
    fn default() -> Self {
        Self {
            workers: available_parallelism().map_or(1, |n| n.get().min(8)),
            max_bytes: 256 << 20,
            on_bad_image: OnBadImage::Fail,
        }
    }
}

/// What to do about a file that cannot be read or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBadImage {
    /// Yield an error naming the first bad file of the batch, and end.
    Fail,
    /// Leave it out of its batch and list it in [`Batch::bad`](crate::Batch::bad).
    Skip,
}
