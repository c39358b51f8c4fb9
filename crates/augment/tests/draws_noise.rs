//! What the ops that add noise or take detail away draw, and how their fields of noise are distributed.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

mod support;

use kiln_augment::ops::gauss_noise::NormalNoise;
use kiln_augment::ops::iso_noise::SensorNoise;
use kiln_augment::ops::multiplicative_noise::Multipliers;
use kiln_augment::ops::salt_and_pepper::Grains;
use kiln_augment::ops::{
    DownscaleSpec, GaussNoiseSpec, IsoNoiseSpec, MultiplicativeNoiseSpec, SaltAndPepperSpec,
};
use kiln_augment::{Error, Image8, Op, OpSettings, Size};
use support::many_draws::{STAGE, check_acts, check_rate, check_uniform, draws};

/// Accepts seeds whose highest and lowest bits are set half of the time.
fn check_seeds(seeds: &[u64]) {
    for bit in [0, 31, 63] {
        check_rate(seeds.iter().filter(|&&seed| seed >> bit & 1 == 1).count(), seeds.len(), 0.5);
    }
}

/// Levels that a gray picture has after an op, which must be of whole fours.
fn levels<S: OpSettings>(spec: &S, level: u8, draw: &<S::Op as Op>::Draw) -> Vec<[f64; 3]> {
    let op = spec.build(STAGE).expect("settings are in range");
    let result = op.render(Image8::filled(Size::square(512), [level; 3]), draw);
    result.pixels().as_chunks::<3>().0.iter().map(|pixel| pixel.map(f64::from)).collect()
}

/// The mean product of two columns of numbers.
fn product(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), (a, b)| (sum + a * b, count + 1.0));
    sum / count
}

#[test]
fn noise_is_drawn_from_its_ranges() {
    for p in [0.0, 0.3, 1.0] {
        let size = Size::new(5, 4);
        let spec = GaussNoiseSpec { p, ..Default::default() };
        let drawn = draws(&spec, size);
        assert_eq!(drawn, draws(&spec, Size::new(900, 1)), "whatever the picture");
        check_acts(&drawn, p);
        check_acts(&draws(&SaltAndPepperSpec { p, ..Default::default() }, size), p);
        check_acts(&draws(&MultiplicativeNoiseSpec { p, ..Default::default() }, size), p);
        check_acts(&draws(&IsoNoiseSpec { p, ..Default::default() }, size), p);
        check_acts(&draws(&DownscaleSpec { p, ..Default::default() }, size), p);
    }
    let drawn: Vec<NormalNoise> = draws(&GaussNoiseSpec { p: 1.0, ..Default::default() }, STAGE)
        .into_iter()
        .flatten()
        .collect();
    check_uniform(drawn.iter().map(|noise| noise.variance), [10.0, 50.0]);
    check_seeds(&drawn.iter().map(|noise| noise.seed).collect::<Vec<_>>());

    let spec = SaltAndPepperSpec { p: 1.0, ..Default::default() };
    let drawn: Vec<Grains> = draws(&spec, STAGE).into_iter().flatten().collect();
    check_uniform(drawn.iter().map(|grains| grains.amount), [0.01, 0.06]);
    check_uniform(drawn.iter().map(|grains| grains.salt), [0.4, 0.6]);
    check_seeds(&drawn.iter().map(|grains| grains.seed).collect::<Vec<_>>());

    let spec = IsoNoiseSpec { p: 1.0, ..Default::default() };
    let drawn: Vec<SensorNoise> = draws(&spec, STAGE).into_iter().flatten().collect();
    check_uniform(drawn.iter().map(|noise| noise.color_shift), [0.01, 0.05]);
    check_uniform(drawn.iter().map(|noise| noise.intensity), [0.1, 0.5]);
    check_seeds(&drawn.iter().map(|noise| noise.seed).collect::<Vec<_>>());

    let spec = DownscaleSpec { p: 1.0, scale_range: [0.2, 0.7], ..Default::default() };
    check_uniform(draws(&spec, STAGE).into_iter().flatten(), [0.2, 0.7]);
}

