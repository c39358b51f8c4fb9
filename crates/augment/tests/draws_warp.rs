//! What the ops draw that turn, move, scale and bend pictures. No pixel is compared with a reference.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

mod support;

use kiln_augment::ops::elastic_transform::Moves;
use kiln_augment::ops::grid_distortion::Steps;
use kiln_augment::ops::random_affine::{Pose, Shear};
use kiln_augment::ops::shift_scale_rotate::Movement;
use kiln_augment::ops::{
    ElasticTransformSpec, GridDistortionSpec, OpticalDistortionSpec, RandomAffineSpec,
    RandomPerspectiveSpec, RandomRotationSpec, ResizeLongSpec, ShiftScaleRotateSpec,
};
use kiln_augment::{
    BorderMode, Error, Image8, Interpolation, Op, OpSettings, Size, SymmetricRange, five_crop,
};
use support::many_draws::{STAGE, check_rate, check_uniform, draws};

const SIZE: Size = Size::new(101, 60);

/// Accepts whole numbers that are `low` to `high`, all equally often.
fn check_whole(drawn: impl IntoIterator<Item = i64>, [low, high]: [i64; 2]) {
    let drawn: Vec<i64> = drawn.into_iter().collect();
    assert!(drawn.iter().all(|value| (low..=high).contains(value)));
    for value in low..=high {
        let hits = drawn.iter().filter(|&&drawn| drawn == value).count();
        check_rate(hits, drawn.len(), 1.0 / (high - low + 1) as f64);
    }
}

const fn range(min: f64, max: f64) -> SymmetricRange {
    SymmetricRange { min, max }
}

fn rotation(degrees: SymmetricRange) -> RandomRotationSpec {
    let interpolation = Interpolation::Nearest;
    RandomRotationSpec { degrees, interpolation, center: None, fill: [0; 3] }
}

fn affine() -> RandomAffineSpec {
    RandomAffineSpec {
        degrees: SymmetricRange::around(0.0),
        translate: None,
        scale: None,
        shear: None,
        interpolation: Interpolation::Nearest,
        center: None,
        fill: [0; 3],
    }
}

fn acts<T>(draws: &[Option<T>]) -> Vec<bool> {
    draws.iter().map(Option::is_some).collect()
}

#[test]
fn ops_act_as_often_as_told() {
    for p in [0.0, 0.3, 1.0] {
        let check = |acts: Vec<bool>| {
            check_rate(acts.iter().filter(|acts| **acts).count(), acts.len(), p);
        };
        check(acts(&draws(&RandomPerspectiveSpec { p, ..Default::default() }, SIZE)));
        check(acts(&draws(&ShiftScaleRotateSpec { p, ..Default::default() }, SIZE)));
        check(acts(&draws(&GridDistortionSpec { p, ..Default::default() }, SIZE)));
        check(acts(&draws(&OpticalDistortionSpec { p, ..Default::default() }, SIZE)));
        check(acts(&draws(&ElasticTransformSpec { p, ..Default::default() }, SIZE)));
    }
}

#[test]
fn angles_fill_their_range() {
    check_uniform(draws(&rotation(range(-10.0, 30.0)), SIZE), [-10.0, 30.0]);
    check_uniform(draws(&rotation(SymmetricRange::around(5.0)), SIZE), [-5.0, 5.0]);
    assert!(draws(&rotation(range(7.0, 7.0)), SIZE).iter().all(|angle| *angle == 7.0));
}

