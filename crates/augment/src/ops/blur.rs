//! Replaces each pixel by the mean of a square around it.
//!
//! # Randomness
//! One draw: whether to act; then one for the side of the square, each odd one in the range being equally likely.
//!
//! # Parity
//! albumentations' `Blur`, which is OpenCV's `blur`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "blur", blur_limit = [3, 7], p = 0.5 }]
//! ```

use super::OpSettings;
use crate::blur::box_blur::box_blur;
use crate::blur::kernel_size;
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`Blur`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlurSpec {
    /// Smallest and largest side of the square in pixels, from 3 to 255; an even one is made odd by adding 1.
    pub blur_limit: [u32; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for BlurSpec {
    fn default() -> Self {
        Self { blur_limit: [3, 7], p: 0.5 }
    }
}

impl OpSettings for BlurSpec {
    type Op = Blur;

    fn build(&self, _: Size) -> Result<Blur, Error> {
        check_probability(self.p)?;
        Ok(Blur { sizes: kernel_size::odd_range(self.blur_limit)?, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Replaces each pixel by the mean of a square around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blur {
    sizes: [u32; 2],
    p: f64,
}

impl Op for Blur {
    /// The side of the square; `None`: rests.
    type Draw = Option<u32>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<u32> {
        rng.bernoulli(self.p).then(|| kernel_size::draw(self.sizes, rng))
    }

    fn render(&self, mut image: Image8, size: &Option<u32>) -> Image8 {
        if let Some(size) = size {
            box_blur(&mut image, kernel_size::usable(*size));
        }
        image
    }
}
