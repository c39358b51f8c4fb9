//! A whole network of residual blocks in training: the kernels against Burn's operations in f32 and in f64.
//!
//! A network's gradient jumps where a value before a ReLU changes its sign, and rounding alone does that to values next
//! to zero. This test finds those changes and shows that they, and not the kernels, make the gradients differ: layers
//! behind the last changed mask agree with f64 to rounding, with the kernels as with Burn's own operations.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm_train, conv2d as stock_conv2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_kernels::{
    Activation, NormLinks, NormSettings, SharedInput, batch_norm, batch_norm_linked, conv2d,
    conv2d_shared,
};
use support::maps::Map;
use support::reference::square;

const BLOCKS: usize = 4;
const CHANNELS: usize = 32;
/// 600,000 values before a ReLU in all, so that rounding moves some across zero.
const DIMS: [usize; 4] = [8, CHANNELS, 17, 17];
const EPSILON: f64 = 1e-5;

/// Which operations run.
#[derive(Clone, Copy, PartialEq)]
enum On {
    Kernels,
    Stock,
    StockF64,
}

/// Convolution, batch norm, residual, ReLU.
fn layer(
    on: On,
    x: Tensor<4>,
    weight: &Tensor<4>,
    residual: Option<Tensor<4>>,
    shared: &SharedInput,
) -> Tensor<4> {
    let device = x.device();
    let dtype = x.dtype();
    let ones = Tensor::<1>::ones([CHANNELS], (&device, dtype));
    let zeros = Tensor::<1>::zeros([CHANNELS], (&device, dtype));
    if on == On::Kernels {
        let settings = NormSettings { epsilon: EPSILON, activation: Activation::Relu };
        let window = square(3, 1, 1);
        return match residual {
            None => {
                let y = conv2d_shared(x, weight.clone(), window, shared);
                batch_norm(y, [ones, zeros], None, settings).output
            }
            Some(residual) => {
                let y = conv2d(x, weight.clone(), window);
                {
                    let links = NormLinks { shared: Some(shared), sync: None };
                    batch_norm_linked(y, [ones, zeros], Some(residual), settings, links).output
                }
            }
        };
    }
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let y = stock_conv2d(x, weight.clone(), None, options);
    let y = batch_norm_train(y, ones, zeros, EPSILON).output;
    relu(match residual {
        None => y,
        Some(residual) => y + residual,
    })
}

/// A forward and a backward pass.
struct Pass {
    /// For each layer, which values its ReLU let through.
    masks: Vec<Vec<bool>>,
    /// Gradients of the weights.
    gradients: Vec<Vec<f64>>,
}

fn pass(on: On, seed: usize) -> Pass {
    let device = Device::flex().autodiff();
    let dtype = if on == On::StockF64 { DType::F64 } else { DType::F32 };
    let tensor = |name: &str, dims: [usize; 4]| -> Tensor<4> {
        let values = Map::uniform(&format!("{name} {seed}"), dims).values;
        Tensor::from_data(TensorData::new(values, dims), (&device, dtype))
    };
    let weights: Vec<_> = (0..2 * BLOCKS)
        .map(|i| tensor(&format!("weight {i}"), [CHANNELS, CHANNELS, 3, 3]).require_grad())
        .collect();
    let mut x = tensor("input", DIMS).require_grad();
    let mut masks = Vec::new();
    for pair in weights.chunks(2) {
        let shared = SharedInput::default();
        let middle = layer(on, x.clone(), &pair[0], None, &shared);
        let end = layer(on, middle.clone(), &pair[1], Some(x), &shared);
        for map in [&middle, &end] {
            masks.push(map.clone().into_data().iter::<f64>().map(|value| value > 0.0).collect());
        }
        x = end;
    }
    let gradients = (x * tensor("gradient", DIMS)).sum().backward();
    let values =
        |weight: &Tensor<4>| weight.grad(&gradients).unwrap().into_data().iter::<f64>().collect();
    Pass { masks, gradients: weights.iter().map(values).collect() }
}

/// The distance of two gradients over the length of the second.
fn distance(ours: &[f64], theirs: &[f64]) -> f64 {
    let apart: f64 = ours.iter().zip(theirs).map(|(a, b)| (a - b).powi(2)).sum();
    (apart / theirs.iter().map(|value| value * value).sum::<f64>()).sqrt()
}

/// The last layer whose mask is not f64's, counted from 1; 0 if all are.
fn last_changed(pass: &Pass, exact: &Pass) -> usize {
    let changed = pass.masks.iter().zip(&exact.masks).rposition(|(ours, theirs)| ours != theirs);
    changed.map_or(0, |layer| layer + 1)
}

#[test]
fn gradients_differ_from_f64_only_where_a_relu_changes_its_mind() {
    let mut compared = 0;
    let mut jumps = 0;
    for seed in 0..6 {
        let exact = pass(On::StockF64, seed);
        for (name, on) in [("kernels", On::Kernels), ("stock", On::Stock)] {
            let found = pass(on, seed);
            let changed = last_changed(&found, &exact);
            for layer in 0..2 * BLOCKS {
                let apart = distance(&found.gradients[layer], &exact.gradients[layer]);
                println!(
                    "seed {seed}, {name}, last changed {changed}, layer {}: {apart:.1e}",
                    layer + 1
                );
                // f32's rounding through the layers behind, Winograd's included; a changed mask makes 1e-3 and more.
                if layer >= changed {
                    assert!(apart < 1e-4, "seed {seed}, {name}, layer {}: {apart:e}", layer + 1);
                    compared += usize::from(on == On::Kernels);
                } else {
                    jumps += usize::from(apart > 1e-4);
                }
            }
        }
    }
    assert!(compared > 0, "every last layer has a changed mask: nothing was compared");
    assert!(jumps > 0, "no mask changed: the sizes are too small to show it");
}
