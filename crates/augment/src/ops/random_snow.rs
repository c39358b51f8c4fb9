//! Makes dark parts of a picture brighter, as if snow lay on them, with probability `p`.
//!
//! # Randomness
//! Two draws: whether to act, and the snow point.
//!
//! # Parity
//! albumentations' `RandomSnow` (2.0.8) with its default method, `bleach`; its other method, `texture`, is missing
//! here. Hue, lightness and saturation are rounded to 8 bits as by OpenCV. One hue or saturation among ten thousand is
//! rounded to the other side, which moves such a pixel by a level or a few.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_snow", snow_point_range = [0.1, 0.3], brightness_coeff = 2.5, p = 0.2 }]
//! ```

use super::OpSettings;
use crate::color::lookup::look_up;
use crate::color::opencv_hls::{from_rgb, to_rgb};
use crate::color::planes::{PixelFunction, each_pixel};
use crate::error::{Error, check, check_probability};
use crate::image::{Channels, Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::{factor, level_half_even, level_towards_zero};
use serde::{Deserialize, Serialize};

/// Settings of [`RandomSnow`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomSnowSpec {
    /// What the lightness of pixels is multiplied by that lie below the snow point, above 0 and at most 255.
    pub brightness_coeff: f64,
    /// Smallest and largest snow point, from 0 to 1: lightness below `255 (point / 2 + 1 / 3)` is bleached.
    pub snow_point_range: [f64; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomSnowSpec {
    fn default() -> Self {
        Self { brightness_coeff: 2.5, snow_point_range: [0.1, 0.3], p: 0.5 }
    }
}

impl OpSettings for RandomSnowSpec {
    type Op = RandomSnow;

    fn build(&self, _: Size) -> Result<RandomSnow, Error> {
        const POINTS: &str = "[min, max] with 0 <= min <= max <= 1";
        check_probability(self.p)?;
        let coefficient = self.brightness_coeff;
        let accepted = 0.0 < coefficient && coefficient <= 255.0;
        check(accepted, "brightness_coeff", "above 0 and at most 255", coefficient)?;
        let [low, high] = self.snow_point_range;
        let accepted = 0.0 <= low && low <= high && high <= 1.0;
        check(accepted, "snow_point_range", POINTS, self.snow_point_range)?;
        Ok(RandomSnow { coefficient, points: self.snow_point_range, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Makes dark parts of a picture brighter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomSnow {
    coefficient: f64,
    points: [f64; 2],
    p: f64,
}

#[derive(Clone, Copy)]
struct Bleach {
    /// In levels of lightness.
    below: f32,
    coefficient: f32,
}

/// A number from 0 to 1 in 8 bits.
#[inline(always)]
fn rounded(part: f32) -> f32 {
    f32::from(level_half_even(part * 255.0))
}

impl PixelFunction for Bleach {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        const LEVEL: f32 = 1.0 / 255.0;
        let [hue, lightness, saturation] = from_rgb(pixel.map(|level| f32::from(level) * LEVEL));
        // OpenCV has hues in steps of two degrees.
        let hue = f32::from(level_half_even(hue * 0.5)) * (6.0 / 180.0);
        let (lightness, saturation) = (rounded(lightness), rounded(saturation));
        let bleached = f32::from(level_towards_zero(lightness * self.coefficient));
        let lightness = if lightness < self.below { bleached } else { lightness };
        to_rgb([hue, lightness * LEVEL, saturation * LEVEL])
            .map(|part| level_half_even((part * 255.0).clamp(0.0, 255.0)))
    }
}

impl Op for RandomSnow {
    /// The snow point.
    type Draw = Option<f64>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<f64> {
        let acts = rng.bernoulli(self.p);
        let [low, high] = self.points;
        let point = rng.uniform(low, high);
        acts.then_some(point)
    }

    fn render(&self, mut image: Image8, draw: &Option<f64>) -> Image8 {
        let Some(point) = *draw else { return image };
        let below = point * 255.0 / 2.0 + 255.0 / 3.0;
        let bleach = Bleach { below: factor(below), coefficient: factor(self.coefficient) };
        if image.channels() == Channels::Gray {
            let mut levels = 0..=u8::MAX;
            let table = std::array::from_fn(|_| bleach.of([levels.next().unwrap_or(0); 3])[0]);
            look_up(image.pixels_mut(), &table);
        } else {
            each_pixel(&mut image, bleach);
        }
        image
    }
}
