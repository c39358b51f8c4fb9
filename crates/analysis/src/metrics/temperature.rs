//! One number that makes probabilities honest.

use super::calibration::Reliability;
use super::scored::Scored;

/// A fitted temperature, and what it is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Temperature {
    /// Fitted on all samples.
    pub temperature: f64,
    /// Expected calibration error of every second sample as it was.
    pub error_before: f64,
    /// The same with a temperature that was fitted on the others.
    pub error_after: f64,
}

impl Temperature {
    /// Fits one, see [`fit_temperature`].
    ///
    /// # Shapes
    /// As there.
    pub fn fit(classes: usize, logits: &[f32], labels: &[u32]) -> Option<Self> {
        let half = |odd: usize| -> (Vec<f32>, Vec<u32>) {
            let rows = logits.chunks_exact(classes.max(1)).skip(odd).step_by(2);
            let labels = labels.iter().copied().skip(odd).step_by(2);
            (rows.flatten().copied().collect(), labels.collect())
        };
        let ((fitted_logits, fitted_labels), (logits_left, labels_left)) = (half(0), half(1));
        let error = |temperature| {
            let scored =
                Scored::from_logits(classes, &logits_left, labels_left.clone(), temperature);
            Reliability::of(&scored, Reliability::BINS).expected_error()
        };
        Some(Self {
            temperature: fit_temperature(classes, logits, labels)?,
            error_before: error(1.0),
            error_after: error(fit_temperature(classes, &fitted_logits, &fitted_labels)?),
        })
    }
}

/// The temperature that logits are divided by so that the mean negative log-likelihood of the true classes is lowest
/// (Guo et al., 2017). Above 1 where a classifier is surer than it is right. It changes no prediction.
///
/// # Shapes
/// `logits`: `classes` numbers for each of `labels`. Absent when there is no sample, when no bounded temperature is best
/// (every sample right, or worse than guessing), or when a logit is no number.
pub fn fit_temperature(classes: usize, logits: &[f32], labels: &[u32]) -> Option<f64> {
    // In b = 1 / T the likelihood is concave: its slope falls, and its zero is found by halving.
    let slope = |b: f64| -> f64 {
        let rows = logits.chunks_exact(classes.max(1)).zip(labels);
        rows.map(|(row, label)| {
            let highest = row.iter().copied().map(f64::from).fold(f64::NEG_INFINITY, f64::max);
            let (mut sum, mut weighted) = (0.0, 0.0);
            for logit in row.iter().copied().map(f64::from) {
                let power = (b * (logit - highest)).exp();
                sum += power;
                weighted += power * (logit - highest);
            }
            f64::from(row[*label as usize]) - highest - weighted / sum
        })
        .sum()
    };
    let (mut low, mut high) = (1e-3_f64, 1e3_f64);
    if labels.is_empty() || !(slope(low) > 0.0 && slope(high) < 0.0) {
        return None;
    }
    for _ in 0..100 {
        let middle = (low * high).sqrt();
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    Some(1.0 / (low * high).sqrt())
}
