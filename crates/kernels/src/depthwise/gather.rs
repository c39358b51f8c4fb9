//! The forward pass and the input's gradient, which are one walk: every pixel of the destination sums a few pixels of
//! the source, each times its tap.
//!
//! The input's gradient is the same sum seen from the input:
//! `dx[n, ih, iw, c] = sum over (kh, kw) of dy[n, (ih + p - kh) / s, (iw + p - kw) / s, c] * w[c, kh, kw]` over the taps
//! for which the divisions leave no rest.
//!
//! Pixels of a row that use the same taps make up tiles, whose sums stay in registers while a tap is loaded once for all
//! of them.
//! Cost: one multiply-add for each tap and value; traffic: the source and the destination once.

use super::packed_filters::PackedFilters;
use crate::convolution::{AxisTaps, ConvShape, Epilogue, MapSize};
use crate::product::{Tile, with_height, zeros};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Pixels of a tile: with two vectors each, its sums and operands fit into 16 registers, or into half of 32.
const PIXELS: usize = 6;
/// Rows of the destination that a thread takes at least, so that their sources overlap in its cache.
const ROWS: usize = 8;

/// `y = depthwise_conv2d(x, w)`, then the epilogue.
pub(crate) fn forward(
    shape: ConvShape,
    x: &[f32],
    weight: &[f32],
    end: &Epilogue<'_>,
    y: &mut [f32],
) {
    let rows = AxisTaps::forward(shape, 0);
    let columns = Columns::of(&AxisTaps::forward(shape, 1), shape.output.width);
    let filters = PackedFilters::of(shape, weight);
    let (source, destination) = (shape.input, shape.output);
    Gather { rows, columns, filters, from: x, source, destination, end }.run(y);
}

/// `dx`, the gradient of the input, of `dy`, the gradient of the output.
pub(crate) fn input_gradient(shape: ConvShape, dy: &[f32], weight: &[f32], dx: &mut [f32]) {
    let rows = AxisTaps::backward(shape, 0);
    let columns = Columns::of(&AxisTaps::backward(shape, 1), shape.input.width);
    let filters = PackedFilters::of(shape, weight);
    let (source, destination) = (shape.output, shape.input);
    let end = &Epilogue::default();
    Gather { rows, columns, filters, from: dy, source, destination, end }.run(dx);
}

/// A row's pixels in tiles.
struct Columns {
    tiles: Vec<ColumnTile>,
    /// Taps of a kernel's row.
    taps: usize,
}

/// Pixels of a row that use the same taps, each a fixed distance further in the source than the one before.
#[derive(Debug, PartialEq)]
struct ColumnTile {
    /// Column of the first pixel, and columns from one to the next.
    first: usize,
    step: usize,
    count: usize,
    /// Taps with the source's column that the first pixel reads.
    taps: Vec<(usize, usize)>,
    /// Columns of the source from one pixel to the next.
    source_step: usize,
}

impl Columns {
    fn of(axis: &AxisTaps, width: usize) -> Self {
        let taps = |column: usize| -> Vec<(usize, usize)> {
            let inside = |tap| Some((tap, axis.source(column, tap)?));
            (0..axis.taps()).filter_map(inside).collect()
        };
        let mut tiles: Vec<ColumnTile> = Vec::new();
        for phase in 0..axis.period.min(width) {
            let start = tiles.len();
            for column in (phase..width).step_by(axis.period) {
                let here = taps(column);
                let open = tiles[start..].last_mut().filter(|tile| tile.count < PIXELS);
                if !open.is_some_and(|tile| tile.take(&here)) {
                    let step = axis.period;
                    tiles.push(ColumnTile {
                        first: column,
                        step,
                        count: 1,
                        taps: here,
                        source_step: 0,
                    });
                }
            }
        }
        Self { tiles, taps: axis.taps() }
    }
}

impl ColumnTile {
    /// Takes the next pixel, with these taps, if it continues the tile.
    fn take(&mut self, taps: &[(usize, usize)]) -> bool {
        let (Some(first), Some(next)) = (self.taps.first(), taps.first()) else { return false };
        let Some(apart) = next.1.checked_sub(first.1) else { return false };
        let step = if self.count == 1 { apart } else { self.source_step };
        let continues = taps.len() == self.taps.len()
            && taps
                .iter()
                .zip(&self.taps)
                .all(|(next, first)| next.0 == first.0 && next.1 == first.1 + step * self.count);
        if continues {
            self.source_step = step;
            self.count += 1;
        }
        continues
    }
}

/// One walk over the destination.
struct Gather<'a> {
    rows: AxisTaps,
    columns: Columns,
    filters: PackedFilters,
    from: &'a [f32],
    source: MapSize,
    destination: MapSize,
    end: &'a Epilogue<'a>,
}

impl Gather<'_> {
    fn run(&self, to: &mut [f32]) {
        let arch = Arch::new();
        let row = self.destination.width * self.destination.channels;
        to.par_chunks_mut(row).enumerate().with_min_len(ROWS).for_each(|(index, to)| {
            let end = self.end.from(index * row);
            arch.dispatch(Row { gather: self, end, index, to });
            end.finish(to);
        });
    }
}

