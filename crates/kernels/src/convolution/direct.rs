//! Convolution as a sum of products over its taps, for any kernel, stride and padding.
//!
//! Forward: `y[n, oh, ow, o] = sum over (kh, kw, i) of x[n, oh * s + kh - p, ow * s + kw - p, i] * w[o, i, kh, kw]`.
//! Input gradient: the same sum seen from the input,
//! `dx[n, ih, iw, i] = sum over (kh, kw, o) of dy[n, (ih + p - kh) / s, (iw + p - kw) / s, o] * w[o, i, kh, kw]`
//! over the taps for which the divisions leave no rest.
//!
//! In a channels-last map the values that a tap multiplies are `channels` floats in a row, so the product reads them
//! where they lie: nothing is copied into columns (im2col). Pixels whose taps all fall outside of the map skip them,
//! which on a 1x1 map leaves one tap of nine.
//!
//! Cost: `2 * pixels * taps * inputs * outputs` FLOP; traffic: the source once for each panel of up to 32 outputs,
//! from the second-level cache.

use super::epilogue::Epilogue;
use super::shape::{AxisTaps, ConvShape, MapSize};
use crate::parallel::{for_each_part, ranges, with_scratch};
use crate::product::{
    Panels, Tile, add_rows_times_panel, lanes, near_equal_parts, tile_height, with_height, zeros,
};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// Floats of the source that a task may read, so that they stay in a second-level cache of 512 KiB.
const TASK_FLOATS: usize = 64 * 1024;
/// Rows of a matrix that are packed together.
const PACKED_ROWS: usize = 16;
/// Maps narrower than this are walked position by position through the pictures, not row by row.
pub(super) const NARROW: usize = 8;
/// A tap that reads outside of the map.
const OUTSIDE: u32 = u32::MAX;

/// `y = conv2d(x, w)`, then the epilogue.
pub(crate) fn forward(
    shape: ConvShape,
    x: &[f32],
    weight: &[f32],
    end: &Epilogue<'_>,
    y: &mut [f32],
) {
    let inputs = shape.input.channels;
    let filters = Filters {
        weight,
        taps: shape.taps(),
        rows: inputs,
        columns: shape.output.channels,
        row_step: 1,
        column_step: inputs,
    };
    let destination = shape.output;
    let rows = AxisTaps::forward(shape, 0);
    if let Some(merged) = MergedTaps::of(shape) {
        filters.with_packed(
            |_| true,
            |panels| {
                merged.with_padded(shape, x, |source| {
                    let columns = AxisTaps::steps(shape.output.width, shape.stride[1]);
                    let map = Map { rows, columns, source, size: merged.size, depth: merged.depth };
                    Gather { map, destination, panels, end }.run(shape.batch, y);
                });
            },
        );
    } else {
        let columns = AxisTaps::forward(shape, 1);
        let map = Map { rows, columns, source: x, size: shape.input, depth: inputs };
        filters.with_packed(
            |tap| map.uses(tap),
            |panels| Gather { map: map.clone(), destination, panels, end }.run(shape.batch, y),
        );
    }
}

/// `dx`, the gradient of the input, of `dy`, the gradient of the output; then the epilogue.
pub(crate) fn input_gradient(
    shape: ConvShape,
    dy: &[f32],
    weight: &[f32],
    end: &Epilogue<'_>,
    dx: &mut [f32],
) {
    let (inputs, outputs) = (shape.input.channels, shape.output.channels);
    let filters = Filters {
        weight,
        taps: shape.taps(),
        rows: outputs,
        columns: inputs,
        row_step: inputs,
        column_step: 1,
    };
    let map = Map {
        rows: AxisTaps::backward(shape, 0),
        columns: AxisTaps::backward(shape, 1),
        source: dy,
        size: shape.output,
        depth: outputs,
    };
    let destination = shape.input;
    filters.with_packed(
        |tap| map.uses(tap),
        |panels| Gather { map: map.clone(), destination, panels, end }.run(shape.batch, dx),
    );
}

/// Filters `[o, i, tap]` to be read as a matrix of rows `(tap, row)`.
struct Filters<'a> {
    weight: &'a [f32],
    taps: usize,
    rows: usize,
    columns: usize,
    /// Filters from one row to the next, and from one column to the next.
    row_step: usize,
    column_step: usize,
}

