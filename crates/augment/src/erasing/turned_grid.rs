//! A square mask of crossing bands, turned about its centre, whose middle covers a picture.
//!
//! # Parity
//! Pillow's `Image.rotate` with the nearest pixel: coordinates are multiples of 2^-16, a step is added for each column,
//! and quarter turns are exact. Bit for bit.

use crate::image::Size;
use crate::round::{fixed_16, pixels_up};
use serde::{Deserialize, Serialize};

/// Bands of rows and of columns, each `band` wide, one every `unit`, turned by whole degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnedGrid {
    /// Distance from band to band.
    pub unit: u32,
    /// The first row of a band.
    pub top: u32,
    /// The first column of a band.
    pub left: u32,
    /// Degrees, against the clock.
    pub angle: u32,
}

/// Where a row of the picture starts in the mask, and the step from pixel to pixel; in multiples of 2^-16.
#[derive(Clone, Copy)]
struct Line {
    start: [i64; 2],
    step: [i64; 2],
}

/// A mask for pictures of one size.
#[derive(Default)]
pub(crate) struct GridLines {
    rows: Vec<bool>,
    columns: Vec<bool>,
    /// The place of the picture's first pixel, and the steps along a row and along a column.
    origin: [i64; 2],
    along: [i64; 2],
    down: [i64; 2],
}

const ONE: i64 = 1 << 16;

impl TurnedGrid {
    /// Makes `lines` the mask for a picture of `size`, with bands of `ratio` times the unit.
    pub(crate) fn lay(self, size: Size, ratio: f64, lines: &mut GridLines) {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        // A square as long as the diagonal covers the picture however it is turned.
        let side = pixels_up((height * height + width * width).sqrt());
        let unit = self.unit.max(1);
        let band = pixels_up(f64::from(unit) * ratio);
        let bands = |first: u32, lines: &mut Vec<bool>| {
            let first = i64::from(first);
            let in_band =
                |at: u32| (i64::from(at) - first).rem_euclid(i64::from(unit)) < i64::from(band);
            lines.clear();
            lines.extend((0..side).map(in_band));
        };
        bands(self.top, &mut lines.rows);
        bands(self.left, &mut lines.columns);
        let (origin, along, down) = turned(self.angle % 360, side);
        let corner = [size.width, size.height].map(|len| i64::from(side.saturating_sub(len) / 2));
        lines.origin = [0, 1].map(|i| origin[i] + corner[0] * along[i] + corner[1] * down[i]);
        (lines.along, lines.down) = (along, down);
    }
}

/// The place of the first pixel of a turned square, and the steps along a row and along a column.
fn turned(angle: u32, side: u32) -> ([i64; 2], [i64; 2], [i64; 2]) {
    let last = (i64::from(side) - 1) * ONE;
    match angle {
        0 => ([0, 0], [ONE, 0], [0, ONE]),
        90 => ([last, 0], [0, ONE], [-ONE, 0]),
        180 => ([last, last], [-ONE, 0], [0, -ONE]),
        270 => ([0, last], [0, -ONE], [ONE, 0]),
        _ => {
            let turn = -f64::from(angle).to_radians();
            let digits = |value: f64| (value * 1e15).round_ties_even() / 1e15;
            let (cos, sin, minus_sin) =
                (digits(turn.cos()), digits(turn.sin()), digits(-turn.sin()));
            let centre = f64::from(side) / 2.0;
            let x = (cos * -centre + sin * -centre + 0.0) + centre;
            let y = (minus_sin * -centre + cos * -centre + 0.0) + centre;
            let origin =
                [fixed_16(x + cos * 0.5 + sin * 0.5), fixed_16(y + minus_sin * 0.5 + cos * 0.5)];
            let along = [fixed_16(cos), fixed_16(minus_sin)];
            (origin, along, [fixed_16(sin), fixed_16(cos)])
        }
    }
}

impl GridLines {
    /// Calls `fill` with start and length of each stretch of row `y` that lies in bands, or of each one that does not.
    pub(crate) fn stretches(
        &self,
        y: u32,
        width: u32,
        in_bands: bool,
        mut fill: impl FnMut(u32, u32),
    ) {
        let y = i64::from(y);
        let start = [0, 1].map(|i| self.origin[i] + y * self.down[i]);
        let line = Line { start, step: self.along };
        let mut open = None;
        for x in 0..width {
            match (self.in_band(line, x) == in_bands, open) {
                (true, None) => open = Some(x),
                (false, Some(start)) => {
                    fill(start, x - start);
                    open = None;
                }
                _ => {}
            }
        }
        if let Some(start) = open {
            fill(start, width - start);
        }
    }

    /// Whether a pixel lies in a band, or outside of the mask, which counts as one.
    fn in_band(&self, Line { start, step }: Line, x: u32) -> bool {
        let x = i64::from(x);
        let place = |axis: usize| usize::try_from((start[axis] + x * step[axis]) >> 16).ok();
        let clear = |lines: &[bool], at: Option<usize>| {
            at.and_then(|at| lines.get(at)).is_some_and(|in_band| !in_band)
        };
        !(clear(&self.columns, place(0)) && clear(&self.rows, place(1)))
    }
}
