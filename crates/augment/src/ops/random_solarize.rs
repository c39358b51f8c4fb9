//! Makes the negative of the levels from a threshold on with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomSolarize` on PIL pictures, which is `ImageOps.solarize`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_solarize", threshold = 128.0 }]
//! ```

use super::OpSettings;
use crate::color::levels::solarize;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::often::half;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomSolarize`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomSolarizeSpec {
    /// The lowest level that is inverted, from 0 to 256.
    pub threshold: f64,
    /// How often to act, from 0 to 1.
    #[serde(default = "half")]
    pub p: f64,
}

impl OpSettings for RandomSolarizeSpec {
    type Op = RandomSolarize;

    fn build(&self, _: Size) -> Result<RandomSolarize, Error> {
        check(
            (0.0..=256.0).contains(&self.threshold),
            "threshold",
            "from 0 to 256",
            self.threshold,
        )?;
        check_probability(self.p)?;
        Ok(RandomSolarize { threshold: self.threshold, p: self.p })
    }

    fn example() -> Self {
        Self { threshold: 100.0, p: 1.0 }
    }
}

/// Makes the negative of the levels from a threshold on with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomSolarize {
    threshold: f64,
    p: f64,
}

impl Op for RandomSolarize {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            solarize(&mut image, self.threshold);
        }
        image
    }
}
