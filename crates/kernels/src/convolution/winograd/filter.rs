//! The filtering: tiles transformed, multiplied at each point, transformed back; forward and the input gradient.

use super::filters::with_transformed_weights;
use super::tiles::{Place, Tiling, transform_input};
use super::transforms::{OutputSide, load, sandwich};
use super::{GAP, OUT, POINTS};
use crate::convolution::epilogue::Epilogue;
use crate::convolution::shape::{ConvShape, MapSize};
use crate::parallel::{for_each_part, ranges, with_scratch};
use crate::product::{
    Panels, add_rows_times_panel, near_equal_parts, tile_height, with_height, zeros,
};
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// Transformed floats that a task aims at: 384 KiB.
const TASK_FLOATS: usize = 96 * 1024;
/// Tiles that make it worth reading the weights; with many channels they take more.
const TASK_TILES: usize = 48;

/// Whether this algorithm can and should do a convolution: 3x3, stride 1, zeros of one pixel around it, whole
/// vectors of channels, and maps that do not leave most of a tile empty.
pub(crate) fn suits(shape: ConvShape) -> bool {
    shape.kernel == [3, 3]
        && shape.stride == [1, 1]
        && shape.padding == [1, 1]
        && shape.input.channels.is_multiple_of(16)
        && shape.output.channels.is_multiple_of(16)
        && shape.input.channels >= 32
        && shape.output.channels >= 32
        && shape.input.height.min(shape.input.width) >= OUT
}

/// `y = conv2d(x, w)`, then the epilogue.
pub(crate) fn forward(
    shape: ConvShape,
    x: &[f32],
    weight: &[f32],
    end: &Epilogue<'_>,
    y: &mut [f32],
) {
    let (inputs, outputs) = (shape.input.channels, shape.output.channels);
    let place = |i: usize, o: usize, tap: usize| (o * inputs + i) * 9 + tap;
    with_transformed_weights(inputs, outputs, place, weight, |weights| {
        filter(shape.batch, shape.input, weights, x, end, y);
    });
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
    let turned = |o: usize, i: usize, tap: usize| (o * inputs + i) * 9 + 8 - tap;
    with_transformed_weights(outputs, inputs, turned, weight, |weights| {
        filter(shape.batch, shape.output, weights, dy, end, dx);
    });
}

/// All tiles of a map of `size`, `from` channels, to a map of as many pixels and the weights' columns as channels.
fn filter(
    batch: usize,
    size: MapSize,
    weights: &Panels<'_>,
    x: &[f32],
    end: &Epilogue<'_>,
    y: &mut [f32],
) {
    let arch = Arch::new();
    let tiling = Tiling::new(batch, size);
    let floats = size.channels * POINTS * tiling.across;
    let most = (TASK_FLOATS / floats).max(TASK_TILES.div_ceil(tiling.across)).max(1);
    let bands = ranges(tiling.bands(), most);
    // Bands at the lower border of a picture may have fewer rows, so parts are counted in rows.
    let rows: Vec<Range<usize>> =
        bands.iter().map(|band| tiling.first_row(band.start)..tiling.first_row(band.end)).collect();
    let row = size.width * weights.columns;
    for_each_part(y, row, &rows, |index, range, part| {
        let end = end.from(range.start * row);
        let bands = bands[index].clone();
        let tiles = bands.len() * tiling.across;
        let floats = tiles * (POINTS * (size.channels + weights.width) + 2 * GAP);
        // Outside of the dispatch, for only what is inlined into it is compiled for this machine's vectors.
        with_scratch(floats, |scratch| {
            arch.dispatch(Filter { tiling, bands, weights, x, end, scratch, part });
            end.finish(part);
        });
    });
}

struct Filter<'a> {
    tiling: Tiling,
    bands: Range<usize>,
    weights: &'a Panels<'a>,
    x: &'a [f32],
    end: Epilogue<'a>,
    scratch: &'a mut [f32],
    part: &'a mut [f32],
}

impl WithSimd for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.weights.width == S::F32_LANES {
            self.run::<S, 1>(simd);
        } else {
            self.run::<S, 2>(simd);
        }
    }
}

impl Filter<'_> {
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize>(self, simd: S) {
        let Self { tiling, bands, weights, x, end, scratch, part } = self;
        let channels = tiling.size.channels;
        let tiles = bands.start * tiling.across..bands.end * tiling.across;
        let first_row = tiling.first_row(bands.start);
        let pitch = POINTS * channels + GAP;
        let width = weights.width;
        let product_pitch = POINTS * width + GAP;
        let (inputs, products) = scratch.split_at_mut(tiles.len() * pitch);
        for (tile, input) in tiles.clone().zip(inputs.chunks_exact_mut(pitch)) {
            transform_input(simd, tiling, tile, x, input);
        }
        for index in 0..weights.count() {
            let (panel, _) = S::as_simd_f32s(weights.panel(index));
            let (panel, _) = panel.as_chunks::<VECTORS>();
            for (point, panel) in panel.chunks_exact(channels + 1).enumerate() {
                let panel = &panel[..channels];
                for group in near_equal_parts(tiles.len(), tile_height(VECTORS)) {
                    let from = &inputs[group.start * pitch + point * channels..];
                    let to = &mut products[group.start * product_pitch + point * width..];
                    with_height!(group.len(), HEIGHT => {
                        product_tile::<S, HEIGHT, VECTORS>(simd, from, pitch, panel, to, product_pitch);
                    });
                }
            }
            for (tile, product) in tiles.clone().zip(products.chunks_exact(product_pitch)) {
                let place = tiling.place(tile);
                for v in 0..VECTORS {
                    let channel = index * width + v * S::F32_LANES;
                    if channel < weights.columns {
                        let sums = load::<S>(simd, product, width, v * S::F32_LANES);
                        let output = sandwich::<S, OutputSide, _, _>(simd, sums);
                        store_tile(
                            simd,
                            tiling,
                            place,
                            first_row,
                            weights.columns,
                            channel,
                            &output,
                            &end,
                            part,
                        );
                    }
                }
            }
        }
    }
}

/// `HEIGHT` tiles' products with a panel at one point.
#[inline(always)]
fn product_tile<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    from: &[f32],
    pitch: usize,
    panel: &[[S::f32s; VECTORS]],
    to: &mut [f32],
    product_pitch: usize,
) {
    let mut rows = [from; HEIGHT];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &from[r * pitch..];
    }
    let mut sums = zeros::<S, HEIGHT, VECTORS>(simd);
    add_rows_times_panel(simd, &mut sums, rows, panel);
    for r in 0..HEIGHT {
        let (to, _) = S::as_mut_simd_f32s(&mut to[r * product_pitch..][..VECTORS * S::F32_LANES]);
        to.copy_from_slice(&sums[r]);
    }
}

/// Stores the pixels of an output tile that lie in the map.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "all describe one place")]
fn store_tile<S: Simd>(
    simd: S,
    tiling: Tiling,
    place: Place,
    first_row: usize,
    channels: usize,
    channel: usize,
    output: &[[S::f32s; OUT]; OUT],
    end: &Epilogue<'_>,
    part: &mut [f32],
) {
    let MapSize { height, width, .. } = tiling.size;
    for r in 0..OUT {
        for c in 0..OUT {
            let (row, column) = (place.row + r, place.column + c);
            if row < height && column < width {
                let row = place.picture * height + row - first_row;
                let at = (row * width + column) * channels + channel;
                end.store_row(simd, &[output[r][c]], channel, at, part);
            }
        }
    }
}
