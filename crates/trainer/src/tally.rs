//! Counting hits and losses over batches.

use serde::{Deserialize, Serialize};

/// Sums over pictures; means on request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Pictures counted.
    pub samples: u64,
    /// Sum of the losses.
    pub loss_sum: f64,
    /// Pictures whose class has the highest logit.
    pub hits1: u64,
    /// Pictures whose class is among the five highest logits.
    pub hits5: u64,
    /// Pictures left out because they could not be decoded.
    pub bad_images: u64,
}

impl Tally {
    /// Counts one batch: `logits` row by row, `labels` one for each row.
    pub fn add(&mut self, logits: &[f32], labels: &[u32], loss_sum: f64) {
        self.samples += labels.len() as u64;
        self.loss_sum += loss_sum;
        let classes = logits.len().checked_div(labels.len()).unwrap_or(0).max(1);
        for (row, &label) in logits.chunks_exact(classes).zip(labels) {
            let rank = rank_of(row, label as usize);
            self.hits1 += u64::from(rank < 1);
            self.hits5 += u64::from(rank < 5);
        }
    }

    /// Mean loss; NaN over no pictures.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.samples as f64
    }

    /// Top-1 accuracy, a fraction; NaN over no pictures.
    pub fn top1(&self) -> f64 {
        self.hits1 as f64 / self.samples as f64
    }

    /// Top-5 accuracy, a fraction; NaN over no pictures.
    pub fn top5(&self) -> f64 {
        self.hits5 as f64 / self.samples as f64
    }
}

/// How many classes come before `label`: those with a higher logit, and equal ones with a lower number.
/// Anything that is not a number comes before, so that it never counts as a hit.
fn rank_of(row: &[f32], label: usize) -> usize {
    let own = row.get(label).copied().unwrap_or(f32::NAN);
    row.iter()
        .enumerate()
        .filter(|&(class, &logit)| {
            let below = logit < own || (logit == own && class >= label);
            !below
        })
        .count()
}

/// The class with the highest logit; the first of equals.
pub(crate) fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, logit) in row.iter().enumerate() {
        if *logit > row[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::{Tally, argmax, rank_of};

    #[test]
    fn rank_counts_the_classes_before_the_label() {
        let rows: [(&[f32], usize, usize); 6] = [
            (&[0.1, 0.9, 0.5], 1, 0),
            (&[0.1, 0.9, 0.5], 2, 1),
            (&[0.1, 0.9, 0.5], 0, 2),
            // Of equal logits the first class wins, as in `argmax`.
            (&[0.5, 0.5], 0, 0),
            (&[0.5, 0.5], 1, 1),
            (&[f32::NAN, 0.5], 1, 1),
        ];
        for (row, label, expected) in rows {
            assert_eq!(rank_of(row, label), expected, "{row:?} at {label}");
        }
        assert_eq!(argmax(&[0.1, 0.9, 0.9]), 1);
    }

    #[test]
    fn a_network_that_yields_nan_scores_nothing() {
        let mut tally = Tally::default();
        tally.add(&[f32::NAN; 6], &[0, 1], f64::NAN);
        assert_eq!((tally.samples, tally.hits1), (2, 0));
    }

    #[test]
    fn means_are_over_pictures_not_batches() {
        let mut tally = Tally::default();
        tally.add(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0], &[0, 0, 0], 3.0);
        tally.add(&[1.0, 0.0], &[1], 5.0);
        assert_eq!((tally.top1(), tally.top5(), tally.loss()), (0.75, 1.0, 2.0));
    }
}
