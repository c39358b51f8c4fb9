//! A rank's share in the running statistics that one process would have after a step.

use burn::tensor::Tensor;
use kiln_models::{Network, RunningStatistics};

/// One process takes the statistics of a step's passes in one after the other: each moves the running ones by a part, the
/// momentum, of the way to its own. Its `n` passes come to
/// `r + sum over i of (1 - m)^(n - 1 - i) * m * (s_i - r)`, with `r` what they were before the step and `s_i` those of a
/// pass: a sum, of which each rank has some terms. `n` counts the passes that were planned; bad pictures may make it fewer.
pub(crate) struct StatisticsShare {
    before: Tensor<1>,
    /// After the micro-batches so far, on this rank.
    own: Tensor<1>,
    momentum: f64,
    sum: Option<Tensor<1>>,
}

impl StatisticsShare {
    /// None without batch norm.
    pub(crate) fn new(before: &RunningStatistics, momentum: f64) -> Option<Self> {
        let before = before.joined()?;
        Some(Self { own: before.clone(), before, momentum, sum: None })
    }

    /// Takes a micro-batch in, after which `network` is: one of `passes`, with so many passes of the step `behind` it.
    pub(crate) fn observe(&mut self, network: &Network, passes: usize, behind: usize) {
        let Some(now) = RunningStatistics::of(network).joined() else { return };
        let kept =
            |passes: usize| (1.0 - self.momentum).powi(i32::try_from(passes).unwrap_or(i32::MAX));
        // As if it had begun from the statistics before the step.
        let moved = now.clone() - self.own.clone();
        let moved = moved + (self.own.clone() - self.before.clone()) * (1.0 - kept(passes));
        let term = moved * kept(behind);
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + term,
            None => term,
        });
        self.own = now;
    }

    /// This rank's terms. Statistics that stand still have zeros.
    pub(crate) fn finish(self) -> Option<Tensor<1>> {
        self.sum
    }
}
