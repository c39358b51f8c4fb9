//! One input of several operations: its gradient is the same with and without `SharedInput`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::Tensor;
use kiln_kernels::{
    Activation, NormLinks, NormSettings, SharedInput, batch_norm, batch_norm_linked, conv2d,
    conv2d_shared,
};
use support::maps::{Map, assert_close, channels, pass};
use support::reference::square;

/// Sums in another order.
const TOLERANCE: f64 = 1e-5;
const SETTINGS: NormSettings = NormSettings { epsilon: 1e-5, activation: Activation::Relu };

/// `users` convolutions of one input, added up.
fn convolutions(
    users: usize,
    shared: Option<&SharedInput>,
    x: &Tensor<4>,
    w: &Tensor<4>,
) -> Tensor<4> {
    let window = square(3, 1, 1);
    let one = |i: usize| {
        let weight = w.clone() * (i + 1) as f32;
        match shared {
            Some(shared) => conv2d_shared(x.clone(), weight, window, shared),
            None => conv2d(x.clone(), weight, window),
        }
    };
    (1..users).fold(one(0), |sum, i| sum + one(i))
}

#[test]
fn any_number_of_convolutions_may_share() {
    let x = Map::uniform("x", [3, 32, 9, 7]);
    let w = Map::uniform("w", [32, 32, 3, 3]);
    let dy = Map::uniform("dy", x.dims);
    for users in 1..=4 {
        // Not a leaf, so that the gradient goes on from here.
        let (_, ours) = pass([&x, &w], &dy, |[x, w]| {
            convolutions(users, Some(&SharedInput::default()), &(x * 2.0), &w)
        });
        let (_, theirs) = pass([&x, &w], &dy, |[x, w]| convolutions(users, None, &(x * 2.0), &w));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_close(&format!("{users} users"), ours, theirs, TOLERANCE);
        }
    }
}

#[test]
fn a_block_may_share_its_input_whichever_weights_are_frozen() {
    let x = Map::uniform("x", [3, 32, 9, 7]);
    let w = Map::uniform("w", [32, 32, 3, 3]);
    let affine = Map::vector("gamma and beta", 32);
    let dy = Map::uniform("dy", x.dims);
    for (frozen_input, frozen_weight) in [(false, false), (true, false), (false, true)] {
        let block = |shared: Option<SharedInput>| {
            pass([&x, &w, &affine], &dy, |[x, w, affine]| {
                // What is detached gets its gradient from the last sum alone, so that it has one.
                let inner = if frozen_input { x.clone().detach() } else { x.clone() };
                let weight = if frozen_weight { w.clone().detach() } else { w.clone() };
                let affine = channels(affine);
                let vectors = || [affine.clone(), affine.clone()];
                let y = if let Some(shared) = &shared {
                    let y = conv2d_shared(inner.clone(), weight, square(3, 1, 1), shared);
                    batch_norm_linked(
                        y,
                        vectors(),
                        Some(inner),
                        SETTINGS,
                        NormLinks { shared: Some(shared), sync: None },
                    )
                    .output
                } else {
                    let y = conv2d(inner.clone(), weight, square(3, 1, 1));
                    batch_norm(y, vectors(), Some(inner), SETTINGS).output
                };
                y + x + w.sum().reshape([1, 1, 1, 1])
            })
        };
        let (_, ours) = block(Some(SharedInput::default()));
        let (_, theirs) = block(None);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_close(
                &format!("frozen {frozen_input} {frozen_weight}"),
                ours,
                theirs,
                TOLERANCE,
            );
        }
    }
}
