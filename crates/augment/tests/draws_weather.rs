//! What the ops of the weather draw.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

mod support;

use kiln_augment::ops::random_fog::Fog;
use kiln_augment::ops::random_rain::{Rain, RainType};
use kiln_augment::ops::{RandomFogSpec, RandomRainSpec, RandomSnowSpec};
use kiln_augment::{Domain, Error, Image8, Op, OpSettings, RandomKey, Size};
use support::many_draws::{STAGE, check_acts, check_rate, check_uniform, some_draws};

const MANY: u64 = 2_000;

#[test]
fn the_weather_is_as_frequent_as_told() {
    for p in [0.0, 0.3, 1.0] {
        let size = Size::new(9, 8);
        check_acts(&some_draws(&RandomSnowSpec { p, ..Default::default() }, size, MANY), p);
        check_acts(&some_draws(&RandomRainSpec { p, ..Default::default() }, size, MANY), p);
        check_acts(&some_draws(&RandomFogSpec { p, ..Default::default() }, size, MANY), p);
    }
    let snow = RandomSnowSpec { p: 1.0, ..Default::default() };
    check_uniform(some_draws(&snow, STAGE, MANY).into_iter().flatten(), [0.1, 0.3]);
}

#[test]
fn drops_fall_anywhere() {
    let size = Size::new(90, 64);
    let rains = |spec: &RandomRainSpec| some_draws(spec, size, MANY).into_iter().flatten();
    let spec = RandomRainSpec { p: 1.0, ..Default::default() };
    for (rain_type, count) in [
        (RainType::Drizzle, 16),
        (RainType::Default, 21),
        (RainType::Heavy, 64),
        (RainType::Torrential, 128),
    ] {
        let spec = RandomRainSpec { rain_type, ..spec };
        assert!(rains(&spec).all(|rain| rain.drops.len() == count && rain.length == 8));
    }
    check_uniform(rains(&spec).map(|rain| rain.slant), [-10.0, 10.0]);
    let drops: Vec<[i32; 2]> = rains(&spec).flat_map(|rain| rain.drops).collect();
    check_uniform(drops.iter().map(|drop| f64::from(drop[0])), [0.0, 90.0]);
    // 56 rows, so that drops of 8 end inside.
    assert!(drops.iter().all(|[_, y]| (0..56).contains(y)));
    for row in [0, 17, 55] {
        check_rate(drops.iter().filter(|[_, y]| *y == row).count(), drops.len(), 1.0 / 56.0);
    }
    let long = RandomRainSpec { drop_length: Some(70), ..spec };
    assert!(rains(&long).all(|rain| rain.length == 70 && rain.drops.iter().all(|[_, y]| *y == 0)));
}

#[test]
fn fog_is_thickest_at_the_centre() {
    let size = Size::new(90, 60);
    let spec = RandomFogSpec { p: 1.0, fog_coef_range: [0.5, 0.5], ..Default::default() };
    let fogs: Vec<Fog> = some_draws(&spec, size, MANY).into_iter().flatten().take(200).collect();
    // As many as albumentations has: 120 in the whole picture, 97 in nine tenths of its sides, and so on.
    assert!(fogs.iter().all(|fog| fog.particles.len() == 527));
    let in_region = |first: usize, count: usize| -> Vec<[i32; 3]> {
        fogs.iter().flat_map(|fog| fog.particles[first..first + count].to_vec()).collect()
    };
    let all = in_region(0, 527);
    check_rate(all.iter().filter(|[.., radius]| *radius == 1).count(), all.len(), 0.5);
    check_rate(all.iter().filter(|[.., radius]| *radius == 2).count(), all.len(), 0.5);
    for (first, count, [width, height]) in
        [(0, 120, [90, 60]), (120, 97, [81, 54]), (513, 14, [32, 21])]
    {
        let region = in_region(first, count);
        for (axis, centre, side) in [(0, 44, width), (1, 29, height)] {
            let half = side / 2;
            let places: Vec<i32> = region.iter().map(|particle| particle[axis] - centre).collect();
            assert!(places.iter().all(|place| (-half..=half).contains(place)));
            for place in [-half, 0, half] {
                let hits = places.iter().filter(|found| **found == place).count();
                check_rate(hits, places.len(), 1.0 / f64::from(2 * half + 1));
            }
        }
    }
    let spec = RandomFogSpec { p: 1.0, ..Default::default() };
    check_uniform(
        some_draws(&spec, Size::new(2, 2), MANY).iter().flatten().map(|fog| fog.intensity),
        [0.3, 1.0],
    );
    // A thin picture would need millions of disks.
    let op = spec.build(STAGE).expect("settings are in range");
    let key = RandomKey { seed: 42, domain: Domain::Augment, epoch: 0, index: 0 };
    let many = op.draw(Size::new(4, 60_000), &mut key.rng(0));
    assert_eq!(many.map(|fog| fog.particles.len()), Some(100_000));
}

