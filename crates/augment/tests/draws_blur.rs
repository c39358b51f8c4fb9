//! What the ops that blur or compress draw. No pixel is touched.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

mod support;

use kiln_augment::ops::{
    BlurSpec, DefocusSpec, GaussianBlurSpec, ImageCompressionSpec, MedianBlurSpec, MotionBlurSpec,
};
use kiln_augment::{OpSettings, Size};
use std::collections::BTreeMap;
use support::many_draws::{STAGE, check_rate, check_uniform, draws};

/// Accepts values that are each as frequent as the others, and no other ones.
fn check_even(drawn: impl IntoIterator<Item = u32>, expect: &[u32]) {
    let mut counts = BTreeMap::<_, usize>::new();
    for value in drawn {
        *counts.entry(value).or_default() += 1;
    }
    assert!(counts.keys().eq(expect), "{:?} instead of {expect:?}", counts.keys());
    let all = counts.values().sum();
    for hits in counts.into_values() {
        check_rate(hits, all, 1.0 / expect.len() as f64);
    }
}

#[test]
fn ops_act_as_often_as_told_whatever_the_picture() {
    for p in [0.0, 0.3, 1.0] {
        let check = |acts: Vec<bool>| {
            check_rate(acts.iter().filter(|acts| **acts).count(), acts.len(), p);
        };
        let size = Size::new(5, 4);
        let acts = |draws: Vec<Option<u32>>| draws.into_iter().map(|draw| draw.is_some()).collect();
        check(acts(draws(&BlurSpec { p, ..Default::default() }, size)));
        check(acts(draws(&MedianBlurSpec { p, ..Default::default() }, size)));
        check(acts(draws(&ImageCompressionSpec { p, ..Default::default() }, size)));
        let spec = GaussianBlurSpec { p, ..Default::default() };
        let bells = draws(&spec, size);
        assert_eq!(bells, draws(&spec, Size::new(900, 1)));
        check(bells.iter().map(Option::is_some).collect());
        let spec = MotionBlurSpec { p, ..Default::default() };
        check(draws(&spec, size).iter().map(Option::is_some).collect());
        let spec = DefocusSpec { p, ..Default::default() };
        check(draws(&spec, size).iter().map(Option::is_some).collect());
    }
}

#[test]
fn sizes_are_odd_and_equally_likely() {
    let size = Size::new(5, 4);
    for (blur_limit, expect) in [
        ([3, 7], &[3, 5, 7][..]),
        ([4, 8], &[5, 7, 9]),
        ([6, 6], &[7]),
        ([3, 11], &[3, 5, 7, 9, 11]),
    ] {
        let blur = BlurSpec { blur_limit, p: 1.0 };
        check_even(draws(&blur, size).into_iter().flatten(), expect);
        let median = MedianBlurSpec { blur_limit, p: 1.0 };
        check_even(draws(&median, size).into_iter().flatten(), expect);
        let motion = MotionBlurSpec { blur_limit, p: 1.0, ..Default::default() };
        check_even(draws(&motion, size).into_iter().flatten().map(|line| line.size), expect);
    }
}

#[test]
fn every_quality_radius_and_kernel_is_reached() {
    let size = Size::new(5, 4);
    let spec = ImageCompressionSpec { quality_range: [97, 100], p: 1.0 };
    check_even(draws(&spec, size).into_iter().flatten(), &[97, 98, 99, 100]);

    let spec = DefocusSpec { radius: [3, 6], alias_blur: [0.1, 0.5], p: 1.0 };
    let disks: Vec<_> = draws(&spec, size).into_iter().flatten().collect();
    check_even(disks.iter().map(|disk| disk.radius), &[3, 4, 5, 6]);
    let blurs: Vec<f64> = disks.iter().map(|disk| disk.alias_blur).collect();
    check_uniform(blurs, [0.1, 0.5]);

    let spec = GaussianBlurSpec { blur_limit: [3, 5], sigma_limit: [0.5, 3.0], p: 1.0 };
    let bells: Vec<_> = draws(&spec, size).into_iter().flatten().collect();
    check_even(bells.iter().map(|bell| bell.kernel), &[3, 4, 5]);
    check_uniform(bells.iter().map(|bell| bell.sigma).collect::<Vec<_>>(), [0.5, 3.0]);
}

#[test]
fn lines_turn_everywhere() {
    let spec = MotionBlurSpec { p: 1.0, ..Default::default() };
    let lines: Vec<_> = draws(&spec, STAGE).into_iter().flatten().collect();
    let of = |value: fn(&kiln_augment::ops::motion_blur::Line) -> f64| {
        lines.iter().map(value).collect::<Vec<_>>()
    };
    check_uniform(of(|line| line.angle), [0.0, 360.0]);
    check_uniform(of(|line| line.direction), [-1.0, 1.0]);
    check_uniform(of(|line| line.shift[0]), [-1.0, 1.0]);
    check_uniform(of(|line| line.shift[1]), [-1.0, 1.0]);
    let agree = lines.iter().filter(|line| (line.shift[0] < 0.0) == (line.shift[1] < 0.0)).count();
    check_rate(agree, lines.len(), 0.5);
    let spec = MotionBlurSpec { allow_shifted: false, ..spec };
    assert!(draws(&spec, STAGE).iter().flatten().all(|line| line.shift == [0.0, 0.0]));
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |outcome: Result<(), kiln_augment::Error>, field: &str| {
        let error = outcome.expect_err("a setting out of range").to_string();
        assert!(error.starts_with(field), "{error}");
    };
    for blur_limit in [[1, 7], [7, 3], [3, 257]] {
        refused(BlurSpec { blur_limit, p: 1.0 }.build(STAGE).map(drop), "blur_limit");
    }
    for sigma_limit in [[0.0, 1.0], [2.0, 1.0], [f64::NAN, 1.0], [1.0, f64::NAN], [1.0, 31.0]] {
        let spec = GaussianBlurSpec { sigma_limit, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "sigma_limit");
    }
    let spec = MotionBlurSpec { angle_range: [0.0, 361.0], ..Default::default() };
    refused(spec.build(STAGE).map(drop), "angle_range");
    let spec = MotionBlurSpec { direction_range: [-1.0, f64::NAN], ..Default::default() };
    refused(spec.build(STAGE).map(drop), "direction_range");
    let spec = DefocusSpec { radius: [0, 3], ..Default::default() };
    refused(spec.build(STAGE).map(drop), "radius");
    let spec = ImageCompressionSpec { quality_range: [1, 101], p: 0.5 };
    refused(spec.build(STAGE).map(drop), "quality_range");
    refused(BlurSpec { p: f64::NAN, ..Default::default() }.build(STAGE).map(drop), "p must");
}
