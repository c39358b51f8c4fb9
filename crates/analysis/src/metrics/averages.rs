//! Precision, recall and F1 of all classes together.

use super::confusion_matrix::{ConfusionMatrix, Rates};
use serde::Serialize;

/// Precision, recall and F1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Average {
    /// Right ones among those predicted.
    pub precision: f64,
    /// Right ones among those that are.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
}

/// The three ways to average over the classes that occur or are predicted. What is undefined of such a class, as the
/// precision of one that is never predicted, counts as 0.
///
/// # Parity
/// scikit-learn's `precision_recall_fscore_support` with `zero_division=0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Averages {
    /// Each class counts the same.
    pub macro_average: Average,
    /// Each sample counts the same: all three are the accuracy.
    pub micro: Average,
    /// Each class counts by its samples.
    pub weighted: Average,
}

impl Averages {
    /// Of a confusion matrix; NaN without samples.
    pub fn of(matrix: &ConfusionMatrix) -> Self {
        let average = |class: Rates| {
            let or_zero = |rate: Option<f64>| rate.unwrap_or(0.0);
            let (precision, recall) = (or_zero(class.precision), or_zero(class.recall));
            Some((Average { precision, recall, f1: class.f1? }, class.samples as f64))
        };
        let classes: Vec<(Average, f64)> = matrix.rates().into_iter().filter_map(average).collect();
        let accuracy = matrix.accuracy();
        Self {
            macro_average: mean(&classes, |_| 1.0),
            micro: Average { precision: accuracy, recall: accuracy, f1: accuracy },
            weighted: mean(&classes, |support| support),
        }
    }
}

/// The mean over classes with their supports, by a weight for each.
fn mean(classes: &[(Average, f64)], weight: fn(f64) -> f64) -> Average {
    let all: f64 = classes.iter().map(|(_, support)| weight(*support)).sum();
    let of = |value: fn(&Average) -> f64| {
        let sum: f64 = classes.iter().map(|(class, support)| value(class) * weight(*support)).sum();
        sum / all
    };
    Average {
        precision: of(|class| class.precision),
        recall: of(|class| class.recall),
        f1: of(|class| class.f1),
    }
}
