//! Blurs with a bell curve.
//!
//! # Randomness
//! One draw: whether to act; then one for the standard deviation and one for the size of the kernel.
//!
//! # Parity
//! albumentations' `GaussianBlur`: its weights, and OpenCV's `sepFilter2D` in `f32`. Sums are taken in another order, so
//! that a sum which lies between two levels may be rounded to the other one: about one level in 100,000, by 1.
//! albumentations accepts a standard deviation of 0, which gives it weights that are no numbers; here it is refused.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "gaussian_blur", sigma_limit = [0.1, 2.0], p = 0.5 }]
//! ```

use super::OpSettings;
use crate::blur::separable::filter_symmetric;
use crate::blur::{gaussian, kernel_size};
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// The largest standard deviation.
const WIDEST: f64 = 30.0;

/// Settings of [`GaussianBlur`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GaussianBlurSpec {
    /// Smallest and largest kernel in pixels, at most 255; an even one is made odd by adding 1, and 0 is a kernel that
    /// fits the standard deviation.
    pub blur_limit: [u32; 2],
    /// Smallest and largest standard deviation in pixels, above 0 and at most 30.
    pub sigma_limit: [f64; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for GaussianBlurSpec {
    fn default() -> Self {
        Self { blur_limit: [0, 0], sigma_limit: [0.5, 3.0], p: 0.5 }
    }
}

impl OpSettings for GaussianBlurSpec {
    type Op = GaussianBlur;

    fn build(&self, _: Size) -> Result<GaussianBlur, Error> {
        check_probability(self.p)?;
        let [low, high] = self.blur_limit;
        check(
            low <= high && high <= kernel_size::LARGEST,
            "blur_limit",
            "[min, max] with 0 <= min <= max <= 255",
            self.blur_limit,
        )?;
        let [low, high] = self.sigma_limit;
        check(
            0.0 < low && low <= high && high <= WIDEST,
            "sigma_limit",
            "[min, max] with 0 < min <= max <= 30",
            self.sigma_limit,
        )?;
        Ok(GaussianBlur { kernels: self.blur_limit, sigmas: self.sigma_limit, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Blurs with a bell curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaussianBlur {
    kernels: [u32; 2],
    sigmas: [f64; 2],
    p: f64,
}

/// The bell curve of one application.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bell {
    /// Standard deviation in pixels.
    pub sigma: f64,
    /// Size of the kernel in pixels; 0 is one that fits.
    pub kernel: u32,
}

impl Op for GaussianBlur {
    /// `None`: rests.
    type Draw = Option<Bell>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<Bell> {
        rng.bernoulli(self.p).then(|| {
            let [low, high] = self.sigmas;
            let sigma = rng.uniform(low, high);
            let [low, high] = self.kernels;
            Bell { sigma, kernel: rng.integer(low, high) }
        })
    }

    fn render(&self, mut image: Image8, draw: &Option<Bell>) -> Image8 {
        if let Some(Bell { sigma, kernel }) = draw {
            let sigma = sigma.clamp(1e-3, WIDEST);
            let radius = gaussian::radius(sigma, (*kernel).min(kernel_size::LARGEST));
            filter_symmetric(&mut image, &gaussian::weights(sigma, radius));
        }
        image
    }
}
