//! What the ops that change colours by curves and statistics draw. No pixel is touched.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

mod support;

use kiln_augment::ops::three_augment::Alteration;
use kiln_augment::ops::{
    ClaheSpec, FancyPcaSpec, LightingSpec, RandomToneCurveSpec, ThreeAugmentSpec,
};
use kiln_augment::{Error, Op, OpSettings, Size};
use support::many_draws::{STAGE, check_rate, check_uniform, draws};

/// Accepts values of a normal distribution: as many within one and two deviations and on either side as should be.
fn check_normal(drawn: &[f64], mean: f64, deviation: f64) {
    let within = |many: f64| drawn.iter().filter(|v| (**v - mean).abs() < many * deviation).count();
    check_rate(within(1.0), drawn.len(), 0.682_689);
    check_rate(within(2.0), drawn.len(), 0.954_500);
    check_rate(drawn.iter().filter(|v| **v < mean).count(), drawn.len(), 0.5);
}

#[test]
fn ops_act_as_often_as_told_whatever_the_picture() {
    fn check<T: PartialEq + std::fmt::Debug, S: OpSettings>(spec: &S, p: f64)
    where
        S::Op: Op<Draw = Option<T>>,
    {
        let drawn = draws(spec, Size::new(5, 4));
        check_rate(drawn.iter().flatten().count(), drawn.len(), p);
        assert_eq!(drawn, draws(spec, Size::new(900, 1)));
    }
    for p in [0.0, 0.3, 1.0] {
        check(&ClaheSpec { p, ..Default::default() }, p);
        check(&FancyPcaSpec { p, ..Default::default() }, p);
        check(&LightingSpec { p, ..Default::default() }, p);
        check(&RandomToneCurveSpec { p, ..Default::default() }, p);
    }
}

#[test]
fn limits_fill_their_range() {
    let spec = ClaheSpec { clip_limit: [2.0, 5.0], p: 1.0, ..Default::default() };
    let limits: Vec<f64> = draws(&spec, STAGE).into_iter().flatten().collect();
    check_uniform(limits, [2.0, 5.0]);
}

#[test]
fn amounts_are_normal_and_independent() {
    let check = |amounts: Vec<[f64; 3]>, deviation: f64| {
        for i in 0..3 {
            let own: Vec<f64> = amounts.iter().map(|drawn| drawn[i]).collect();
            check_normal(&own, 0.0, deviation);
            let other = (i + 1) % 3;
            let agree = amounts.iter().filter(|drawn| drawn[i] * drawn[other] > 0.0).count();
            check_rate(agree, amounts.len(), 0.5);
        }
    };
    let spec = FancyPcaSpec { alpha: 0.1, p: 1.0 };
    check(draws(&spec, STAGE).into_iter().flatten().collect(), 0.1);
    let spec = LightingSpec { alphastd: 0.3, p: 1.0 };
    check(draws(&spec, STAGE).into_iter().flatten().collect(), 0.3);
}

#[test]
fn curves_bend_around_the_straight_line() {
    let spec = RandomToneCurveSpec { scale: 0.1, per_channel: true, p: 1.0 };
    let curves: Vec<_> = draws(&spec, STAGE).into_iter().flatten().collect();
    for channel in 0..3 {
        let of = |heights: fn(&kiln_augment::ops::random_tone_curve::ToneCurves) -> [f64; 3]| {
            curves.iter().map(|curve| heights(curve)[channel]).collect::<Vec<_>>()
        };
        check_normal(&of(|curve| curve.low_y), 0.25, 0.1);
        check_normal(&of(|curve| curve.high_y), 0.75, 0.1);
    }
    let spec = RandomToneCurveSpec { scale: 1.0, per_channel: false, p: 1.0 };
    for curve in draws(&spec, STAGE).into_iter().flatten() {
        for [first, second, third] in [curve.low_y, curve.high_y] {
            assert!((0.0..=1.0).contains(&first) && first == second && first == third);
        }
    }
}

#[test]
fn the_three_are_equally_likely_and_all_are_jittered() {
    let spec = ThreeAugmentSpec { color_jitter: 0.3, radius: [0.5, 1.5] };
    let drawn = draws(&spec, STAGE);
    let rate_of = |alteration: fn(&Alteration) -> bool| {
        let hits = drawn.iter().filter(|draw| alteration(&draw.alteration)).count();
        check_rate(hits, drawn.len(), 1.0 / 3.0);
    };
    rate_of(|alteration| matches!(alteration, Alteration::Grayscale));
    rate_of(|alteration| matches!(alteration, Alteration::Solarize));
    let radii: Vec<f64> = drawn
        .iter()
        .filter_map(|draw| match draw.alteration {
            Alteration::GaussianBlur(radius) => Some(radius),
            _ => None,
        })
        .collect();
    check_rate(radii.len(), drawn.len(), 1.0 / 3.0);
    check_uniform(radii, [0.5, 1.5]);
    let factors: Vec<f64> = drawn.iter().filter_map(|draw| draw.jitter.saturation).collect();
    assert_eq!(factors.len(), drawn.len());
    check_uniform(factors, [0.7, 1.3]);
    assert!(drawn.iter().all(|draw| draw.jitter.hue.is_none()));
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |outcome: Result<(), Error>, field: &str| {
        let error = outcome.expect_err("a setting out of range").to_string();
        assert!(error.starts_with(field), "{error}");
    };
    for clip_limit in [[0.5, 2.0], [3.0, 2.0], [f64::NAN, 2.0], [1.0, f64::INFINITY]] {
        let spec = ClaheSpec { clip_limit, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "clip_limit");
    }
    for tile_grid_size in [[0, 8], [8, 65]] {
        let spec = ClaheSpec { tile_grid_size, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "tile_grid_size");
    }
    for amount in [-0.1, 101.0, f64::NAN] {
        let spec = FancyPcaSpec { alpha: amount, p: 0.5 };
        refused(spec.build(STAGE).map(drop), "alpha must");
        let spec = LightingSpec { alphastd: amount, p: 0.5 };
        refused(spec.build(STAGE).map(drop), "alphastd");
        let spec = RandomToneCurveSpec { scale: amount, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "scale");
    }
    for color_jitter in [-0.1, f64::NAN, f64::INFINITY] {
        let spec = ThreeAugmentSpec { color_jitter, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "color_jitter");
    }
    for radius in [[-1.0, 1.0], [2.0, 1.0], [0.0, f64::NAN], [1.0, 101.0]] {
        let spec = ThreeAugmentSpec { radius, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "radius");
    }
    refused(ClaheSpec { p: 1.5, ..Default::default() }.build(STAGE).map(drop), "p must");
    refused(FancyPcaSpec { p: f64::NAN, alpha: 0.1 }.build(STAGE).map(drop), "p must");
    refused(LightingSpec { p: -0.1, alphastd: 0.1 }.build(STAGE).map(drop), "p must");
    let spec = RandomToneCurveSpec { p: f64::NAN, ..Default::default() };
    refused(spec.build(STAGE).map(drop), "p must");
}
