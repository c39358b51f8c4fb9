//! Convolution and its gradients against loops in f64 and against Burn's operation.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::Device;
use kiln_kernels::{Window, conv2d};
use proptest::prelude::*;
use support::maps::{Map, assert_close, assert_same, assert_within, pass};
use support::reference::{self, differences, output_dims, square, weighted_sum};
use support::stock;

/// Of the largest value: f32 sums of up to some thousand products, one after another (9e-7 measured).
const DIRECT: f64 = 2e-6;
/// Winograd's transforms multiply by up to 8 and cancel again (7e-6 measured).
const WINOGRAD: f64 = 3e-5;

/// Sizes of the input, channels of the output, window.
type Row = ([usize; 4], usize, Window);

fn inputs(row: Row, make: impl Fn(&str, [usize; 4]) -> Map) -> [Map; 3] {
    let (x, outputs, window) = row;
    let what = format!("{row:?}");
    let weight = reference::weight_dims(x, outputs, window);
    let dy = output_dims(x, outputs, window);
    [("x", x), ("weight", weight), ("dy", dy)]
        .map(|(name, dims)| make(&format!("{name} {what}"), dims))
}

/// Result and gradients must be as near to the loops as the tolerance says, and to Burn's, which round as well.
fn check(row: Row, tolerance: f64) {
    let window = row.2;
    let [x, weight, dy] = inputs(row, Map::uniform);
    let (y, [dx, dw]) = pass([&x, &weight], &dy, |[x, weight]| conv2d(x, weight, window));
    let (stock_y, [stock_dx, stock_dw]) =
        pass([&x, &weight], &dy, |[x, weight]| stock::conv2d(x, weight, window));
    let exact_y = reference::conv2d(&x, &weight, window);
    let [exact_dx, exact_dw] = reference::conv2d_gradients(&x, &weight, window, &dy);
    for (part, ours, stock, exact) in
        [("y", y, stock_y, exact_y), ("dx", dx, stock_dx, exact_dx), ("dw", dw, stock_dw, exact_dw)]
    {
        assert_close(&format!("{part} of {row:?}"), &ours, &exact, tolerance);
        assert_close(&format!("{part} of {row:?}, Burn's"), &ours, &stock, 2.0 * tolerance);
    }
}

#[test]
fn the_loops_gradients_are_their_differences() {
    let window = Window { kernel: [3, 2], stride: [2, 1], padding: [1, 0] };
    let [x, weight, dy] = inputs(([2, 3, 5, 4], 2, window), Map::uniform);
    let [dx, dw] = reference::conv2d_gradients(&x, &weight, window, &dy);
    let loss = |x: &Map, weight: &Map| weighted_sum(&reference::conv2d(x, weight, window), &dy);
    // Linear in each, so only f64's rounding over the step is left.
    assert_within("dx", &dx, &differences(&x, |x| loss(x, &weight)), 1e-9);
    assert_within("dw", &dw, &differences(&weight, |weight| loss(&x, weight)), 1e-9);
}

#[test]
fn kernels_of_one_pixel_match() {
    for row in [
        ([2, 16, 7, 5], 24, square(1, 1, 0)),
        ([1, 1, 1, 1], 1, square(1, 1, 0)),
        ([1, 33, 1, 1], 17, square(1, 1, 0)),
        ([5, 3, 4, 4], 5, square(1, 1, 0)),
        ([3, 17, 9, 7], 33, square(1, 2, 0)),
        ([2, 64, 8, 8], 128, square(1, 2, 0)),
        ([9, 32, 2, 2], 64, square(1, 2, 0)),
        ([2, 5, 6, 5], 3, square(1, 1, 1)),
    ] {
        check(row, DIRECT);
    }
}

#[test]
fn kernels_of_nine_pixels_match() {
    for channels in [1, 3, 5, 17, 33] {
        for (map, batch) in [([1, 1], 1), ([1, 1], 7), ([5, 7], 2), ([8, 3], 1), ([13, 11], 3)] {
            for stride in [1, 2] {
                let x = [batch, channels, map[0], map[1]];
                check((x, 36 - channels, square(3, stride, 1)), DIRECT);
            }
        }
    }
}

#[test]
fn strided_convolutions_of_whole_vectors_match() {
    for row in [
        ([3, 32, 14, 14], 64, square(3, 2, 1)),
        ([5, 64, 7, 7], 64, square(3, 2, 1)),
        ([6, 64, 2, 2], 64, square(3, 2, 1)),
        ([1, 64, 9, 8], 48, square(3, 2, 1)),
    ] {
        check(row, DIRECT);
    }
}

/// Enough pictures that the weight's gradient walks through them position by position.
#[test]
fn many_small_maps_match() {
    for row in [
        ([67, 17, 3, 2], 5, square(3, 1, 1)),
        ([64, 16, 2, 2], 32, square(3, 2, 1)),
        ([70, 32, 1, 1], 32, square(3, 1, 1)),
        ([65, 3, 7, 5], 16, square(3, 1, 1)),
    ] {
        check(row, DIRECT);
    }
}

#[test]
fn stems_match() {
    for row in [
        ([2, 3, 21, 17], 64, square(7, 2, 3)),
        ([1, 3, 7, 7], 5, square(7, 2, 3)),
        ([3, 3, 1, 2], 16, square(7, 2, 3)),
        ([2, 3, 32, 32], 16, square(3, 1, 1)),
        ([4, 7, 9, 9], 20, square(5, 1, 2)),
    ] {
        check(row, DIRECT);
    }
}

