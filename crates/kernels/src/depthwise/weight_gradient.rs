//! The weight's gradient of a depthwise convolution.
//!
//! `dw[c, kh, kw] = sum over (n, oh, ow) of dy[n, oh, ow, c] * x[n, oh * s + kh - p, ow * s + kw - p, c]`.
//!
//! A task sums one picture and two vectors of channels. Along a row of the output the sums of a kernel's row stay in
//! registers, and each value of `dy` is loaded once for all of them.
//! Pictures are added in order: the result does not depend on the number of threads.
//!
//! Cost: one multiply-add for each tap and value of `dy`; traffic: `x` and `dy` once from memory, for a picture's share
//! stays in the second-level cache.

use crate::convolution::{AxisTaps, ConvShape, MapSize};
use crate::parallel::with_scratch;
use crate::product::{Tile, lanes, with_height, zeros};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Vectors of channels that a task takes.
const VECTORS: usize = 2;

/// `dw` as `[channel, 1, kernel height, kernel width]`.
pub(crate) fn weight_gradient(shape: ConvShape, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let arch = Arch::new();
    let (taps, channels) = (shape.taps(), shape.input.channels);
    let width = VECTORS * lanes();
    let blocks = channels.div_ceil(width);
    let rows = AxisTaps::forward(shape, 0);
    let columns = AxisTaps::forward(shape, 1);
    let inside = inside(&columns, shape.output.width);
    with_scratch(shape.batch * blocks * taps * width, |sums| {
        // `[picture, block, tap, channel of the block]`
        sums.par_chunks_exact_mut(taps * width).enumerate().for_each(|(task, sums)| {
            let (picture, channel) = (task / blocks, task % blocks * width);
            let x = &x[picture * shape.input.len()..][..shape.input.len()];
            let dy = &dy[picture * shape.output.len()..][..shape.output.len()];
            let axes = [&rows, &columns];
            sums.fill(0.0);
            arch.dispatch(Task { shape, axes, inside: inside.clone(), x, dy, channel, sums });
        });
        for (channel, filter) in dw.chunks_exact_mut(taps).enumerate() {
            let (block, lane) = (channel / width, channel % width);
            for (tap, to) in filter.iter_mut().enumerate() {
                let pictures = sums.chunks_exact(blocks * taps * width);
                *to = pictures.map(|sums| sums[(block * taps + tap) * width + lane]).sum();
            }
        }
    });
}

/// The columns of the output whose taps all lie in the map.
fn inside(columns: &AxisTaps, width: usize) -> std::ops::Range<usize> {
    let whole = |&w: &usize| (0..columns.taps()).all(|tap| columns.source(w, tap).is_some());
    let first = (0..width).find(whole).unwrap_or(0);
    let count = (first..width).take_while(whole).count();
    first..first + count
}

/// One picture's sums for the channels from `channel` on.
struct Task<'a> {
    shape: ConvShape,
    /// Down and right.
    axes: [&'a AxisTaps; 2],
    inside: std::ops::Range<usize>,
    x: &'a [f32],
    dy: &'a [f32],
    channel: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let whole = self.channel + VECTORS * S::F32_LANES <= self.shape.input.channels;
        with_height!(self.axes[1].taps(), TAPS => {
            if whole {
                self.rows::<S, Whole, TAPS>(simd);
            } else {
                self.rows::<S, Partial, TAPS>(simd);
            }
        });
    }
}

/// How vectors of a pixel's channels are loaded.
trait Load {
    fn load<S: Simd>(simd: S, values: &[f32], at: usize, lanes: usize) -> [S::f32s; VECTORS];
}

struct Whole;

impl Load for Whole {
    #[inline(always)]
    fn load<S: Simd>(_: S, values: &[f32], at: usize, _: usize) -> [S::f32s; VECTORS] {
        let (vectors, _) = S::as_simd_f32s(&values[at..at + VECTORS * S::F32_LANES]);
        [vectors[0], vectors[1]]
    }
}

/// The last channels of a map, which do not fill the vectors.
struct Partial;

impl Load for Partial {
    #[inline(always)]
    fn load<S: Simd>(simd: S, values: &[f32], at: usize, lanes: usize) -> [S::f32s; VECTORS] {
        let first = lanes.min(S::F32_LANES);
        [
            simd.partial_load_f32s(&values[at..at + first]),
            simd.partial_load_f32s(&values[at + first..at + lanes]),
        ]
    }
}

impl Task<'_> {
    #[inline(always)]
    fn rows<S: Simd, L: Load, const TAPS: usize>(self, simd: S) {
        let Self { shape, axes: [rows, columns], inside, x, dy, channel, sums } = self;
        let MapSize { height, width, channels } = shape.output;
        let lanes = (VECTORS * S::F32_LANES).min(channels - channel);
        let pitch = shape.input.width * channels;
        let (sums, _) = S::as_mut_simd_f32s(sums);
        for h in 0..height {
            let dy = &dy[h * width * channels..][..width * channels];
            for tap_row in 0..rows.taps() {
                let Some(row) = rows.source(h, tap_row) else { continue };
                let x = &x[row * pitch..][..pitch];
                let mut tile = zeros::<S, TAPS, VECTORS>(simd);
                for w in (0..inside.start).chain(inside.end..width) {
                    let d = L::load(simd, dy, w * channels + channel, lanes);
                    for tap in 0..TAPS {
                        if let Some(column) = columns.source(w, tap) {
                            let x = L::load(simd, x, column * channels + channel, lanes);
                            for v in 0..VECTORS {
                                tile[tap][v] = simd.mul_add_e_f32s(d[v], x[v], tile[tap][v]);
                            }
                        }
                    }
                }
                if let Some(first) = columns.source(inside.start, 0).filter(|_| !inside.is_empty())
                {
                    let run = Inside {
                        dy: inside.start * channels + channel,
                        x: first * channels + channel,
                        count: inside.len(),
                        step: shape.stride[1] * channels,
                        channels,
                        lanes,
                    };
                    add_inside::<S, L, TAPS>(simd, &mut tile, dy, x, run);
                }
                let to = &mut sums[tap_row * TAPS * VECTORS..][..TAPS * VECTORS];
                for tap in 0..TAPS {
                    for v in 0..VECTORS {
                        to[tap * VECTORS + v] = simd.add_f32s(to[tap * VECTORS + v], tile[tap][v]);
                    }
                }
            }
        }
    }
}

/// A run of pixels whose taps all lie in the map.
#[derive(Clone, Copy)]
struct Inside {
    /// Where it begins in the rows of `dy` and `x`.
    dy: usize,
    x: usize,
    count: usize,
    /// Floats of `x` from one pixel of `dy` to the next.
    step: usize,
    channels: usize,
    lanes: usize,
}

#[inline(always)]
fn add_inside<S: Simd, L: Load, const TAPS: usize>(
    simd: S,
    tile: &mut Tile<S, TAPS, VECTORS>,
    dy: &[f32],
    x: &[f32],
    run: Inside,
) {
    let mut sums = *tile;
    for w in 0..run.count {
        let d = L::load(simd, dy, run.dy + w * run.channels, run.lanes);
        let start = run.x + w * run.step;
        let taps = &x[start..start + (TAPS - 1) * run.channels + run.lanes];
        for tap in 0..TAPS {
            let x = L::load(simd, taps, tap * run.channels, run.lanes);
            for v in 0..VECTORS {
                sums[tap][v] = simd.mul_add_e_f32s(d[v], x[v], sums[tap][v]);
            }
        }
    }
    *tile = sums;
}
