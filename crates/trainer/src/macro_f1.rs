//! The mean of the classes' F1 scores.

/// The unweighted mean of the F1 score of each class that is in the truth or in the predictions; 0 without any. `confusion`
/// counts pictures by true class (outer) and predicted class (inner).
///
/// # Parity
/// `sklearn.metrics.f1_score(average="macro", zero_division=0)`.
pub(crate) fn macro_f1(confusion: &[Vec<u64>]) -> f64 {
    let scores: Vec<f64> = confusion
        .iter()
        .enumerate()
        .filter_map(|(class, row)| {
            let hits = row[class] as f64;
            let truth = row.iter().sum::<u64>() as f64;
            let predicted = confusion.iter().map(|row| row[class]).sum::<u64>() as f64;
            (truth + predicted > 0.0).then(|| 2.0 * hits / (truth + predicted))
        })
        .collect();
    if scores.is_empty() { 0.0 } else { scores.iter().sum::<f64>() / scores.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::macro_f1;

    #[test]
    fn it_is_scikit_learn_s() {
        // `f1_score(y_true, y_pred, average="macro", zero_division=0)` of scikit-learn 1.9.1.
        let cases: [(&[[u64; 3]; 3], f64); 4] = [
            (&[[2, 0, 0], [0, 3, 0], [0, 0, 1]], 1.0),
            (&[[2, 1, 0], [0, 1, 2], [1, 0, 3]], 0.577_777_777_777_777_8),
            // A class without pictures that is never predicted does not count; one that is does.
            (&[[2, 1, 0], [1, 3, 0], [0, 0, 0]], 0.708_333_333_333_333_3),
            (&[[2, 0, 1], [1, 3, 0], [0, 0, 0]], 0.507_936_507_936_507_9),
        ];
        for (confusion, expected) in cases {
            let confusion: Vec<Vec<u64>> = confusion.iter().map(|row| row.to_vec()).collect();
            let found = macro_f1(&confusion);
            assert!((found - expected).abs() < 1e-15, "{confusion:?}: {found}, not {expected}");
        }
        assert_eq!(macro_f1(&[]), 0.0);
    }
}
