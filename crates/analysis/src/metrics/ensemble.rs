//! Several classifiers as one.

use super::scored::Scored;

/// What is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mean {
    /// The probabilities.
    Probabilities,
    /// The logits, which is the geometric mean of the probabilities.
    Logits,
}

/// The mean of classifiers on the same samples, each by its weight; `None` without members, when weights do not sum to
/// something above 0, or when members differ in classes or labels.
pub fn ensemble(members: &[(Scored, f64)], mean: Mean) -> Option<Scored> {
    let (first, _) = members.first()?;
    let all: f64 = members.iter().map(|(_, weight)| weight).sum();
    let fit = |(member, _): &(Scored, f64)| {
        member.classes() == first.classes() && member.labels() == first.labels()
    };
    if !(all > 0.0 && members.iter().all(fit)) {
        return None;
    }
    let mut sums = vec![0.0; first.len() * first.classes()];
    for (member, weight) in members {
        let values = member.rows().flat_map(|(row, _)| row);
        for (sum, p) in sums.iter_mut().zip(values) {
            *sum += weight / all
                * match mean {
                    Mean::Probabilities => *p,
                    Mean::Logits => p.max(f64::MIN_POSITIVE).ln(),
                };
        }
    }
    if mean == Mean::Logits {
        for row in sums.chunks_exact_mut(first.classes().max(1)) {
            let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for value in &mut *row {
                *value = (*value - highest).exp();
            }
            let sum: f64 = row.iter().sum();
            for value in row {
                *value /= sum;
            }
        }
    }
    Some(Scored::new(first.classes(), sums, first.labels().to_vec()))
}
