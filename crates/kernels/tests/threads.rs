//! The same bits with any number of threads, in every run, whatever ran before.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::Tensor;
use kiln_kernels::{Activation, NormSettings, Window, batch_norm, conv2d, max_pool2d};
use support::maps::{Map, channels, pass};
use support::reference::{output_dims, square, weight_dims};

/// All values' bits by the name of what was computed.
type Bits = Vec<(String, Vec<u64>)>;

const CONVOLUTIONS: [([usize; 4], usize, Window); 11] = [
    ([4, 32, 14, 14], 32, square(3, 1, 1)),
    ([5, 64, 14, 14], 64, square(3, 1, 1)),
    ([16, 32, 16, 16], 32, square(3, 1, 1)),
    ([3, 48, 5, 7], 80, square(3, 1, 1)),
    ([4, 64, 14, 14], 128, square(3, 2, 1)),
    ([3, 17, 9, 11], 33, square(3, 2, 1)),
    ([8, 64, 14, 14], 64, square(1, 2, 0)),
    ([7, 64, 2, 2], 64, square(3, 1, 1)),
    ([70, 64, 1, 1], 64, square(3, 1, 1)),
    ([64, 17, 3, 2], 5, square(3, 1, 1)),
    ([3, 3, 32, 32], 64, square(7, 2, 3)),
];

const NORMS: [[usize; 4]; 4] = [[8, 64, 14, 14], [3, 3, 91, 67], [2, 17, 1, 1], [16, 1, 64, 64]];

const POOLS: [([usize; 4], Window); 3] = [
    ([4, 64, 16, 16], square(3, 2, 1)),
    ([3, 33, 9, 7], square(3, 1, 1)),
    ([2, 9, 12, 5], square(2, 2, 0)),
];

/// Adds what a pass gives.
fn add<const N: usize>(
    bits: &mut Bits,
    what: &str,
    inputs: [&Map; N],
    to: [usize; 4],
    f: impl FnOnce([Tensor<4>; N]) -> Tensor<4>,
) {
    let (y, gradients) = pass(inputs, &Map::uniform("dy", to), f);
    bits.push((format!("y of {what}"), y.bits()));
    for (i, gradient) in gradients.iter().enumerate() {
        bits.push((format!("gradient {i} of {what}"), gradient.bits()));
    }
}

/// Every operation forward and backward, its inputs changed by `change`.
fn everything(change: impl Fn(f64) -> f64) -> Bits {
    let mut bits = Vec::new();
    for row @ (dims, outputs, window) in CONVOLUTIONS {
        let x = Map::uniform("x", dims).map(&change);
        let weight = Map::uniform("weight", weight_dims(dims, outputs, window)).map(&change);
        let to = output_dims(dims, outputs, window);
        add(&mut bits, &format!("{row:?}"), [&x, &weight], to, |[x, weight]| {
            conv2d(x, weight, window)
        });
    }
    let settings = NormSettings { epsilon: 1e-5, activation: Activation::Relu };
    for dims in NORMS {
        let [x, residual] = ["x", "residual"].map(|name| Map::uniform(name, dims).map(&change));
        let [gamma, beta] = ["gamma", "beta"].map(|name| Map::vector(name, dims[1]));
        let inputs = [&x, &gamma, &beta, &residual];
        let what = format!("batch norm of {dims:?}");
        add(&mut bits, &what, inputs, dims, |[x, gamma, beta, residual]| {
            batch_norm(x, [channels(gamma), channels(beta)], Some(residual), settings).output
        });
        add(&mut bits, &what, [&x, &gamma, &beta], dims, |[x, gamma, beta]| {
            batch_norm(x, [channels(gamma), channels(beta)], None, settings).output
        });
    }
    for row @ (dims, window) in POOLS {
        let x = Map::uniform("x", dims).map(&change);
        let to = output_dims(dims, dims[1], window);
        add(&mut bits, &format!("{row:?}"), [&x], to, |[x]| max_pool2d(x, window));
    }
    bits
}

fn with_threads(threads: usize) -> Bits {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| everything(|value| value))
}

fn assert_equal(what: &str, ours: &Bits, theirs: &Bits) {
    assert_eq!(ours.len(), theirs.len());
    for ((name, ours), (_, theirs)) in ours.iter().zip(theirs) {
        assert!(ours == theirs, "{name} differs {what}");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let one = with_threads(1);
    for threads in [2, 3, 2] {
        assert_equal(&format!("with {threads} threads"), &with_threads(threads), &one);
    }
}

/// Memory is used again without being cleared.
#[test]
fn what_ran_before_leaves_no_trace() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        let first = everything(|value| value);
        everything(|_| f64::NAN);
        assert_equal("after runs of NaN", &everything(|value| value), &first);
    });
}
