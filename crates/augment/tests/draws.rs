//! Random decisions: the first values of every sampler, and what ops draw. No pixel is touched.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

use kiln_augment::ops::{
    ColorJitterSpec, RandomCropSpec, RandomGrayscaleSpec, RandomHorizontalFlipSpec,
    RandomResizedCropSpec, RandomVerticalFlipSpec,
};
use kiln_augment::{CropBox, Domain, Op, OpRng, OpSettings, Padding, RandomKey, Size, Strength};
use proptest::prelude::{any, prop_assert, proptest};
use std::collections::BTreeMap;

const STAGE: Size = Size::square(224);
const MANY: u64 = 20_000;

fn rng(index: u64) -> OpRng {
    RandomKey { seed: 42, domain: Domain::Augment, epoch: 0, index }.rng(0)
}

/// Draws of many pictures of one size.
fn draws<T: Op>(op: &T, size: Size) -> Vec<T::Draw> {
    (0..MANY).map(|index| op.draw(size, &mut rng(index))).collect()
}

/// Accepts a rate that is within five standard deviations of `expect`.
fn check_rate(hits: usize, expect: f64) {
    let rate = hits as f64 / MANY as f64;
    let deviation = (expect * (1.0 - expect) / MANY as f64).sqrt();
    assert!((rate - expect).abs() <= 5.0 * deviation, "rate {rate}, expected {expect}");
}

/// Computed apart from this crate, from the definitions of `ChaCha8` and of the samplers.
#[test]
fn the_first_values_are_pinned() {
    let key = RandomKey { seed: 42, domain: Domain::Augment, epoch: 3, index: 7 };
    let mut rng = key.rng(2);
    let bits: [u64; 3] = std::array::from_fn(|_| rng.bits());
    assert_eq!(
        bits,
        [16_592_609_425_626_473_491, 2_595_732_002_443_994_932, 15_462_110_817_716_514_276]
    );
    let mut rng = key.rng(2);
    let uniform: [f64; 3] = std::array::from_fn(|_| rng.uniform(-1.0, 3.0));
    assert_eq!(uniform, [2.597_948_637_293_536, -0.437_140_344_752_014_8, 2.352_810_827_955_972_5]);
    let mut rng = key.rng(2);
    let bernoulli: [bool; 8] = std::array::from_fn(|_| rng.bernoulli(0.3));
    assert_eq!(bernoulli, [false, true, false, false, false, false, true, false]);
    let mut rng = key.rng(2);
    let below: [u64; 8] = std::array::from_fn(|_| rng.below(10));
    assert_eq!(below, [8, 1, 8, 7, 9, 5, 2, 3]);
    let mut rng = key.rng(2);
    // The logarithm and the cosine are those of the platform, whose last digits may differ.
    let normal: [f64; 3] = std::array::from_fn(|_| (rng.normal() * 1e12).round() / 1e12);
    assert_eq!(normal, [1.358_937_065_267, -0.380_868_356_968, -2.237_272_224_367]);
    let mut items = [0, 1, 2, 3, 4, 5, 6, 7];
    key.rng(2).shuffle(&mut items);
    assert_eq!(items, [2, 6, 1, 4, 3, 5, 0, 7]);
}

