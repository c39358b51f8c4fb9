//! Adds the noise of a camera whose sensor is set to be sensitive, with probability `p`.
//!
//! # Randomness
//! Four draws: whether to act, the colour shift, the intensity, a seed.
//!
//! # Parity
//! albumentations' `ISONoise` (2.0.8), whose noise has the same distribution and other numbers; `render` of a given
//! field of noise within one level, because hues are added up in another order. `color_shift` is a part of the circle
//! of hues, as albumentations documents it and had it in version 1; version 2.0.8 takes it as degrees, which leaves
//! hues as they are but for rounding. Steps of lightness are those of 2.0.8, where version 1 had more and smaller ones.
//! Hues go round the circle, where OpenCV's vectors take hues below 0 for other ones.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "iso_noise", color_shift = [0.01, 0.05], intensity = [0.1, 0.5], p = 0.3 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_probability};
use crate::image::{Channels, Image8, Size};
use crate::key::OpRng;
use crate::noise::normal_quantiles::NormalQuantiles;
use crate::noise::sensor;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// The largest intensity.
const STRONGEST: f64 = 10.0;

/// Settings of [`IsoNoise`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IsoNoiseSpec {
    /// Smallest and largest noise of hues, as a part of the circle, from 0 to 1; it is multiplied by the intensity.
    pub color_shift: [f64; 2],
    /// Smallest and largest strength of all noise, from 0 to 10.
    pub intensity: [f64; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for IsoNoiseSpec {
    fn default() -> Self {
        Self { color_shift: [0.01, 0.05], intensity: [0.1, 0.5], p: 0.5 }
    }
}

impl OpSettings for IsoNoiseSpec {
    type Op = IsoNoise;

    fn build(&self, _: Size) -> Result<IsoNoise, Error> {
        const SHIFT: &str = "[min, max] with 0 <= min <= max <= 1";
        const INTENSITY: &str = "[min, max] with 0 <= min <= max <= 10";
        check_probability(self.p)?;
        let accepted = |[low, high]: [f64; 2], most: f64| 0.0 <= low && low <= high && high <= most;
        check(accepted(self.color_shift, 1.0), "color_shift", SHIFT, self.color_shift)?;
        check(accepted(self.intensity, STRONGEST), "intensity", INTENSITY, self.intensity)?;
        Ok(IsoNoise {
            shifts: self.color_shift,
            intensities: self.intensity,
            p: self.p,
            quantiles: NormalQuantiles::new(),
        })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Adds the noise of a camera whose sensor is set to be sensitive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IsoNoise {
    shifts: [f64; 2],
    intensities: [f64; 2],
    p: f64,
    quantiles: NormalQuantiles,
}

/// The noise of one application.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorNoise {
    /// As a part of the circle of hues.
    pub color_shift: f64,
    /// Strength of all noise.
    pub intensity: f64,
    /// Pixel `i` has the bits from `32 (i mod 2)` on of `splitmix64(seed + floor(i / 2))`: 16 choose the quantile of a
    /// normal number for the hue, as in `gauss_noise`, and 16 that of a number with a Poisson distribution for the
    /// lightness.
    pub seed: u64,
}

impl Op for IsoNoise {
    /// `None`: rests.
    type Draw = Option<SensorNoise>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<SensorNoise> {
        rng.bernoulli(self.p).then(|| {
            let mut within = |[low, high]: [f64; 2]| rng.uniform(low, high);
            let (color_shift, intensity) = (within(self.shifts), within(self.intensities));
            SensorNoise { color_shift, intensity, seed: rng.bits() }
        })
    }

    fn render(&self, mut image: Image8, draw: &Option<SensorNoise>) -> Image8 {
        let Some(SensorNoise { color_shift, intensity, seed }) = *draw else { return image };
        // `max` and `min` rather than `clamp`, so that what is no number becomes one.
        let within = |value: f64, most: f64| value.max(0.0).min(most);
        let intensity = within(intensity, STRONGEST);
        let turn = within(color_shift, 1.0) * intensity;
        let (size, channels) = (image.size(), image.channels());
        sensor::add(&mut image, self.quantiles, seed, turn, intensity);
        if channels == Channels::Rgb {
            return image;
        }
        // Grays stay gray, whatever their hue.
        let levels = image.pixels().iter().step_by(3).copied().collect();
        Image8::from_gray(size, levels).unwrap_or(image)
    }
}
