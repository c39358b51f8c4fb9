//! Pictures whose every pixel comes from a place that a matrix tells.
//!
//! # Parity
//!
//! Pillow's `Image.transform` with `AFFINE`, bit for bit: `nearest` steps through an affine picture in
//! 16.16 fixed point and through a scaled one by adding up, the others compute each place in `f64`. `bilinear` and
//! `bicubic` do not antialias, repeat the outermost pixels, cut the fraction off, and leave the fill where the place is
//! outside of the picture. `lanczos` is a filter of resizing only; `bicubic` takes its place.

use super::affine::Affine;
use super::beyond::Beyond;
use super::bilinear::{BLOCK, Places, interpolated};
use super::canvas::{fillable, filled_like};
use crate::geometry::interpolation::Interpolation;
use crate::image::{Channels, Image8, Size};
use crate::round::{fixed_16, floor_i64, level_towards_zero_f64};
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// A map from places in the result to places in the source, both in pixels.
pub(crate) trait Map: Copy {
    /// The place that `(x, y)` comes from.
    fn of(self, x: f64, y: f64) -> [f64; 2];
}

impl Map for Affine {
    #[inline(always)]
    fn of(self, x: f64, y: f64) -> [f64; 2] {
        [self[0] * x + self[1] * y + self[2], self[3] * x + self[4] * y + self[5]]
    }
}

/// `Image.transform(size, AFFINE, matrix, interpolation, fillcolor=fill)`.
pub(crate) fn affine(
    image: Image8,
    matrix: Affine,
    interpolation: Interpolation,
    fill: [u8; 3],
) -> Image8 {
    let size = image.size();
    if interpolation != Interpolation::Nearest || size.width.max(size.height) >= 32_768 {
        return mapped(image, matrix, interpolation, fill);
    }
    let [across_x, down_x, at_x, across_y, down_y, at_y] = matrix;
    let image = fillable(image, fill);
    let mut result = filled_like(&image, size, fill);
    if down_x == 0.0 && across_y == 0.0 {
        let columns = summed(at_x + across_x * 0.5, across_x, size.width);
        let rows = summed(at_y + down_y * 0.5, down_y, size.height);
        match image.channels() {
            Channels::Gray => scaled::<1>(&image, &mut result, &columns, &rows),
            Channels::Rgb => scaled::<3>(&image, &mut result, &columns, &rows),
        }
        return result;
    }
    let steps = Steps {
        across: [fixed_16(across_x), fixed_16(across_y)],
        down: [fixed_16(down_x), fixed_16(down_y)],
        start: [
            fixed_16(at_x + across_x * 0.5 + down_x * 0.5),
            fixed_16(at_y + across_y * 0.5 + down_y * 0.5),
        ],
    };
    match image.channels() {
        Channels::Gray => steps.follow::<1>(&image, &mut result),
        Channels::Rgb => steps.follow::<3>(&image, &mut result),
    }
    result
}

/// The pixels that `len` places lie in, the first at `start` and each `step` further; `None` before the first one.
fn summed(start: f64, step: f64, len: u32) -> Vec<Option<usize>> {
    let mut place = start;
    (0..len)
        .map(|_| {
            let pixel = usize::try_from(floor_i64(place)).ok();
            place += step;
            pixel
        })
        .collect()
}

fn scaled<const C: usize>(
    image: &Image8,
    result: &mut Image8,
    columns: &[Option<usize>],
    rows: &[Option<usize>],
) {
    let stride = image.stride();
    let height = image.size().height;
    for (target, row) in result.pixels_mut().chunks_exact_mut(stride).zip(rows) {
        let row = row.and_then(|row| u32::try_from(row).ok()).filter(|row| *row < height);
        let Some(source) = row.map(|row| image.row(row).as_chunks::<C>().0) else { continue };
        for (pixel, column) in target.as_chunks_mut::<C>().0.iter_mut().zip(columns) {
            if let Some(found) = column.and_then(|column| source.get(column)) {
                *pixel = *found;
            }
        }
    }
}

