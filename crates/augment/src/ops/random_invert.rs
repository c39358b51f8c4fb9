//! Makes the negative with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomInvert`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_invert", p = 0.5 }]
//! ```

use super::OpSettings;
use crate::color::levels::invert;
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomInvert`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomInvertSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomInvertSpec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for RandomInvertSpec {
    type Op = RandomInvert;

    fn build(&self, _: Size) -> Result<RandomInvert, Error> {
        check_probability(self.p)?;
        Ok(RandomInvert { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Makes the negative with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomInvert {
    p: f64,
}

impl Op for RandomInvert {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            invert(&mut image);
        }
        image
    }
}
