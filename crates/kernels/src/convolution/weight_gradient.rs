//! The gradient of a convolution's weight, as a sum of outer products over all pixels.
//!
//! `dw[o, i, kh, kw] = sum over (n, oh, ow) of x[n, oh * s + kh - p, ow * s + kw - p, i] * dy[n, oh, ow, o]`.
//!
//! A tile holds up to 12 input channels x 32 output channels of one tap in registers while the sum runs over pixels.
//! The pixels are taken in blocks that stay in the second-level cache, for every tile reads them again: `x` where it
//! lies, of `dy` a copy of the channels that the task is about. The task's part of the result stays there as well.
//!
//! The sum over pixels is cut into groups by the shapes alone, and the groups' results are added in their order: the
//! result does not depend on the number of threads.
//!
//! Cost: `2 * pixels * taps * inputs * outputs` FLOP.

use super::direct::{Map, MergedTaps, NARROW};
use super::shape::{AxisTaps, ConvShape, MapSize};
use crate::parallel::{for_each_part, with_scratch};
use crate::product::{
    Run, add_columns_times_rows, add_tile, lanes, near_equal_parts, tile_height, with_height, zeros,
};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// Floats of both maps in a block of pixels: 256 KiB.
const BLOCK_FLOATS: usize = 64 * 1024;
/// Floats of a task's result: 128 KiB.
const RESULT_FLOATS: usize = 32 * 1024;
/// The most output channels of a task.
const OUTPUTS: usize = 128;
/// Floats that all groups' results may take together, unless a single one takes more: 8 MiB.
const GROUPS_FLOATS: usize = 2 * 1024 * 1024;
const MOST_GROUPS: usize = 16;
/// Tasks that keep the processors of a larger machine busy.
const TASKS: usize = 32;
/// Input channels that are turned together into the layout of the weight.
const TURNED: usize = 16;

/// `dw` as `[o, i, kh, kw]`.
pub(crate) fn weight_gradient(shape: ConvShape, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let step = shape.stride[1] * shape.input.channels;
    let rows = AxisTaps::forward(shape, 0);
    if let Some(merged) = MergedTaps::of(shape) {
        merged.with_padded(shape, x, |source| {
            let columns = AxisTaps::steps(shape.output.width, shape.stride[1]);
            let left = Map { rows, columns, source, size: merged.size, depth: merged.depth };
            Sums { shape, left, step, dy }.run(dw);
        });
    } else {
        let columns = AxisTaps::forward(shape, 1);
        let left = Map { rows, columns, source: x, size: shape.input, depth: shape.input.channels };
        Sums { shape, left, step, dy }.run(dw);
    }
}

/// Sums of products of the pixels of two maps.
struct Sums<'a> {
    shape: ConvShape,
    left: Map<'a>,
    /// Floats in the left map from one column of the output to the next.
    step: usize,
    dy: &'a [f32],
}

/// Columns of the left operand that a tile sums: floats `within` of tap `tap`.
#[derive(Debug, Clone)]
struct Strip {
    tap: usize,
    within: Range<usize>,
}

/// What one task sums: some strips and some output channels over some pictures.
#[derive(Debug, Clone)]
struct Part {
    pictures: Range<usize>,
    strips: Range<usize>,
    /// The first of its output channels.
    first: usize,
}

