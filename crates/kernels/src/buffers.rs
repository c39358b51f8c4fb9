//! Memory for results, kept from one step of training to the next.
//!
//! A training step makes the same maps as the one before. Fresh memory for them would be cleared twice, by the system
//! and by Rust, which costs more than a tenth of a step; a recycled buffer holds its old values, and every kernel
//! overwrites all of them.
//!
//! Kept buffers and those in use never take more than a quarter above the most that was in use at once. Without that
//! quarter a network whose maps have many sizes (EfficientNet-B0: the gradients of the large maps come last) pushes out
//! what its next step begins with, and a third of the step goes into clearing fresh memory.

use bytemuck::cast_slice;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Kept buffers, oldest first, and how much there is.
#[derive(Debug)]
struct Pool {
    kept: VecDeque<Vec<f32>>,
    /// Floats in `kept`, in use, and the most that ever were in use.
    floats_kept: usize,
    floats_used: usize,
    most_used: usize,
}

static POOL: Mutex<Pool> =
    Mutex::new(Pool { kept: VecDeque::new(), floats_kept: 0, floats_used: 0, most_used: 0 });

impl Pool {
    /// Drops the oldest kept buffers that are too much.
    fn trim(&mut self) {
        let most = self.most_used + self.most_used / 4;
        while self.floats_kept + self.floats_used > most {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.floats_kept -= oldest.len();
        }
    }
}

fn pool() -> std::sync::MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Floats that go back to the pool when they are dropped.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<f32>);

impl Buffer {
    /// `len` floats of any value.
    pub(crate) fn of(len: usize) -> Self {
        let mut pool = pool();
        pool.floats_used += len;
        pool.most_used = pool.most_used.max(pool.floats_used);
        // The newest of this size: it is the likeliest to be in a cache.
        let found = pool.kept.iter().rposition(|kept| kept.len() == len);
        let recycled = found.and_then(|index| pool.kept.remove(index));
        if let Some(values) = recycled {
            pool.floats_kept -= len;
            return Self(values);
        }
        pool.trim();
        drop(pool);
        Self(vec![0.0; len])
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.0
    }

    /// The memory as bytes that others can share.
    pub(crate) fn into_bytes(self) -> bytes::Bytes {
        bytes::Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        cast_slice(&self.0)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.0);
        let mut pool = pool();
        pool.floats_used -= values.len();
        pool.floats_kept += values.len();
        pool.kept.push_back(values);
        pool.trim();
    }
}
