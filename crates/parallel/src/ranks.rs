//! A rank's handle on its group.

use crate::alone::Alone;
use crate::group::{Group, PeerLost};
use std::sync::Arc;

/// This rank and those that it trains with. Clones are the same rank.
#[derive(Debug, Clone)]
pub struct Ranks {
    group: Arc<dyn Group>,
}

impl Default for Ranks {
    /// Alone.
    fn default() -> Self {
        Self::new(Alone)
    }
}

impl Ranks {
    /// The rank that `group` is the end of.
    pub fn new(group: impl Group + 'static) -> Self {
        Self { group: Arc::new(group) }
    }

    /// This rank's number, from 0.
    pub fn rank(&self) -> usize {
        self.group.rank()
    }

    /// How many ranks there are.
    pub fn size(&self) -> usize {
        self.group.size()
    }

    /// Whether this is rank 0, the one that writes.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Whether there is no other.
    pub fn is_alone(&self) -> bool {
        self.size() == 1
    }

    /// Replaces each value by its sum over the ranks; every rank gets the same bits.
    ///
    /// # Errors
    /// [`PeerLost`].
    pub fn sum(&self, values: &mut [f32]) -> Result<(), PeerLost> {
        self.group.sum(values)
    }

    /// Replaces each count by its sum over the ranks.
    ///
    /// # Errors
    /// [`PeerLost`].
    pub fn sum_counts(&self, counts: &mut [u64]) -> Result<(), PeerLost> {
        self.group.sum_counts(counts)
    }

    /// What every rank gave, by their numbers.
    ///
    /// # Errors
    /// [`PeerLost`].
    pub fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, PeerLost> {
        self.group.gather(own)
    }

    /// Whether it is so on any rank.
    ///
    /// # Errors
    /// [`PeerLost`].
    pub fn any(&self, own: bool) -> Result<bool, PeerLost> {
        if self.is_alone() {
            return Ok(own);
        }
        Ok(self.gather(&[u8::from(own)])?.iter().any(|bytes| bytes.first() == Some(&1)))
    }

    /// What rank 0 gave.
    ///
    /// # Errors
    /// [`PeerLost`].
    pub fn of_first(&self, own: &[u8]) -> Result<Vec<u8>, PeerLost> {
        let own = if self.is_first() { own } else { &[] };
        Ok(self.gather(own)?.swap_remove(0))
    }

    /// Runs `work` on one rank after the other, so that what they do to files they share does not meet. A rank whose work
    /// fails does not keep the others from theirs.
    ///
    /// # Errors
    /// [`PeerLost`].
    pub fn in_turn<T>(&self, mut work: impl FnMut() -> T) -> Result<T, PeerLost> {
        let mut own = None;
        for turn in 0..self.size() {
            if turn == self.rank() {
                own = Some(work());
            }
            self.gather(&[])?;
        }
        own.ok_or(PeerLost)
    }

    /// The part of `0..count` that is this rank's when the ranks share it out in their order, as evenly as it goes.
    pub fn part_of(&self, count: u32) -> std::ops::Range<u32> {
        let cut = |rank: usize| {
            let cut = u64::from(count) * rank as u64 / self.size() as u64;
            u32::try_from(cut).unwrap_or(count)
        };
        cut(self.rank())..cut(self.rank() + 1)
    }
}