/// A draw that was written by hand may hold anything.
#[test]
fn nonsense_is_rendered() {
    let wild = [i32::MIN, -70_000, -1, 0, 1, 5, 70_000, i32::MAX];
    let pairs: Vec<[i32; 2]> = wild.iter().flat_map(|&x| wild.map(|y| [x, y])).collect();
    let particles: Vec<[i32; 3]> =
        pairs.iter().flat_map(|&[x, y]| [-9, 3, i32::MAX].map(|radius| [x, y, radius])).collect();
    for size in [Size::new(1, 1), Size::new(1, 9), Size::new(13, 2), Size::new(40, 31)] {
        let image = || Image8::filled(size, [9, 99, 200]);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300, 1e300, -1.0, 3.0] {
            let op = RandomSnowSpec::default().build(STAGE).expect("settings are in range");
            op.render(image(), &Some(value));
            let op = RandomRainSpec::default().build(STAGE).expect("settings are in range");
            for length in [0, 1, u32::MAX] {
                op.render(image(), &Some(Rain { slant: value, length, drops: pairs.clone() }));
            }
            let op = RandomFogSpec::default().build(STAGE).expect("settings are in range");
            op.render(image(), &Some(Fog { intensity: value, particles: particles.clone() }));
        }
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |outcome: Result<(), Error>, field: &str| {
        let error = outcome.expect_err("a setting out of range").to_string();
        assert!(error.starts_with(field), "{error}");
    };
    for range in [[-0.1, 1.0], [0.5, 0.4], [f64::NAN, 1.0], [0.5, f64::NAN], [0.5, 1.1]] {
        let spec = RandomSnowSpec { snow_point_range: range, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "snow_point_range");
        let spec = RandomFogSpec { fog_coef_range: range, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "fog_coef_range");
    }
    for value in [f64::NAN, -0.1, 256.0] {
        let spec = RandomSnowSpec { brightness_coeff: value, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "brightness_coeff");
        let spec = RandomFogSpec { alpha_coef: value, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "alpha_coef");
        let spec = RandomRainSpec { brightness_coefficient: value, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "brightness_coefficient");
    }
    for slant_range in [[-21.0, 1.0], [0.5, 0.4], [f64::NAN, 1.0], [0.5, f64::NAN]] {
        let spec = RandomRainSpec { slant_range, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "slant_range");
    }
    for blur_value in [0, 2, 257] {
        let spec = RandomRainSpec { blur_value, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "blur_value");
    }
    let spec = RandomRainSpec { drop_length: Some(0), ..Default::default() };
    refused(spec.build(STAGE).map(drop), "drop_length");
    let p = f64::NAN;
    refused(RandomSnowSpec { p, ..Default::default() }.build(STAGE).map(drop), "p must");
    refused(RandomRainSpec { p, ..Default::default() }.build(STAGE).map(drop), "p must");
    refused(RandomFogSpec { p, ..Default::default() }.build(STAGE).map(drop), "p must");
}
