//! Convolution with a 3x3 kernel at stride 1 by Winograd's minimal filtering, F(4x4, 3x3).
//!
//! A 4x4 tile of the output comes from a 6x6 tile `d` of the input as `A' [(G g G') . (B' d B)] A`, where `.`
//! multiplies element by element and is summed over the input channels (Lavin and Gray, "Fast Algorithms for
//! Convolutional Neural Networks", 2015): 36 products for 16 outputs instead of 144.
//! Over all tiles and channels, each of the 36 elements is a matrix product of its own, `M = V U`.
//!
//! Input gradient: the same with the kernel turned by 180 degrees and its channels exchanged.
//! Weight gradient, the transpose of the forward sum: `dg = G' [sum over tiles of (B' d B) . (A dy A')] G`.
//!
//! Numerics: the transforms multiply by up to 8 and cancel again, so the result's error is some 1e-5 of its largest
//! value instead of 1e-6.
//!
//! Cost: `2 * 36 * tiles * inputs * outputs` FLOP for the products, a quarter of [`super::direct`], and about 250
//! vector instructions for each tile and 16 channels for the transforms.

mod filter;
mod filters;
mod tiles;
mod transforms;
mod weight_gradient;

pub(super) use filter::{forward, input_gradient, suits};
pub(super) use weight_gradient::weight_gradient;

/// Elements of a transformed tile.
const POINTS: usize = 36;
/// Sides of a tile of the output and of the input.
const OUT: usize = 4;
const IN: usize = 6;
/// Floats between transformed tiles, so that they do not all fall into the same sets of a cache.
const GAP: usize = 16;
