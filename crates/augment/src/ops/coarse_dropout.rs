//! Fills rectangles of random size at random places, with probability `p`.
//!
//! # Randomness
//! One draw: whether to act. Then the number of holes, and for each hole its height, width, row and column. A seed, if
//! the fill is random.
//!
//! # Parity
//! albumentations' `CoarseDropout` 2.0.8; `render` bit for bit for a colour. Random fills have the same distribution
//! and other numbers. Its inpainting fills are missing here. albumentations judges by the heights alone whether both
//! ranges are pixels or parts; here each range is judged by itself, and a range of pixels that has fractions is refused.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "coarse_dropout", num_holes_range = [1, 8], hole_height_range = [8, 32], fill = "random" }]
//! ```

use super::OpSettings;
use crate::erasing::hole_fill::{HoleFill, Holes};
use crate::erasing::rectangle::placed;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixel_at;
use serde::{Deserialize, Serialize};

/// Settings of [`CoarseDropout`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoarseDropoutSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
    /// Smallest and largest number of holes.
    pub num_holes_range: [u32; 2],
    /// Smallest and largest height of a hole: pixels, or parts of the picture's height if both are below 1.
    pub hole_height_range: [f64; 2],
    /// Smallest and largest width of a hole: pixels, or parts of the picture's width if both are below 1.
    pub hole_width_range: [f64; 2],
    /// What holes are filled with: a level, `[red, green, blue]`, `"random"` for each pixel or `"random_uniform"` for each
    /// hole.
    pub fill: HoleFill,
}

impl Default for CoarseDropoutSpec {
    fn default() -> Self {
        Self {
            p: 0.5,
            num_holes_range: [1, 2],
            hole_height_range: [0.1, 0.2],
            hole_width_range: [0.1, 0.2],
            fill: HoleFill::default(),
        }
    }
}

impl OpSettings for CoarseDropoutSpec {
    type Op = CoarseDropout;

    fn build(&self, _: Size) -> Result<CoarseDropout, Error> {
        const COUNT: &str = "[min, max] with 1 <= min <= max <= 1000";
        check_probability(self.p)?;
        let [fewest, most] = self.num_holes_range;
        let accepted = 1 <= fewest && fewest <= most && most <= 1000;
        check(accepted, "num_holes_range", COUNT, self.num_holes_range)?;
        Ok(CoarseDropout {
            p: self.p,
            count: self.num_holes_range,
            height: Side::new("hole_height_range", self.hole_height_range)?,
            width: Side::new("hole_width_range", self.hole_width_range)?,
            fill: self.fill,
        })
    }

    fn example() -> Self {
        Self {
            p: 1.0,
            num_holes_range: [2, 5],
            hole_width_range: [3.0, 9.0],
            fill: HoleFill::Random,
            ..Self::default()
        }
    }
}

/// The range of one side of the holes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Pixels([u32; 2]),
    Parts([f64; 2]),
}

impl Side {
    fn new(field: &'static str, range: [f64; 2]) -> Result<Self, Error> {
        const MUST_BE: &str = "[min, max] with 0 <= min <= max, both below 1 or both whole numbers";
        let [low, high] = range;
        let parts = high < 1.0;
        let whole = low.fract() == 0.0 && high.fract() == 0.0 && high <= 65_535.0;
        check(0.0 <= low && low <= high && (parts || whole), field, MUST_BE, range)?;
        Ok(if parts { Self::Parts(range) } else { Self::Pixels(range.map(pixels)) })
    }

    fn draw(self, len: u32, rng: &mut OpRng) -> u32 {
        match self {
            Self::Pixels([low, high]) => rng.integer(low.min(len), high.min(len)),
            Self::Parts([low, high]) => pixels(f64::from(len) * rng.uniform(low, high)),
        }
    }
}

fn pixels(side: f64) -> u32 {
    u32::try_from(pixel_at(side)).unwrap_or(u32::MAX)
}

/// Fills rectangles of random size at random places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoarseDropout {
    p: f64,
    count: [u32; 2],
    height: Side,
    width: Side,
    fill: HoleFill,
}

impl Op for CoarseDropout {
    type Draw = Option<Holes>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Holes> {
        if !rng.bernoulli(self.p) {
            return None;
        }
        let [fewest, most] = self.count;
        let count = rng.integer(fewest, most);
        let mut hole = || {
            let height = self.height.draw(size.height, rng);
            let width = self.width.draw(size.width, rng);
            placed(Size::new(width, height), size, rng)
        };
        let boxes = (0..count).map(|_| hole()).collect();
        Some(Holes::drawn(boxes, self.fill, rng))
    }

    fn render(&self, image: Image8, draw: &Option<Holes>) -> Image8 {
        match draw {
            Some(holes) => holes.fill(image, self.fill),
            None => image,
        }
    }
}
