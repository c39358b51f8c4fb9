//! Batch norm, residual and cut of negative values, with their gradients, against f64 and against Burn's operations.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::{Device, Tensor};
use kiln_kernels::{Activation, NormSettings, batch_norm};
use support::maps::{Map, assert_close, assert_same, assert_within, channels, pass};
use support::reference::{Norm, differences, weighted_sum};
use support::stock;

/// Of the largest value: f32 sums over blocks of up to 16384 values, which of a single channel's gradients may nearly
/// cancel (4e-6 measured, there only).
const TOLERANCE: f64 = 1e-5;

/// With and without a residual, and what follows.
const ENDS: [(bool, Activation); 6] = [
    (false, Activation::None),
    (false, Activation::Relu),
    (false, Activation::Silu),
    (true, Activation::None),
    (true, Activation::Relu),
    (true, Activation::Silu),
];

/// `x`, `gamma`, `beta` and the residual.
type Inputs = [Map; 4];

fn inputs(dims: [usize; 4]) -> Inputs {
    let name = |part: &str| format!("{part} {dims:?}");
    [
        Map::uniform(&name("x"), dims),
        Map::vector(&name("gamma"), dims[1]),
        Map::vector(&name("beta"), dims[1]),
        Map::uniform(&name("residual"), dims),
    ]
}

fn norm(
    [x, gamma, beta, residual]: &Inputs,
    with_residual: bool,
    activation: Activation,
) -> Norm<'_> {
    let settings = NormSettings { epsilon: 1e-5, activation };
    Norm { x, gamma, beta, residual: with_residual.then_some(residual), settings }
}

/// What comes back, nothing where rounding could decide whether a value is cut.
fn gradient_of_result(norm: &Norm<'_>) -> Map {
    let dy = Map::uniform(&format!("dy {:?}", norm.x.dims), norm.x.dims);
    norm.uncut().zip(&dy, |y, dy| if y.abs() < 1e-4 { 0.0 } else { dy })
}

/// Result and gradients of `x`, `gamma`, `beta` and the residual, zero without one.
fn run(
    norm: &Norm<'_>,
    dy: &Map,
    f: impl FnOnce(Tensor<4>, [Tensor<1>; 2], Option<Tensor<4>>) -> Tensor<4>,
) -> (Map, [Map; 4]) {
    let Norm { x, gamma, beta, residual, .. } = *norm;
    if let Some(residual) = residual {
        pass([x, gamma, beta, residual], dy, |[x, gamma, beta, residual]| {
            f(x, [channels(gamma), channels(beta)], Some(residual))
        })
    } else {
        let (y, [x, gamma, beta]) = pass([x, gamma, beta], dy, |[x, gamma, beta]| {
            f(x, [channels(gamma), channels(beta)], None)
        });
        let nothing = Map::filled(0.0, x.dims);
        (y, [x, gamma, beta, nothing])
    }
}

fn check(dims: [usize; 4]) {
    let inputs = inputs(dims);
    for (with_residual, activation) in ENDS {
        let norm = norm(&inputs, with_residual, activation);
        let settings = norm.settings;
        let dy = gradient_of_result(&norm);
        let what = format!("{dims:?}, residual {with_residual}, {activation:?}");
        let (y, ours) =
            run(&norm, &dy, |x, affine, residual| batch_norm(x, affine, residual, settings).output);
        let (stock_y, stock) =
            run(&norm, &dy, |x, affine, residual| stock::batch_norm(x, affine, residual, settings));
        assert_close(&format!("y of {what}"), &y, &norm.forward(), TOLERANCE);
        assert_close(&format!("y of {what}, Burn's"), &y, &stock_y, 2.0 * TOLERANCE);
        let mut exact = norm.gradients(&dy);
        if !with_residual {
            exact[3] = Map::filled(0.0, dims);
        }
        // With few values the terms of `dx` cancel almost entirely, so rounding is measured by the terms.
        let terms = norm.gamma.zip(&norm.inverse_deviations(), |gamma, inverse| gamma * inverse);
        let of_dx = terms.largest() * dy.largest();
        let largest = [of_dx, exact[1].largest(), exact[2].largest(), exact[3].largest()];
        let parts = ["dx", "dgamma", "dbeta", "dresidual"];
        for (i, part) in parts.into_iter().enumerate() {
            let most = TOLERANCE * largest[i];
            assert_within(&format!("{part} of {what}"), &ours[i], &exact[i], most);
            assert_within(&format!("{part} of {what}, Burn's"), &ours[i], &stock[i], 2.0 * most);
        }
    }
}

