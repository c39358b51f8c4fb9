//! Which samples an epoch visits, in which order and in which batches.

use crate::error::Error;
use kiln_augment::{Domain, RandomKey};

/// The order in which epoch `epoch` visits `n` samples: a permutation of `0..n`, a pure function of its arguments.
pub fn epoch_order(seed: u64, epoch: u64, n: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n).collect();
    RandomKey { seed, domain: Domain::Order, epoch, index: 0 }.rng(0).shuffle(&mut order);
    order
}

/// How an epoch is cut into micro-batches and optimizer steps.
///
/// One optimizer step sees `micro * accumulate` samples in `accumulate` micro-batches: several small batches take the
/// place of one large one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchShape {
    micro: u32,
    accumulate: u32,
    drop_last: bool,
}

impl BatchShape {
    /// `micro` samples in a micro-batch, `accumulate` micro-batches in an optimizer step. With `drop_last` the
    /// samples that do not fill the epoch's last optimizer step are left out; without, that step is smaller.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when either is 0.
    pub fn new(micro: u32, accumulate: u32, drop_last: bool) -> Result<Self, Error> {
        for (field, value) in [("micro", micro), ("accumulate", accumulate)] {
            if value == 0 {
                return Err(Error::OutOfRange { field, must_be: "at least 1", found: "0".into() });
            }
        }
        Ok(Self { micro, accumulate, drop_last })
    }

    /// Samples in a micro-batch.
    pub const fn micro(self) -> u32 {
        self.micro
    }

    /// Micro-batches in an optimizer step.
    pub const fn accumulate(self) -> u32 {
        self.accumulate
    }

    /// Whether an incomplete last optimizer step is left out.
    pub const fn drop_last(self) -> bool {
        self.drop_last
    }

    /// Samples in an optimizer step.
    pub const fn effective(self) -> u64 {
        self.micro as u64 * self.accumulate as u64
    }

    /// The shape of the same optimizer steps for `ranks` processes or threads that take the micro-batches of a step in turn,
    /// as many each: one with `accumulate` micro-batches for each, or with smaller ones where there are too few. `smaller`
    /// cuts every micro-batch into one for each rank in any case. A single process with this shape does the same.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when the samples of a micro-batch cannot be cut like that.
    pub fn for_ranks(self, ranks: u32, smaller: bool) -> Result<Self, Error> {
        let dealt = if smaller { 1 } else { greatest_common_divisor(self.accumulate, ranks) };
        let parts = ranks / dealt;
        if !self.micro.is_multiple_of(parts) {
            return Err(Error::OutOfRange {
                field: "micro",
                must_be: "a multiple of the number of ranks that share a micro-batch",
                found: format!("{} for {parts}", self.micro),
            });
        }
        let accumulate = self.accumulate.saturating_mul(parts);
        Ok(Self { micro: self.micro / parts, accumulate, ..self })
    }

    /// Optimizer steps in an epoch of `n` samples; 0 when `drop_last` leaves nothing.
    pub const fn steps_per_epoch(self, n: u32) -> u64 {
        if self.drop_last {
            n as u64 / self.effective()
        } else {
            (n as u64).div_ceil(self.effective())
        }
    }
}

/// Micro-batches to be loaded, in order; each is a list of sample indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPlan {
    samples: Vec<u32>,
    micro: usize,
}

impl BatchPlan {
    /// The rest of training epoch `epoch` over `n` samples, from optimizer step `first_step` (0 for all of it).
    ///
    /// It is the tail of the plan that starts at 0, so a run resumed inside an epoch sees what it would have
    /// seen. Empty when `first_step` is at or past the epoch's end.
    pub fn training(seed: u64, epoch: u64, n: u32, shape: BatchShape, first_step: u64) -> Self {
        let mut samples = epoch_order(seed, epoch, n);
        let kept = shape.steps_per_epoch(n).saturating_mul(shape.effective());
        samples.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
        let skipped = first_step.saturating_mul(shape.effective());
        samples.drain(..usize::try_from(skipped).map_or(samples.len(), |s| s.min(samples.len())));
        Self { samples, micro: shape.micro as usize }
    }

    /// Those of the micro-batches of a plan for training that rank `rank` of `ranks` takes: of each optimizer step the one
    /// with its number and every `ranks`-th after it. Together the ranks take each once.
    pub fn of_rank(self, shape: BatchShape, rank: usize, ranks: usize) -> Self {
        let micro = self.micro;
        let step = micro.saturating_mul(shape.accumulate as usize);
        let of_step = |step: &[u32]| -> Vec<u32> {
            step.chunks(micro).skip(rank).step_by(ranks.max(1)).flatten().copied().collect()
        };
        let samples = self.samples.chunks(step).flat_map(of_step).collect();
        Self { samples, micro }
    }

