//! Keeps the highest bits of each level with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomPosterize` on PIL pictures, which is `ImageOps.posterize`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_posterize", bits = 3 }]
//! ```

use super::OpSettings;
use crate::color::levels::posterize;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::often::half;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomPosterize`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomPosterizeSpec {
    /// Bits to keep, from 1 to 8.
    pub bits: u32,
    /// How often to act, from 0 to 1.
    #[serde(default = "half")]
    pub p: f64,
}

impl OpSettings for RandomPosterizeSpec {
    type Op = RandomPosterize;

    fn build(&self, _: Size) -> Result<RandomPosterize, Error> {
        check((1..=8).contains(&self.bits), "bits", "from 1 to 8", self.bits)?;
        check_probability(self.p)?;
        Ok(RandomPosterize { bits: self.bits, p: self.p })
    }

    fn example() -> Self {
        Self { bits: 2, p: 1.0 }
    }
}

/// Keeps the highest bits of each level with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomPosterize {
    bits: u32,
    p: f64,
}

impl Op for RandomPosterize {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            posterize(&mut image, self.bits);
        }
        image
    }
}
