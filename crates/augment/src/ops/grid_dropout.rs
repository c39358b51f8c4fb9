//! Fills one rectangle in each cell of a grid, with probability `p`.
//!
//! # Randomness
//! One draw: whether to act. Then the cells' side, if it has a range; two shuffles, of the heights and of the widths of
//! the cells, which differ by at most one pixel; with `random_offset`, the row and the column in its cell of each hole. A
//! seed, if the fill is random.
//!
//! # Parity
//! albumentations' `GridDropout` 2.0.8; `render` bit for bit for a colour, and the same holes where nothing is random.
//! Random fills have the same distribution and other numbers. Its inpainting fills are missing here. As there, the
//! larger end of `unit_size_range` is not drawn. Where albumentations raises an error, for a unit or a number of holes that
//! the picture has no room for, the largest possible is taken here. albumentations documents `holes_number_xy` as columns
//! and rows but takes them as rows and columns; here they are columns and rows.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "grid_dropout", ratio = 0.5, unit_size_range = [24, 48], random_offset = true }]
//! ```

use super::OpSettings;
use crate::erasing::hole_fill::{HoleFill, Holes};
use crate::error::{Error, check, check_probability};
use crate::geometry::crop_box::CropBox;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixel_at;
use serde::{Deserialize, Serialize};

/// Settings of [`GridDropout`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GridDropoutSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
    /// Sides of a hole as a part of its cell's, above 0 and at most 1; a hole is always a pixel smaller than its cell.
    pub ratio: f64,
    /// Range of the side of square cells. By default cells are a tenth of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_size_range: Option<[u32; 2]>,
    /// Number of columns and rows of cells; replaces `unit_size_range`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holes_number_xy: Option<[u32; 2]>,
    /// Columns and rows between the corner of a cell and that of its hole, without `random_offset`.
    pub shift_xy: [u32; 2],
    /// Whether each hole has a random place in its cell.
    pub random_offset: bool,
    /// What holes are filled with: a level, `[red, green, blue]`, `"random"` for each pixel or `"random_uniform"` for each
    /// hole.
    pub fill: HoleFill,
}

impl Default for GridDropoutSpec {
    fn default() -> Self {
        Self {
            p: 0.5,
            ratio: 0.5,
            unit_size_range: None,
            holes_number_xy: None,
            shift_xy: [0, 0],
            random_offset: true,
            fill: HoleFill::default(),
        }
    }
}

impl OpSettings for GridDropoutSpec {
    type Op = GridDropout;

    fn build(&self, _: Size) -> Result<GridDropout, Error> {
        const RANGE: &str = "[min, max] with 2 <= min <= max <= 65535";
        check_probability(self.p)?;
        check(0.0 < self.ratio && self.ratio <= 1.0, "ratio", "above 0 and at most 1", self.ratio)?;
        if let Some([low, high]) = self.unit_size_range {
            let accepted = 2 <= low && low <= high && high <= 65_535;
            check(accepted, "unit_size_range", RANGE, [low, high])?;
        }
        if let Some([columns, rows]) = self.holes_number_xy {
            let accepted = (1..=65_535).contains(&columns) && (1..=65_535).contains(&rows);
            check(accepted, "holes_number_xy", "from 1 to 65535 each", [columns, rows])?;
        }
        let one_way = self.unit_size_range.is_none() || self.holes_number_xy.is_none();
        check(
            one_way,
            "unit_size_range",
            "left out beside holes_number_xy",
            self.unit_size_range.unwrap_or_default(),
        )?;
        let used = !self.random_offset || self.shift_xy == [0, 0];
        check(used, "shift_xy", "left out unless random_offset = false", self.shift_xy)?;
        Ok(GridDropout { spec: self.clone() })
    }

    fn example() -> Self {
        Self {
            p: 1.0,
            unit_size_range: Some([4, 9]),
            fill: HoleFill::RandomUniform,
            ..Self::default()
        }
    }
}

/// Fills one rectangle in each cell of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct GridDropout {
    spec: GridDropoutSpec,
}

/// A cell on one axis, and the hole in it.
struct Cell {
    start: u32,
    len: u32,
    hole: u32,
}

impl GridDropout {
    /// The number of columns and of rows.
    fn grid(&self, size: Size, rng: &mut OpRng) -> [u32; 2] {
        let Size { width, height } = size;
        if let Some(numbers) = self.spec.holes_number_xy {
            return numbers;
        }
        let [x, y] = match self.spec.unit_size_range {
            Some([low, high]) => {
                let unit = rng.integer(low, (high - 1).max(low)).min(width).min(height);
                [unit; 2]
            }
            None => [(width / 10).max(2), (height / 10).max(2)],
        };
        [width / x, height / y]
    }

    /// `parts` cells, as equal as can be, in random order.
    fn cells(&self, len: u32, parts: u32, rng: &mut OpRng) -> Vec<Cell> {
        let parts = parts.clamp(1, len);
        let mut lens: Vec<u32> =
            (0..parts).map(|i| len / parts + u32::from(i < len % parts)).collect();
        rng.shuffle(&mut lens);
        let mut start = 0;
        lens.into_iter()
            .map(|len| {
                let part = (f64::from(len) * self.spec.ratio).max(1.0).min(f64::from(len) - 1.0);
                let hole = u32::try_from(pixel_at(part)).unwrap_or(0);
                let cell = Cell { start, len, hole };
                start += len;
                cell
            })
            .collect()
    }
}

impl Op for GridDropout {
    type Draw = Option<Holes>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Holes> {
        if !rng.bernoulli(self.spec.p) {
            return None;
        }
        let [columns, rows] = self.grid(size, rng);
        let rows = self.cells(size.height, rows, rng);
        let columns = self.cells(size.width, columns, rng);
        let mut boxes = Vec::with_capacity(rows.len() * columns.len());
        for row in &rows {
            for column in &columns {
                let mut start = |cell: &Cell, shift: u32, end: u32| {
                    let shift = if self.spec.random_offset {
                        rng.integer(0, cell.len - cell.hole)
                    } else {
                        shift
                    };
                    cell.start.saturating_add(shift).min(end - cell.hole)
                };
                let top = start(row, self.spec.shift_xy[1], size.height);
                let left = start(column, self.spec.shift_xy[0], size.width);
                boxes.push(CropBox { left, top, width: column.hole, height: row.hole });
            }
        }
        Some(Holes::drawn(boxes, self.spec.fill, rng))
    }

    fn render(&self, image: Image8, draw: &Option<Holes>) -> Image8 {
        match draw {
            Some(holes) => holes.fill(image, self.spec.fill),
            None => image,
        }
    }
}