    /// The samples `range` in the listing's order, `micro` (at least 1) at a time, every sample once.
    pub fn evaluation(range: std::ops::Range<u32>, micro: u32) -> Self {
        Self { samples: range.collect(), micro: micro.max(1) as usize }
    }

    /// Number of micro-batches.
    pub fn len(&self) -> usize {
        self.samples.len().div_ceil(self.micro)
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// All sample indices in the order in which they are loaded.
    pub fn samples(&self) -> &[u32] {
        &self.samples
    }

    /// The sample indices of micro-batch `batch`, counted from this plan's first; empty past the end.
    pub fn batch(&self, batch: usize) -> &[u32] {
        let start = batch.saturating_mul(self.micro).min(self.samples.len());
        let end = start.saturating_add(self.micro).min(self.samples.len());
        &self.samples[start..end]
    }

    /// The micro-batches in order.
    pub fn batches(&self) -> impl Iterator<Item = &[u32]> {
        self.samples.chunks(self.micro)
    }
}

const fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_share_the_micro_batches_of_every_step() {
        let shape = BatchShape::new(4, 2, false).unwrap();
        for (ranks, smaller, expect) in [
            (1, false, Some((4, 2))),
            (2, false, Some((4, 2))),
            (2, true, Some((2, 4))),
            (4, false, Some((2, 4))),
            (8, false, Some((1, 8))),
            (3, false, None),
            (16, false, None),
        ] {
            let found = shape.for_ranks(ranks, smaller).ok();
            assert_eq!(found.map(|s| (s.micro(), s.accumulate())), expect, "{ranks} {smaller}");
            let Some(found) = found else { continue };
            assert_eq!(found.effective(), shape.effective());
            // 3 steps of 8, and one of 5.
            let whole = BatchPlan::training(1, 0, 29, found, 0);
            let mut dealt: Vec<Vec<&[u32]>> = vec![Vec::new(); found.accumulate() as usize];
            let parts: Vec<BatchPlan> = (0..ranks as usize)
                .map(|rank| whole.clone().of_rank(found, rank, ranks as usize))
                .collect();
            for (rank, part) in parts.iter().enumerate() {
                let per_step = found.accumulate() as usize / ranks as usize;
                for (i, batch) in part.batches().enumerate() {
                    dealt[i % per_step * ranks as usize + rank].push(batch);
                }
            }
            let rounds = dealt.iter().map(Vec::len).max().unwrap();
            let in_turn =
                (0..rounds).flat_map(|step| dealt.iter().filter_map(move |d| d.get(step)));
            assert_eq!(in_turn.copied().collect::<Vec<_>>(), whole.batches().collect::<Vec<_>>());
        }
    }

    #[test]
    fn order_follows_seed_and_epoch() {
        assert_eq!(epoch_order(42, 0, 0), [] as [u32; 0]);
        assert_eq!(epoch_order(42, 0, 1), [0]);
        assert_ne!(epoch_order(42, 0, 100), epoch_order(42, 1, 100));
        assert_ne!(epoch_order(42, 0, 100), epoch_order(43, 0, 100));
    }

    #[test]
    fn an_incomplete_step_is_kept_or_dropped_as_a_whole() {
        let check = |n, drop_last, lengths: &[usize]| {
            let shape = BatchShape::new(2, 2, drop_last).unwrap();
            let plan = BatchPlan::training(1, 0, n, shape, 0);
            assert_eq!(plan.batches().map(<[u32]>::len).collect::<Vec<_>>(), lengths, "n = {n}");
        };
        check(8, false, &[2, 2, 2, 2]);
        check(7, false, &[2, 2, 2, 1]);
        check(5, false, &[2, 2, 1]);
        check(7, true, &[2, 2]);
        check(3, true, &[]);
        check(0, false, &[]);
    }

    #[test]
    fn huge_shapes_do_not_overflow() {
        let shape = BatchShape::new(u32::MAX, u32::MAX, false).unwrap();
        assert_eq!(shape.steps_per_epoch(10), 1);
        assert_eq!(BatchPlan::training(1, 0, 10, shape, 0).len(), 1);
        assert!(BatchPlan::training(1, 0, 10, shape, u64::MAX).is_empty());
    }

    #[test]
    fn empty_batches_are_refused() {
        assert!(matches!(
            BatchShape::new(0, 1, false),
            Err(Error::OutOfRange { field: "micro", .. })
        ));
        assert!(matches!(
            BatchShape::new(1, 0, false),
            Err(Error::OutOfRange { field: "accumulate", .. })
        ));
    }
}
