//! Cuts the picture into square cells and fills each with probability `p_hide`.
//!
//! # Randomness
//! One draw: whether to act. Then the side of the cells, and one draw for each cell, row by row, unless the side is 0.
//!
//! # Parity
//! The authors' code (Singh and Lee, 2017), bit for bit for given cells. The authors write 0 after normalisation; here
//! `fill` is written before, and its default, the rounded mean of `ImageNet`, becomes 0 within half a level. The authors
//! always act; side 0, which hides nothing, is one of their sides.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "hide_and_seek", grid_sizes = [0, 16, 32, 44, 56], p_hide = 0.5 }]
//! ```

use super::OpSettings;
use crate::erasing::rectangle::{IMAGENET_MEAN, fill_rectangle};
use crate::error::{Error, check, check_part, check_probability};
use crate::geometry::canvas::fillable;
use crate::geometry::crop_box::CropBox;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::fill;
use serde::{Deserialize, Serialize};

/// Settings of [`HideAndSeek`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HideAndSeekSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
    /// Sides of a cell, of which one is drawn; 0 hides nothing.
    pub grid_sizes: Vec<u32>,
    /// How often a cell is hidden, from 0 to 1.
    pub p_hide: f64,
    /// Colour of hidden cells. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill")]
    pub fill: [u8; 3],
}

impl Default for HideAndSeekSpec {
    fn default() -> Self {
        Self { p: 1.0, grid_sizes: vec![0, 16, 32, 44, 56], p_hide: 0.5, fill: IMAGENET_MEAN }
    }
}

impl OpSettings for HideAndSeekSpec {
    type Op = HideAndSeek;

    fn build(&self, _: Size) -> Result<HideAndSeek, Error> {
        check_probability(self.p)?;
        check_part("p_hide", self.p_hide)?;
        let sides = &self.grid_sizes;
        let accepted = !sides.is_empty() && sides.iter().all(|side| *side <= 65_535);
        check(accepted, "grid_sizes", "a list of sides from 0 to 65535", sides)?;
        Ok(HideAndSeek { spec: self.clone() })
    }

    fn example() -> Self {
        Self { grid_sizes: vec![5, 8], ..Self::default() }
    }
}

/// Fills random cells of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct HideAndSeek {
    spec: HideAndSeekSpec,
}

/// What is hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HiddenCells {
    /// Side of a cell; 0 hides nothing.
    pub side: u32,
    /// The hidden cells, counted row by row from 0.
    pub cells: Vec<u32>,
}

impl Op for HideAndSeek {
    type Draw = Option<HiddenCells>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<HiddenCells> {
        if !rng.bernoulli(self.spec.p) {
            return None;
        }
        let sides = &self.spec.grid_sizes;
        let choice = usize::try_from(rng.below(sides.len() as u64)).unwrap_or(0);
        let side = sides.get(choice).copied().unwrap_or(0);
        let count = match side {
            0 => 0,
            _ => size.width.div_ceil(side).saturating_mul(size.height.div_ceil(side)),
        };
        let cells = (0..count).filter(|_| rng.bernoulli(self.spec.p_hide)).collect();
        Some(HiddenCells { side, cells })
    }

    fn render(&self, image: Image8, draw: &Option<HiddenCells>) -> Image8 {
        let Some(HiddenCells { side, cells }) = draw else { return image };
        if *side == 0 || cells.is_empty() {
            return image;
        }
        let mut image = fillable(image, self.spec.fill);
        let columns = image.size().width.div_ceil(*side);
        for &cell in cells {
            let left = (cell % columns).saturating_mul(*side);
            let top = (cell / columns).saturating_mul(*side);
            let area = CropBox { left, top, width: *side, height: *side };
            fill_rectangle(&mut image, area, self.spec.fill);
        }
        image
    }
}
