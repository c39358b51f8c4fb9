//! What is not finite spreads as far as in Burn's operations.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use kiln_kernels::{Activation, NormSettings, Window, batch_norm, conv2d};
use support::maps::{Map, channels, pass};
use support::reference::{output_dims, square, weight_dims};
use support::stock;

const BAD: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// Each value, or zero if it is finite; every NaN is the same.
fn kinds(map: &Map) -> Vec<u64> {
    map.map(|value| if value.is_finite() { 0.0 } else { value }).bits()
}

/// Result and gradients of one bad value in `x`, and of one in the gradient of the result.
fn spread(
    (dims, outputs, window): ([usize; 4], usize, Window),
    bad: f64,
    f: impl Fn([burn::tensor::Tensor<4>; 2]) -> burn::tensor::Tensor<4>,
) -> [(&'static str, Map); 3] {
    let weight = Map::uniform("weight", weight_dims(dims, outputs, window));
    let to = output_dims(dims, outputs, window);
    let x = Map::uniform("x", dims);
    let dy = Map::uniform("dy", to);
    // In the middle of the last picture, where no tap of it reads padding.
    let bad_x = x.clone().with([dims[0] - 1, dims[1] / 2, dims[2] / 2, dims[3] / 2], bad);
    let bad_dy = dy.clone().with([to[0] - 1, to[1] / 2, to[2] / 2, to[3] / 2], bad);
    let (y, _) = pass([&bad_x, &weight], &dy, &f);
    let (_, [dx, dw]) = pass([&x, &weight], &bad_dy, &f);
    [("y", y), ("dx", dx), ("dw", dw)]
}

#[test]
fn sums_over_taps_spread_as_in_burn() {
    for row in [
        ([2, 5, 7, 6], 9, square(3, 1, 1)),
        ([2, 17, 9, 9], 33, square(3, 2, 1)),
        ([5, 64, 3, 3], 64, square(3, 1, 1)),
        ([2, 33, 5, 5], 7, square(1, 1, 0)),
        ([2, 16, 9, 9], 32, square(1, 2, 0)),
        ([2, 3, 19, 17], 16, square(7, 2, 3)),
        ([1, 8, 6, 9], 20, square(3, 1, 0)),
    ] {
        for bad in BAD {
            let ours = spread(row, bad, |[x, weight]| conv2d(x, weight, row.2));
            let stock = spread(row, bad, |[x, weight]| stock::conv2d(x, weight, row.2));
            for ((part, ours), (_, stock)) in ours.iter().zip(&stock) {
                assert!(kinds(stock).iter().any(|&kind| kind != 0), "{part} of {row:?}, {bad}");
                assert!(kinds(ours) == kinds(stock), "{part} of {row:?}, {bad}");
            }
        }
    }
}

/// A tile of 4x4 results reads 6x6 pixels, and one that is bad may make all 16 bad.
#[test]
fn winograd_spreads_to_the_tiles_that_read_it() {
    const OUT: usize = 4;
    let dims = [2, 32, 14, 14];
    for (bad, row, column) in BAD.into_iter().flat_map(|bad| {
        [(0, 0), (3, 4), (5, 6), (7, 8), (13, 13), (11, 12)].map(|(row, column)| (bad, row, column))
    }) {
        let x = Map::uniform("x", dims).with([1, 7, row, column], bad);
        let weight = Map::uniform("weight", [48, 32, 3, 3]);
        let dy = Map::uniform("dy", [2, 48, 14, 14]);
        let window = square(3, 1, 1);
        let (ours, _) = pass([&x, &weight], &dy, |[x, weight]| conv2d(x, weight, window));
        let (stock, _) = pass([&x, &weight], &dy, |[x, weight]| stock::conv2d(x, weight, window));
        // The tile that begins at `start` reads from the pixel before it to the one behind it.
        let reads = |start: usize, pixel: usize| pixel + 1 >= start && pixel <= start + OUT;
        for (index, (ours, stock)) in ours.values.iter().zip(&stock.values).enumerate() {
            let (picture, to) = (index / (48 * 14 * 14), index % (14 * 14));
            let may = picture == 1
                && reads(to / 14 / OUT * OUT, row)
                && reads(to % 14 / OUT * OUT, column);
            let what = format!("{bad} at {row}, {column}: value {index}");
            assert!(stock.is_finite() || !ours.is_finite(), "{what} is lost");
            assert!(may || ours.is_finite(), "{what} is spoilt");
        }
    }
}

#[test]
fn a_batch_norm_spoils_its_channel_and_no_other() {
    let dims = [3, 17, 5, 4];
    let [gamma, beta] = ["gamma", "beta"].map(|name| Map::vector(name, 17));
    let dy = Map::uniform("dy", dims);
    for bad in BAD {
        let x = Map::uniform("x", dims).with([1, 11, 2, 3], bad);
        for activation in [Activation::None, Activation::Relu, Activation::Silu] {
            let settings = NormSettings { epsilon: 1e-5, activation };
            let inputs = [&x, &gamma, &beta];
            let (y, [dx, dgamma, dbeta]) = pass(inputs, &dy, |[x, gamma, beta]| {
                batch_norm(x, [channels(gamma), channels(beta)], None, settings).output
            });
            let (stock_y, [stock_dx, ..]) = pass(inputs, &dy, |[x, gamma, beta]| {
                stock::batch_norm(x, [channels(gamma), channels(beta)], None, settings)
            });
            for (part, map) in [("y", &y), ("dx", &dx), ("dgamma", &dgamma)] {
                for (index, value) in map.values.iter().enumerate() {
                    let spoilt = map.channel(index) == 11;
                    assert_eq!(value.is_nan(), spoilt, "{part}[{index}] of {bad}, {activation:?}");
                }
            }
            // The gradient behind SiLU has its slope in it, the others pass it on or cut it.
            for (channel, value) in dbeta.values.iter().enumerate() {
                let spoilt = channel == 11 && activation == Activation::Silu;
                assert_eq!(value.is_nan(), spoilt, "dbeta[{channel}] of {bad}, {activation:?}");
            }
            assert!(kinds(&y) == kinds(&stock_y), "{bad}, {activation:?}");
            assert!(kinds(&dx) == kinds(&stock_dx), "dx of {bad}, {activation:?}");
        }
    }
}

#[test]
fn a_residual_that_is_not_finite_passes_the_cut_as_in_burn() {
    let dims = [2, 9, 3, 5];
    let x = Map::uniform("x", dims);
    let [gamma, beta] = ["gamma", "beta"].map(|name| Map::vector(name, 9));
    let dy = Map::uniform("dy", dims);
    let settings = NormSettings { epsilon: 1e-5, activation: Activation::Relu };
    for bad in BAD {
        let residual = Map::uniform("residual", dims).with([1, 4, 2, 3], bad);
        let inputs = [&x, &gamma, &beta, &residual];
        let (y, [.., d]) = pass(inputs, &dy, |[x, gamma, beta, residual]| {
            batch_norm(x, [channels(gamma), channels(beta)], Some(residual), settings).output
        });
        let (stock_y, [.., stock_d]) = pass(inputs, &dy, |[x, gamma, beta, residual]| {
            stock::batch_norm(x, [channels(gamma), channels(beta)], Some(residual), settings)
        });
        assert!(kinds(&y) == kinds(&stock_y), "{bad}");
        let place = y.index([1, 4, 2, 3]);
        let expected = if bad == f64::NEG_INFINITY { 0.0 } else { dy.values[place] };
        assert_eq!(d.values[place], expected, "{bad}");
        assert_eq!(stock_d.values[place], expected, "{bad}");
    }
}
