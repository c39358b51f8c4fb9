//! Probabilities beside the truth.

use super::confusion_matrix::ConfusionMatrix;
use super::ranking::{average_precision, roc_auc};
use kiln_trainer::Outputs;

/// The probabilities that a classifier gave to samples, and what those samples are.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    classes: usize,
    /// Row by row.
    probabilities: Vec<f64>,
    labels: Vec<u32>,
}

impl Scored {
    /// From probabilities, `classes` for each sample, and the classes that the samples are of.
    ///
    /// # Panics
    /// When there are not `classes` probabilities for each label, or a label is no class.
    pub fn new(classes: usize, probabilities: Vec<f64>, labels: Vec<u32>) -> Self {
        assert_eq!(probabilities.len(), classes * labels.len(), "one row for each label");
        assert!(labels.iter().all(|label| (*label as usize) < classes), "every label is a class");
        Self { classes, probabilities, labels }
    }

    /// From logits: their softmax after a division by `temperature`, computed in f64.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn from_logits(classes: usize, logits: &[f32], labels: Vec<u32>, temperature: f64) -> Self {
        let softmax = |row: &[f32]| -> Vec<f64> {
            let scaled = row.iter().map(|logit| f64::from(*logit) / temperature);
            let highest = scaled.clone().fold(f64::NEG_INFINITY, f64::max);
            let powers: Vec<f64> = scaled.map(|logit| (logit - highest).exp()).collect();
            let sum: f64 = powers.iter().sum();
            powers.into_iter().map(|power| power / sum).collect()
        };
        let probabilities = logits.chunks_exact(classes.max(1)).flat_map(softmax).collect();
        Self::new(classes, probabilities, labels)
    }

    /// From a network's outputs, with the temperature that was fitted for it, if one was.
    pub fn of(outputs: &Outputs, temperature: Option<f64>) -> Self {
        let (logits, labels) = (&outputs.logits, outputs.labels.clone());
        Self::from_logits(outputs.classes(), logits, labels, temperature.unwrap_or(1.0))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What the samples are.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The probabilities of each sample, with its label.
    pub fn rows(&self) -> impl Iterator<Item = (&[f64], u32)> {
        self.probabilities.chunks_exact(self.classes.max(1)).zip(self.labels.iter().copied())
    }

    /// Whether each sample's class is the predicted one.
    pub fn hits(&self) -> Vec<bool> {
        self.rows().map(|(row, label)| best(row) == label).collect()
    }

    /// The `right` samples that are recognised with the highest probability, and the `wrong` ones that are mistaken with the
    /// highest, surest first.
    pub fn surest(&self, right: usize, wrong: usize) -> (Vec<usize>, Vec<usize>) {
        let hits = self.hits();
        let highest = |row: &[f64]| row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let confidence: Vec<f64> = self.rows().map(|(row, _)| highest(row)).collect();
        let of = |is_hit: bool, count: usize| {
            let mut found: Vec<usize> = (0..self.len()).filter(|i| hits[*i] == is_hit).collect();
            found.sort_by(|a, b| confidence[*b].total_cmp(&confidence[*a]));
            found.truncate(count);
            found
        };
        (of(true, right), of(false, wrong))
    }

    /// Share of samples whose class is among the `k` most probable; of equals the first come first.
    ///
    /// # Parity
    /// scikit-learn's `top_k_accuracy_score`, where no probabilities are equal.
    pub fn top_k(&self, k: usize) -> f64 {
        let is_hit = |(row, label): (&[f64], u32)| {
            let own = row[label as usize];
            let before =
                |(class, p): (usize, &f64)| *p > own || (*p == own && class < label as usize);
            row.iter().enumerate().filter(|&(class, p)| before((class, p))).count() < k
        };
        share(self.rows().filter(|row| is_hit(*row)).count(), self.len())
    }

    /// Samples by true class (row) and predicted class (column).
    pub fn confusion(&self) -> ConfusionMatrix {
        let mut counts = vec![vec![0; self.classes]; self.classes];
        for (row, label) in self.rows() {
            counts[label as usize][best(row) as usize] += 1;
        }
        ConfusionMatrix::new(counts)
    }

    /// Mean of the negative logarithms of the true classes' probabilities.
    ///
    /// # Parity
    /// scikit-learn's `log_loss`.
    pub fn negative_log_likelihood(&self) -> f64 {
        // A probability that rounds to 0 costs as much as the smallest number above it.
        let of = |(row, label): (&[f64], u32)| -row[label as usize].max(f64::MIN_POSITIVE).ln();
        self.rows().map(of).sum::<f64>() / self.len() as f64
    }

    /// Mean squared distance between the probabilities and the truth, summed over classes: from 0 to 2.
    ///
    /// # Parity
    /// scikit-learn's `brier_score_loss` with `scale_by_half=False` (Brier, 1950).
    pub fn brier(&self) -> f64 {
        let of = |(row, label): (&[f64], u32)| -> f64 {
            let truth = |class| if class == label as usize { 1.0 } else { 0.0 };
            row.iter().enumerate().map(|(class, p)| (p - truth(class)).powi(2)).sum()
        };
        self.rows().map(of).sum::<f64>() / self.len() as f64
    }

    /// Area under the ROC curve of each class against all others; absent where there is nothing to tell apart.
    pub fn roc_auc(&self) -> Vec<Option<f64>> {
        (0..self.classes).map(|class| roc_auc(&self.against_rest(class))).collect()
    }

    /// Average precision of each class against all others; absent for a class without samples.
    pub fn average_precision(&self) -> Vec<Option<f64>> {
        (0..self.classes).map(|class| average_precision(&self.against_rest(class))).collect()
    }

    fn against_rest(&self, class: usize) -> Vec<(f64, bool)> {
        self.rows().map(|(row, label)| (row[class], label as usize == class)).collect()
    }
}

/// The class with the highest probability, of equals the first.
pub(crate) fn best(row: &[f64]) -> u32 {
    let better = |best: (usize, f64), next: (usize, f64)| if next.1 > best.1 { next } else { best };
    let found = row.iter().copied().enumerate().fold((0, f64::NEG_INFINITY), better);
    u32::try_from(found.0).unwrap_or(u32::MAX)
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
