//! Max pooling of channels-last maps.
//!
//! Forward: the largest value of each window, ignoring pixels outside of the map; the first of equal ones, and NaN as
//! soon as there is one, as in PyTorch. It also gives the tap of the window that won, one byte for each value.
//! Backward: every input pixel sums the gradients of the windows that it won.
//!
//! Cost: one comparison for each tap and value; traffic: `x` once, `y` and the taps once.

use crate::convolution::{AxisTaps, ConvShape, MapSize};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Channels that are compared together, in registers.
const LANES: usize = 16;

/// The largest values, and the tap of each.
pub(crate) fn forward(shape: ConvShape, x: &[f32], y: &mut [f32], winners: &mut [u8]) {
    let arch = Arch::new();
    let taps = [AxisTaps::forward(shape, 0), AxisTaps::forward(shape, 1)];
    let row = shape.output.width * shape.output.channels;
    let rows = y.par_chunks_mut(row).zip(winners.par_chunks_mut(row)).enumerate();
    rows.with_min_len(8).for_each(|(row, (y, winners))| {
        arch.dispatch(OutputRow { shape, taps: &taps, x, row, y, winners });
    });
}

/// `dx` of `dy` and the winning taps.
pub(crate) fn backward(shape: ConvShape, dy: &[f32], winners: &[u8], dx: &mut [f32]) {
    let arch = Arch::new();
    let taps = [AxisTaps::backward(shape, 0), AxisTaps::backward(shape, 1)];
    let row = shape.input.width * shape.input.channels;
    dx.par_chunks_mut(row).enumerate().with_min_len(8).for_each(|(row, dx)| {
        arch.dispatch(InputRow { shape, taps: &taps, dy, winners, row, dx });
    });
}

/// The taps that lie in the map, with the place that each reads: `(tap, row, column)`.
#[inline(always)]
fn inside(
    [rows, columns]: &[AxisTaps; 2],
    h: usize,
    w: usize,
) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..rows.taps()).filter_map(move |tap| Some((tap, rows.source(h, tap)?))).flat_map(
        move |(tap_row, row)| {
            (0..columns.taps()).filter_map(move |tap| {
                Some((tap_row * columns.taps() + tap, row, columns.source(w, tap)?))
            })
        },
    )
}

/// A row of the output.
struct OutputRow<'a> {
    shape: ConvShape,
    taps: &'a [AxisTaps; 2],
    x: &'a [f32],
    row: usize,
    y: &'a mut [f32],
    winners: &'a mut [u8],
}

impl WithSimd for OutputRow<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "a window has at most 256 taps")]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { shape, taps, x, row, y, winners } = self;
        let MapSize { height, width, channels } = shape.output;
        let x = &x[row / height * shape.input.len()..][..shape.input.len()];
        for w in 0..width {
            for first in (0..channels).step_by(LANES) {
                let lanes = LANES.min(channels - first);
                let mut best = [f32::NEG_INFINITY; LANES];
                // The first pixel inside wins where all are minus infinity.
                let first_tap = inside(taps, row % height, w).next().map_or(0, |(tap, ..)| tap);
                let mut winner = [first_tap as u32; LANES];
                for (tap, r, c) in inside(taps, row % height, w) {
                    let at = (r * shape.input.width + c) * channels + first;
                    compare(&x[at..at + lanes], tap as u32, &mut best, &mut winner);
                }
                let at = w * channels + first;
                y[at..at + lanes].copy_from_slice(&best[..lanes]);
                for (to, &tap) in winners[at..at + lanes].iter_mut().zip(&winner) {
                    *to = tap as u8;
                }
            }
        }
    }
}

/// Takes over the values that are larger, or not a number.
#[inline(always)]
fn compare(x: &[f32], tap: u32, best: &mut [f32; LANES], winner: &mut [u32; LANES]) {
    if let Some(x) = x.first_chunk::<LANES>() {
        for lane in 0..LANES {
            let wins = x[lane] > best[lane] || x[lane].is_nan();
            best[lane] = if wins { x[lane] } else { best[lane] };
            winner[lane] = if wins { tap } else { winner[lane] };
        }
    } else {
        for (lane, &x) in x.iter().enumerate() {
            if x > best[lane] || x.is_nan() {
                best[lane] = x;
                winner[lane] = tap;
            }
        }
    }
}

/// A row of the input's gradient.
struct InputRow<'a> {
    shape: ConvShape,
    taps: &'a [AxisTaps; 2],
    dy: &'a [f32],
    winners: &'a [u8],
    row: usize,
    dx: &'a mut [f32],
}

impl WithSimd for InputRow<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "a window has at most 256 taps")]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { shape, taps, dy, winners, row, dx } = self;
        let MapSize { height, channels, .. } = shape.input;
        let start = row / height * shape.output.len();
        for (w, dx) in dx.chunks_exact_mut(channels).enumerate() {
            dx.fill(0.0);
            for (tap, r, c) in inside(taps, row % height, w) {
                let at = start + (r * shape.output.width + c) * channels;
                let gradients = dy[at..at + channels].iter().zip(&winners[at..at + channels]);
                for (dx, (&dy, &winner)) in dx.iter_mut().zip(gradients) {
                    *dx += if winner == tap as u8 { dy } else { 0.0 };
                }
            }
        }
    }
}