impl Sums<'_> {
    fn run(&self, dw: &mut [f32]) {
        let arch = Arch::new();
        let batch = self.shape.batch;
        let outputs = self.shape.output.channels;
        // Vectors are whole; the last of a task's channels may be zeros.
        let width = outputs.next_multiple_of(lanes()).min(OUTPUTS);
        let vectors = if width.is_multiple_of(2 * lanes()) { 2 } else { 1 };
        // Taps that fall outside of the map everywhere have no gradient.
        let used: Vec<usize> = (0..self.left.taps()).filter(|&tap| self.left.uses(tap)).collect();
        if used.is_empty() {
            return dw.fill(0.0);
        }
        let rows = used.len() * self.left.depth;
        let result = rows * outputs.next_multiple_of(width);
        let groups = (GROUPS_FLOATS / result).clamp(1, MOST_GROUPS).min(batch);
        let strips: Vec<Strip> = used
            .iter()
            .flat_map(|&tap| {
                near_equal_parts(self.left.depth, tile_height(vectors))
                    .map(move |within| Strip { tap, within })
            })
            .collect();
        let slices = outputs.div_ceil(width);
        let shares = TASKS.div_ceil(groups * slices).max((rows * width).div_ceil(RESULT_FLOATS));
        let each = strips.len().div_ceil(shares);
        // The result is `[group, slice of outputs, tap, depth, output]`, so that each task's part is in one piece.
        let mut parts = Vec::new();
        let mut ranges = Vec::new();
        let mut at = 0;
        for (group, slice) in (0..groups).flat_map(|g| (0..slices).map(move |s| (g, s))) {
            let pictures = group * batch / groups..(group + 1) * batch / groups;
            for share in near_equal_parts(strips.len(), each) {
                let rows: usize = strips[share.clone()].iter().map(|s| s.within.len()).sum();
                ranges.push(at..at + rows);
                at += rows;
                let first = slice * width;
                parts.push(Part { pictures: pictures.clone(), strips: share, first });
            }
        }
        with_scratch(groups * result, |sums| {
            for_each_part(sums, width, &ranges, |index, _, result| {
                let Part { pictures, strips: share, first } = parts[index].clone();
                let strips = &strips[share];
                result.fill(0.0);
                let blocks = self.blocks(pictures, width);
                with_scratch(blocks.most_pixels * width, |right| {
                    arch.dispatch(Task {
                        sums: self,
                        blocks,
                        strips,
                        first,
                        vectors,
                        width,
                        right,
                        result,
                    });
                });
            });
            let used_taps = used.iter().flat_map(|tap| self.taps_of(*tap)).collect::<Vec<_>>();
            add_groups(self.shape, width, &used_taps, sums, dw);
        });
    }

    /// The kernel's taps that one of the map's is made of: itself, or a kernel row.
    fn taps_of(&self, tap: usize) -> Range<usize> {
        let merged = self.left.depth / self.shape.input.channels;
        tap * merged..(tap + 1) * merged
    }

    /// How a task's pixels are walked.
    fn blocks(&self, pictures: Range<usize>, width: usize) -> Blocks {
        let MapSize { height, width: columns, .. } = self.shape.output;
        let by_picture = columns < NARROW && pictures.len() >= 4;
        let (units, pixels) = if by_picture {
            (pictures, height * columns)
        } else {
            (pictures.start * height..pictures.end * height, columns)
        };
        let most = (BLOCK_FLOATS / (pixels * (width + self.step))).max(1);
        let most_pixels = most.min(units.len()) * pixels;
        Blocks { by_picture, units, pixels, most, most_pixels }
    }

    /// The runs of one tap through the pixels of a block; `right` of a run is an index into the block's copy of `dy`.
    fn runs(
        &self,
        blocks: &Blocks,
        units: Range<usize>,
        width: usize,
        tap: usize,
        runs: &mut Vec<Run>,
    ) {
        runs.clear();
        let map = &self.left;
        let (tap_row, tap_column) = (tap / map.columns.taps(), tap % map.columns.taps());
        let MapSize { height, width: columns, .. } = self.shape.output;
        if blocks.by_picture {
            for (h, w) in (0..height).flat_map(|h| (0..columns).map(move |w| (h, w))) {
                if let (Some(row), Some(column)) =
                    (map.rows.source(h, tap_row), map.columns.source(w, tap_column))
                {
                    runs.push(Run {
                        left: map.at(units.start, row, column),
                        right: (h * columns + w) * width,
                        count: units.len(),
                        left_step: map.size.len(),
                        right_step: blocks.pixels * width,
                    });
                }
            }
            return;
        }
        let inside = (0..columns).filter(|&w| map.columns.source(w, tap_column).is_some());
        let (Some(first), Some(last)) = (inside.clone().min(), inside.max()) else { return };
        for unit in units.clone() {
            let (n, h) = (unit / height, unit % height);
            if let (Some(row), Some(column)) =
                (map.rows.source(h, tap_row), map.columns.source(first, tap_column))
            {
                runs.push(Run {
                    left: map.at(n, row, column),
                    right: ((unit - units.start) * columns + first) * width,
                    count: last + 1 - first,
                    left_step: self.step,
                    right_step: width,
                });
            }
        }
    }
}

