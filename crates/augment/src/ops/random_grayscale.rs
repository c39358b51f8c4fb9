//! Takes the colour away with probability `p`; three equal channels remain.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomGrayscale`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_grayscale", p = 0.1 }]
//! ```

use super::OpSettings;
use crate::color::adjust::to_grayscale;
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomGrayscale`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomGrayscaleSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomGrayscaleSpec {
    fn default() -> Self {
        Self { p: 0.1 }
    }
}

impl OpSettings for RandomGrayscaleSpec {
    type Op = RandomGrayscale;

    fn build(&self, _: Size) -> Result<RandomGrayscale, Error> {
        check_probability(self.p)?;
        Ok(RandomGrayscale { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Takes the colour away with probability `p`; three equal channels remain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomGrayscale {
    p: f64,
}

impl Op for RandomGrayscale {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            to_grayscale(&mut image);
        }
        image
    }
}