impl Filters<'_> {
    /// Runs `work` on the matrix; taps that `used` denies are left as they are, for nobody will read them.
    fn with_packed(&self, used: impl Fn(usize) -> bool + Sync, work: impl FnOnce(&Panels<'_>)) {
        let Self { weight, taps, rows, columns, row_step, column_step } = *self;
        let used: Vec<usize> = (0..taps).filter(|&tap| used(tap)).collect();
        let fill = |first: usize, panel: &mut [f32]| {
            let width = panel.len() / (taps * rows);
            let count = width.min(columns - first);
            // A few rows of all columns are gathered, then turned: both passes stay in the first-level cache. The odd
            // pitch keeps the columns out of each other's sets.
            let pitch = PACKED_ROWS * taps + 1;
            let mut gathered = vec![0.0; width * pitch];
            for start in (0..rows).step_by(PACKED_ROWS) {
                let here = PACKED_ROWS.min(rows - start);
                for (column, to) in gathered.chunks_exact_mut(pitch).take(count).enumerate() {
                    let at = ((first + column) * column_step + start * row_step) * taps;
                    if row_step == 1 {
                        to[..here * taps].copy_from_slice(&weight[at..at + here * taps]);
                    } else {
                        for (row, to) in to.chunks_exact_mut(taps).take(here).enumerate() {
                            to.copy_from_slice(&weight[at + row * row_step * taps..][..taps]);
                        }
                    }
                }
                for &tap in &used {
                    let at = (tap * rows + start) * width;
                    let to = panel[at..at + here * width].chunks_exact_mut(width);
                    for (row, to) in to.enumerate() {
                        let from = gathered[row * taps + tap..].iter().step_by(pitch);
                        for (to, &w) in to.iter_mut().zip(from) {
                            *to = w;
                        }
                    }
                }
            }
        };
        Panels::with(taps * rows, columns, fill, work);
    }
}

/// A picture with zeros to its left and right, in which the taps of one kernel row are a single run of floats.
///
/// With 3 channels a tap is too short a run for the product to pay; the 7 taps of a row are 21 floats.
pub(super) struct MergedTaps {
    /// Size of the padded map.
    pub(super) size: MapSize,
    /// Floats of a kernel row.
    pub(super) depth: usize,
}

impl MergedTaps {
    /// For maps of few channels.
    pub(super) fn of(shape: ConvShape) -> Option<Self> {
        (shape.input.channels < 8 && shape.kernel[1] > 1).then(|| Self {
            size: MapSize { width: shape.input.width + 2 * shape.padding[1], ..shape.input },
            depth: shape.kernel[1] * shape.input.channels,
        })
    }

    /// Runs `work` on `x` with the convolution's zeros to the left and right of every row.
    pub(super) fn with_padded<R>(
        &self,
        shape: ConvShape,
        x: &[f32],
        work: impl FnOnce(&[f32]) -> R,
    ) -> R {
        let channels = shape.input.channels;
        let left = shape.padding[1] * channels;
        let row = shape.input.width * channels;
        with_scratch(shape.batch * self.size.len(), |padded| {
            padded
                .par_chunks_exact_mut(self.size.width * channels)
                .zip(x.par_chunks_exact(row))
                .with_min_len(64)
                .for_each(|(to, from)| {
                    to[..left].fill(0.0);
                    to[left..left + row].copy_from_slice(from);
                    to[left + row..].fill(0.0);
                });
            work(padded)
        })
    }
}

/// A map and the places in it that a kernel's taps read.
#[derive(Clone)]
pub(super) struct Map<'a> {
    pub(super) rows: AxisTaps,
    pub(super) columns: AxisTaps,
    pub(super) source: &'a [f32],
    pub(super) size: MapSize,
    /// Floats that one tap multiplies, from its pixel on.
    pub(super) depth: usize,
}

impl Map<'_> {
    pub(super) fn taps(&self) -> usize {
        self.rows.taps() * self.columns.taps()
    }

    /// Whether any pixel reads a tap inside of the map.
    pub(super) fn uses(&self, tap: usize) -> bool {
        self.rows.uses(tap / self.columns.taps()) && self.columns.uses(tap % self.columns.taps())
    }

    /// Where a pixel begins in the source.
    pub(super) fn at(&self, picture: usize, row: usize, column: usize) -> usize {
        picture * self.size.len() + (row * self.size.width + column) * self.size.channels
    }
}

/// One convolution-like product: every destination pixel sums its taps' source pixels times a panel.
struct Gather<'a> {
    map: Map<'a>,
    destination: MapSize,
    panels: &'a Panels<'a>,
    end: &'a Epilogue<'a>,
}

/// The pixels of a task in the order of its tiles.
struct Tiling {
    /// Rows of each tile, in pixels.
    heights: Vec<usize>,
    /// For each pixel, where it begins in the task's part of the destination.
    places: Vec<usize>,
    /// For each tile, tap and row of the tile, where the tap begins in the source.
    offsets: Vec<u32>,
}

