//! Blurs or sharpens with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomAdjustSharpness` on PIL pictures, which is `ImageEnhance.Sharpness`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_adjust_sharpness", sharpness_factor = 2.0 }]
//! ```

use super::OpSettings;
use crate::color::sharpness::adjust_sharpness;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::often::half;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomAdjustSharpness`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomAdjustSharpnessSpec {
    /// 0 is smooth, 1 the picture itself, 2 sharp.
    pub sharpness_factor: f64,
    /// How often to act, from 0 to 1.
    #[serde(default = "half")]
    pub p: f64,
}

impl OpSettings for RandomAdjustSharpnessSpec {
    type Op = RandomAdjustSharpness;

    fn build(&self, _: Size) -> Result<RandomAdjustSharpness, Error> {
        let accepted = (0.0..f64::INFINITY).contains(&self.sharpness_factor);
        check(accepted, "sharpness_factor", "at least 0", self.sharpness_factor)?;
        check_probability(self.p)?;
        Ok(RandomAdjustSharpness { sharpness_factor: self.sharpness_factor, p: self.p })
    }

    fn example() -> Self {
        Self { sharpness_factor: 2.0, p: 1.0 }
    }
}

/// Blurs or sharpens with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomAdjustSharpness {
    sharpness_factor: f64,
    p: f64,
}

impl Op for RandomAdjustSharpness {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            adjust_sharpness(&mut image, self.sharpness_factor);
        }
        image
    }
}
