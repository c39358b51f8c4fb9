//! Stretches each channel to the whole range of levels with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomAutocontrast` on PIL pictures, which is `ImageOps.autocontrast`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_autocontrast", p = 0.5 }]
//! ```

use super::OpSettings;
use crate::color::histogram::autocontrast;
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomAutocontrast`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomAutocontrastSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomAutocontrastSpec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for RandomAutocontrastSpec {
    type Op = RandomAutocontrast;

    fn build(&self, _: Size) -> Result<RandomAutocontrast, Error> {
        check_probability(self.p)?;
        Ok(RandomAutocontrast { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Stretches each channel to the whole range of levels with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomAutocontrast {
    p: f64,
}

impl Op for RandomAutocontrast {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            autocontrast(&mut image);
        }
        image
    }
}
