//! Swaps rows and columns with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! albumentations' `Transpose`; `render` bit for bit. The size of a result may not depend on chance: a picture that is
//! not square is never transposed unless `p` is 1. albumentations transposes it and yields either size.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_crop", size = 64 }, { type = "transpose", p = 0.5 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check_probability};
use crate::geometry::turn::transposed;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`Transpose`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransposeSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for TransposeSpec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for TransposeSpec {
    type Op = Transpose;

    fn build(&self, _: Size) -> Result<Transpose, Error> {
        check_probability(self.p)?;
        Ok(Transpose { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Swaps rows and columns with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transpose {
    p: f64,
}

impl Op for Transpose {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, size: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p) && (size.width == size.height || self.p == 1.0)
    }

    fn render(&self, image: Image8, acts: &bool) -> Image8 {
        if *acts { transposed(&image) } else { image }
    }

    fn output_size(&self, size: Size) -> Size {
        if self.p == 1.0 { Size::new(size.height, size.width) } else { size }
    }
}
