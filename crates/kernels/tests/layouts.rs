//! However the operands lie in memory, and whatever the results go into, the values are those of Burn's operations.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::{DType, Device, Tensor, s};
use kiln_kernels::{
    Activation, NormSettings, batch_norm, conv2d, conv2d_affine, max_pool2d, supports,
};
use support::maps::{Map, assert_close, channels, pass};
use support::reference::square;
use support::stock;

/// Of the largest value, Winograd's included; a wrong layout is off by the values themselves.
const TOLERANCE: f64 = 5e-5;
const SETTINGS: NormSettings = NormSettings { epsilon: 1e-5, activation: Activation::Relu };

type Operation = fn(Tensor<4>, Tensor<4>) -> Tensor<4>;
type Layout = fn(Tensor<4>) -> Tensor<4>;
type Head = fn(Tensor<4>) -> Tensor<4>;

/// The first channels of a weight as a vector.
fn vectors(weight: &Tensor<4>) -> [Tensor<1>; 2] {
    let vector = |tap: usize| {
        let channels = weight.dims()[0];
        weight.clone().narrow(1, 0, 1).narrow(2, tap, 1).narrow(3, 0, 1).reshape([channels])
    };
    [vector(0), vector(1)]
}

fn transposed(x: &Tensor<4>) -> Tensor<4> {
    x.clone().swap_dims(2, 3)
}

/// Ours and Burn's. All take a square map of as many channels as they give, and a 3x3 weight.
const OPERATIONS: [(&str, Operation, Operation); 5] = [
    (
        "convolution",
        |x, weight| conv2d(x, weight, square(3, 1, 1)),
        |x, weight| stock::conv2d(x, weight, square(3, 1, 1)),
    ),
    (
        "strided convolution",
        |x, weight| conv2d(x, weight, square(3, 2, 1)),
        |x, weight| stock::conv2d(x, weight, square(3, 2, 1)),
    ),
    (
        "convolution with residual",
        |x, weight| {
            let (affine, map) = (vectors(&weight), transposed(&x));
            conv2d_affine(x, weight, affine, Some(map), square(3, 1, 1), Activation::None)
        },
        |x, weight| {
            let (affine, map) = (vectors(&weight), transposed(&x));
            stock::conv2d_affine(x, weight, affine, Some(map), square(3, 1, 1), Activation::None)
        },
    ),
    (
        "batch norm",
        |x, weight| {
            let residual = transposed(&x);
            batch_norm(x, vectors(&weight), Some(residual), SETTINGS).output
        },
        |x, weight| {
            let residual = transposed(&x);
            stock::batch_norm(x, vectors(&weight), Some(residual), SETTINGS)
        },
    ),
    (
        "max pooling",
        |x, weight| max_pool2d(x, square(3, 2, 1)) * weight.mean().reshape([1, 1, 1, 1]),
        |x, weight| stock::max_pool2d(x, square(3, 2, 1)) * weight.mean().reshape([1, 1, 1, 1]),
    ),
];