#[test]
fn the_references_gradients_are_its_differences() {
    let inputs = inputs([3, 2, 3, 5]);
    for (with_residual, activation) in ENDS {
        let exact = norm(&inputs, with_residual, activation);
        let dy = gradient_of_result(&exact);
        let gradients = exact.gradients(&dy);
        for (part, gradient) in gradients.iter().enumerate().take(3 + usize::from(with_residual)) {
            let differences = differences(&inputs[part], |moved| {
                let mut inputs = inputs.clone();
                inputs[part] = moved.clone();
                weighted_sum(&norm(&inputs, with_residual, activation).forward(), &dy)
            });
            // The square of the step.
            assert_within(&format!("gradient {part}"), gradient, &differences, 1e-8);
        }
    }
}

#[test]
fn small_and_odd_maps_match() {
    for dims in [
        [2, 1, 1, 1],
        [2, 3, 1, 1],
        [2, 17, 1, 1],
        [2, 64, 1, 1],
        [3, 1, 5, 7],
        [1, 3, 9, 7],
        [4, 17, 3, 3],
        [5, 64, 6, 6],
    ] {
        check(dims);
    }
}

/// 16384 values are a block.
#[test]
fn maps_of_several_blocks_match() {
    for dims in [[3, 1, 111, 67], [5, 3, 61, 45], [2, 17, 31, 33], [8, 64, 12, 12]] {
        check(dims);
    }
}

#[test]
fn the_statistics_match() {
    let device = Device::flex();
    for dims in [[2, 3, 1, 1], [3, 1, 111, 67], [2, 17, 31, 33], [5, 64, 6, 6]] {
        let inputs = inputs(dims);
        let norm = norm(&inputs, false, Activation::None);
        let [gamma, beta] = [norm.gamma, norm.beta].map(|map| channels(map.tensor(&device)));
        let found = batch_norm(norm.x.tensor(&device), [gamma, beta], None, norm.settings);
        let [mean, variance] = norm.statistics();
        let wide = |vector: Tensor<1>| Map::of(&vector.reshape([1, dims[1], 1, 1]));
        // The mean is near zero; its rounding is that of the values.
        assert_within(&format!("mean of {dims:?}"), &wide(found.mean), &mean, TOLERANCE);
        assert_close(&format!("variance of {dims:?}"), &wide(found.variance), &variance, TOLERANCE);
    }
}

/// A variance from the mean of the squares would be off by more than itself.
#[test]
fn a_mean_far_from_zero_leaves_the_variance_right() {
    let device = Device::flex();
    for dims in [[8, 1, 64, 64], [5, 3, 61, 45], [8, 64, 12, 12], [2, 17, 1, 1]] {
        let mut inputs = inputs(dims);
        // Of variance 1 around 1000, rounded to the f32 that the kernel gets.
        let moved = inputs[0].map(|x| 1000.0 + 3.0_f64.sqrt() * x);
        inputs[0] = Map::of(&moved.tensor(&device));
        let norm = norm(&inputs, false, Activation::None);
        let [gamma, beta] = [norm.gamma, norm.beta].map(|map| channels(map.tensor(&device)));
        let found = batch_norm(norm.x.tensor(&device), [gamma, beta], None, norm.settings);
        let [mean, variance] = norm.statistics();
        let wide = |vector: Tensor<1>| Map::of(&vector.reshape([1, dims[1], 1, 1]));
        assert_close(&format!("variance of {dims:?}"), &wide(found.variance), &variance, 1e-4);
        // An f32 sum of 16384 values around 1000 is some 1e-6 off.
        assert_close(&format!("mean of {dims:?}"), &wide(found.mean), &mean, 1e-5);
    }
}

#[test]
fn what_is_frozen_gets_no_gradient_and_the_rest_the_same() {
    let inputs = inputs([3, 5, 4, 3]);
    let norm = norm(&inputs, true, Activation::Relu);
    let settings = norm.settings;
    let dy = gradient_of_result(&norm);
    let (_, all) =
        run(&norm, &dy, |x, affine, residual| batch_norm(x, affine, residual, settings).output);
    for (part, expected) in all.iter().enumerate() {
        let (_, [alone]) = pass([&inputs[part]], &dy, |[leaf]| {
            let device = leaf.device();
            let mut tensors = inputs.each_ref().map(|input| input.tensor(&device));
            tensors[part] = leaf;
            let [x, gamma, beta, residual] = tensors;
            batch_norm(x, [channels(gamma), channels(beta)], Some(residual), settings).output
        });
        assert_same(&format!("gradient {part}"), &alone, expected);
    }
}
