//! Swaps top and bottom with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomVerticalFlip`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_vertical_flip", p = 0.5 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomVerticalFlip`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomVerticalFlipSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomVerticalFlipSpec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for RandomVerticalFlipSpec {
    type Op = RandomVerticalFlip;

    fn build(&self, _: Size) -> Result<RandomVerticalFlip, Error> {
        check_probability(self.p)?;
        Ok(RandomVerticalFlip { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Swaps top and bottom with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomVerticalFlip {
    p: f64,
}

impl Op for RandomVerticalFlip {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            let (stride, height) = (image.stride(), image.size().height as usize);
            let (above, below) = image.pixels_mut().split_at_mut(height / 2 * stride);
            for (upper, lower) in
                above.chunks_exact_mut(stride).zip(below.rchunks_exact_mut(stride))
            {
                upper.swap_with_slice(lower);
            }
        }
        image
    }
}
