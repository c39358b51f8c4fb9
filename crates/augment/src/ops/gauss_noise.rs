//! Adds normally distributed noise with probability `p`.
//!
//! # Randomness
//! Three draws: whether to act, the variance, a seed.
//!
//! # Parity
//! albumentations' `GaussNoise`, whose noise has the same distribution and other numbers; `render` of a given field of
//! noise bit for bit. Settings are those of albumentations up to version 1, in levels: version 2 takes standard
//! deviations as parts of 255 (its `std_range = (a, b)` is about `var_limit = [(255 a)^2, (255 b)^2]`), draws them
//! instead of variances, and has a default that is sixteen times as strong. Noise is rounded to whole levels, where
//! albumentations cuts towards zero and makes it weaker than told by half a level. Its `noise_scale_factor` is missing
//! here.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "gauss_noise", var_limit = [10.0, 50.0], p = 0.3 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::noise::level_field::{LevelNoise, each_level};
use crate::noise::normal_quantiles::{NormalQuantiles, UNIT};
use crate::op::Op;
use crate::round::{factor, shift_half_even, shifted_level};
use serde::{Deserialize, Serialize};

/// Settings of [`GaussNoise`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GaussNoiseSpec {
    /// Smallest and largest variance of the noise in squared levels, from 0 to 65025.
    pub var_limit: [f64; 2],
    /// Mean of the noise in levels, from -255 to 255.
    pub mean: f64,
    /// Whether each channel has noise of its own; otherwise pixels become brighter or darker.
    pub per_channel: bool,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for GaussNoiseSpec {
    fn default() -> Self {
        Self { var_limit: [10.0, 50.0], mean: 0.0, per_channel: true, p: 0.5 }
    }
}

impl OpSettings for GaussNoiseSpec {
    type Op = GaussNoise;

    fn build(&self, _: Size) -> Result<GaussNoise, Error> {
        const VARIANCE: &str = "[min, max] with 0 <= min <= max <= 65025";
        check_probability(self.p)?;
        let [low, high] = self.var_limit;
        let accepted = 0.0 <= low && low <= high && high <= 65_025.0;
        check(accepted, "var_limit", VARIANCE, self.var_limit)?;
        check((-255.0..=255.0).contains(&self.mean), "mean", "from -255 to 255", self.mean)?;
        Ok(GaussNoise {
            variances: self.var_limit,
            mean: self.mean,
            per_channel: self.per_channel,
            p: self.p,
            quantiles: NormalQuantiles::new(),
        })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Adds normally distributed noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaussNoise {
    variances: [f64; 2],
    mean: f64,
    per_channel: bool,
    p: f64,
    quantiles: NormalQuantiles,
}

/// The noise of one application.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalNoise {
    /// In squared levels.
    pub variance: f64,
    /// Level `i` of the picture, or pixel `i` if channels share the noise, gets the quantile that the bits from `16 (i
    /// mod 4)` on of `splitmix64(seed + floor(i / 4))` choose among 65536, as a multiple of 1/7500.
    pub seed: u64,
}

#[derive(Clone, Copy)]
struct Add {
    quantiles: NormalQuantiles,
    /// Standard deviation in levels for each unit of a quantile.
    step: f32,
    mean: f32,
}

impl LevelNoise for Add {
    #[inline(always)]
    fn prepare(self, bits: &mut [u16]) {
        self.quantiles.look_up(bits);
    }

    #[inline(always)]
    fn of(self, level: u8, value: u16) -> u8 {
        let noise = f32::from(value.cast_signed()) * self.step + self.mean;
        shifted_level(level, shift_half_even(noise))
    }
}

impl Op for GaussNoise {
    /// `None`: rests.
    type Draw = Option<NormalNoise>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<NormalNoise> {
        rng.bernoulli(self.p).then(|| {
            let [low, high] = self.variances;
            NormalNoise { variance: rng.uniform(low, high), seed: rng.bits() }
        })
    }

    fn render(&self, image: Image8, draw: &Option<NormalNoise>) -> Image8 {
        let Some(NormalNoise { variance, seed }) = *draw else { return image };
        let noise = Add {
            quantiles: self.quantiles,
            step: factor(variance.max(0.0).sqrt() / UNIT),
            mean: factor(self.mean),
        };
        each_level(image, seed, !self.per_channel, noise)
    }
}
