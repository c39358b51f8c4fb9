//! How well a score tells samples of a class from others.

/// The probability that a sample of the class scores above one that is not, ties counting half; `samples` are scores and
/// whether they are of the class. Absent where all are, or none is.
///
/// # Parity
/// scikit-learn's `roc_auc_score`.
pub fn roc_auc(samples: &[(f64, bool)]) -> Option<f64> {
    let (mut above, mut positives_seen, mut negatives_seen) = (0.0, 0.0, 0.0);
    for (positives, negatives) in groups(samples) {
        above += negatives * (positives_seen + 0.5 * positives);
        positives_seen += positives;
        negatives_seen += negatives;
    }
    let pairs = positives_seen * negatives_seen;
    (pairs > 0.0).then(|| above / pairs)
}

/// The mean, over the samples of the class, of the precision at their score; `samples` are scores and whether they are of
/// the class. Absent where none is.
///
/// # Formula
/// `sum over falling thresholds of (recall - recall before) * precision`, without interpolation.
///
/// # Parity
/// scikit-learn's `average_precision_score`.
pub fn average_precision(samples: &[(f64, bool)]) -> Option<f64> {
    let (mut sum, mut positives_seen, mut seen) = (0.0, 0.0, 0.0);
    for (positives, negatives) in groups(samples) {
        positives_seen += positives;
        seen += positives + negatives;
        sum += positives * positives_seen / seen;
    }
    (positives_seen > 0.0).then(|| sum / positives_seen)
}

/// Samples of the class and others at each score, from the highest down.
fn groups(samples: &[(f64, bool)]) -> Vec<(f64, f64)> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let count = |group: &[(f64, bool)]| {
        let positives = group.iter().filter(|(_, is_of_class)| *is_of_class).count();
        (positives as f64, (group.len() - positives) as f64)
    };
    sorted.chunk_by(|a, b| a.0 == b.0).map(count).collect()
}
