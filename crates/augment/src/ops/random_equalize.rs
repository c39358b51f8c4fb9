//! Makes all levels of each channel equally frequent with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomEqualize` on PIL pictures, which is `ImageOps.equalize`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_equalize", p = 0.5 }]
//! ```

use super::OpSettings;
use crate::color::histogram::equalize;
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomEqualize`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomEqualizeSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomEqualizeSpec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for RandomEqualizeSpec {
    type Op = RandomEqualize;

    fn build(&self, _: Size) -> Result<RandomEqualize, Error> {
        check_probability(self.p)?;
        Ok(RandomEqualize { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Makes all levels of each channel equally frequent with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomEqualize {
    p: f64,
}

impl Op for RandomEqualize {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            equalize(&mut image);
        }
        image
    }
}
