//! Moves every pixel a little, neighbours nearly alike, as if on rubber, with probability `p`.
//!
//! # Randomness
//! One draw: whether to act; then a seed of the moves, and the largest of as many normal numbers as the picture has
//! moves.
//!
//! # Parity
//! albumentations' `ElasticTransform` 2.0.8 with bilinear interpolation and OpenCV's `remap` of version 5, whose
//! arithmetic `render` follows, given the moves. The reference divides normal noise by the largest number of all, blurs
//! it and multiplies it by `alpha`. The same is done here in another way, at a fraction of the cost: noise on a coarse
//! lattice, blurred less and led over by splines, has the same variance and the same covariance of neighbours within a
//! few percent, and the largest number is drawn from its distribution. With `approximate` the curve has 17 taps as in
//! the reference, and only its width and strength are kept. One deviation: the reference repeats the noise of the
//! outermost pixels beyond the borders, which makes moves there several times as large as elsewhere. Here they are
//! alike everywhere.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "elastic_transform", alpha = 120.0, sigma = 6.0, p = 0.3 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_fill, check_probability};
use crate::geometry::bilinear::interpolated;
use crate::geometry::smooth_noise::SmoothNoise;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixels_half_even;
use crate::settings::border_mode::BorderMode;
use crate::settings::fill;
use serde::{Deserialize, Serialize};

/// What noise is made of before it is blurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseDistribution {
    /// Normal numbers, divided by the largest of them.
    #[default]
    Gaussian,
    /// Numbers from -1 to 1, all equally likely.
    Uniform,
}

/// Settings of [`ElasticTransform`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ElasticTransformSpec {
    /// By what the blurred noise is multiplied to make pixels, from 0 to 1000000.
    pub alpha: f64,
    /// Width of the curve that blurs the noise, in pixels from 1 to 1000.
    pub sigma: f64,
    /// Whether the curve is cut to 17 pixels.
    pub approximate: bool,
    /// Whether pixels move down as far as they move right.
    pub same_dxdy: bool,
    /// What noise is made of.
    pub noise_distribution: NoiseDistribution,
    /// What is shown outside of the picture.
    pub border_mode: BorderMode,
    /// The colour that border mode `constant` shows. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for ElasticTransformSpec {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            sigma: 50.0,
            approximate: false,
            same_dxdy: false,
            noise_distribution: NoiseDistribution::Gaussian,
            border_mode: BorderMode::Constant,
            fill: [0; 3],
            p: 0.5,
        }
    }
}

impl OpSettings for ElasticTransformSpec {
    type Op = ElasticTransform;

    fn build(&self, _: Size) -> Result<ElasticTransform, Error> {
        check((0.0..=1e6).contains(&self.alpha), "alpha", "from 0 to 1000000", self.alpha)?;
        check((1.0..=1000.0).contains(&self.sigma), "sigma", "from 1 to 1000", self.sigma)?;
        check_probability(self.p)?;
        check_fill(self.border_mode == BorderMode::Constant, self.fill)?;
        // OpenCV's size for a curve of floating-point numbers.
        let size = if self.approximate { 17 } else { pixels_half_even(self.sigma * 8.0 + 1.0) | 1 };
        Ok(ElasticTransform {
            alpha: self.alpha,
            noise: SmoothNoise::new(self.sigma, size),
            same_dxdy: self.same_dxdy,
            distribution: self.noise_distribution,
            border_mode: self.border_mode,
            fill: self.fill,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { alpha: 100.0, sigma: 4.0, p: 1.0, ..Self::default() }
    }
}

/// Moves every pixel a little, neighbours nearly alike.
#[derive(Debug, Clone, PartialEq)]
pub struct ElasticTransform {
    alpha: f64,
    noise: SmoothNoise,
    same_dxdy: bool,
    distribution: NoiseDistribution,
    border_mode: BorderMode,
    fill: [u8; 3],
    p: f64,
}

/// The moves of one application.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moves {
    /// Chooses the noise.
    pub seed: u64,
    /// The largest number that normal noise is divided by; uniform noise has no use for it.
    pub largest: f64,
}

impl Op for ElasticTransform {
    type Draw = Option<Moves>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Moves> {
        rng.bernoulli(self.p).then(|| {
            let numbers = size.area() as f64 * if self.same_dxdy { 1.0 } else { 2.0 };
            Moves { seed: rng.bits(), largest: largest_normal(numbers, 1.0 - rng.unit()) }
        })
    }

    fn render(&self, image: Image8, draw: &Option<Moves>) -> Image8 {
        let Some(Moves { seed, largest }) = *draw else { return image };
        let strength = match self.distribution {
            NoiseDistribution::Gaussian if largest >= 0.1 => 1.0 / largest,
            NoiseDistribution::Gaussian => 10.0,
            NoiseDistribution::Uniform => 1.0 / 3.0_f64.sqrt(),
        };
        let (size, beyond) = (image.size(), self.border_mode.into());
        self.noise.displace(size, seed, self.alpha * strength, self.same_dxdy, |places| {
            interpolated(image, places, beyond, self.fill)
        })
    }
}

/// The size of the largest of `count` standard normal numbers that is not reached with probability `part`.
fn largest_normal(count: f64, part: f64) -> f64 {
    // So often a single number is larger.
    let beyond = -(part.ln() / count).exp_m1();
    let (mut low, mut high) = (0.1, 12.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if beyond_normal(middle) > beyond { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// How often the size of a standard normal number is above `bound`, at least 0.1 (a continued fraction of Laplace's).
fn beyond_normal(bound: f64) -> f64 {
    let density = (-bound * bound / 2.0).exp() * (2.0 / std::f64::consts::PI).sqrt();
    let fraction = (1..=100).rev().fold(bound, |rest, term| bound + f64::from(term) / rest);
    density / fraction
}

#[cfg(test)]
mod tests {
    use super::{beyond_normal, largest_normal};

    #[test]
    fn the_normal_distribution_is_that_of_tables() {
        for (bound, expect) in
            [(0.5, 0.617_075_1), (1.0, 0.317_310_5), (2.0, 0.045_500_26), (5.0, 5.733_031e-7)]
        {
            let found = beyond_normal(bound);
            assert!((found / expect - 1.0).abs() < 1e-3, "{bound}: {found}");
        }
        // The median of one number, and of a million.
        assert!((largest_normal(1.0, 0.5) - 0.674_49).abs() < 1e-3);
        assert!((largest_normal(1e6, 0.5) - 4.9618).abs() < 0.02);
    }
}