#[test]
fn unusual_windows_match() {
    let window = |kernel, stride, padding| Window { kernel, stride, padding };
    for row in [
        ([2, 17, 9, 6], 9, square(5, 1, 2)),
        ([2, 9, 8, 7], 12, square(3, 1, 0)),
        ([2, 40, 7, 7], 33, square(3, 2, 0)),
        ([1, 8, 3, 3], 10, square(3, 1, 0)),
        ([2, 11, 6, 9], 18, window([1, 7], [1, 1], [0, 3])),
        ([2, 3, 9, 6], 18, window([7, 1], [1, 1], [3, 0])),
        ([2, 5, 8, 9], 7, window([2, 3], [1, 2], [0, 1])),
        ([2, 34, 8, 9], 7, window([3, 2], [3, 1], [2, 0])),
        // Pixels that no tap reads.
        ([2, 10, 10, 11], 16, square(2, 3, 0)),
        ([1, 33, 7, 9], 4, square(1, 3, 0)),
        // Outputs that read nothing but padding.
        ([2, 9, 1, 1], 4, square(1, 2, 1)),
    ] {
        check(row, DIRECT);
    }
}

/// Up to 3 pixels in a direction these are sums over the taps, above they are Winograd's.
#[test]
fn maps_of_every_size_match() {
    for channels in [32, 64] {
        for side in 1..=14 {
            check(([2, channels, side, side], channels, square(3, 1, 1)), WINOGRAD);
        }
    }
}

#[test]
fn winograd_convolutions_match() {
    for row in [
        ([1, 32, 5, 9], 48, square(3, 1, 1)),
        ([3, 48, 6, 4], 80, square(3, 1, 1)),
        ([1, 64, 4, 15], 32, square(3, 1, 1)),
        ([1, 32, 4, 4], 32, square(3, 1, 1)),
        ([5, 128, 7, 7], 32, square(3, 1, 1)),
        // More tiles than the weight's gradient transforms at once.
        ([16, 32, 16, 16], 32, square(3, 1, 1)),
    ] {
        check(row, WINOGRAD);
    }
}

#[test]
fn autodiff_does_not_change_the_result() {
    for row in [
        ([2, 5, 7, 6], 9, square(3, 2, 1)),
        ([2, 3, 12, 9], 8, square(7, 2, 3)),
        ([2, 32, 7, 6], 32, square(3, 1, 1)),
    ] {
        let [x, weight, dy] = inputs(row, Map::uniform);
        let (under_autodiff, _) = pass([&x, &weight], &dy, |[x, weight]| conv2d(x, weight, row.2));
        let device = Device::flex();
        let plain = conv2d(x.tensor(&device), weight.tensor(&device), row.2);
        assert_same(&format!("{row:?}"), &Map::of(&plain), &under_autodiff);
    }
}

#[test]
fn what_is_frozen_gets_no_gradient_and_the_rest_the_same() {
    let row = ([2, 5, 7, 6], 9, square(3, 2, 1));
    let [x, weight, dy] = inputs(row, Map::uniform);
    let (_, [dx, dw]) = pass([&x, &weight], &dy, |[x, weight]| conv2d(x, weight, row.2));
    let (_, [alone]) = pass([&x], &dy, |[x]| {
        let weight = weight.tensor(&x.device());
        conv2d(x, weight, row.2)
    });
    assert_same("dx", &alone, &dx);
    let (_, [alone]) = pass([&weight], &dy, |[weight]| {
        let x = x.tensor(&weight.device());
        conv2d(x, weight, row.2)
    });
    assert_same("dw", &alone, &dw);
}

prop_compose! {
    fn any_row()(
        batch in 1_usize..5,
        channels in [1_usize..21, 1_usize..21],
        map in [1_usize..9, 1_usize..9],
        kernel in [1_usize..5, 1_usize..5],
        stride in [1_usize..4, 1_usize..4],
        padding in [0_usize..3, 0_usize..3],
    ) -> Row {
        let fits = |axis: usize| kernel[axis].min(map[axis] + 2 * padding[axis]);
        let window = Window { kernel: [fits(0), fits(1)], stride, padding };
        ([batch, channels[0], map[0], map[1]], channels[1], window)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// With values whose sums are exact there is nothing to tolerate.
    #[test]
    fn exact_sums_are_exact(row in any_row()) {
        let window = row.2;
        let [x, weight, dy] = inputs(row, Map::eighths);
        let (y, [dx, dw]) = pass([&x, &weight], &dy, |[x, weight]| conv2d(x, weight, window));
        let (stock, _) =
            pass([&x, &weight], &dy, |[x, weight]| stock::conv2d(x, weight, window));
        let [exact_dx, exact_dw] = reference::conv2d_gradients(&x, &weight, window, &dy);
        let exact_y = reference::conv2d(&x, &weight, window);
        prop_assert_eq!(&y.values, &exact_y.values);
        prop_assert_eq!(&y.values, &stock.values);
        prop_assert_eq!(&dx.values, &exact_dx.values);
        prop_assert_eq!(&dw.values, &exact_dw.values);
    }
}
