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
    (2.0 * lower_tail(fewer, all, 0.5)).min(1.0)
}

/// The 95 % interval of the difference of two accuracies, second less first, that belongs to [`mcnemar`]: it leaves zero out
/// just where that is below 0.05. No samples: none.
///
/// # Formula
/// Clopper and Pearson's interval of the second's share of the samples that one alone gets right, times their share of all.
pub fn gain_interval(hits: PairedHits) -> Option<(f64, f64)> {
    let PairedHits { only_first, only_second, both, neither } = hits;
    let (differing, all) = (only_first + only_second, only_first + only_second + both + neither);
    if all == 0 {
        return None;
    }
    let gain = |share: f64| (2.0 * share - 1.0) * differing as f64 / all as f64;
    // The share at which as few, or as many, would be seen in one of forty cases.
    let upper = if only_second == differing {
        1.0
    } else {
        zero(|share| lower_tail(only_second, differing, share) - 0.025)
    };
    let lower = if only_second == 0 {
        0.0
    } else {
        zero(|share| 1.0 - lower_tail(only_second - 1, differing, share) - 0.025)
    };
    Some((gain(lower), gain(upper)))
}

/// The probability of at most `most` of `all` where each has the probability `share`.
fn lower_tail(most: u64, all: u64, share: f64) -> f64 {
    if share <= 0.0 || all == 0 {
        return 1.0;
    }
    if share >= 1.0 {
        return if most >= all { 1.0 } else { 0.0 };
    }
    // log of (n over k) p^k (1 - p)^(n - k), one term from the one before.
    let odds = share.ln() - (1.0 - share).ln();
    let mut log_term = all as f64 * (1.0 - share).ln();
    let mut tail = log_term.exp();
    for k in 0..most.min(all) {
        log_term += ((all - k) as f64).ln() - ((k + 1) as f64).ln() + odds;
        tail += log_term.exp();
    }
    tail.min(1.0)
}

/// Where a function that falls or rises from 0 to 1 has its zero.
fn zero(of: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    let falls = of(1e-12) > 0.0;
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if (of(middle) > 0.0) == falls {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::{PairedHits, gain_interval, mcnemar};

    fn hits(only_first: u64, only_second: u64, others: u64) -> PairedHits {
        PairedHits { only_first, only_second, both: others, neither: 0 }
    }

    #[test]
    fn the_interval_is_clopper_and_pearsons() {
        // `scipy.stats.binomtest(15, 20).proportion_ci()` is (0.508953..., 0.913428...).
        let (low, high) = gain_interval(hits(5, 15, 80)).unwrap();
        assert!((low - (2.0 * 0.508_953_596 - 1.0) * 0.2).abs() < 1e-6, "{low}");
        assert!((high - (2.0 * 0.913_428_569 - 1.0) * 0.2).abs() < 1e-6, "{high}");
        assert_eq!(gain_interval(hits(0, 0, 10)), Some((0.0, 0.0)));
        assert_eq!(gain_interval(hits(0, 0, 0)), None);
    }

    #[test]
    fn test_and_interval_agree() {
        for (first, second) in [(0, 5), (0, 6), (3, 12), (4, 12), (40, 60), (40, 62), (300, 350)] {
            let hits = hits(first, second, 500);
            let (low, _) = gain_interval(hits).unwrap();
            assert_eq!(mcnemar(hits) < 0.05, low > 0.0, "{first} {second}");
        }
    }
}
