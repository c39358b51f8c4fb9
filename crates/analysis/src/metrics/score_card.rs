//! All numbers of one classifier.

use super::averages::{Average, Averages};
use super::calibration::Reliability;
use super::confusion_matrix::{ConfusionMatrix, Rates};
use super::scored::Scored;
use crate::scores::mean;
use serde::Serialize;

/// What a classifier is worth on a set of samples. Numbers that are not defined are absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreCard {
    /// Samples.
    pub samples: usize,
    /// Top-1 accuracy, a fraction.
    pub top1: f64,
    /// Top-5 accuracy, a fraction.
    pub top5: f64,
    /// Mean negative log-likelihood of the true classes: cross entropy without label smoothing.
    pub negative_log_likelihood: f64,
    /// Mean recall of the classes.
    pub balanced_accuracy: f64,
    /// Precision, recall and F1, each class counting the same.
    pub macro_average: Average,
    /// The same, each class counting by its samples.
    pub weighted_average: Average,
    /// Cohen's kappa.
    pub cohen_kappa: Option<f64>,
    /// Matthews' correlation coefficient.
    pub matthews: f64,
    /// Mean of the classes' areas under the ROC curve.
    pub macro_roc_auc: Option<f64>,
    /// Mean of the classes' average precisions.
    pub macro_average_precision: Option<f64>,
    /// Expected calibration error in 15 bins.
    pub calibration_error: f64,
    /// The largest calibration error of a bin.
    pub largest_calibration_error: f64,
    /// Brier score, from 0 to 2.
    pub brier: f64,
    /// Samples by true class (outer) and predicted class (inner).
    pub confusion: Vec<Vec<u64>>,
    /// Each class alone.
    pub classes: Vec<OneClass>,
}

/// One class against all others. Numbers that are not defined are absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OneClass {
    /// Samples of the class.
    pub samples: u64,
    /// Right ones among those that were said to be of it.
    pub precision: Option<f64>,
    /// Those of it that were found.
    pub recall: Option<f64>,
    /// Harmonic mean of the two.
    pub f1: Option<f64>,
    /// Area under the ROC curve.
    pub roc_auc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
}

impl ScoreCard {
    /// Of samples; absent when there are none.
    pub fn of(scored: &Scored) -> Option<Self> {
        if scored.is_empty() {
            return None;
        }
        let matrix = scored.confusion();
        let averages = Averages::of(&matrix);
        let reliability = Reliability::of(scored, Reliability::BINS);
        let classes = classes(scored, &matrix);
        Some(Self {
            samples: scored.len(),
            top1: scored.top_k(1),
            top5: scored.top_k(5),
            negative_log_likelihood: scored.negative_log_likelihood(),
            balanced_accuracy: matrix.balanced_accuracy(),
            macro_average: averages.macro_average,
            weighted_average: averages.weighted,
            cohen_kappa: Some(matrix.cohen_kappa()).filter(|kappa| !kappa.is_nan()),
            matthews: matrix.matthews(),
            macro_roc_auc: mean(classes.iter().map(|class| class.roc_auc)),
            macro_average_precision: mean(classes.iter().map(|class| class.average_precision)),
            calibration_error: reliability.expected_error(),
            largest_calibration_error: reliability.maximum_error(),
            brier: scored.brier(),
            classes,
            confusion: matrix.counts().to_vec(),
        })
    }
}

fn classes(scored: &Scored, matrix: &ConfusionMatrix) -> Vec<OneClass> {
    let ranking = scored.roc_auc().into_iter().zip(scored.average_precision());
    let of = |(Rates { samples, precision, recall, f1 }, (roc_auc, average_precision))| OneClass {
        samples,
        precision,
        recall,
        f1,
        roc_auc,
        average_precision,
    };
    matrix.rates().into_iter().zip(ranking).map(of).collect()
}