#[test]
fn poses_fill_their_ranges() {
    let still = Pose { angle: 0.0, translate: [0; 2], scale: 1.0, shear: [0.0; 2] };
    assert!(draws(&affine(), SIZE).iter().all(|pose| *pose == still));
    let spec = RandomAffineSpec {
        degrees: range(10.0, 20.0),
        translate: Some([0.1, 0.0]),
        scale: Some([0.5, 2.0]),
        shear: Some(Shear { x: range(-3.0, 1.0), y: Some(range(4.0, 5.0)) }),
        ..affine()
    };
    let poses = draws(&spec, SIZE);
    check_uniform(poses.iter().map(|pose| pose.angle), [10.0, 20.0]);
    check_uniform(poses.iter().map(|pose| pose.scale), [0.5, 2.0]);
    check_uniform(poses.iter().map(|pose| pose.shear[0]), [-3.0, 1.0]);
    check_uniform(poses.iter().map(|pose| pose.shear[1]), [4.0, 5.0]);
    // A tenth of 101 columns is 10.1 pixels to either side, rounded.
    assert!(poses.iter().all(|pose| pose.translate[0].abs() <= 10 && pose.translate[1] == 0));
    let still = poses.iter().filter(|pose| pose.translate[0] == 0).count();
    check_rate(still, poses.len(), 1.0 / 20.2);
}

#[test]
fn corners_move_inwards() {
    let spec = RandomPerspectiveSpec { distortion_scale: 0.15, p: 1.0, ..Default::default() };
    let drawn: Vec<_> = draws(&spec, SIZE).into_iter().flatten().collect();
    let of = |corner: usize, axis: usize| drawn.iter().map(move |all| i64::from(all[corner][axis]));
    // Parts of 50 columns and of 30 rows.
    for (corner, x, y) in [
        (0, [0, 7], [0, 4]),
        (1, [93, 100], [0, 4]),
        (2, [93, 100], [55, 59]),
        (3, [0, 7], [55, 59]),
    ] {
        check_whole(of(corner, 0), x);
        check_whole(of(corner, 1), y);
    }
    let corners = draws(&RandomPerspectiveSpec { p: 1.0, ..Default::default() }, Size::square(1));
    assert!(corners.iter().all(|corners| *corners == Some([[0; 2]; 4])));
}

#[test]
fn movements_fill_their_ranges() {
    let spec = ShiftScaleRotateSpec {
        shift_limit: range(0.0, 0.1),
        shift_limit_y: Some(range(-0.2, 0.0)),
        scale_limit: range(-0.5, 1.0),
        rotate_limit: range(-20.0, 10.0),
        p: 1.0,
        ..Default::default()
    };
    let movements: Vec<_> = draws(&spec, Size::new(100, 50)).into_iter().flatten().collect();
    // Cut to whole pixels.
    check_whole(movements.iter().map(|movement| movement.shift[0].into()), [0, 9]);
    check_whole(movements.iter().map(|movement| movement.shift[1].into()), [-9, 0]);
    check_uniform(movements.iter().map(|movement| movement.scale[0]), [0.5, 2.0]);
    check_uniform(movements.iter().map(|movement| movement.scale[1]), [0.5, 2.0]);
    check_uniform(movements.iter().map(|movement| movement.angle), [-20.0, 10.0]);
    let wider = movements.iter().filter(|movement| movement.scale[0] > movement.scale[1]).count();
    check_rate(wider, movements.len(), 0.5);
}

#[test]
fn steps_and_strengths_fill_their_ranges() {
    let spec = GridDistortionSpec {
        num_steps: 2,
        distort_limit: range(-0.5, 0.25),
        p: 1.0,
        ..Default::default()
    };
    let drawn: Vec<_> = draws(&spec, SIZE).into_iter().flatten().collect();
    assert!(drawn.iter().all(|Steps { across, down }| across.len() == 3 && down.len() == 3));
    for i in 0..3 {
        check_uniform(drawn.iter().map(|steps| steps.across[i]), [0.5, 1.25]);
        check_uniform(drawn.iter().map(|steps| steps.down[i]), [0.5, 1.25]);
    }
    let spec = OpticalDistortionSpec { p: 1.0, ..Default::default() };
    check_uniform(draws(&spec, SIZE).into_iter().flatten(), [-0.05, 0.05]);
}

