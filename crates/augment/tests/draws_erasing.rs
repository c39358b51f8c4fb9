//! What ops draw that take parts away.
#![allow(clippy::expect_used, clippy::panic, reason = "this file is tests and nothing else")]

use kiln_augment::ops::random_erasing::{ErasingMode, Patch, PatchContent};
use kiln_augment::ops::{CutoutSpec, RandomErasingSpec};
use kiln_augment::{CropBox, Domain, Image8, Op, OpRng, OpSettings, RandomKey, Size};
use std::collections::BTreeSet;

const STAGE: Size = Size::square(224);
const MANY: u64 = 20_000;

fn rng(index: u64) -> OpRng {
    RandomKey { seed: 42, domain: Domain::Augment, epoch: 0, index }.rng(0)
}

fn draws<S: OpSettings>(spec: &S, size: Size) -> Vec<<S::Op as Op>::Draw> {
    let op = spec.build(STAGE).expect("settings are in range");
    (0..MANY).map(|index| op.draw(size, &mut rng(index))).collect()
}

/// Accepts a rate among `of` that is within five standard deviations of `expect`.
fn check_rate(hits: usize, of: usize, expect: f64) {
    let rate = hits as f64 / of as f64;
    let deviation = (expect * (1.0 - expect) / of as f64).sqrt();
    assert!((rate - expect).abs() <= 5.0 * deviation, "rate {rate}, expected {expect}");
}

fn share<T>(items: &[T], expect: f64, accept: impl Fn(&T) -> bool) {
    check_rate(items.iter().filter(|item| accept(item)).count(), items.len(), expect);
}

#[test]
fn erased_rectangles_fill_the_ranges_of_area_and_shape() {
    let size = Size::new(1000, 1000);
    let drawn = draws(&RandomErasingSpec { scale: [0.1, 0.2], ..Default::default() }, size);
    share(&drawn, 0.5, Option::is_some);
    let boxes: Vec<CropBox> = drawn.into_iter().flatten().flatten().map(|p| p.area).collect();
    let area = |b: &CropBox| b.size().area() as f64 / size.area() as f64;
    let shape = |b: &CropBox| f64::from(b.height) / f64::from(b.width);
    assert!(boxes.iter().all(|b| b.is_inside(size)));
    assert!(boxes.iter().all(|b| (0.098..0.202).contains(&area(b))));
    assert!(boxes.iter().all(|b| (0.298..3.32).contains(&shape(b))));
    share(&boxes, 0.25, |b| area(b) < 0.125);
    share(&boxes, 0.5, |b| shape(b) < (0.3_f64 * 3.3).sqrt());
    // A corner is uniform over the places that the rectangle leaves it.
    share(&boxes, 0.25, |b| f64::from(b.left) < 0.25 * f64::from(size.width - b.width));
    share(&boxes, 0.25, |b| f64::from(b.top) < 0.25 * f64::from(size.height - b.height));
}

#[test]
fn several_rectangles_share_the_area() {
    let spec = RandomErasingSpec {
        p: 1.0,
        scale: [0.2, 0.2],
        mode: ErasingMode::Random,
        min_count: 2,
        max_count: Some(4),
        ..Default::default()
    };
    let size = Size::new(1000, 1000);
    let drawn: Vec<Vec<Patch>> = draws(&spec, size).into_iter().flatten().collect();
    for count in 2..=4 {
        share(&drawn, 1.0 / 3.0, |patches| patches.len() == count);
    }
    for patches in &drawn {
        let area: usize = patches.iter().map(|patch| patch.area.size().area()).sum();
        assert!((198_000..202_000).contains(&area));
    }
    // The colours normalise to standard normal numbers, but for rounding and clipping.
    let colors = drawn.into_iter().flatten().map(|patch| match patch.content {
        PatchContent::Color(color) => color,
        other => panic!("mode random draws colours, found {other:?}"),
    });
    let pixels: Vec<[u8; 3]> = colors.collect();
    check_normal(&pixels);
}

