//! The fused convolution against Burn's separate operations.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::{Device, Tensor};
use kiln_kernels::{Activation, Window, conv2d_affine};
use support::maps::{Map, assert_close, assert_same, channels, pass};
use support::reference::{output_dims, square, weight_dims};
use support::stock;

/// Of the largest value: two f32 sums in different orders.
const DIRECT: f64 = 1e-5;
/// Winograd's transforms multiply by up to 8 and cancel again.
const WINOGRAD: f64 = 3e-5;

type Row = ([usize; 4], usize, Window);

const ROWS: [(Row, f64); 11] = [
    (([2, 3, 15, 13], 20, square(7, 2, 3)), DIRECT),
    (([1, 1, 1, 1], 1, square(1, 1, 0)), DIRECT),
    (([2, 33, 5, 6], 17, square(1, 1, 0)), DIRECT),
    (([3, 17, 7, 7], 33, square(3, 2, 1)), DIRECT),
    (([6, 64, 2, 2], 64, square(3, 1, 1)), DIRECT),
    (([3, 64, 9, 8], 48, square(3, 2, 1)), DIRECT),
    (([2, 16, 9, 10], 16, square(3, 1, 1)), DIRECT),
    (([2, 5, 9, 10], 40, square(3, 1, 0)), DIRECT),
    (([1, 32, 14, 14], 32, square(3, 1, 1)), WINOGRAD),
    (([3, 64, 7, 5], 48, square(3, 1, 1)), WINOGRAD),
    (([2, 48, 4, 6], 80, square(3, 1, 1)), WINOGRAD),
];

/// `x`, weight, scale, shift and residual.
fn inputs((x, outputs, window): Row) -> [Map; 5] {
    [
        Map::uniform("x", x),
        Map::uniform("weight", weight_dims(x, outputs, window)),
        Map::vector("scale", outputs),
        Map::vector("shift", outputs),
        Map::uniform("residual", output_dims(x, outputs, window)),
    ]
}

type Fused =
    fn(Tensor<4>, Tensor<4>, [Tensor<1>; 2], Option<Tensor<4>>, Window, Activation) -> Tensor<4>;

/// Calls either of the two.
fn call(f: Fused, inputs: [Tensor<4>; 5], ends: End, window: Window) -> Tensor<4> {
    let (with_residual, activation) = ends;
    let [x, weight, scale, shift, residual] = inputs;
    let residual = with_residual.then_some(residual);
    f(x, weight, [channels(scale), channels(shift)], residual, window, activation)
}

/// Whether there is a residual, and what follows.
type End = (bool, Activation);

const ENDS: [End; 6] = [
    (false, Activation::None),
    (false, Activation::Relu),
    (false, Activation::Silu),
    (true, Activation::None),
    (true, Activation::Relu),
    (true, Activation::Silu),
];

#[test]
fn one_pass_is_the_steps_one_after_another() {
    let device = Device::flex();
    for (row, tolerance) in ROWS {
        let inputs = inputs(row).map(|input| input.tensor(&device));
        for ends in ENDS {
            let ours = call(conv2d_affine, inputs.clone(), ends, row.2);
            let stock = call(stock::conv2d_affine, inputs.clone(), ends, row.2);
            let what = format!("{row:?}, residual and activation {ends:?}");
            assert_close(&what, &Map::of(&ours), &Map::of(&stock), tolerance);
        }
    }
}

#[test]
fn under_autodiff_values_and_gradients_match() {
    let device = Device::flex();
    for (row, tolerance) in ROWS {
        let inputs = inputs(row);
        for ends in ENDS {
            // Nothing comes back where rounding could decide whether a value is cut.
            let tensors = inputs.each_ref().map(|input| input.tensor(&device));
            let uncut = call(stock::conv2d_affine, tensors, (ends.0, Activation::None), row.2);
            let uncut = Map::of(&uncut);
            let dy = Map::uniform("dy", uncut.dims);
            let edge = 1e-4 * uncut.largest();
            let dy = uncut.zip(&dy, |y, dy| if y.abs() < edge { 0.0 } else { dy });
            let run = |f: Fused| {
                pass(inputs.each_ref(), &dy, |[x, weight, scale, shift, residual]| {
                    // Without a residual its gradient is that of nothing.
                    let nothing = residual.clone().mul_scalar(0.0);
                    let y = call(f, [x, weight, scale, shift, residual], ends, row.2);
                    y + nothing
                })
            };
            let (y, ours) = run(conv2d_affine);
            let (stock_y, stock) = run(stock::conv2d_affine);
            let what = format!("{row:?}, residual and activation {ends:?}");
            assert_close(&format!("y of {what}"), &y, &stock_y, tolerance);
            let parts = ["dx", "dweight", "dscale", "dshift", "dresidual"];
            for (part, (ours, stock)) in parts.iter().zip(ours.iter().zip(&stock)) {
                assert_close(&format!("{part} of {what}"), ours, stock, tolerance);
            }
        }
    }
}

#[test]
fn a_value_that_is_no_number_stays_one() {
    let device = Device::flex();
    for (row, _) in ROWS {
        let mut inputs = inputs(row);
        inputs[4] = inputs[4].clone().with([0, row.1 - 1, 0, 0], f64::NAN);
        let place = inputs[4].index([0, row.1 - 1, 0, 0]);
        let tensors = inputs.each_ref().map(|input| input.tensor(&device));
        let y = Map::of(&call(conv2d_affine, tensors.clone(), (true, Activation::Relu), row.2));
        let stock = Map::of(&call(stock::conv2d_affine, tensors, (true, Activation::Relu), row.2));
        let only = |map: &Map| map.map(|value| f64::from(u8::from(value.is_nan())));
        assert!(y.values[place].is_nan(), "{row:?}");
        assert_same(&format!("{row:?}"), &only(&y), &only(&stock));
    }
}
