//! Channels' means and gates, alone and as the block that they are made for, against Burn's operations.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, silu};
use kiln_kernels::squeeze;
use support::maps::{Map, assert_close, pass};

/// Of the largest value: f32 sums over up to some thousand pixels.
const TOLERANCE: f64 = 1e-5;

const MAPS: [[usize; 4]; 7] = [
    [1, 1, 1, 1],
    [2, 3, 5, 7],
    [3, 16, 1, 1],
    [2, 40, 6, 5],
    [4, 64, 7, 7],
    [2, 33, 40, 40],
    [1, 1152, 7, 7],
];

/// Gates as a block computes them: a layer with SiLU, another with a sigmoid.
fn gates(means: Tensor<2>, weights: [Tensor<4>; 2]) -> Tensor<2> {
    let [narrow, widen] = weights.map(|weight| weight.squeeze_dims::<2>(&[2, 3]));
    sigmoid(silu(means.matmul(narrow)).matmul(widen))
}

fn stock(x: Tensor<4>, weights: [Tensor<4>; 2]) -> Tensor<4> {
    let means: Tensor<2> = x.clone().mean_dim(3).mean_dim(2).squeeze_dims(&[2, 3]);
    x * gates(means, weights).unsqueeze_dims(&[2, 3])
}

#[test]
fn the_block_and_its_gradients_match() {
    for dims in MAPS {
        let hidden = dims[1].div_ceil(4);
        let x = Map::uniform("x", dims);
        let weights = [[dims[1], hidden, 1, 1], [hidden, dims[1], 1, 1]];
        let [first, second] = weights.map(|dims| Map::uniform("weight", dims));
        let dy = Map::uniform("dy", dims);
        let inputs = [&x, &first, &second];
        let (y, ours) = pass(inputs, &dy, |[x, first, second]| {
            let (means, map) = squeeze(x);
            map.excite(gates(means, [first, second]))
        });
        let (stock_y, stock) = pass(inputs, &dy, |[x, first, second]| stock(x, [first, second]));
        assert_close(&format!("y of {dims:?}"), &y, &stock_y, TOLERANCE);
        for (part, (ours, stock)) in ["dx", "dfirst", "dsecond"].iter().zip(ours.iter().zip(&stock))
        {
            assert_close(&format!("{part} of {dims:?}"), ours, stock, TOLERANCE);
        }
    }
}

#[test]
fn means_alone_have_their_gradient() {
    for dims in MAPS {
        let x = Map::uniform("x", dims);
        let dy = Map::uniform("dy", [dims[0], dims[1], 1, 1]);
        let (means, [dx]) = pass([&x], &dy, |[x]| squeeze(x).0.unsqueeze_dims(&[2, 3]));
        let (stock_means, [stock_dx]) = pass([&x], &dy, |[x]| x.mean_dim(3).mean_dim(2));
        assert_close(&format!("means of {dims:?}"), &means, &stock_means, TOLERANCE);
        assert_close(&format!("dx of {dims:?}"), &dx, &stock_dx, TOLERANCE);
    }
}
