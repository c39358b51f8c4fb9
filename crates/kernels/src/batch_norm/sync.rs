//! Batch norm over a batch of which every rank holds a part.

use super::gradient::ParameterGradients;
use super::statistics::{Pooled, Statistics};
use kiln_parallel::{PeerLost, Ranks};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Makes batch norms take their statistics, and the means in their gradients, over the pictures of all ranks: every rank has
/// what one process with all of them would have. Each rank must run the same norms in the same order. Clones are the same.
///
/// # Parity
/// `torch.nn.SyncBatchNorm`.
#[derive(Debug, Clone)]
pub struct SyncNorm {
    ranks: Ranks,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_silent: AtomicBool,
    is_lost: AtomicBool,
    /// Values of a channel, of all ranks, in the norm that was run last.
    count: AtomicUsize,
}

impl SyncNorm {
    /// Over these ranks.
    pub fn new(ranks: Ranks) -> Self {
        Self { ranks, shared: Arc::default() }
    }

    /// While it is set, this rank runs the norms for the sake of the others: its own pictures count for nothing.
    pub fn set_silent(&self, is_silent: bool) {
        self.shared.is_silent.store(is_silent, Ordering::Relaxed);
    }

    /// Whether a rank ended in the meantime, so that what the norms found since is of no use.
    ///
    /// # Errors
    /// [`PeerLost`] if so.
    pub fn check(&self) -> Result<(), PeerLost> {
        if self.shared.is_lost.load(Ordering::Relaxed) { Err(PeerLost) } else { Ok(()) }
    }

    /// Values of a channel over which the norm that was run last took its statistics; 0 where no rank had any.
    pub fn latest_count(&self) -> usize {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// The statistics of all ranks, in their order, from this one's of `count` values in each channel.
    pub(crate) fn statistics(&self, own: Statistics, count: usize) -> Statistics {
        let own_count = if self.shared.is_silent.load(Ordering::Relaxed) { 0 } else { count };
        let numbers = own.mean.iter().chain(&own.variance).flat_map(|value| value.to_le_bytes());
        let message: Vec<u8> =
            (own_count as u64).to_le_bytes().into_iter().chain(numbers).collect();
        let all = self.ranks.gather(&message).unwrap_or_default();
        if all.is_empty() || all.iter().any(|other| other.len() != message.len()) {
            // A rank is gone, or they do not run the same norms.
            self.shared.is_lost.store(true, Ordering::Relaxed);
            return own;
        }
        let channels = own.mean.len();
        let mut pooled = Pooled::new(channels);
        let mut total = 0;
        for message in &all {
            let (count, numbers) = message.split_at(size_of::<u64>());
            let count = u64::from_le_bytes(count.try_into().unwrap_or_default());
            if count == 0 {
                continue;
            }
            let values: Vec<f32> = numbers
                .chunks_exact(size_of::<f32>())
                .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap_or_default()))
                .collect();
            let (mean, variance) = values.split_at(channels);
            let added = count as f64;
            pooled.add(added, mean, |c| f64::from(variance[c]) * added);
            total += count;
        }
        self.shared.count.store(usize::try_from(total).unwrap_or(usize::MAX), Ordering::Relaxed);
        // Where nobody has a picture, nothing comes of it.
        if total == 0 { own } else { pooled.statistics() }
    }

    /// The sums of all ranks' gradients of the parameters.
    pub(crate) fn sums(&self, own: &ParameterGradients) -> ParameterGradients {
        let mut joined: Vec<f32> = own.gamma.iter().chain(&own.beta).copied().collect();
        if self.ranks.sum(&mut joined).is_err() {
            self.shared.is_lost.store(true, Ordering::Relaxed);
        }
        let beta = joined.split_off(own.gamma.len());
        ParameterGradients { gamma: joined, beta }
    }
}