/// A row of the destination.
struct Row<'a> {
    gather: &'a Gather<'a>,
    end: Epilogue<'a>,
    /// Counted through all pictures.
    index: usize,
    to: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { gather, end, index, to } = self;
        let MapSize { height, channels, .. } = gather.destination;
        let (picture, h) = (index / height, index % height);
        let from = &gather.from[picture * gather.source.len()..][..gather.source.len()];
        // The kernel's rows that lie in the map, each with its row of the source.
        let mut rows: [(usize, &[f32]); 16] = [(0, &[]); 16];
        let mut count = 0;
        let pitch = gather.source.width * channels;
        for tap in 0..gather.rows.taps() {
            if let Some(row) = gather.rows.source(h, tap) {
                rows[count] = (tap * gather.columns.taps, &from[row * pitch..][..pitch]);
                count += 1;
            }
        }
        let rows = &rows[..count];
        let mut channel = 0;
        while channel + 2 * S::F32_LANES <= channels {
            tiles::<S, 2>(simd, gather, rows, channel, end, to);
            channel += 2 * S::F32_LANES;
        }
        while channel < channels {
            tiles::<S, 1>(simd, gather, rows, channel, end, to);
            channel += S::F32_LANES;
        }
    }
}

/// All tiles of a row, for the vectors that begin at `channel`.
#[inline(always)]
fn tiles<S: Simd, const VECTORS: usize>(
    simd: S,
    gather: &Gather<'_>,
    rows: &[(usize, &[f32])],
    channel: usize,
    end: Epilogue<'_>,
    to: &mut [f32],
) {
    let channels = gather.destination.channels;
    for tile in &gather.columns.tiles {
        with_height!(tile.count, HEIGHT => {
            let sums = sum::<S, HEIGHT, VECTORS>(simd, gather, rows, tile, channel);
            let mut places = [0; HEIGHT];
            for (pixel, place) in places.iter_mut().enumerate() {
                *place = (tile.first + pixel * tile.step) * channels;
            }
            end.store(simd, &sums, &places, channel, channels, to);
        });
    }
}

/// The sums of a tile's pixels.
#[inline(always)]
fn sum<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    gather: &Gather<'_>,
    rows: &[(usize, &[f32])],
    tile: &ColumnTile,
    channel: usize,
) -> Tile<S, HEIGHT, VECTORS> {
    let channels = gather.destination.channels;
    let mut sums = zeros::<S, HEIGHT, VECTORS>(simd);
    let step = tile.source_step * channels;
    let whole = channel + VECTORS * S::F32_LANES <= channels;
    for &(first_tap, row) in rows {
        for &(tap, column) in &tile.taps {
            let (filter, _) = S::as_simd_f32s(gather.filters.from(first_tap + tap, channel));
            let filter = &filter[..VECTORS];
            let start = column * channels + channel;
            if whole {
                let pixels = &row[start..start + (HEIGHT - 1) * step + VECTORS * S::F32_LANES];
                for r in 0..HEIGHT {
                    let (pixel, _) = S::as_simd_f32s(&pixels[r * step..]);
                    let pixel = &pixel[..VECTORS];
                    for v in 0..VECTORS {
                        sums[r][v] = simd.mul_add_e_f32s(pixel[v], filter[v], sums[r][v]);
                    }
                }
            } else {
                // The last channels, less than a vector.
                for r in 0..HEIGHT {
                    let at = start + r * step;
                    let pixel = simd.partial_load_f32s(&row[at..at + channels - channel]);
                    sums[r][0] = simd.mul_add_e_f32s(pixel, filter[0], sums[r][0]);
                }
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(width: usize, kernel: usize, stride: usize) -> Vec<ColumnTile> {
        let padding = kernel / 2;
        let shape = ConvShape::new(
            [1, 1, width, width],
            [1, 1, kernel, kernel],
            [stride, stride],
            [padding, padding],
        );
        Columns::of(&AxisTaps::backward(shape, 1), width).tiles
    }

    #[test]
    fn every_column_is_in_one_tile() {
        for (width, kernel, stride) in [(1, 3, 1), (7, 5, 2), (14, 3, 2), (40, 5, 1), (9, 1, 3)] {
            let tiles = columns(width, kernel, stride);
            let all = tiles.iter().flat_map(|t| (0..t.count).map(|i| t.first + i * t.step));
            let mut all: Vec<usize> = all.collect();
            all.sort_unstable();
            assert_eq!(all, (0..width).collect::<Vec<_>>(), "{width}, {kernel}, {stride}");
        }
    }

    #[test]
    fn columns_of_a_stride_are_apart() {
        // Even columns reach one output through the middle tap, odd ones two.
        let tiles = columns(8, 3, 2);
        let taps: Vec<usize> = tiles.iter().map(|tile| tile.taps.len()).collect();
        assert_eq!(taps, [1, 2, 1], "{tiles:?}");
    }
}