#[test]
fn factors_are_those_of_the_picture_its_channels_or_its_pixels() {
    let drawn = |spec: &MultiplicativeNoiseSpec| draws(spec, STAGE).into_iter().flatten();
    let spec = MultiplicativeNoiseSpec { p: 1.0, multiplier: [0.5, 2.0], ..Default::default() };
    let factors = |spec: &MultiplicativeNoiseSpec| -> Vec<[f64; 3]> {
        let factors = |multipliers| match multipliers {
            Multipliers::Channels(factors) => Some(factors),
            Multipliers::Field(_) => None,
        };
        drawn(spec).filter_map(factors).collect()
    };
    let shared = factors(&spec);
    assert!(shared.iter().all(|[red, green, blue]| red == green && red == blue));
    check_uniform(shared.iter().map(|factors| factors[0]), spec.multiplier);
    let spec = MultiplicativeNoiseSpec { per_channel: true, ..spec };
    let own = factors(&spec);
    for channel in 0..3 {
        check_uniform(own.iter().map(|factors| factors[channel]), spec.multiplier);
    }
    check_rate(own.iter().filter(|[red, green, _]| red < green).count(), own.len(), 0.5);
    let spec = MultiplicativeNoiseSpec { elementwise: true, ..spec };
    assert!(factors(&spec).is_empty());
    let seeds = drawn(&spec).map(|multipliers| match multipliers {
        Multipliers::Field(seed) => seed,
        Multipliers::Channels(_) => 0,
    });
    check_seeds(&seeds.collect::<Vec<_>>());
}

/// Mean, variance and tails are those of a normal distribution; neither channels nor neighbours know of each other.
#[test]
fn gauss_noise_is_normally_distributed() {
    let spec = GaussNoiseSpec { var_limit: [0.0, 400.0], mean: 3.0, ..Default::default() };
    for (variance, seed) in [(10.0_f64, 1), (50.0, 2), (400.0, 3)] {
        let draw = Some(NormalNoise { variance, seed });
        let noise = levels(&spec, 128, &draw);
        let noise: Vec<[f64; 3]> =
            noise.into_iter().map(|pixel| pixel.map(|level| level - 131.0)).collect();
        let all: Vec<f64> = noise.as_flattened().to_vec();
        let count = all.len() as f64;
        // Rounding to whole levels adds 1/12.
        let spread = variance + 1.0 / 12.0;
        let mean = all.iter().sum::<f64>() / count;
        assert!(mean.abs() < 5.0 * (spread / count).sqrt(), "mean {mean}");
        let found = product(all.iter().map(|&n| (n, n)));
        assert!((found / spread - 1.0).abs() < 5.0 * (2.0 / count).sqrt() + 2e-4, "{found}");
        // The parts beyond one, two, three and four standard deviations: of 786432 numbers, some fifty beyond four.
        for (sigmas, part) in [(1.0, 0.317_31), (2.0, 0.045_50), (3.0, 0.002_700), (4.0, 6.334e-5)]
        {
            // Whole levels: what is rounded to more than the bound, which is taken between two levels.
            let bound = (sigmas * variance.sqrt()).floor() + 0.5;
            let exact = if bound / variance.sqrt() == sigmas {
                part
            } else {
                2.0 * upper_tail(bound / variance.sqrt())
            };
            check_rate(all.iter().filter(|n| n.abs() > bound).count(), all.len(), exact);
        }
        let limit = 5.0 * spread / count.sqrt() * 3.0_f64.sqrt();
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let found = product(noise.iter().map(|pixel| (pixel[a], pixel[b])));
            assert!(found.abs() < limit, "channels {a} and {b}: {found}");
        }
        for distance in [1, 4, 512, 512 * 64] {
            for channel in 0..3 {
                let pairs = noise.iter().zip(&noise[distance..]);
                let found = product(pairs.map(|(a, b)| (a[channel], b[channel])));
                assert!(found.abs() < limit * 1.1, "{distance} pixels apart: {found}");
            }
        }
        let other = levels(&spec, 128, &Some(NormalNoise { variance, seed: seed + 1000 }));
        let found = product(noise.iter().zip(&other).map(|(a, b)| (a[0], b[0] - 131.0)));
        assert!(found.abs() < limit, "another seed: {found}");
    }
    let shared = GaussNoiseSpec { per_channel: false, ..spec };
    let gray = levels(&shared, 128, &Some(NormalNoise { variance: 50.0, seed: 4 }));
    assert!(gray.iter().all(|[red, green, blue]| red == green && red == blue));
}

