//! Counting hits and losses over batches.

use kiln_augment::mix::MixedLabel;
use kiln_parallel::{PeerLost, Ranks};
use serde::{Deserialize, Serialize};

/// Sums over pictures; means on request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Pictures counted.
    pub samples: u64,
    /// Sum of the losses.
    pub loss_sum: f64,
    /// Pictures whose class has the highest logit. A mixed picture counts by the part of the class that was hit.
    pub hits1: f64,
    /// Pictures whose class is among the five highest logits; a mixed picture by the parts of the classes that are.
    pub hits5: f64,
    /// Pictures left out because they could not be decoded.
    pub bad_images: u64,
}

impl Tally {
    /// Counts one batch: `logits` row by row, `labels` one for each row.
    pub fn add(&mut self, logits: &[f32], labels: &[MixedLabel], loss_sum: f64) {
        self.samples += labels.len() as u64;
        self.loss_sum += loss_sum;
        let classes = logits.len().checked_div(labels.len()).unwrap_or(0).max(1);
        for (row, label) in logits.chunks_exact(classes).zip(labels) {
            for (class, part) in [(label.class, label.lambda), (label.partner, 1.0 - label.lambda)]
            {
                let rank = rank_of(row, class as usize);
                self.hits1 += if rank < 1 { part } else { 0.0 };
                self.hits5 += if rank < 5 { part } else { 0.0 };
            }
        }
    }

    /// Counts what another tally counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.samples += other.samples;
        self.loss_sum += other.loss_sum;
        self.hits1 += other.hits1;
        self.hits5 += other.hits5;
        self.bad_images += other.bad_images;
    }

    /// What all ranks counted, added up in their order. A loss that is no number stays one.
    pub(crate) fn of_all(&self, ranks: &Ranks) -> Result<Self, PeerLost> {
        let Self { samples, loss_sum, hits1, hits5, bad_images } = self;
        // As bits, for JSON has no word for what is no number.
        let own = [*samples, loss_sum.to_bits(), hits1.to_bits(), hits5.to_bits(), *bad_images];
        let own: Vec<u8> = own.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut all = Self::default();
        for told in ranks.gather(&own)? {
            let mut words = told
                .chunks_exact(size_of::<u64>())
                .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()));
            let mut word = || words.next().unwrap_or_default();
            all.merge(&Self {
                samples: word(),
                loss_sum: f64::from_bits(word()),
                hits1: f64::from_bits(word()),
                hits5: f64::from_bits(word()),
                bad_images: word(),
            });
        }
        Ok(all)
    }

    /// Mean loss; NaN over no pictures.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.samples as f64
    }

    /// Top-1 accuracy, a fraction; NaN over no pictures.
    pub fn top1(&self) -> f64 {
        self.hits1 / self.samples as f64
    }

    /// Top-5 accuracy, a fraction; NaN over no pictures.
    pub fn top5(&self) -> f64 {
        self.hits5 / self.samples as f64
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
    use kiln_augment::mix::MixedLabel;

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
        tally.add(&[f32::NAN; 6], &[0, 1].map(MixedLabel::pure), f64::NAN);
        assert_eq!((tally.samples, tally.hits1), (2, 0.0));
    }

    #[test]
    fn a_mixed_picture_is_hit_by_parts() {
        let mixed = MixedLabel { class: 2, partner: 0, lambda: 0.75 };
        let top1 = |logits: [f32; 6]| {
            let mut tally = Tally::default();
            tally.add(&logits, &[mixed], 1.0);
            tally.top1()
        };
        assert_eq!(top1([0.0, 0.0, 1.0, 0.0, 0.0, 0.0]), 0.75);
        assert_eq!(top1([1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 0.25);
        assert_eq!(top1([0.0, 1.0, 0.0, 0.0, 0.0, 0.0]), 0.0);
        let mut tally = Tally::default();
        tally.add(&[5.0, 0.0, 4.0, 3.0, 2.0, 1.0], &[mixed], 1.0);
        assert_eq!((tally.top1(), tally.top5()), (0.25, 1.0));
    }

    #[test]
    fn means_are_over_pictures_not_batches() {
        let mut tally = Tally::default();
        tally.add(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0], &[0, 0, 0].map(MixedLabel::pure), 3.0);
        tally.add(&[1.0, 0.0], &[MixedLabel::pure(1)], 5.0);
        assert_eq!((tally.top1(), tally.top5(), tally.loss()), (0.75, 1.0, 2.0));
    }
}
