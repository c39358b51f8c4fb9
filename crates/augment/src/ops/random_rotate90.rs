//! Turns by a random number of quarters with probability `p`.
//!
//! # Randomness
//! Two draws: whether to act, and the number of quarters. A square picture is turned by 0 to 3 quarters, any other by 0
//! or 2, all equally likely.
//!
//! # Parity
//! albumentations' `RandomRotate90`; `render` bit for bit. The size of a result may not depend on chance, so pictures
//! that are not square are never turned by an odd number of quarters. albumentations does so and yields either size.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_crop", size = 64 }, { type = "random_rotate90", p = 1.0 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check_probability};
use crate::geometry::turn::turned;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomRotate90`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomRotate90Spec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomRotate90Spec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for RandomRotate90Spec {
    type Op = RandomRotate90;

    fn build(&self, _: Size) -> Result<RandomRotate90, Error> {
        check_probability(self.p)?;
        Ok(RandomRotate90 { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Turns by a random number of quarters with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomRotate90 {
    p: f64,
}

impl Op for RandomRotate90 {
    /// The number of quarters counter-clockwise, if it acts. Of a number above 3 the remainder counts.
    type Draw = Option<u8>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<u8> {
        let acts = rng.bernoulli(self.p);
        let quarters = rng.below(4);
        let quarters = if size.width == size.height { quarters } else { quarters % 2 * 2 };
        acts.then(|| u8::try_from(quarters).unwrap_or_default())
    }

    fn render(&self, image: Image8, draw: &Option<u8>) -> Image8 {
        turned(image, draw.unwrap_or(0))
    }
}