/// Sizes of what is laid out, and how; the result is `[2, channels, 6, 6]`.
fn layouts(channels: usize) -> [([usize; 4], &'static str, Layout); 9] {
    [
        ([2, channels, 6, 6], "as Burn has it", |x| x),
        ([2, 6, 6, channels], "channels last", |x| x.permute([0, 3, 1, 2])),
        ([2, channels, 6, 6], "turned", |x| x.swap_dims(2, 3)),
        ([channels, 2, 6, 6], "pictures last", |x| x.swap_dims(0, 1)),
        ([4, channels, 9, 8], "cut out", |x| {
            let channels = x.dims()[1];
            x.slice([1..3, 0..channels, 2..8, 1..7])
        }),
        ([3, 6, 6, channels], "the last pictures, channels last", |x| {
            let channels = x.dims()[3];
            x.slice([1..3, 0..6, 0..6, 0..channels]).permute([0, 3, 1, 2])
        }),
        ([2, 6, 6, channels + 3], "the last channels, channels last", |x| {
            let channels = x.dims()[3];
            x.slice([0..2, 0..6, 0..6, 3..channels]).permute([0, 3, 1, 2])
        }),
        ([2, channels, 6, 6], "mirrored", |x| x.flip([2, 3])),
        ([1, channels, 1, 6], "repeated", |x| {
            let channels = x.dims()[1];
            x.expand([2, channels, 6, 6])
        }),
    ]
}

/// Compares result and gradients of both operands under a head.
fn check(what: &str, operation: usize, operands: [(&Map, Layout); 2], head: Head) {
    let (name, ours, stock) = OPERATIONS[operation];
    let [(x, lay_x), (weight, lay_weight)] = operands;
    let device = Device::flex();
    let result = |operation: Operation, [x, weight]: [Tensor<4>; 2]| {
        head(operation(lay_x(x), lay_weight(weight)))
    };
    let expected = result(stock, [x.tensor(&device), weight.tensor(&device)]);
    let plain = result(ours, [x.tensor(&device), weight.tensor(&device)]);
    let what = format!("{name}, {what}");
    assert_close(&format!("y of {what}, plain"), &Map::of(&plain), &Map::of(&expected), TOLERANCE);
    let dy = Map::uniform("dy", expected.dims());
    let (y, ours) = pass([x, weight], &dy, |operands| result(ours, operands));
    let (stock_y, stock) = pass([x, weight], &dy, |operands| result(stock, operands));
    assert_close(&format!("y of {what}"), &y, &stock_y, TOLERANCE);
    for (part, (ours, stock)) in ["dx", "dweight"].iter().zip(ours.iter().zip(&stock)) {
        assert_close(&format!("{part} of {what}"), ours, stock, TOLERANCE);
    }
}

#[test]
fn inputs_may_lie_in_any_way() {
    for size in [5, 32] {
        let weight = Map::uniform("weight", [size, size, 3, 3]);
        for (dims, name, layout) in layouts(size) {
            let x = Map::uniform("x", dims);
            for operation in 0..OPERATIONS.len() {
                let what = format!("{size} channels, {name}");
                check(&what, operation, [(&x, layout), (&weight, |w| w)], |y| y);
            }
        }
    }
}

#[test]
fn weights_may_lie_in_any_way() {
    for size in [5, 32] {
        let x = Map::uniform("x", [2, size, 6, 6]);
        let rows: [([usize; 4], &str, Layout); 4] = [
            ([size, size, 3, 3], "exchanged", |weight| weight.swap_dims(0, 1)),
            ([size, size, 3, 3], "mirrored", |weight| weight.flip([2, 3])),
            ([3, 3, size, size], "taps first", |weight| weight.permute([3, 2, 0, 1])),
            ([size + 1, size, 4, 3], "cut out", |weight| {
                let [outputs, channels, ..] = weight.dims();
                weight.slice([1..outputs, 0..channels, 1..4, 0..3])
            }),
        ];
        for (dims, name, layout) in rows {
            let weight = Map::uniform("weight", dims);
            for operation in 0..OPERATIONS.len() {
                let what = format!("{size} channels, weight {name}");
                check(&what, operation, [(&x, |x| x), (&weight, layout)], |y| y);
            }
        }
    }
}

/// Vectors that are a part of a larger one.
#[test]
fn vectors_may_be_cut_out() {
    let x = Map::uniform("x", [2, 5, 4, 3]);
    let both = Map::vector("gamma and beta", 10);
    let dy = Map::uniform("dy", x.dims);
    let split = |both: Tensor<4>| {
        let both = channels(both);
        [both.clone().slice(s![0..5]), both.slice(s![5..10])]
    };
    let (y, ours) =
        pass([&x, &both], &dy, |[x, both]| batch_norm(x, split(both), None, SETTINGS).output);
    let (stock_y, stock) =
        pass([&x, &both], &dy, |[x, both]| stock::batch_norm(x, split(both), None, SETTINGS));
    assert_close("y", &y, &stock_y, TOLERANCE);
    assert_close("dx", &ours[0], &stock[0], TOLERANCE);
    assert_close("gradients of the vectors", &ours[1], &stock[1], TOLERANCE);
}

#[test]
fn results_go_into_any_operation() {
    let heads: [(&str, Head); 9] = [
        ("sum", |y| y.sum().reshape([1, 1, 1, 1])),
        ("mean of each map", |y| y.mean_dim(2).mean_dim(3)),
        ("reshape", |y| {
            let [batch, channels, height, width] = y.dims();
            y.reshape([batch, channels * height * width, 1, 1])
        }),
        ("sum with another map", |y| {
            let other = Map::uniform("other", y.dims()).tensor(&y.device());
            y + other
        }),
        ("product with itself, turned", |y| y.clone() * y.swap_dims(2, 3)),
        ("cut out", |y| y.slice([0..1, 1..4, 0..2, 1..3])),
        ("mirrored", |y| y.flip([1, 3])),
        ("channels last", |y| y.permute([0, 2, 3, 1])),
        ("matrix product", |y| y.clone().matmul(y.swap_dims(2, 3))),
    ];
    for size in [5, 32] {
        let x = Map::uniform("x", [2, size, 6, 6]);
        let weight = Map::uniform("weight", [size, size, 3, 3]);
        for (name, head) in heads {
            for operation in 0..OPERATIONS.len() {
                let what = format!("{size} channels, {name}");
                check(&what, operation, [(&x, |x| x), (&weight, |w| w)], head);
            }
        }
    }
}

#[test]
fn one_operation_after_another_matches() {
    let x = Map::uniform("x", [2, 32, 8, 8]);
    let weight = Map::uniform("weight", [32, 32, 3, 3]).map(|weight| weight / 16.0);
    let chain = |parts: [Operation; 3]| {
        let dy = Map::uniform("dy", [2, 32, 2, 2]);
        pass([&x, &weight], &dy, |[x, weight]| {
            let x = parts[0](x, weight.clone());
            let x = parts[1](x, weight.clone());
            parts[2](x, weight)
        })
    };
    // Without the batch norm, at whose cut rounding decides.
    let steps = [0, 1, 4];
    let (y, ours) = chain(steps.map(|step| OPERATIONS[step].1));
    let (stock_y, stock) = chain(steps.map(|step| OPERATIONS[step].2));
    assert_close("y", &y, &stock_y, TOLERANCE);
    assert_close("dx", &ours[0], &stock[0], TOLERANCE);
    assert_close("dweight", &ours[1], &stock[1], TOLERANCE);
}

#[test]
fn only_single_precision_is_supported() {
    let map = Map::uniform("x", [1, 2, 3, 3]);
    for device in [Device::flex(), Device::flex().autodiff()] {
        let x = map.tensor(&device);
        assert!(supports(&x), "{device:?}");
        for dtype in [DType::F64, DType::F16, DType::BF16] {
            assert!(!supports(&x.clone().cast(dtype)), "{dtype:?}, {device:?}");
        }
    }
}
