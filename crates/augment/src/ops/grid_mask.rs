//! Fills the squares between the bands of a grid, or the bands, with probability `p`; the grid may be turned.
//!
//! # Randomness
//! One draw: whether to act. Then four: the grid's unit, the row and the column where it begins, and the angle.
//!
//! # Parity
//! The authors' code (Chen et al., 2020), bit for bit for a given grid, with Pillow's rotation of the mask. As there, the
//! larger end of `d_range` is not drawn, and the angle is below `rotate` degrees. `mode = "squares"` is the authors' mode 1,
//! which the paper shows, and the default here; `"bands"` is their mode 0. The authors write 0 after normalisation; here
//! `fill` is written before, and its default, the rounded mean of `ImageNet`, becomes 0 within half a level. They raise `p`
//! from 0 in the course of training.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "grid_mask", p = 0.8, d_range = [96, 224], rotate = 360, ratio = 0.4 }]
//! ```

use super::OpSettings;
use crate::erasing::rectangle::{IMAGENET_MEAN, fill_rectangle};
use crate::erasing::turned_grid::{GridLines, TurnedGrid};
use crate::error::{Error, check, check_part, check_probability};
use crate::geometry::canvas::fillable;
use crate::geometry::crop_box::CropBox;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::fill;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

thread_local! {
    /// Kept from picture to picture.
    static LINES: RefCell<GridLines> = RefCell::new(GridLines::default());
}

/// What is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridMaskMode {
    /// The squares between the bands.
    #[default]
    Squares,
    /// The bands.
    Bands,
}

/// Settings of [`GridMask`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GridMaskSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
    /// Range of the grid's unit in pixels.
    pub d_range: [u32; 2],
    /// Width of a band as a part of the unit; the next whole pixel is taken.
    pub ratio: f64,
    /// The grid is turned by 0, 1, ..., `rotate - 1` degrees.
    pub rotate: u32,
    /// What is filled.
    pub mode: GridMaskMode,
    /// Colour of what is filled. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill")]
    pub fill: [u8; 3],
}

impl Default for GridMaskSpec {
    fn default() -> Self {
        Self {
            p: 1.0,
            d_range: [96, 224],
            ratio: 0.5,
            rotate: 1,
            mode: GridMaskMode::Squares,
            fill: IMAGENET_MEAN,
        }
    }
}

impl OpSettings for GridMaskSpec {
    type Op = GridMask;

    fn build(&self, _: Size) -> Result<GridMask, Error> {
        const RANGE: &str = "[min, max] with 1 <= min <= max <= 65535";
        check_probability(self.p)?;
        let [low, high] = self.d_range;
        let accepted = 1 <= low && low <= high && high <= 65_535;
        check(accepted, "d_range", RANGE, self.d_range)?;
        check_part("ratio", self.ratio)?;
        check((1..=360).contains(&self.rotate), "rotate", "from 1 to 360", self.rotate)?;
        Ok(GridMask { spec: self.clone() })
    }

    fn example() -> Self {
        Self { d_range: [5, 12], rotate: 360, ..Self::default() }
    }
}

/// Fills the squares between the bands of a grid, or the bands.
#[derive(Debug, Clone, PartialEq)]
pub struct GridMask {
    spec: GridMaskSpec,
}

impl Op for GridMask {
    type Draw = Option<TurnedGrid>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<TurnedGrid> {
        if !rng.bernoulli(self.spec.p) {
            return None;
        }
        let [low, high] = self.spec.d_range;
        let unit = rng.integer(low, high - 1);
        let top = rng.integer(0, unit - 1);
        let left = rng.integer(0, unit - 1);
        let angle = rng.integer(0, self.spec.rotate - 1);
        Some(TurnedGrid { unit, top, left, angle })
    }

    fn render(&self, image: Image8, draw: &Option<TurnedGrid>) -> Image8 {
        let Some(grid) = draw else { return image };
        let mut image = fillable(image, self.spec.fill);
        let Size { width, height } = image.size();
        let in_bands = self.spec.mode == GridMaskMode::Bands;
        LINES.with_borrow_mut(|lines| {
            grid.lay(image.size(), self.spec.ratio, lines);
            for y in 0..height {
                lines.stretches(y, width, in_bands, |left, width| {
                    let area = CropBox { left, top: y, width, height: 1 };
                    fill_rectangle(&mut image, area, self.spec.fill);
                });
            }
        });
        image
    }
}
