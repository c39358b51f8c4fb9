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
const ROWS: [Row; 3] =
    [Row::of([402, 787, 194]), Row::of([357, 702, 172]), Row::of([279, 547, 134])];

/// Weights in parts that keep sums within 16 bits, which vectors have most of: `256 * whole + part`.
#[derive(Clone, Copy)]
struct Row {
    whole: [u16; 3],
    /// From -128 to 127, modulo 2^16.
    part: [u16; 3],
    /// What makes a sum of parts positive, in 256.
    raise: u16,
}

impl Row {
    const fn of(weights: [u16; 3]) -> Self {
        let (mut whole, mut part, mut below) = ([0; 3], [0; 3], 0);
        let mut i = 0;
        while i < 3 {
            whole[i] = (weights[i] + 128) / 256;
            part[i] = weights[i].wrapping_sub(256 * whole[i]);
            if 256 * whole[i] > weights[i] {
                below += 256 * whole[i] - weights[i];
            }
            i += 1;
        }
        // Levels are below 256.
        Self { whole, part, raise: below }
    }

    /// The weighted sum, rounded upwards if in the middle between two levels.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "at most 255")]
    fn level(self, levels: [u16; 3]) -> u8 {
        let part = dot(levels, self.part).wrapping_add(256 * self.raise + 512) / 256;
        let level = dot(levels, self.whole).wrapping_add(part).wrapping_sub(self.raise) / 4;
        level.min(255) as u8
    }
}

#[inline(always)]
fn dot(a: [u16; 3], b: [u16; 3]) -> u16 {
    (a[0].wrapping_mul(b[0]))
        .wrapping_add(a[1].wrapping_mul(b[1]))
        .wrapping_add(a[2].wrapping_mul(b[2]))
}

#[derive(Clone, Copy)]
struct Sepia;

impl PixelFunction for Sepia {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        let levels = [u16::from(pixel[0]), u16::from(pixel[1]), u16::from(pixel[2])];
        [ROWS[0].level(levels), ROWS[1].level(levels), ROWS[2].level(levels)]
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
