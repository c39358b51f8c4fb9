//! Which ops are chosen by the ops that choose. No pixel is touched.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

use kiln_augment::ops::{OneOfSpec, RandomGrayscaleSpec, SequentialSpec, SomeOfSpec};
use kiln_augment::{Count, Domain, Op, OpRng, OpSettings, OpSpec, RandomKey, Size};
use std::collections::BTreeMap;

const SIZE: Size = Size::new(5, 4);
const MANY: u64 = 20_000;

fn rng(index: u64) -> OpRng {
    RandomKey { seed: 42, domain: Domain::Augment, epoch: 0, index }.rng(0)
}

fn draws<S: OpSettings>(spec: &S) -> Vec<<S::Op as Op>::Draw> {
    let op = spec.build(SIZE).expect("settings are in range");
    (0..MANY).map(|index| op.draw(SIZE, &mut rng(index))).collect()
}

/// Accepts a rate that is within five standard deviations of `expect`.
fn check_rate(hits: usize, expect: f64) {
    let rate = hits as f64 / MANY as f64;
    let deviation = (expect * (1.0 - expect) / MANY as f64).sqrt();
    assert!((rate - expect).abs() <= 5.0 * deviation, "rate {rate}, expected {expect}");
}

fn ops(count: usize) -> Vec<OpSpec> {
    vec![OpSpec::RandomGrayscale(RandomGrayscaleSpec { p: 0.25 }); count]
}

#[test]
fn one_op_is_chosen_by_its_weight() {
    let weights = Some(vec![1.0, 0.0, 2.0, 5.0]);
    let drawn = draws(&OneOfSpec { p: 0.8, weights, ops: ops(4) });
    for (position, expect) in [(0, 0.1), (1, 0.0), (2, 0.2), (3, 0.5)] {
        let hits = drawn.iter().flatten().filter(|chosen| chosen.position == position).count();
        check_rate(hits, expect);
    }
    check_rate(drawn.iter().filter(|chosen| chosen.is_none()).count(), 0.2);
}

#[test]
fn a_sequence_acts_as_a_whole() {
    let drawn = draws(&SequentialSpec { p: 0.3, ops: ops(3) });
    assert!(drawn.iter().all(|ops| ops.is_empty() || ops.len() == 3));
    check_rate(drawn.iter().filter(|ops| !ops.is_empty()).count(), 0.3);
}

#[test]
fn some_ops_are_chosen_evenly_and_keep_their_order() {
    let drawn = draws(&SomeOfSpec { n: Count { min: 1, max: 3 }, p: 1.0, ops: ops(4) });
    let mut sets = BTreeMap::<Vec<usize>, usize>::new();
    for chosen in drawn {
        let positions: Vec<usize> = chosen.iter().map(|chosen| chosen.position).collect();
        assert!(positions.is_sorted());
        *sets.entry(positions).or_default() += 1;
    }
    // 4 of one, 6 of two, 4 of three; the three counts are equally frequent.
    assert_eq!(sets.len(), 14);
    for (set, hits) in sets {
        check_rate(hits, 1.0 / 3.0 / if set.len() == 2 { 6.0 } else { 4.0 });
    }
}