/// The share of levels up to the bounds of levels, of the normal distribution with the statistics of ImageNet.
fn check_normal(pixels: &[[u8; 3]]) {
    for (channel, bounds) in [
        // 255 (0.485 + 0.229 n) and so on; then the standard normal distribution, from tables.
        (0, [(0, 0.017_458), (65, 0.159_569), (123, 0.498_804), (182, 0.843_120)]),
        (1, [(0, 0.021_333), (59, 0.160_100), (116, 0.501_537), (173, 0.841_768)]),
        (2, [(0, 0.036_269), (46, 0.160_115), (103, 0.499_791), (160, 0.839_631)]),
    ] {
        for (level, expect) in bounds {
            share(pixels, expect, |pixel| pixel[channel] <= level);
        }
    }
}

#[test]
fn pixels_of_noise_normalise_to_standard_normal_numbers() {
    let spec = RandomErasingSpec { mode: ErasingMode::Pixel, p: 1.0, ..Default::default() };
    let op = spec.build(STAGE).expect("settings are in range");
    let size = Size::new(300, 200);
    let noise = |seed| {
        let patch = Patch { area: CropBox::whole(size), content: PatchContent::Noise(seed) };
        op.render(Image8::filled(size, [0; 3]), &Some(vec![patch]))
    };
    let image = noise(1);
    let pixels = image.pixels().as_chunks::<3>().0;
    check_normal(pixels);
    // Neighbours and channels are independent: both below the median in a quarter of all cases.
    let low = |pixel: &[u8; 3], channel: usize| pixel[channel] <= [123, 116, 103][channel];
    let pairs: Vec<_> = pixels.iter().zip(&pixels[1..]).collect();
    share(&pairs, 0.25, |(a, b)| low(a, 0) && low(b, 0));
    share(pixels, 0.25, |pixel| low(pixel, 0) && low(pixel, 1));
    share(pixels, 0.25, |pixel| low(pixel, 1) && low(pixel, 2));
    assert_ne!(noise(2), image);

    let seeds: BTreeSet<u64> = draws(&spec, size)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|patch| match patch.content {
            PatchContent::Noise(seed) => Some(seed),
            _ => None,
        })
        .collect();
    assert_eq!(seeds.len() as u64, MANY);
}

#[test]
fn a_rectangle_that_cannot_fit_is_left_out() {
    let spec = RandomErasingSpec { p: 1.0, scale: [1.0, 1.0], ..Default::default() };
    assert!(draws(&spec, Size::new(9, 5)).iter().all(|drawn| drawn.as_ref() == Some(&vec![])));
}

#[test]
fn squares_have_their_centres_everywhere() {
    let size = Size::new(7, 5);
    let spec = CutoutSpec { n_holes: 2, length: 5, ..Default::default() };
    let drawn: Vec<Vec<CropBox>> = draws(&spec, size).into_iter().flatten().collect();
    assert_eq!(drawn.len() as u64, MANY);
    assert!(drawn.iter().all(|squares| squares.len() == 2));
    let squares: Vec<CropBox> = drawn.concat();
    // Two pixels to each side of the centre, without what lies outside.
    for (centre, (left, width)) in
        (0..7).zip([(0, 2), (0, 3), (0, 4), (1, 4), (2, 4), (3, 4), (4, 3)])
    {
        share(&squares, 1.0 / 7.0, |b| (b.left, b.width) == (left, width));
        for (top, height) in [(0, 2), (0, 3), (0, 4), (1, 4), (2, 3)] {
            let hit =
                |b: &CropBox| (b.left, b.width, b.top, b.height) == (left, width, top, height);
            share(&squares, 1.0 / 35.0, hit);
        }
        assert!(squares.iter().any(|b| b.left == left), "centre {centre}");
    }
    let some = draws(&CutoutSpec { p: 0.3, ..spec }, size);
    share(&some, 0.3, Option::is_some);
}
