//! Fills squares of fixed size at random places, with probability `p`; a square may reach over the edge.
//!
//! # Randomness
//! One draw: whether to act. Then two for each square, the row and the column of its centre, each uniform over the
//! picture.
//!
//! # Parity
//! The authors' code (`DeVries` and Taylor, 2017), bit for bit for given squares. As there, a square reaches
//! `floor(length / 2)` to each side of its centre, so an odd `length` has one pixel less. The authors write 0 after
//! normalisation; here `fill` is written before, and its default, the rounded mean of ImageNet, becomes 0 within half a
//! level. The authors always act.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "cutout", n_holes = 1, length = 16 }]
//! ```

use super::OpSettings;
use crate::erasing::rectangle::{IMAGENET_MEAN, fill_rectangle};
use crate::error::{Error, check, check_probability};
use crate::geometry::canvas::fillable;
use crate::geometry::crop_box::CropBox;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::fill;
use serde::{Deserialize, Serialize};

/// Settings of [`Cutout`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CutoutSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
    /// Number of squares.
    pub n_holes: u32,
    /// Side of a square, in pixels.
    pub length: u32,
    /// Colour of the squares. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill")]
    pub fill: [u8; 3],
}

impl Default for CutoutSpec {
    fn default() -> Self {
        Self { p: 1.0, n_holes: 1, length: 16, fill: IMAGENET_MEAN }
    }
}

impl OpSettings for CutoutSpec {
    type Op = Cutout;

    fn build(&self, _: Size) -> Result<Cutout, Error> {
        check_probability(self.p)?;
        check((1..=1000).contains(&self.n_holes), "n_holes", "from 1 to 1000", self.n_holes)?;
        check((2..=65_535).contains(&self.length), "length", "from 2 to 65535", self.length)?;
        let Self { p, n_holes, length, fill } = *self;
        Ok(Cutout { p, n_holes, reach: length / 2, fill })
    }

    fn example() -> Self {
        Self { n_holes: 2, length: 6, ..Self::default() }
    }
}

/// Fills squares of fixed size at random places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cutout {
    p: f64,
    n_holes: u32,
    reach: u32,
    fill: [u8; 3],
}

impl Cutout {
    /// The positions from `reach` before `centre` to just before `reach` after it, of `len` positions: start and length.
    fn span(&self, centre: u32, len: u32) -> (u32, u32) {
        let start = centre.saturating_sub(self.reach);
        (start, centre.saturating_add(self.reach).min(len) - start)
    }
}

impl Op for Cutout {
    /// The squares, without what lies outside of the picture.
    type Draw = Option<Vec<CropBox>>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Vec<CropBox>> {
        if !rng.bernoulli(self.p) {
            return None;
        }
        let square = |_| {
            let (top, height) = self.span(rng.integer(0, size.height - 1), size.height);
            let (left, width) = self.span(rng.integer(0, size.width - 1), size.width);
            CropBox { left, top, width, height }
        };
        Some((0..self.n_holes).map(square).collect())
    }

    fn render(&self, image: Image8, draw: &Option<Vec<CropBox>>) -> Image8 {
        let Some(squares) = draw else { return image };
        let mut image = fillable(image, self.fill);
        for &square in squares {
            fill_rectangle(&mut image, square, self.fill);
        }
        image
    }
}
