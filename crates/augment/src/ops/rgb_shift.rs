//! Adds an amount to each channel with probability `p`.
//!
//! # Randomness
//! Four draws: whether to act, and the amount of each channel.
//!
//! # Parity
//! albumentations' `RGBShift` (2.0.8): the amounts are cut to whole levels; `render` bit for bit. Limits are in levels;
//! albumentations also takes parts of 255.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "rgb_shift", r_shift_limit = 20, g_shift_limit = 20, b_shift_limit = 20 }]
//! ```

use super::OpSettings;
use crate::color::planes::{PixelFunction, each_pixel};
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::{shift_towards_zero, shifted_level};
use crate::settings::symmetric_range::SymmetricRange;
use serde::{Deserialize, Serialize};

/// Settings of [`RgbShift`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RgbShiftSpec {
    /// Levels added to red: up to this many, or from `[min, max]`.
    pub r_shift_limit: SymmetricRange,
    /// Levels added to green.
    pub g_shift_limit: SymmetricRange,
    /// Levels added to blue.
    pub b_shift_limit: SymmetricRange,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RgbShiftSpec {
    fn default() -> Self {
        let limit = SymmetricRange::around(20.0);
        Self { r_shift_limit: limit, g_shift_limit: limit, b_shift_limit: limit, p: 0.5 }
    }
}

impl OpSettings for RgbShiftSpec {
    type Op = RgbShift;

    fn build(&self, _: Size) -> Result<RgbShift, Error> {
        const MUST_BE: &str = "from 0 to 255, or [min, max] with -255 <= min <= max <= 255";
        check_probability(self.p)?;
        Ok(RgbShift {
            limits: [
                self.r_shift_limit.within([-255.0, 255.0], "r_shift_limit", MUST_BE)?,
                self.g_shift_limit.within([-255.0, 255.0], "g_shift_limit", MUST_BE)?,
                self.b_shift_limit.within([-255.0, 255.0], "b_shift_limit", MUST_BE)?,
            ],
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Adds an amount to each channel with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RgbShift {
    limits: [[f64; 2]; 3],
    p: f64,
}

#[derive(Clone, Copy)]
struct Add([i16; 3]);

impl PixelFunction for Add {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        let [red, green, blue] = self.0;
        [
            shifted_level(pixel[0], red),
            shifted_level(pixel[1], green),
            shifted_level(pixel[2], blue),
        ]
    }
}

impl Op for RgbShift {
    /// Levels added to red, green and blue.
    type Draw = Option<[i16; 3]>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<[i16; 3]> {
        let acts = rng.bernoulli(self.p);
        let amounts = self.limits.map(|[low, high]| shift_towards_zero(rng.uniform(low, high)));
        acts.then_some(amounts)
    }

    fn render(&self, mut image: Image8, draw: &Option<[i16; 3]>) -> Image8 {
        if let Some(amounts) = draw {
            each_pixel(&mut image, Add(amounts.map(|amount| amount.clamp(-255, 255))));
        }
        image
    }
}
