//! Precision, recall and F1 of each class.

use kiln_trainer::record::Evaluation;

/// How well one class is recognised.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScore {
    /// Position of the class in the evaluation.
    pub class: usize,
    /// Name of the class.
    pub name: String,
    /// Samples that are of this class.
    pub samples: u64,
    /// Samples that were said to be of this class.
    pub predicted: u64,
    /// Share of `predicted` that is right; `None` when there is none.
    pub precision: Option<f64>,
    /// Share of `samples` that was found; `None` when there is none.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall, `2 hits / (samples + predicted)`; `None` when
    /// the class neither occurs nor is predicted.
    pub f1: Option<f64>,
}

/// The scores of all classes, in the order of the evaluation.
pub fn class_scores(evaluation: &Evaluation) -> Vec<ClassScore> {
    let confusion = &evaluation.confusion;
    let mut predicted = vec![0; confusion.len()];
    for row in confusion {
        for (sum, count) in predicted.iter_mut().zip(row) {
            *sum += count;
        }
    }
    let rows = confusion.iter().zip(predicted).enumerate();
    rows.map(|(class, (row, predicted))| {
        let samples: u64 = row.iter().sum();
        let hits = row.get(class).copied().unwrap_or(0);
        ClassScore {
            class,
            name: class_name(evaluation, class),
            samples,
            predicted,
            precision: fraction(hits, predicted),
            recall: fraction(hits, samples),
            f1: fraction(2 * hits, samples + predicted),
        }
    })
    .collect()
}

/// The mean of what is defined.
pub(crate) fn mean(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = values
        .into_iter()
        .flatten()
        .fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// `part / whole`, when there is a whole.
pub(crate) fn fraction(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The name of a class, also where the evaluation has fewer names than rows.
pub(crate) fn class_name(evaluation: &Evaluation, class: usize) -> String {
    evaluation.class_names.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
}

/// An evaluation for tests with classes called `cat` and `dog`.
#[cfg(test)]
pub(crate) fn evaluation(confusion: &[&[u64]]) -> Evaluation {
    Evaluation {
        averaged: false,
        checkpoint: "best".to_owned(),
        step: 0,
        samples: confusion.iter().flat_map(|row| row.iter()).sum(),
        loss: 0.5,
        top1: 0.75,
        top5: 1.0,
        macro_f1: 0.0,
        class_names: vec!["cat".to_owned(), "dog".to_owned()],
        confusion: confusion.iter().map(|row| row.to_vec()).collect(),
        bad_images: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{class_scores, evaluation, mean};

    #[test]
    fn scores_computed_by_hand() {
        let scores = class_scores(&evaluation(&[&[8, 2, 0], &[1, 3, 0], &[0, 0, 0]]));
        // Cat: 8 of 9 predictions right, 8 of 10 found, F1 = 16 / 19.
        assert_eq!((scores[0].samples, scores[0].predicted), (10, 9));
        assert_eq!(scores[0].precision, Some(8.0 / 9.0));
        assert_eq!(scores[0].recall, Some(0.8));
        assert_eq!(scores[0].f1, Some(16.0 / 19.0));
        // Dog: 3 of 5 and 3 of 4, F1 = 6 / 9.
        assert_eq!(scores[1].precision, Some(0.6));
        assert_eq!(scores[1].recall, Some(0.75));
        assert_eq!(scores[1].f1, Some(6.0 / 9.0));
        // A class that does not occur and has no name.
        assert_eq!(scores[2].name, "class 2");
        assert_eq!((scores[2].precision, scores[2].recall, scores[2].f1), (None, None, None));
    }

    #[test]
    fn a_class_never_predicted_has_no_precision_but_scores_zero() {
        let scores = class_scores(&evaluation(&[&[5, 0], &[4, 0]]));
        assert_eq!(
            (scores[1].precision, scores[1].recall, scores[1].f1),
            (None, Some(0.0), Some(0.0))
        );
    }

    #[test]
    fn matrices_of_any_shape_are_read() {
        assert!(class_scores(&evaluation(&[])).is_empty());
        assert_eq!(class_scores(&evaluation(&[&[1, 2, 3], &[]])).len(), 2);
    }

    #[test]
    fn means_skip_what_is_undefined() {
        assert_eq!(mean([Some(1.0), None, Some(0.5)]), Some(0.75));
        assert_eq!(mean([None]), None);
    }
}
