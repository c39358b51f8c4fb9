//! Depthwise convolution and its gradients against loops in f64 and against Burn's operation.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::Device;
use kiln_kernels::{Activation, Window, depthwise_conv2d, depthwise_conv2d_affine};
use proptest::prelude::*;
use support::maps::{Map, assert_close, channels, pass};
use support::reference::{self, output_dims, square};
use support::stock;

/// Of the largest value: f32 sums of up to some hundred products, one after another.
const TOLERANCE: f64 = 2e-6;

/// Sizes of the input and window.
type Row = ([usize; 4], Window);

const ROWS: [Row; 17] = [
    ([1, 1, 1, 1], square(3, 1, 1)),
    ([2, 3, 5, 7], square(3, 1, 1)),
    ([2, 17, 6, 5], square(3, 2, 1)),
    ([1, 24, 9, 8], square(5, 1, 2)),
    ([2, 40, 13, 14], square(5, 2, 2)),
    ([3, 16, 7, 7], square(5, 1, 2)),
    ([2, 31, 8, 8], square(3, 1, 1)),
    ([2, 32, 20, 19], square(3, 2, 1)),
    ([1, 33, 15, 16], square(3, 1, 0)),
    ([2, 48, 3, 2], square(5, 1, 2)),
    ([1, 64, 11, 12], square(7, 2, 3)),
    ([2, 72, 4, 4], square(3, 2, 0)),
    ([4, 112, 6, 6], square(3, 1, 1)),
    ([2, 5, 9, 9], square(1, 2, 0)),
    ([1, 9, 12, 12], square(2, 2, 0)),
    ([2, 20, 5, 30], Window { kernel: [3, 5], stride: [2, 1], padding: [0, 2] }),
    ([1, 16, 40, 3], Window { kernel: [5, 3], stride: [1, 3], padding: [2, 1] }),
];

/// `x`, weight and `dy`.
fn inputs((x, window): Row) -> [Map; 3] {
    let weight = [x[1], 1, window.kernel[0], window.kernel[1]];
    let dy = output_dims(x, x[1], window);
    [("x", x), ("weight", weight), ("dy", dy)]
        .map(|(name, dims)| Map::uniform(&format!("{name} {x:?} {window:?}"), dims))
}

fn check(row: Row) {
    let window = row.1;
    let [x, weight, dy] = inputs(row);
    let (y, [dx, dw]) = pass([&x, &weight], &dy, |[x, weight]| depthwise_conv2d(x, weight, window));
    let (stock_y, [stock_dx, stock_dw]) =
        pass([&x, &weight], &dy, |[x, weight]| stock::depthwise_conv2d(x, weight, window));
    let exact_y = reference::depthwise_conv2d(&x, &weight, window);
    let [exact_dx, exact_dw] = reference::depthwise_gradients(&x, &weight, window, &dy);
    for (part, ours, stock, exact) in
        [("y", y, stock_y, exact_y), ("dx", dx, stock_dx, exact_dx), ("dw", dw, stock_dw, exact_dw)]
    {
        assert_close(&format!("{part} of {row:?}"), &ours, &exact, TOLERANCE);
        assert_close(&format!("{part} of {row:?}, Burn's"), &ours, &stock, 2.0 * TOLERANCE);
    }
}

#[test]
fn values_and_gradients_match() {
    for row in ROWS {
        check(row);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_shape_matches(
        (batch, channels) in (1..4_usize, 1..70_usize),
        (height, width) in (1..14_usize, 1..18_usize),
        (kernel_height, kernel_width) in (1..6_usize, 1..6_usize),
        (down, right) in (1..4_usize, 1..4_usize),
    ) {
        let window = Window {
            kernel: [kernel_height, kernel_width],
            stride: [down, right],
            padding: [kernel_height / 2, kernel_width / 2],
        };
        prop_assume!(height + 2 * window.padding[0] >= kernel_height);
        prop_assume!(width + 2 * window.padding[1] >= kernel_width);
        check(([batch, channels, height, width], window));
    }
}

#[test]
fn one_pass_is_the_steps_one_after_another() {
    let device = Device::flex();
    for row @ (dims, window) in ROWS {
        let [x, weight, _] = inputs(row);
        let [scale, shift] = ["scale", "shift"].map(|name| Map::vector(name, dims[1]));
        for activation in [Activation::None, Activation::Relu, Activation::Silu] {
            let [x, weight, scale, shift] =
                [&x, &weight, &scale, &shift].map(|map| map.tensor(&device));
            let wide = [scale.clone(), shift.clone()];
            let ours = depthwise_conv2d_affine(
                x.clone(),
                weight.clone(),
                [channels(scale), channels(shift)],
                window,
                activation,
            );
            let [scale, shift] = wide;
            let steps = stock::depthwise_conv2d(x, weight, window) * scale + shift;
            let steps = stock::then(steps, None, activation);
            let what = format!("{row:?} {activation:?}");
            assert_close(&what, &Map::of(&ours), &Map::of(&steps), 2.0 * TOLERANCE);
        }
    }
}

#[test]
fn a_value_that_is_no_number_reaches_its_channel_alone() {
    let device = Device::flex();
    let [x, weight, _] = inputs(([2, 40, 9, 9], square(3, 1, 1)));
    let x = x.with([1, 21, 4, 4], f64::NAN);
    let y = depthwise_conv2d(x.tensor(&device), weight.tensor(&device), square(3, 1, 1));
    let y = Map::of(&y);
    for (index, value) in y.values.iter().enumerate() {
        let (row, column) = (index / 9 % 9, index % 9);
        let near = index / 81 == 40 + 21 && (3..6).contains(&row) && (3..6).contains(&column);
        assert_eq!(value.is_nan(), near, "{index}");
    }
}
