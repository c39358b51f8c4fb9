//! Contrast limited adaptive histogram equalization (Zuiderveld, 1994) with `OpenCV`'s arithmetic.
//!
//! The picture is divided into tiles; each tile's histogram is cut at a limit, what was cut off is spread over all
//! levels, and its sums give the tile's table. A level becomes the mean of what the four nearest tiles' tables make of
//! it, weighted by how near they are.

use crate::blur::border::Border;
use crate::image::Size;
use crate::round::{factor, level_half_even, pixel_at, pixels_down};
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;
use std::ops::Range;

type Histogram = [u32; 256];
/// What a level becomes in four tiles, a byte each: above left, above right, below left, below right.
type Corners = [u32; 256];

/// Rows and columns of tiles, at least 1 each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Grid {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

#[derive(Default)]
struct Scratch {
    /// The table of each tile.
    tables: Vec<[u8; 256]>,
    /// The tables of two rows of tiles, for each band.
    corners: Vec<Corners>,
    /// The weight of the right column of tiles for each pixel of a row.
    rightness: Vec<f32>,
    /// Where each band ends: the pixels of a row between the centres of two neighbouring columns of tiles.
    ends: Vec<usize>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Equalizes `levels`, a picture of one channel. `clip_limit` is the largest count of a level in a tile, as a multiple
/// of the mean count.
pub(crate) fn equalize_tiles(levels: &mut [u8], size: Size, grid: Grid, clip_limit: f64) {
    let [width, height] = [size.width, size.height].map(|side| side as usize);
    let exact = width % grid.columns == 0 && height % grid.rows == 0;
    // `OpenCV` widens the tiles along a side that fits, too, if the other one does not.
    let tile = |side: usize, tiles: usize| if exact { side / tiles } else { side / tiles + 1 };
    let across = Along { tile: tile(width, grid.columns), tiles: grid.columns };
    let down = Along { tile: tile(height, grid.rows), tiles: grid.rows };
    SCRATCH.with_borrow_mut(|Scratch { tables, corners, rightness, ends }| {
        tables.clear();
        for (row, column) in (0..down.tiles).flat_map(|y| (0..across.tiles).map(move |x| (y, x))) {
            let histogram = histogram(levels, width, across.pixels(column), down.pixels(row));
            tables.push(table(histogram, across.tile * down.tile, clip_limit));
        }
        rightness.clear();
        ends.clear();
        ends.resize(across.tiles + 1, 0);
        for x in 0..width {
            let (band, weight) = across.place(x);
            rightness.push(weight);
            ends[band.min(across.tiles)] = x + 1;
        }
        let mut joined = None;
        for (y, row) in levels.chunks_exact_mut(width).enumerate() {
            let (band, lowness) = down.place(y);
            if joined != Some(band) {
                joined = Some(band);
                let [above, below] = down
                    .neighbours(band)
                    .map(|row| &tables[row * across.tiles..(row + 1) * across.tiles]);
                corners.clear();
                corners.extend((0..=across.tiles).map(|band| {
                    let [left, right] = across.neighbours(band);
                    join([&above[left], &above[right], &below[left], &below[right]])
                }));
            }
            let mut start = 0;
            for (corners, &end) in corners.iter().zip(&*ends) {
                // Narrow tiles leave some bands empty.
                if start < end {
                    let (levels, rightness) = (&mut row[start..end], &rightness[start..end]);
                    Arch::new().dispatch(Blend { levels, rightness, lowness, corners });
                    start = end;
                }
            }
        }
    });
}

/// How often each level occurs in a rectangle, which may reach beyond the picture.
fn histogram(levels: &[u8], width: usize, columns: Range<usize>, rows: Range<usize>) -> Histogram {
    let height = levels.len() / width;
    // Two, so that equal neighbours do not wait for each other.
    let (mut even, mut odd) = ([0; 256], [0; 256]);
    let inside = columns.start.min(width)..columns.end.min(width);
    let beyond = inside.end.max(columns.start)..columns.end;
    for y in rows {
        let y = Border::Reflect101.inside(y.cast_signed(), height);
        let row = &levels[y * width..(y + 1) * width];
        let (pairs, rest) = row[inside.clone()].as_chunks::<2>();
        for &[first, second] in pairs {
            even[usize::from(first)] += 1;
            odd[usize::from(second)] += 1;
        }
        for &level in rest {
            even[usize::from(level)] += 1;
        }
        for x in beyond.clone() {
            let x = Border::Reflect101.inside(x.cast_signed(), width);
            even[usize::from(row[x])] += 1;
        }
    }
    for (sum, other) in even.iter_mut().zip(odd) {
        *sum += other;
    }
    even
}

/// The table of a tile of `area` pixels.
fn table(mut histogram: Histogram, area: usize, clip_limit: f64) -> [u8; 256] {
    let limit = pixels_down(clip_limit * area as f64 / 256.0).max(1);
    let mut clipped = 0;
    for count in &mut histogram {
        clipped += count.saturating_sub(limit);
        *count = (*count).min(limit);
    }
    let (each, rest) = (clipped / 256, clipped as usize % 256);
    for count in &mut histogram {
        *count += each;
    }
    // What is left goes to levels at equal distances.
    for count in histogram.iter_mut().step_by((256 / rest.max(1)).max(1)).take(rest) {
        *count += 1;
    }
    let scale = 255.0 / factor(area as f64);
    let mut sum = 0;
    histogram.map(|count| {
        sum += count;
        level_half_even((factor(f64::from(sum)) * scale).min(255.0))
    })
}

/// The tiles along one side of the picture.
#[derive(Clone, Copy)]
struct Along {
    /// Pixels of a tile.
    tile: usize,
    tiles: usize,
}

impl Along {
    /// Those of a tile.
    const fn pixels(self, tile: usize) -> Range<usize> {
        tile * self.tile..(tile + 1) * self.tile
    }

    /// The band of a pixel and the weight of the later one of its tiles. Band 0 ends at the centre of the first tile.
    fn place(self, pixel: usize) -> (usize, f32) {
        let inverse = 1.0 / factor(self.tile as f64);
        let place = factor(pixel as f64) * inverse - 0.5;
        let before = place.floor();
        (pixel_at(f64::from(before) + 1.0), place - before)
    }

    /// The tiles whose centres enclose a band; outermost bands have one.
    fn neighbours(self, band: usize) -> [usize; 2] {
        [band.saturating_sub(1), band].map(|tile| tile.min(self.tiles - 1))
    }
}

fn join(tables: [&[u8; 256]; 4]) -> Corners {
    std::array::from_fn(|level| u32::from_le_bytes(tables.map(|table| table[level])))
}

/// The levels of a row within a band.
struct Blend<'a> {
    levels: &'a mut [u8],
    rightness: &'a [f32],
    lowness: f32,
    corners: &'a Corners,
}

impl WithSimd for Blend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { levels, rightness, lowness, corners } = self;
        for (level, &right) in levels.iter_mut().zip(rightness) {
            let [above_left, above_right, below_left, below_right] =
                corners[usize::from(*level)].to_le_bytes().map(f32::from);
            let above = above_left * (1.0 - right) + above_right * right;
            let below = below_left * (1.0 - right) + below_right * right;
            *level = level_half_even(above * (1.0 - lowness) + below * lowness);
        }
    }
}
