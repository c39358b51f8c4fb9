//! Whether one classifier is better than another, or was lucky.

/// The samples on which two classifiers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PairedHits {
    /// Right by the first alone.
    pub only_first: u64,
    /// Right by the second alone.
    pub only_second: u64,
    /// Right by both.
    pub both: u64,
    /// Right by neither.
    pub neither: u64,
}

impl PairedHits {
    /// Counts hits of two classifiers on the same samples, in the same order.
    pub fn count(first: &[bool], second: &[bool]) -> Self {
        let mut counts = Self::default();
        for pair in first.iter().zip(second) {
            match pair {
                (true, true) => counts.both += 1,
                (true, false) => counts.only_first += 1,
                (false, true) => counts.only_second += 1,
                (false, false) => counts.neither += 1,
            }
        }
        counts
    }
}

/// The exact test of McNemar: the probability that two equally good classifiers differ at least as unevenly on the samples that
/// one alone gets right. Below 0.05 a difference is usually called significant.
///
/// # Parity
/// The two-sided binomial test at 1/2 of `scipy.stats.binomtest`.
pub fn mcnemar(hits: PairedHits) -> f64 {
    let (fewer, all) = (hits.only_first.min(hits.only_second), hits.only_first + hits.only_second);
    // log(n over k) - n log 2, one term from the one before.
    let mut log_term = -(all as f64) * std::f64::consts::LN_2;
    let mut tail = log_term.exp();
    for k in 0..fewer {
        log_term += ((all - k) as f64).ln() - ((k + 1) as f64).ln();
        tail += log_term.exp();
    }
    (2.0 * tail).min(1.0)
}
