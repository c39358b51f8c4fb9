//! Stretches the picture's colours along their principal components with probability `p`.
//!
//! # Randomness
//! Whether to act, one draw; then a normal variate, two draws, for the amount of each component.
//!
//! # Parity
//! albumentations' `FancyPCA` (2.0.8), which multiplies what each channel deviates from its mean by a component and its
//! variance, where `AlexNet` adds one colour to all pixels (see `lighting`). `render` computes the same in `f32`, and
//! differs by one level where the result lies within 1e-4 of the middle between two. A component has two directions;
//! the one whose largest part is positive is taken here, and what LAPACK finds there, which the symmetric amounts hide.
//! A single pixel stays as it is.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "fancy_pca", alpha = 0.1, p = 0.5 }]
//! ```

use super::OpSettings;
use crate::color::planes::{PixelFunction, each_pixel};
use crate::color::principal::{Moments, components};
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::{factor, level_half_even};
use serde::{Deserialize, Serialize};

/// Settings of [`FancyPca`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FancyPcaSpec {
    /// Standard deviation of the amounts, from 0 to 100.
    pub alpha: f64,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for FancyPcaSpec {
    fn default() -> Self {
        Self { alpha: 0.1, p: 0.5 }
    }
}

impl OpSettings for FancyPcaSpec {
    type Op = FancyPca;

    fn build(&self, _: Size) -> Result<FancyPca, Error> {
        check_probability(self.p)?;
        check((0.0..=100.0).contains(&self.alpha), "alpha", "from 0 to 100", self.alpha)?;
        Ok(FancyPca { alpha: self.alpha, p: self.p })
    }

    fn example() -> Self {
        Self { alpha: 1.0, p: 1.0 }
    }
}

/// Stretches the picture's colours along their principal components with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FancyPca {
    alpha: f64,
    p: f64,
}

impl Op for FancyPca {
    /// The amount of each component, that of the largest variance first; `None`: rests.
    type Draw = Option<[f64; 3]>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<[f64; 3]> {
        rng.bernoulli(self.p).then(|| [(); 3].map(|()| self.alpha * rng.normal()))
    }

    fn render(&self, mut image: Image8, draw: &Option<[f64; 3]>) -> Image8 {
        if let Some(amounts) = *draw {
            let moments = Moments::of(image.rgb_mut());
            if let Some(covariance) = moments.covariance() {
                each_pixel(&mut image, Stretch::new(amounts, covariance, moments.mean()));
            }
        }
        image
    }
}

/// A linear function of red, green and blue for each of them, and a constant.
#[derive(Clone, Copy)]
struct Stretch {
    rows: [[f32; 3]; 3],
    constants: [f32; 3],
}

impl Stretch {
    fn new(amounts: [f64; 3], covariance: [[f64; 3]; 3], mean: [f64; 3]) -> Self {
        // Variances of levels from 0 to 1.
        const UNIT: f64 = 1.0 / (255.0 * 255.0);
        let components = components(covariance);
        let rows = [0, 1, 2].map(|channel| {
            [0, 1, 2].map(|from: usize| {
                let component = components[from];
                component.direction[channel] * amounts[from] * component.variance * UNIT
            })
        });
        let constants =
            rows.map(|row| -row.iter().zip(mean).map(|(weight, mean)| weight * mean).sum::<f64>());
        let mut rows = rows;
        for (channel, row) in rows.iter_mut().enumerate() {
            row[channel] += 1.0;
        }
        Self { rows: rows.map(|row| row.map(factor)), constants: constants.map(factor) }
    }
}

impl PixelFunction for Stretch {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        let [red, green, blue] = pixel.map(f32::from);
        [0, 1, 2].map(|channel: usize| {
            let [of_red, of_green, of_blue] = self.rows[channel];
            let sum = red * of_red + green * of_green + blue * of_blue + self.constants[channel];
            level_half_even(sum.clamp(0.0, 255.0))
        })
    }
}
