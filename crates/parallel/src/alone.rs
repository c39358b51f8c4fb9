//! A group of one.

use crate::group::{Group, PeerLost};

/// Nobody else: what a process is that was not started with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alone;

impl Group for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, _: &mut [f32]) -> Result<(), PeerLost> {
        Ok(())
    }

    fn sum_counts(&self, _: &mut [u64]) -> Result<(), PeerLost> {
        Ok(())
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, PeerLost> {
        Ok(vec![own.to_vec()])
    }
}
