//! Whether a classifier is as sure as it is right.

use super::scored::{Scored, best};

/// Samples by their highest probability, in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// From 0 to 1. A probability on the border of two bins is in the upper one, and 1 in the last.
    pub bins: Vec<ReliabilityBin>,
}

/// The samples whose highest probability is in one range.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReliabilityBin {
    /// How many.
    pub samples: u64,
    /// Mean of their highest probability; 0 without samples.
    pub confidence: f64,
    /// Share of them that is recognised; 0 without samples.
    pub accuracy: f64,
}

impl Reliability {
    /// The usual number of bins.
    pub const BINS: usize = 15;

    /// Of samples, in `bins` bins, at least 1.
    pub fn of(scored: &Scored, bins: usize) -> Self {
        let mut sums = vec![(0, 0.0, 0); bins.max(1)];
        for (row, label) in scored.rows() {
            let class = best(row);
            let confidence = row[class as usize];
            let last = sums.len() - 1;
            let (samples, sum, hits) = &mut sums[bin_of(confidence, last)];
            *samples += 1;
            *sum += confidence;
            *hits += u64::from(class == label);
        }
        let bin = |(samples, sum, hits): (u64, f64, u64)| {
            let all = samples.max(1) as f64;
            ReliabilityBin { samples, confidence: sum / all, accuracy: hits as f64 / all }
        };
        Self { bins: sums.into_iter().map(bin).collect() }
    }

    /// Expected calibration error: the mean distance between confidence and accuracy of the bins, by their samples; NaN
    /// without samples.
    ///
    /// # Parity
    /// torchmetrics' `MulticlassCalibrationError` with `norm="l1"` (Naeini et al., 2015).
    pub fn expected_error(&self) -> f64 {
        let all: u64 = self.bins.iter().map(|bin| bin.samples).sum();
        let weighted = |bin: &ReliabilityBin| bin.samples as f64 * bin.distance();
        self.bins.iter().map(weighted).sum::<f64>() / all as f64
    }

    /// Maximum calibration error: the largest such distance of any bin.
    ///
    /// # Parity
    /// The same with `norm="max"`.
    pub fn maximum_error(&self) -> f64 {
        self.bins.iter().map(ReliabilityBin::distance).fold(0.0, f64::max)
    }
}

impl ReliabilityBin {
    fn distance(&self) -> f64 {
        (self.confidence - self.accuracy).abs()
    }
}

fn bin_of(confidence: f64, last: usize) -> usize {
    let bins = last + 1;
    (0..bins).rev().find(|bin| confidence >= *bin as f64 / bins as f64).unwrap_or(0)
}
