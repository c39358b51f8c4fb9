//! Samples by true and predicted class, and what follows from that alone.

use crate::scores::{fraction, mean};

/// Samples by true class (row) and predicted class (column).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<u64>>,
}

/// How well one class is recognised; absent what has nothing to be a share of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rates {
    pub(crate) samples: u64,
    pub(crate) precision: Option<f64>,
    pub(crate) recall: Option<f64>,
    /// Absent only for a class that neither occurs nor is predicted.
    pub(crate) f1: Option<f64>,
}

impl ConfusionMatrix {
    /// From counts, a square.
    ///
    /// # Panics
    /// When it is none.
    pub fn new(counts: Vec<Vec<u64>>) -> Self {
        assert!(counts.iter().all(|row| row.len() == counts.len()), "as many columns as rows");
        Self { counts }
    }

    /// The counts.
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Number of samples.
    pub fn samples(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Samples of each class.
    pub fn supports(&self) -> Vec<u64> {
        self.counts.iter().map(|row| row.iter().sum()).collect()
    }

    /// Samples that each class was predicted for.
    pub fn predicted(&self) -> Vec<u64> {
        (0..self.counts.len()).map(|class| self.counts.iter().map(|row| row[class]).sum()).collect()
    }

    /// Samples of each class that were recognised.
    pub fn hits(&self) -> Vec<u64> {
        self.counts.iter().enumerate().map(|(class, row)| row[class]).collect()
    }

    /// How well each class is recognised.
    pub(crate) fn rates(&self) -> Vec<Rates> {
        let counts = self.hits().into_iter().zip(self.supports()).zip(self.predicted());
        let rates = |((hits, samples), predicted)| Rates {
            samples,
            precision: fraction(hits, predicted),
            recall: fraction(hits, samples),
            f1: fraction(2 * hits, samples + predicted),
        };
        counts.map(rates).collect()
    }

    /// Share of samples that were recognised; NaN without samples.
    pub fn accuracy(&self) -> f64 {
        self.hits().iter().sum::<u64>() as f64 / self.samples() as f64
    }

    /// Mean recall of the classes that have samples; NaN without samples.
    ///
    /// # Parity
    /// scikit-learn's `balanced_accuracy_score`.
    pub fn balanced_accuracy(&self) -> f64 {
        mean(self.rates().into_iter().map(|class| class.recall)).unwrap_or(f64::NAN)
    }

    /// Agreement beyond chance: 1 for all right, 0 for what chance gives; NaN where chance gives all.
    ///
    /// # Parity
    /// scikit-learn's `cohen_kappa_score`.
    pub fn cohen_kappa(&self) -> f64 {
        let (by_chance, all) = (self.by_chance(), self.samples() as f64);
        let (expected, found) = (by_chance / (all * all), self.accuracy());
        (found - expected) / (1.0 - expected)
    }

    /// The correlation of truth and prediction: from -1 to 1; 0 where all samples are of one class or are taken for one.
    ///
    /// # Parity
    /// scikit-learn's `matthews_corrcoef`, for many classes (Gorodkin, 2004).
    pub fn matthews(&self) -> f64 {
        let (all, by_chance) = (self.samples() as f64, self.by_chance());
        let squares = |counts: Vec<u64>| counts.iter().map(|&n| (n as f64).powi(2)).sum::<f64>();
        let covariance = self.accuracy() * all * all - by_chance;
        let spread =
            (all * all - squares(self.predicted())) * (all * all - squares(self.supports()));
        if spread > 0.0 { covariance / spread.sqrt() } else { 0.0 }
    }

    /// Hits that chance would give, times the number of samples.
    fn by_chance(&self) -> f64 {
        let pairs = self.supports().into_iter().zip(self.predicted());
        pairs.map(|(support, predicted)| support as f64 * predicted as f64).sum()
    }
}
