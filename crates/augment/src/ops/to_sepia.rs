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
const MATRIX: [[u32; 3]; 3] = [[402, 787, 194], [357, 702, 172], [279, 547, 134]];

#[derive(Clone, Copy)]
struct Sepia;

impl PixelFunction for Sepia {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        let [red, green, blue] = pixel.map(u32::from);
        MATRIX.map(|[from_red, from_green, from_blue]| {
            let sum = (red * from_red + green * from_green + blue * from_blue + 512) >> 10;
            #[allow(clippy::cast_possible_truncation, reason = "at most 255")]
            {
                sum.min(255) as u8
            }
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
