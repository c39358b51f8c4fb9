//! Many draws of one op, and whether they are distributed as they should be.

use kiln_augment::{Domain, Op, OpRng, OpSettings, RandomKey, Size};

pub(crate) const STAGE: Size = Size::square(224);
pub(crate) const MANY: u64 = 20_000;

pub(crate) fn rng(index: u64) -> OpRng {
    RandomKey { seed: 42, domain: Domain::Augment, epoch: 0, index }.rng(0)
}

/// Draws of many pictures of one size.
pub(crate) fn draws<S: OpSettings>(spec: &S, size: Size) -> Vec<<S::Op as Op>::Draw> {
    some_draws(spec, size, MANY)
}

/// Draws of `count` pictures of one size.
pub(crate) fn some_draws<S: OpSettings>(
    spec: &S,
    size: Size,
    count: u64,
) -> Vec<<S::Op as Op>::Draw> {
    let op = spec.build(STAGE).expect("settings are in range");
    (0..count).map(|index| op.draw(size, &mut rng(index))).collect()
}

/// Accepts a rate that is within five standard deviations of `expect`.
pub(crate) fn check_rate(hits: usize, of: usize, expect: f64) {
    let rate = hits as f64 / of as f64;
    let deviation = (expect * (1.0 - expect) / of as f64).sqrt();
    assert!((rate - expect).abs() <= 5.0 * deviation, "rate {rate}, expected {expect}");
}

/// Accepts values that fill a range evenly.
pub(crate) fn check_uniform(drawn: impl IntoIterator<Item = f64>, [low, high]: [f64; 2]) {
    let drawn: Vec<f64> = drawn.into_iter().collect();
    assert!(drawn.iter().all(|value| (low..high).contains(value)));
    let below = |part: f64| drawn.iter().filter(|&&v| v < low + part * (high - low)).count();
    for part in [0.1, 0.5, 0.9] {
        check_rate(below(part), drawn.len(), part);
    }
}

/// Accepts an op that acts as often as `p` says.
pub(crate) fn check_acts<T>(drawn: &[Option<T>], p: f64) {
    check_rate(drawn.iter().flatten().count(), drawn.len(), p);
}