#[test]
fn the_largest_number_has_the_distribution_of_a_maximum() {
    let size = Size::new(1000, 500);
    let spec = ElasticTransformSpec { p: 1.0, ..Default::default() };
    let moves: Vec<_> = draws(&spec, size).into_iter().flatten().collect();
    // Quantiles of the largest of a million: where a single number is beyond with probability 1 - q^(1e-6).
    for (quantile, bound) in [(0.1, 4.7213), (0.5, 4.9618), (0.9, 5.3220)] {
        let below = moves.iter().filter(|moves| moves.largest < bound).count();
        let rate = below as f64 / moves.len() as f64;
        assert!((rate - quantile).abs() < 0.02, "{rate} are below {bound}, expected {quantile}");
    }
    let mut seeds: Vec<u64> = moves.iter().map(|moves| moves.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), moves.len());
}

#[test]
fn any_draw_can_be_carried_out() {
    let pictures = [[1, 1], [1, 9], [9, 1], [2, 2], [40, 31]]
        .map(|[width, height]| Image8::filled(Size::new(width, height), [200, 100, 50]));
    let wild = [0.0, -1.0, 1e-300, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    for image in &pictures {
        for interpolation in
            [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Bicubic]
        {
            let degrees = SymmetricRange::around(1.0);
            for center in [None, Some([-1e6, 1e6])] {
                let spec = RandomRotationSpec { degrees, interpolation, center, fill: [9; 3] };
                let op = spec.build(STAGE).expect("settings are in range");
                for angle in &wild {
                    drop(op.render(image.clone(), angle));
                }
                let spec = RandomAffineSpec { interpolation, center, ..affine() };
                let op = spec.build(STAGE).expect("settings are in range");
                for (i, &angle) in wild.iter().enumerate() {
                    for &scale in &wild {
                        let shear = [wild[(i + 2) % wild.len()], 90.0];
                        let translate = [i32::MIN, i32::MAX];
                        drop(op.render(image.clone(), &Pose { angle, translate, scale, shear }));
                    }
                }
            }
            let spec = RandomPerspectiveSpec { interpolation, ..Default::default() };
            let op = spec.build(STAGE).expect("settings are in range");
            let far = [[u32::MAX, 0], [3, 1], [0, u32::MAX], [7, 7]];
            for corners in [far, [[0; 2]; 4], [[u32::MAX; 2]; 4]] {
                drop(op.render(image.clone(), &Some(corners)));
            }
        }
        for border_mode in [BorderMode::Constant, BorderMode::Reflect101, BorderMode::Replicate] {
            for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
                let spec =
                    ShiftScaleRotateSpec { border_mode, interpolation, ..Default::default() };
                let op = spec.build(STAGE).expect("settings are in range");
                for &angle in &wild {
                    for &scale in &wild {
                        for shift in [[0; 2], [i32::MIN, i32::MAX]] {
                            let scale = [scale, 1.0];
                            drop(op.render(image.clone(), &Some(Movement { shift, scale, angle })));
                        }
                    }
                }
            }
            let grid = GridDistortionSpec { border_mode, ..Default::default() };
            let grid = grid.build(STAGE).expect("settings are in range");
            let lens = OpticalDistortionSpec { border_mode, ..Default::default() };
            let lens = lens.build(STAGE).expect("settings are in range");
            let rubber = ElasticTransformSpec { border_mode, alpha: 1e6, ..Default::default() };
            let rubber = rubber.build(STAGE).expect("settings are in range");
            for &number in &wild {
                let steps = Steps { across: vec![number; 9], down: Vec::new() };
                drop(grid.render(image.clone(), &Some(steps)));
                drop(lens.render(image.clone(), &Some(number)));
                let moves = Moves { seed: u64::MAX, largest: number };
                drop(rubber.render(image.clone(), &Some(moves)));
            }
        }
    }
}

#[test]
fn crops_that_do_not_fit_are_refused() {
    let image = Image8::filled(SIZE, [1, 2, 3]);
    for size in [Size::new(102, 60), Size::new(101, 61), Size::new(0, 5), Size::new(5, 0)] {
        let error = five_crop(&image, size).expect_err("it does not fit");
        assert!(matches!(error, Error::OutOfRange { field: "size", .. }), "{error}");
    }
    assert!(five_crop(&image, SIZE).is_ok());
}

