//! Places that are no function of a matrix: grids and lenses.

use super::bilinear::{BLOCK, Places};
use crate::round::factor;

/// Columns and rows that are moved, each as a whole.
pub(crate) struct Grid {
    /// Where each column comes from, and each row. The columns fill whole blocks.
    axes: [Vec<f32>; 2],
}

impl Grid {
    /// The places of columns and rows.
    pub(crate) fn new(mut columns: Vec<f32>, rows: Vec<f32>) -> Self {
        columns.resize(columns.len().next_multiple_of(BLOCK), 0.0);
        Self { axes: [columns, rows] }
    }
}

impl Places for Grid {
    type Number = f32;

    #[inline(always)]
    fn block(&mut self, x: u32, y: u32, across: &mut [f32; BLOCK], down: &mut [f32; BLOCK]) {
        let [columns, rows] = &self.axes;
        if let Some(places) = columns.get(x as usize..).and_then(|rest| rest.first_chunk()) {
            *across = *places;
        }
        *down = [rows.get(y as usize).copied().unwrap_or_default(); BLOCK];
    }
}

/// A lens by OpenCV's model of a camera: distances from the middle grow by `1 + k r^2 + k r^4`.
pub(crate) struct Camera {
    /// The sides of the picture, which are the focal lengths too.
    pub(crate) sides: [f64; 2],
    pub(crate) k: f32,
}

impl Places for Camera {
    type Number = f32;

    #[inline(always)]
    fn block(&mut self, x: u32, y: u32, across: &mut [f32; BLOCK], down: &mut [f32; BLOCK]) {
        let (k, [width, height]) = (f64::from(self.k), self.sides);
        // OpenCV puts the middle here half a pixel before that of the result.
        let away = |at: u32, len: f64| (f64::from(at.cast_signed()) - (len - 1.0) * 0.5) / len;
        let row = away(y, height);
        for (i, x) in (x..).take(BLOCK).enumerate() {
            let column = away(x, width);
            let square = column * column + row * row;
            let grown = 1.0 + (k * square + k) * square;
            across[i] = factor(column * grown * width + width * 0.5);
            down[i] = factor(row * grown * height + height * 0.5);
        }
    }
}

/// A fisheye: distances from the middle grow by `1 + k r^2`, where `r` is 1 in the corners.
pub(crate) struct Fisheye {
    pub(crate) sides: [f32; 2],
    pub(crate) k: f32,
}

impl Places for Fisheye {
    type Number = f32;

    #[inline(always)]
    fn block(&mut self, x: u32, y: u32, across: &mut [f32; BLOCK], down: &mut [f32; BLOCK]) {
        let [middle_x, middle_y] = self.sides.map(|side| side * 0.5);
        let k = self.k / (middle_x * middle_x + middle_y * middle_y);
        let row = factor(f64::from(y)) - middle_y;
        for (i, x) in (x..).take(BLOCK).enumerate() {
            let column = factor(f64::from(x.cast_signed())) - middle_x;
            let grown = 1.0 + k * (column * column + row * row);
            across[i] = column * grown + middle_x;
            down[i] = row * grown + middle_y;
        }
    }
}