/// Places in 16.16 fixed point, `[x, y]` each.
struct Steps {
    start: [i64; 2],
    /// From one pixel of a row to the next.
    across: [i64; 2],
    /// From one row to the next.
    down: [i64; 2],
}

impl Steps {
    fn follow<const C: usize>(&self, image: &Image8, result: &mut Image8) {
        let Size { width, height } = image.size();
        let (source, _) = image.pixels().as_chunks::<C>();
        let stride = result.stride();
        let [mut x, mut y] = self.start;
        for row in result.pixels_mut().chunks_exact_mut(stride) {
            // Inside of both spans no place needs a test.
            let columns = span(x, self.across[0], i64::from(width) << 16, width);
            let rows = span(y, self.across[1], i64::from(height) << 16, width);
            let inside = columns.start.max(rows.start)..columns.end.min(rows.end);
            let first = i64::try_from(inside.start).unwrap_or(0);
            let (mut at_x, mut at_y) = (x + first * self.across[0], y + first * self.across[1]);
            for pixel in row.as_chunks_mut::<C>().0.get_mut(inside).unwrap_or_default() {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "inside"
                )]
                let place = (at_y >> 16) as usize * width as usize + (at_x >> 16) as usize;
                *pixel = source[place];
                at_x += self.across[0];
                at_y += self.across[1];
            }
            x += self.down[0];
            y += self.down[1];
        }
    }
}

/// The steps `k` below `len` with `0 <= start + k step < limit`.
fn span(start: i64, step: i64, limit: i64, len: u32) -> Range<usize> {
    // The first `k` with `start + k step >= bound`, for a positive step.
    let reaches = |start: i64, step: i64, bound: i64| (bound - start + step - 1).div_euclid(step);
    let (first, end) = match step {
        0 if (0..limit).contains(&start) => (0, i64::from(len)),
        0 => (0, 0),
        1.. => (reaches(start, step, 0), reaches(start, step, limit)),
        // Falling is rising of the negative.
        _ => (reaches(-start, -step, 1 - limit), reaches(-start, -step, 1)),
    };
    let within = |k: i64| usize::try_from(k.clamp(0, i64::from(len))).unwrap_or(0);
    within(first)..within(end)
}

/// `Image.transform(size, METHOD, data, interpolation, fillcolor=fill)` with the map of a method.
pub(crate) fn mapped<M: Map>(
    image: Image8,
    map: M,
    interpolation: Interpolation,
    fill: [u8; 3],
) -> Image8 {
    if interpolation == Interpolation::Bilinear {
        return interpolated(image, MapPlaces(map), Beyond::Cut, fill);
    }
    let image = fillable(image, fill);
    let mut result = filled_like(&image, image.size(), fill);
    let target = &mut result;
    match (image.channels(), interpolation) {
        (Channels::Gray, Interpolation::Nearest) => sample::<M, Nearest, 1>(&image, map, target),
        (Channels::Rgb, Interpolation::Nearest) => sample::<M, Nearest, 3>(&image, map, target),
        (Channels::Gray, _) => sample::<M, Bicubic, 1>(&image, map, target),
        (Channels::Rgb, _) => sample::<M, Bicubic, 3>(&image, map, target),
    }
    result
}

/// The places that a map yields for the centres of pixels.
struct MapPlaces<M>(M);

impl<M: Map> Places for MapPlaces<M> {
    type Number = f64;

    #[inline(always)]
    fn block(&mut self, x: u32, y: u32, across: &mut [f64; BLOCK], down: &mut [f64; BLOCK]) {
        let y = f64::from(y) + 0.5;
        for (i, x) in (x..).take(BLOCK).enumerate() {
            [across[i], down[i]] = self.0.of(f64::from(x.cast_signed()) + 0.5, y);
        }
    }
}