#[test]
fn settings_out_of_range_are_refused() {
    fn refused<S: OpSettings>(spec: &S, field: &str) {
        let error = spec.build(STAGE).map(drop).expect_err("a setting out of range").to_string();
        assert!(error.starts_with(field), "{error}");
    }
    for degrees in [range(2.0, 1.0), range(f64::NAN, 1.0), range(0.0, f64::INFINITY)] {
        refused(&rotation(degrees), "degrees");
        refused(&RandomAffineSpec { degrees, ..affine() }, "degrees");
        let spec = ShiftScaleRotateSpec { rotate_limit: degrees, ..Default::default() };
        refused(&spec, "rotate_limit");
        let shear = Some(Shear { x: range(0.0, 1.0), y: Some(degrees) });
        refused(&RandomAffineSpec { shear, ..affine() }, "shear");
    }
    let lanczos = Interpolation::Lanczos;
    let degrees = SymmetricRange::around(1.0);
    refused(&RandomRotationSpec { interpolation: lanczos, ..rotation(degrees) }, "interpolation");
    refused(&RandomAffineSpec { interpolation: lanczos, ..affine() }, "interpolation");
    let spec = RandomPerspectiveSpec { interpolation: lanczos, ..Default::default() };
    refused(&spec, "interpolation");
    let interpolation = Interpolation::Bicubic;
    refused(&ShiftScaleRotateSpec { interpolation, ..Default::default() }, "interpolation");
    let center = Some([f64::NAN, 0.0]);
    refused(&RandomRotationSpec { center, ..rotation(degrees) }, "center");
    refused(&RandomAffineSpec { center, ..affine() }, "center");
    refused(&RandomAffineSpec { translate: Some([0.1, 1.1]), ..affine() }, "translate");
    for scale in [[0.0, 1.0], [2.0, 1.0], [1.0, f64::INFINITY], [f64::NAN, 1.0]] {
        refused(&RandomAffineSpec { scale: Some(scale), ..affine() }, "scale");
    }
    for distortion_scale in [-0.1, 1.1, f64::NAN] {
        let spec = RandomPerspectiveSpec { distortion_scale, ..Default::default() };
        refused(&spec, "distortion_scale");
    }
    for limit in [range(-1.5, 0.0), range(0.2, 0.1), range(0.0, f64::NAN)] {
        refused(&ShiftScaleRotateSpec { shift_limit: limit, ..Default::default() }, "shift_limit");
        let spec = ShiftScaleRotateSpec { shift_limit_x: Some(limit), ..Default::default() };
        refused(&spec, "shift_limit_x");
        let spec = GridDistortionSpec { distort_limit: limit, ..Default::default() };
        refused(&spec, "distort_limit");
    }
    for scale_limit in [range(-1.0, 0.0), range(0.2, 0.1), range(0.0, f64::INFINITY)] {
        refused(&ShiftScaleRotateSpec { scale_limit, ..Default::default() }, "scale_limit");
        let spec = OpticalDistortionSpec {
            distort_limit: range(0.0, f64::INFINITY),
            ..Default::default()
        };
        refused(&spec, "distort_limit");
    }
    for num_steps in [0, 1001] {
        refused(&GridDistortionSpec { num_steps, ..Default::default() }, "num_steps");
    }
    for alpha in [-1.0, f64::NAN, f64::INFINITY] {
        refused(&ElasticTransformSpec { alpha, ..Default::default() }, "alpha");
    }
    for sigma in [0.9, f64::NAN, 1001.0] {
        refused(&ElasticTransformSpec { sigma, ..Default::default() }, "sigma");
    }
    refused(&ResizeLongSpec { size: Some(0), ..Default::default() }, "size");
    for p in [-0.1, 1.1, f64::NAN] {
        refused(&RandomPerspectiveSpec { p, ..Default::default() }, "p must");
        refused(&ShiftScaleRotateSpec { p, ..Default::default() }, "p must");
        refused(&GridDistortionSpec { p, ..Default::default() }, "p must");
        refused(&OpticalDistortionSpec { p, ..Default::default() }, "p must");
        refused(&ElasticTransformSpec { p, ..Default::default() }, "p must");
    }
}
