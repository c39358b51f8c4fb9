//! The weight gradient: `dg = G' [sum over tiles of (B' d B) . (A dy A')] G`.
//!
//! Blocks of tiles are transformed, and then each of the 36 points sums its outer products. The sum runs over tiles in
//! their order, whatever the number of threads.

use super::tiles::{Place, Tiling, transform_input};
use super::transforms::{FilterSide, GradientSide, load, sandwich};
use super::{GAP, IN, OUT, POINTS};
use crate::convolution::shape::{ConvShape, MapSize};
use crate::parallel::with_scratch;
use crate::product::{
    Run, add_columns_times_rows, add_tile, near_equal_parts, tile_height, with_height, zeros,
};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Transformed floats of both maps, at least, between two passes over the weight gradient: 2 MiB.
const BLOCK_FLOATS: usize = 512 * 1024;
/// Outputs whose filters are finished together.
const FINISHED: usize = 64;

/// `dw` as `[o, i, kh, kw]`.
pub(crate) fn weight_gradient(shape: ConvShape, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let arch = Arch::new();
    let (inputs, outputs) = (shape.input.channels, shape.output.channels);
    let from = Tiling::new(shape.batch, shape.input);
    let to = Tiling::new(shape.batch, shape.output);
    let pitch = POINTS * inputs + GAP;
    let gradient_pitch = POINTS * outputs + GAP;
    let tiles = from.bands() * from.across;
    // From as many tiles as channels on, a block's maps are more traffic than the sums they are added to.
    let most = (BLOCK_FLOATS / (pitch + gradient_pitch)).max(inputs.max(outputs));
    let point = inputs * outputs + GAP;
    with_scratch(POINTS * point, |sums| {
        sums.par_chunks_mut(point).for_each(|sums| sums.fill(0.0));
        with_scratch(most.min(tiles) * (pitch + gradient_pitch), |scratch| {
            for block in near_equal_parts(tiles, most) {
                let (left, rest) = scratch.split_at_mut(block.len() * pitch);
                let right = &mut rest[..block.len() * gradient_pitch];
                left.par_chunks_mut(pitch)
                    .zip(right.par_chunks_mut(gradient_pitch))
                    .enumerate()
                    .with_min_len(4)
                    .for_each(|(i, (left, right))| {
                        let tile = block.start + i;
                        arch.dispatch(Transform { from, to, tile, x, dy, left, right });
                    });
                let (left, right) = (&*left, &*right);
                sums.par_chunks_mut(point).enumerate().for_each(|(point, sums)| {
                    let run = Run {
                        left: point * inputs,
                        right: point * outputs,
                        count: block.len(),
                        left_step: pitch,
                        right_step: gradient_pitch,
                    };
                    arch.dispatch(AddProducts { left, right, run, inputs, outputs, sums });
                });
            }
        });
        dw.par_chunks_mut(FINISHED * inputs * 9).enumerate().for_each(|(block, dw)| {
            let first = block * FINISHED;
            arch.dispatch(FinishWeights { sums, point, inputs, outputs, first, dw });
        });
    });
}

/// Transforms one tile of the input and of the output's gradient.
struct Transform<'a> {
    from: Tiling,
    to: Tiling,
    tile: usize,
    x: &'a [f32],
    dy: &'a [f32],
    left: &'a mut [f32],
    right: &'a mut [f32],
}

impl WithSimd for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        transform_input(simd, self.from, self.tile, self.x, self.left);
        let MapSize { height, width, channels } = self.to.size;
        let Place { picture, row, column } = self.to.place(self.tile);
        for channel in (0..channels).step_by(S::F32_LANES) {
            let mut values = [[simd.splat_f32s(0.0); OUT]; OUT];
            for r in 0..OUT.min(height - row) {
                for c in 0..OUT.min(width - column) {
                    let at =
                        ((picture * height + row + r) * width + column + c) * channels + channel;
                    let (vector, _) = S::as_simd_f32s(&self.dy[at..at + S::F32_LANES]);
                    values[r][c] = vector[0];
                }
            }
            let values = sandwich::<S, GradientSide, _, _>(simd, values);
            for r in 0..IN {
                for c in 0..IN {
                    let at = (r * IN + c) * channels + channel;
                    let (vector, _) = S::as_mut_simd_f32s(&mut self.right[at..at + S::F32_LANES]);
                    vector[0] = values[r][c];
                }
            }
        }
    }
}

/// Adds the products of a block of tiles at one point: `sums[i, o] += sum over tiles of V[tile, i] * D[tile, o]`.
struct AddProducts<'a> {
    left: &'a [f32],
    right: &'a [f32],
    run: Run,
    inputs: usize,
    outputs: usize,
    sums: &'a mut [f32],
}

impl WithSimd for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.outputs.is_multiple_of(2 * S::F32_LANES) {
            self.add::<S, 2>(simd);
        } else {
            self.add::<S, 1>(simd);
        }
    }
}

impl AddProducts<'_> {
    #[inline(always)]
    fn add<S: Simd, const VECTORS: usize>(self, simd: S) {
        let width = VECTORS * S::F32_LANES;
        for strip in near_equal_parts(self.inputs, tile_height(VECTORS)) {
            let rows = &mut self.sums[strip.start * self.outputs..strip.end * self.outputs];
            with_height!(strip.len(), HEIGHT => {
                for first in (0..self.outputs).step_by(width) {
                    let run = Run {
                        left: self.run.left + strip.start,
                        right: self.run.right + first,
                        ..self.run
                    };
                    let mut tile = zeros::<S, HEIGHT, VECTORS>(simd);
                    add_columns_times_rows(simd, &mut tile, self.left, self.right, run);
                    add_tile(simd, &tile, rows, self.outputs, first);
                }
            });
        }
    }
}

/// `dg = G' s G` for the filters of some outputs, from `first` on.
struct FinishWeights<'a> {
    sums: &'a [f32],
    /// Floats from one point's sums to the next.
    point: usize,
    inputs: usize,
    outputs: usize,
    first: usize,
    dw: &'a mut [f32],
}

impl WithSimd for FinishWeights<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let count = FINISHED.min(self.outputs - self.first);
        let mut taps = [[0.0_f32; FINISHED]; 9];
        for i in 0..self.inputs {
            for vector in (0..count).step_by(lanes) {
                let at = i * self.outputs + self.first + vector;
                let sums = load::<S>(simd, &self.sums[at..], self.point, 0);
                let filter = sandwich::<S, FilterSide, _, _>(simd, sums);
                for row in 0..3 {
                    for column in 0..3 {
                        let to = &mut taps[row * 3 + column][vector..vector + lanes];
                        let (to, _) = S::as_mut_simd_f32s(to);
                        to[0] = filter[row][column];
                    }
                }
            }
            for o in 0..count {
                let filter = &mut self.dw[(o * self.inputs + i) * 9..][..9];
                for (w, tap) in filter.iter_mut().zip(&taps) {
                    *w = tap[o];
                }
            }
        }
    }
}