#[test]
fn every_part_of_a_key_matters() {
    let key = RandomKey { seed: 1, domain: Domain::Augment, epoch: 1, index: 1 };
    let mut seen: Vec<u64> = [
        (key, 0),
        (key, 1),
        (RandomKey { seed: 2, ..key }, 0),
        (RandomKey { domain: Domain::Order, ..key }, 0),
        (RandomKey { epoch: 2, ..key }, 0),
        (RandomKey { index: 2, ..key }, 0),
    ]
    .map(|(key, position)| key.rng(position).bits())
    .to_vec();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

#[test]
fn switches_act_as_often_as_told() {
    let size = Size::new(5, 4);
    for p in [0.0, 0.1, 0.5, 0.9, 1.0] {
        let horizontal = RandomHorizontalFlipSpec { p }.build(STAGE).expect("p is in range");
        check_rate(draws(&horizontal, size).into_iter().filter(|acts| *acts).count(), p);
        let vertical = RandomVerticalFlipSpec { p }.build(STAGE).expect("p is in range");
        check_rate(draws(&vertical, size).into_iter().filter(|acts| *acts).count(), p);
        let grayscale = RandomGrayscaleSpec { p }.build(STAGE).expect("p is in range");
        check_rate(draws(&grayscale, size).into_iter().filter(|acts| *acts).count(), p);
    }
}

#[test]
fn crops_fill_the_ranges_of_area_and_shape() {
    let spec = RandomResizedCropSpec { scale: [0.2, 0.5], ..Default::default() };
    let size = Size::new(1000, 1000);
    let boxes = draws(&spec.build(STAGE).expect("settings are in range"), size);
    let area = |b: &CropBox| b.size().area() as f64 / size.area() as f64;
    let shape = |b: &CropBox| f64::from(b.width) / f64::from(b.height);
    // At this size every try fits; rounding to whole pixels moves both a little.
    assert!(boxes.iter().all(|b| (0.198..0.502).contains(&area(b))));
    assert!(boxes.iter().all(|b| (0.747..1.338).contains(&shape(b))));
    // Uniform area; uniform logarithm of the shape, so that wide and tall are equally frequent.
    check_rate(boxes.iter().filter(|b| area(b) < 0.275).count(), 0.25);
    check_rate(boxes.iter().filter(|b| area(b) < 0.35).count(), 0.5);
    check_rate(boxes.iter().filter(|b| shape(b) < (3.0_f64 / 4.0).sqrt()).count(), 0.25);
    let (wide, tall) = (
        boxes.iter().filter(|b| b.width > b.height).count(),
        boxes.iter().filter(|b| b.width < b.height).count(),
    );
    check_rate(wide * usize::try_from(MANY).expect("small") / (wide + tall), 0.5);
    // Anywhere: the free margin is split evenly on average.
    let left = boxes.iter().filter(|b| 2 * b.left + b.width < size.width).count();
    let right = boxes.iter().filter(|b| 2 * b.left + b.width > size.width).count();
    check_rate(left * usize::try_from(MANY).expect("small") / (left + right), 0.5);
}

#[test]
fn crops_of_fixed_size_reach_every_place() {
    let spec = RandomCropSpec {
        size: Some(Size::new(4, 3)),
        padding: Padding::all(1),
        ..Default::default()
    };
    let mut places = BTreeMap::<_, usize>::new();
    for corner in draws(&spec.build(STAGE).expect("settings are in range"), Size::new(5, 4)) {
        *places.entry((corner.left, corner.top)).or_default() += 1;
    }
    // 7 x 6 pixels with the padding, so 4 x 4 places.
    assert_eq!(places.len(), 16);
    assert_eq!(places.keys().max(), Some(&(3, 3)));
    for hits in places.into_values() {
        check_rate(hits, 1.0 / 16.0);
    }
}

#[test]
fn adjustments_come_in_every_order_and_stay_in_range() {
    let spec = ColorJitterSpec {
        brightness: Strength::Around(0.4),
        contrast: Strength::Between(0.5, 0.7),
        saturation: Strength::Around(0.0),
        hue: Strength::Around(0.1),
    };
    let mut orders = BTreeMap::<_, usize>::new();
    for draw in draws(&spec.build(STAGE).expect("settings are in range"), Size::new(5, 4)) {
        *orders.entry(draw.order.map(|adjustment| adjustment as u8)).or_default() += 1;
        assert!(draw.brightness.is_some_and(|factor| (0.6..1.4).contains(&factor)));
        assert!(draw.contrast.is_some_and(|factor| (0.5..0.7).contains(&factor)));
        assert_eq!(draw.saturation, None, "a neutral adjustment is left out");
        assert!(draw.hue.is_some_and(|turn| (-0.1..0.1).contains(&turn)));
    }
    assert_eq!(orders.len(), 24);
    for hits in orders.into_values() {
        check_rate(hits, 1.0 / 24.0);
    }
}

proptest! {
    #[test]
    fn crop_boxes_lie_inside(
        width in 1..600_u32,
        height in 1..600_u32,
        scale in (0.001..1.0_f64, 0.001..1.0_f64),
        ratio in (0.05..20.0_f64, 0.05..20.0_f64),
        seed in any::<u64>(),
    ) {
        let spec = RandomResizedCropSpec {
            scale: [scale.0.min(scale.1), scale.0.max(scale.1)],
            ratio: [ratio.0.min(ratio.1), ratio.0.max(ratio.1)],
            ..Default::default()
        };
        let op = spec.build(STAGE).expect("settings are in range");
        let size = Size::new(width, height);
        let drawn = op.draw(size, &mut rng(seed));
        prop_assert!(drawn.is_inside(size), "{drawn:?} in {size}");
    }

    #[test]
    fn bounds_are_kept(bound in 1..u64::MAX, seed in any::<u64>()) {
        prop_assert!(rng(seed).below(bound) < bound);
    }

    #[test]
    fn shuffling_keeps_every_item(len in 0..200_usize, seed in any::<u64>()) {
        let mut items: Vec<usize> = (0..len).collect();
        rng(seed).shuffle(&mut items);
        items.sort_unstable();
        prop_assert!(items.into_iter().eq(0..len));
    }
}