/// The part of a normal distribution above `x`: the trapezoid rule, which is exact for it but for rounding.
fn upper_tail(x: f64) -> f64 {
    let density = |z: f64| (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    let step = 1e-3;
    let inside: f64 = (1..10_000).map(|i| density(x + f64::from(i) * step)).sum();
    (inside + density(x) / 2.0) * step
}

#[test]
fn grains_are_as_many_as_told_and_anywhere() {
    let spec = SaltAndPepperSpec::default();
    let found = levels(&spec, 77, &Some(Grains { amount: 0.2, salt: 0.3, seed: 5 }));
    let count = |level: f64| found.iter().filter(|pixel| **pixel == [level; 3]).count();
    assert_eq!(count(0.0) + count(77.0) + count(255.0), found.len());
    check_rate(count(255.0), found.len(), 0.06);
    check_rate(count(0.0), found.len(), 0.14);
    let pairs = found.iter().zip(&found[1..]).filter(|(a, b)| a[0] == 0.0 && b[0] == 0.0);
    check_rate(pairs.count(), found.len() - 1, 0.14 * 0.14);
}

#[test]
fn factors_of_pixels_fill_their_range() {
    let spec =
        MultiplicativeNoiseSpec { multiplier: [0.5, 1.5], elementwise: true, ..Default::default() };
    // Levels from 50 to 149, each as likely as the others.
    let found = levels(&spec, 100, &Some(Multipliers::Field(6)));
    assert!(found.iter().all(|[red, green, blue]| red == green && red == blue));
    check_uniform(found.iter().map(|pixel| pixel[0]), [50.0, 150.0]);
    let spec = MultiplicativeNoiseSpec { per_channel: true, ..spec };
    let found = levels(&spec, 100, &Some(Multipliers::Field(7)));
    for channel in 0..3 {
        check_uniform(found.iter().map(|pixel| pixel[channel]), [50.0, 150.0]);
    }
    let below = found.iter().filter(|[red, green, _]| *red < 100.0 && *green < 100.0);
    check_rate(below.count(), found.len(), 0.25);
}

/// Hues are normally distributed about that of the picture, and steps of lightness are as many as they should be.
#[test]
fn sensors_shift_hues_and_lightness() {
    // Half of the picture is dark and half of it bright, so lightness has a standard deviation of 0.2.
    let side = 512;
    let size = Size::square(side);
    let pixels =
        (0..size.area()).flat_map(|i| if i % 2 == 0 { [102, 51, 51] } else { [204, 153, 153] });
    let image = Image8::from_rgb(size, pixels.collect()).expect("three bytes for each pixel");
    let op = IsoNoiseSpec::default().build(STAGE).expect("settings are in range");
    let draw = SensorNoise { color_shift: 0.05, intensity: 0.5, seed: 8 };
    let result = op.render(image, &Some(draw));
    let dark: Vec<[u8; 3]> =
        result.pixels().as_chunks::<3>().0.iter().step_by(2).copied().collect();
    let lightness = |[red, green, blue]: &[u8; 3]| {
        u32::from(*red.max(green).max(blue)) + u32::from(*red.min(green).min(blue))
    };
    let (mean, once) = (0.2_f64 * 0.5, 153 + (510 - 153) / 2);
    let none = (-mean).exp();
    let rate = |from: u32, to: u32| {
        dark.iter().filter(|pixel| (from..to).contains(&lightness(pixel))).count()
    };
    check_rate(rate(152, 155), dark.len(), none);
    check_rate(rate(once - 2, once + 3), dark.len(), none * mean);
    check_rate(rate(once + 3, 511), dark.len(), 1.0 - none * (1.0 + mean));
    // The hue is 0; green rises above blue where it turns forwards, by one level for 360 / 6 / 51 degrees.
    let same: Vec<f64> = dark
        .iter()
        .filter(|pixel| (152..155).contains(&lightness(pixel)))
        .map(|[_, green, blue]| f64::from(*green) - f64::from(*blue))
        .collect();
    let deviation = 0.05 * 0.5 * 360.0 * 51.0 / 60.0;
    let found = product(same.iter().map(|&n| (n, n)));
    let expect = deviation * deviation + 1.0 / 12.0;
    assert!((found / expect - 1.0).abs() < 0.03, "{found} instead of {expect}");
    check_rate(same.iter().filter(|n| n.abs() > 1.5 * deviation).count(), same.len(), {
        2.0 * upper_tail(((1.5 * deviation).floor() + 0.5) / deviation)
    });
}

/// A draw that was written by hand may hold anything.
#[test]
fn nonsense_is_rendered() {
    for size in [Size::new(1, 1), Size::new(1, 9), Size::new(13, 2)] {
        for value in [f64::NAN, f64::INFINITY, -1e300, 1e300, -1.0] {
            let image = || Image8::filled(size, [9, 99, 200]);
            let seed = u64::MAX;
            let op = GaussNoiseSpec::default().build(STAGE).expect("settings are in range");
            op.render(image(), &Some(NormalNoise { variance: value, seed }));
            let op = SaltAndPepperSpec::default().build(STAGE).expect("settings are in range");
            op.render(image(), &Some(Grains { amount: value, salt: value, seed }));
            let op =
                MultiplicativeNoiseSpec::default().build(STAGE).expect("settings are in range");
            op.render(image(), &Some(Multipliers::Channels([value, 1.0, 1.0])));
            let op = IsoNoiseSpec::default().build(STAGE).expect("settings are in range");
            let noise = SensorNoise { color_shift: value, intensity: value, seed };
            op.render(image(), &Some(noise));
            let op = DownscaleSpec::default().build(STAGE).expect("settings are in range");
            assert_eq!(op.render(image(), &Some(value)).size(), size);
        }
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |outcome: Result<(), Error>, field: &str| {
        let error = outcome.expect_err("a setting out of range").to_string();
        assert!(error.starts_with(field), "{error}");
    };
    for var_limit in [[-1.0, 1.0], [2.0, 1.0], [f64::NAN, 1.0], [1.0, f64::NAN], [1.0, 65_026.0]] {
        let spec = GaussNoiseSpec { var_limit, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "var_limit");
    }
    for mean in [f64::NAN, 256.0] {
        refused(GaussNoiseSpec { mean, ..Default::default() }.build(STAGE).map(drop), "mean");
    }
    for range in [[-0.1, 1.0], [0.5, 0.4], [f64::NAN, 1.0], [0.5, f64::NAN], [0.5, 1.1]] {
        let spec = SaltAndPepperSpec { amount: range, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "amount");
        let spec = SaltAndPepperSpec { salt_vs_pepper: range, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "salt_vs_pepper");
    }
    for multiplier in [[-0.1, 1.0], [0.5, 0.4], [f64::NAN, 1.0], [0.5, f64::NAN], [0.5, 256.0]] {
        let spec = MultiplicativeNoiseSpec { multiplier, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "multiplier");
    }
    for range in [[-0.1, 1.0], [0.5, 0.4], [f64::NAN, 1.0], [0.5, f64::NAN], [0.5, 10.1]] {
        let spec = IsoNoiseSpec { color_shift: range, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "color_shift");
        let spec = IsoNoiseSpec { intensity: range, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "intensity");
    }
    for scale_range in [[0.0, 1.0], [0.5, 0.4], [f64::NAN, 1.0], [0.5, f64::NAN], [0.5, 1.1]] {
        let spec = DownscaleSpec { scale_range, ..Default::default() };
        refused(spec.build(STAGE).map(drop), "scale_range");
    }
    let p = f64::NAN;
    refused(IsoNoiseSpec { p, ..Default::default() }.build(STAGE).map(drop), "p must");
    refused(DownscaleSpec { p, ..Default::default() }.build(STAGE).map(drop), "p must");
    refused(GaussNoiseSpec { p, ..Default::default() }.build(STAGE).map(drop), "p must");
    refused(SaltAndPepperSpec { p, ..Default::default() }.build(STAGE).map(drop), "p must");
    refused(MultiplicativeNoiseSpec { p, ..Default::default() }.build(STAGE).map(drop), "p must");
}