impl Gather<'_> {
    fn run(&self, batch: usize, destination: &mut [f32]) {
        assert!(u32::try_from(self.map.source.len()).is_ok(), "a map of more than 2^32 values");
        assert_eq!(destination.len(), batch * self.destination.len(), "size of the result");
        let arch = Arch::new();
        let MapSize { height, width, channels } = self.destination;
        let by_picture = width < NARROW && height < NARROW;
        // A unit is what tasks are made of: a picture, or a row of one.
        let (units, unit, unit_source) = if by_picture {
            (batch, self.destination.len(), self.map.size.len())
        } else {
            (batch * height, width * channels, self.map.size.len().div_ceil(height))
        };
        let most = (TASK_FLOATS / unit_source.max(1)).max(if by_picture { 12 } else { 1 });
        for_each_part(destination, unit, &ranges(units, most), |_, range, part| {
            let end = self.end.from(range.start * unit);
            let tiling = self.tiling(range, batch, by_picture);
            arch.dispatch(Task { gather: self, tiling: &tiling, end, part });
            end.finish(part);
        });
    }

    fn tiling(&self, units: Range<usize>, batch: usize, by_picture: bool) -> Tiling {
        let MapSize { height, width, channels } = self.destination;
        let vectors = self.panels.width / lanes();
        let most = tile_height(vectors);
        let mut tiling = Tiling { heights: Vec::new(), places: Vec::new(), offsets: Vec::new() };
        let first = units.start * if by_picture { height * width } else { width };
        let mut add = |pixels: &[(usize, usize, usize)]| {
            for part in near_equal_parts(pixels.len(), most) {
                let tile = &pixels[part];
                tiling.heights.push(tile.len());
                for &(n, h, w) in tile {
                    tiling.places.push(((n * height + h) * width + w - first) * channels);
                }
                for tap_row in 0..self.map.rows.taps() {
                    for tap_column in 0..self.map.columns.taps() {
                        tiling.offsets.extend(tile.iter().map(|&(n, h, w)| {
                            self.offset(
                                n,
                                self.map.rows.source(h, tap_row),
                                self.map.columns.source(w, tap_column),
                            )
                        }));
                    }
                }
            }
        };
        let mut pixels = Vec::new();
        if by_picture && batch >= 4 {
            // The same place in many pictures: all of a tile's pixels have the same taps inside of the map. Decided by
            // the whole batch, so that the number of threads has no say in it.
            for (h, w) in (0..height).flat_map(|h| (0..width).map(move |w| (h, w))) {
                pixels.clear();
                pixels.extend(units.clone().map(|n| (n, h, w)));
                add(&pixels);
            }
        } else if by_picture {
            for n in units {
                pixels.clear();
                for (ph, pw) in phases(self.map.rows.period, self.map.columns.period) {
                    for h in (ph..height).step_by(self.map.rows.period) {
                        pixels.extend(
                            (pw..width).step_by(self.map.columns.period).map(|w| (n, h, w)),
                        );
                    }
                }
                add(&pixels);
            }
        } else {
            for unit in units {
                for phase in 0..self.map.columns.period {
                    pixels.clear();
                    pixels.extend(
                        (phase..width)
                            .step_by(self.map.columns.period)
                            .map(|w| (unit / height, unit % height, w)),
                    );
                    add(&pixels);
                }
            }
        }
        tiling
    }

    #[allow(clippy::cast_possible_truncation, reason = "`run` checks that all offsets fit")]
    fn offset(&self, n: usize, row: Option<usize>, column: Option<usize>) -> u32 {
        match (row, column) {
            (Some(row), Some(column)) => self.map.at(n, row, column) as u32,
            _ => OUTSIDE,
        }
    }
}

/// All pairs of a row phase and a column phase.
fn phases(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

struct Task<'a> {
    gather: &'a Gather<'a>,
    tiling: &'a Tiling,
    end: Epilogue<'a>,
    part: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.gather.panels.width == S::F32_LANES {
            self.panels::<S, 1>(simd);
        } else {
            self.panels::<S, 2>(simd);
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn panels<S: Simd, const VECTORS: usize>(self, simd: S) {
        let Self { gather, tiling, end, part } = self;
        let taps = gather.map.taps();
        let zero = vec![0.0; gather.map.depth];
        for index in 0..gather.panels.count() {
            let (panel, _) = S::as_simd_f32s(gather.panels.panel(index));
            let (panel, _) = panel.as_chunks::<VECTORS>();
            let first = index * gather.panels.width;
            let mut places = tiling.places.as_slice();
            let mut offsets = tiling.offsets.as_slice();
            for &height in &tiling.heights {
                let (tile_places, rest) = places.split_at(height);
                places = rest;
                let (tile_offsets, rest) = offsets.split_at(height * taps);
                offsets = rest;
                with_height!(height, HEIGHT => {
                    let sums = gather_tile::<S, HEIGHT, VECTORS>(
                        simd, gather.map.source, tile_offsets, &zero, panel,
                    );
                    end.store(simd, &sums, tile_places, first, gather.destination.channels, part);
                });
            }
        }
    }
}

/// The sums of one tile.
#[inline(always)]
fn gather_tile<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    source: &[f32],
    offsets: &[u32],
    zero: &[f32],
    panel: &[[S::f32s; VECTORS]],
) -> Tile<S, HEIGHT, VECTORS> {
    let depth = zero.len();
    let mut sums = zeros::<S, HEIGHT, VECTORS>(simd);
    let (taps, _) = offsets.as_chunks::<HEIGHT>();
    for (offsets, panel) in taps.iter().zip(panel.chunks_exact(depth)) {
        let mut rows = [zero; HEIGHT];
        let mut any = false;
        for r in 0..HEIGHT {
            if offsets[r] != OUTSIDE {
                any = true;
                rows[r] = &source[offsets[r] as usize..][..depth];
            }
        }
        if !any {
            continue;
        }
        add_rows_times_panel(simd, &mut sums, rows, panel);
    }
    sums
}
