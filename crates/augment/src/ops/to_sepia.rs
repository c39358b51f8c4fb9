//! Makes a brown picture as of an old photograph with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! albumentations' `ToSepia`, a matrix of three by three in `OpenCV`'s fixed point of ten bits; `render` bit for bit. A
//! gray picture becomes brown too, where albumentations leaves it.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "to_sepia", p = 0.5 }]
//! ```

use super::OpSettings;
use crate::color::planes::{PixelFunction, each_pixel};
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::level_half_even;
use serde::{Deserialize, Serialize};

/// Settings of [`ToSepia`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToSepiaSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for ToSepiaSpec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for ToSepiaSpec {
    type Op = ToSepia;

    fn build(&self, _: Size) -> Result<ToSepia, Error> {
        check_probability(self.p)?;
        Ok(ToSepia { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Makes a brown picture as of an old photograph with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToSepia {
    p: f64,
}

/// The usual matrix times 1024, a row for each channel of the result.
const MATRIX: [[f32; 3]; 3] = [[402.0, 787.0, 194.0], [357.0, 702.0, 172.0], [279.0, 547.0, 134.0]];

#[derive(Clone, Copy)]
struct Sepia;

impl PixelFunction for Sepia {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        // Sums are whole and below 2^24: `f32` has them exactly, and multiplies faster than integers of 32 bits.
        let [red, green, blue] = pixel.map(f32::from);
        MATRIX.map(|[from_red, from_green, from_blue]| {
            let sum = red * from_red + green * from_green + blue * from_blue;
            // Half a unit more, and no sum lies in the middle between two levels: upwards is what is left of a tie.
            let level = (sum + 0.5) * (1.0 / 1024.0);
            level_half_even(if level < 255.0 { level } else { 255.0 })
        })
    }
}

impl Op for ToSepia {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            each_pixel(&mut image, Sepia);
        }
        image
    }
}