/// A task's pixels in blocks of units, which are rows of pictures or whole pictures.
struct Blocks {
    by_picture: bool,
    units: Range<usize>,
    /// Pixels of a unit.
    pixels: usize,
    /// Units of a block, and their pixels.
    most: usize,
    most_pixels: usize,
}

struct Task<'a> {
    sums: &'a Sums<'a>,
    blocks: Blocks,
    strips: &'a [Strip],
    first: usize,
    vectors: usize,
    /// Output channels of the task.
    width: usize,
    /// Room for a block of `dy`.
    right: &'a mut [f32],
    /// `[strips' rows, width]`.
    result: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.vectors {
            1 => self.add_blocks::<S, 1>(simd),
            _ => self.add_blocks::<S, 2>(simd),
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn add_blocks<S: Simd, const VECTORS: usize>(self, simd: S) {
        let Self { sums, blocks, strips, first, width, right, result, .. } = self;
        let channels = sums.shape.output.channels;
        let taken = width.min(channels - first);
        let mut runs = Vec::new();
        for block in near_equal_parts(blocks.units.len(), blocks.most) {
            let units = blocks.units.start + block.start..blocks.units.start + block.end;
            let pixels = units.start * blocks.pixels..units.end * blocks.pixels;
            let from = &sums.dy[pixels.start * channels..pixels.end * channels];
            for (to, from) in right.chunks_exact_mut(width).zip(from.chunks_exact(channels)) {
                to[..taken].copy_from_slice(&from[first..first + taken]);
                to[taken..].fill(0.0);
            }
            let mut tap = usize::MAX;
            let mut row = 0;
            for strip in strips {
                if tap != strip.tap {
                    tap = strip.tap;
                    sums.runs(&blocks, units.clone(), width, tap, &mut runs);
                }
                let rows = &mut result[row * width..(row + strip.within.len()) * width];
                row += strip.within.len();
                let left = &sums.left.source[strip.within.start..];
                with_height!(strip.within.len(), HEIGHT => {
                    add_strip::<S, HEIGHT, VECTORS>(simd, left, right, &runs, width, rows);
                });
            }
        }
    }
}

/// Adds a block's products to `HEIGHT` rows of the result.
#[inline(always)]
fn add_strip<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    left: &[f32],
    right: &[f32],
    runs: &[Run],
    width: usize,
    rows: &mut [f32],
) {
    for first in (0..width).step_by(VECTORS * S::F32_LANES) {
        let mut tile = zeros::<S, HEIGHT, VECTORS>(simd);
        for run in runs {
            let run = Run { right: run.right + first, ..*run };
            add_columns_times_rows(simd, &mut tile, left, right, run);
        }
        add_tile(simd, &tile, rows, width, first);
    }
}

/// Adds the groups' sums in order and turns `[slice, used tap, i, o]` into `[o, i, tap]`.
fn add_groups(shape: ConvShape, width: usize, used: &[usize], sums: &[f32], dw: &mut [f32]) {
    let (inputs, taps) = (shape.input.channels, shape.taps());
    let slice = used.len() * inputs * width;
    let group = slice * shape.output.channels.div_ceil(width);
    // As many filters at once as a vector has lanes; whole vectors make up a slice.
    let together = lanes();
    dw.par_chunks_mut(inputs * taps * together).enumerate().for_each(|(block, dw)| {
        let first = block * together;
        let start = first / width * slice + first % width;
        let count = dw.len() / (inputs * taps);
        let mut turned = vec![0.0; together * TURNED * taps];
        for i in (0..inputs).step_by(TURNED) {
            let here = TURNED.min(inputs - i);
            for (row, k) in (0..used.len()).flat_map(|row| (0..here).map(move |k| (row, k))) {
                let place = start + (row * inputs + i + k) * width;
                let tap = used[row];
                for (o, row) in turned.chunks_exact_mut(TURNED * taps).take(count).enumerate() {
                    row[k * taps + tap] = sums[place + o];
                }
                for group in sums[place..].chunks(group).skip(1) {
                    for (o, row) in turned.chunks_exact_mut(TURNED * taps).take(count).enumerate() {
                        row[k * taps + tap] += group[o];
                    }
                }
            }
            for (o, row) in turned.chunks_exact(TURNED * taps).take(count).enumerate() {
                dw[(o * inputs + i) * taps..][..here * taps].copy_from_slice(&row[..here * taps]);
            }
        }
    });
}
