//! What ranks can do together.

use std::fmt::Debug;

/// Another rank of the group is gone, so nothing can be done together any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another rank of the job has ended")]
pub struct PeerLost;

/// One rank's end of a group. Every rank must call the same methods in the same order, with as many values; each waits for
/// the others.
///
/// # Errors
/// [`PeerLost`] where a rank is known to be gone. MPI ends the whole job instead.
pub trait Group: Send + Sync + Debug {
    /// This rank's number, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn size(&self) -> usize;

    /// Replaces each value by its sum over the ranks; every rank gets the same bits.
    fn sum(&self, values: &mut [f32]) -> Result<(), PeerLost>;

    /// Replaces each count by its sum over the ranks.
    fn sum_counts(&self, counts: &mut [u64]) -> Result<(), PeerLost>;

    /// What every rank gave, by their numbers.
    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, PeerLost>;
}