fn sample<M: Map, F: Filter, const C: usize>(image: &Image8, map: M, result: &mut Image8) {
    Arch::new().dispatch(Sample::<M, F, C> { image, map, result, filter: F::default() });
}

struct Sample<'a, M, F, const C: usize> {
    image: &'a Image8,
    map: M,
    result: &'a mut Image8,
    filter: F,
}

impl<M: Map, F: Filter, const C: usize> WithSimd for Sample<'_, M, F, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let size = self.image.size();
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let source = Source::<C> { pixels: self.image.pixels().as_chunks::<C>().0, size };
        let stride = self.result.stride();
        let rows = self.result.pixels_mut().chunks_exact_mut(stride);
        for (y, row) in (0_u32..).zip(rows) {
            for (x, pixel) in (0_u32..).zip(row.as_chunks_mut::<C>().0) {
                let [x, y] = self.map.of(f64::from(x) + 0.5, f64::from(y) + 0.5);
                if x >= 0.0 && x < width && y >= 0.0 && y < height {
                    *pixel = self.filter.at(source, x, y);
                }
            }
        }
    }
}

/// The picture to read.
#[derive(Clone, Copy)]
struct Source<'a, const C: usize> {
    pixels: &'a [[u8; C]],
    size: Size,
}

impl<const C: usize> Source<'_, C> {
    /// The pixel at `(x, y)`, or the nearest one there is.
    #[inline(always)]
    fn at(self, x: i64, y: i64) -> [u8; C] {
        let inside = |at: i64, len: u32| {
            usize::try_from(at.clamp(0, i64::from(len) - 1)).unwrap_or_default()
        };
        self.pixels
            [inside(y, self.size.height) * self.size.width as usize + inside(x, self.size.width)]
    }
}

/// How a pixel comes from those around a place inside of the picture.
trait Filter: Copy + Default {
    fn at<const C: usize>(self, source: Source<'_, C>, x: f64, y: f64) -> [u8; C];
}

#[derive(Clone, Copy, Default)]
struct Nearest;

impl Filter for Nearest {
    #[inline(always)]
    fn at<const C: usize>(self, source: Source<'_, C>, x: f64, y: f64) -> [u8; C] {
        source.at(floor_i64(x), floor_i64(y))
    }
}

#[derive(Clone, Copy, Default)]
struct Bicubic;

impl Filter for Bicubic {
    #[inline(always)]
    fn at<const C: usize>(self, source: Source<'_, C>, x: f64, y: f64) -> [u8; C] {
        let (column, row) = (floor_i64(x - 0.5), floor_i64(y - 0.5));
        let (right, down) = (x - 0.5 - column as f64, y - 0.5 - row as f64);
        // Neighbour `k` of each row and channel, four places for each row: lanes of the same arithmetic.
        let mut near = [[0.0; 16]; 4];
        for (lane, dy) in (0..).step_by(4).zip(-1..=2) {
            for (near, dx) in near.iter_mut().zip(-1..=2) {
                let pixel = source.at(column + dx, row + dy);
                for c in 0..C {
                    near[lane + c] = f64::from(pixel[c]);
                }
            }
        }
        let mut rows = [0.0; 16];
        for i in 0..16 {
            rows[i] = cubic([near[0][i], near[1][i], near[2][i], near[3][i]], right);
        }
        let mut sums = [0.0; 4];
        for c in 0..4 {
            sums[c] = cubic([rows[c], rows[4 + c], rows[8 + c], rows[12 + c]], down);
        }
        let mut result = [0; C];
        for c in 0..C {
            result[c] = level_towards_zero_f64(sums[c]);
        }
        result
    }
}

/// Pillow's cubic, which is Keys' with `a = -1`, through four neighbours, `part` of the way from the second to the
/// third.
#[inline(always)]
fn cubic([first, second, third, fourth]: [f64; 4], part: f64) -> f64 {
    let linear = third - first;
    let square = 2.0 * (first - second) + third - fourth;
    let cube = -first + second - third + fourth;
    second + part * (linear + part * (square + part * cube))
}
