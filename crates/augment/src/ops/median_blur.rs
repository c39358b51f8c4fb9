//! Replaces each pixel by the median of a square around it.
//!
//! # Randomness
//! One draw: whether to act; then one for the side of the square, each odd one in the range being equally likely.
//!
//! # Parity
//! albumentations' `MedianBlur`, which is OpenCV's `medianBlur`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "median_blur", blur_limit = [3, 7], p = 0.5 }]
//! ```

use super::OpSettings;
use crate::blur::kernel_size;
use crate::blur::median::median_blur;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// The largest side of a kernel.
const LARGEST: u32 = 101;

/// Settings of [`MedianBlur`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MedianBlurSpec {
    /// Smallest and largest side of the square in pixels, from 3 to 101; an even one is made odd by adding 1.
    pub blur_limit: [u32; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for MedianBlurSpec {
    fn default() -> Self {
        Self { blur_limit: [3, 7], p: 0.5 }
    }
}

impl OpSettings for MedianBlurSpec {
    type Op = MedianBlur;

    fn build(&self, _: Size) -> Result<MedianBlur, Error> {
        check_probability(self.p)?;
        let sizes = kernel_size::odd_range(self.blur_limit)?;
        // The work grows with the area of the kernel.
        let [_, high] = self.blur_limit;
        check(
            high <= LARGEST,
            "blur_limit",
            "[min, max] with 3 <= min <= max <= 101",
            self.blur_limit,
        )?;
        Ok(MedianBlur { sizes, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Replaces each pixel by the median of a square around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MedianBlur {
    sizes: [u32; 2],
    p: f64,
}

impl Op for MedianBlur {
    /// The side of the square; `None`: rests.
    type Draw = Option<u32>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<u32> {
        rng.bernoulli(self.p).then(|| kernel_size::draw(self.sizes, rng))
    }

    fn render(&self, mut image: Image8, size: &Option<u32>) -> Image8 {
        if let Some(size) = size {
            median_blur(&mut image, kernel_size::usable(*size));
        }
        image
    }
}
