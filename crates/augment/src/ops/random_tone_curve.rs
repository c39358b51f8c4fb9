//! Bends the curve from old to new levels with probability `p`.
//!
//! # Randomness
//! Whether to act, one draw; then a normal variate, two draws, for each of the two points that bend the curve, and with
//! `per_channel` for those of each channel.
//!
//! # Parity
//! albumentations' `RandomToneCurve` (2.0.8), whose curve is a cubic Bézier curve over evenly spaced levels; `render`
//! bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_tone_curve", scale = 0.1, per_channel = true, p = 0.3 }]
//! ```

use super::OpSettings;
use crate::color::lookup::{look_up, look_up_channels};
use crate::error::{Error, check_part, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::level_half_even_f64;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomToneCurve`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomToneCurveSpec {
    /// Standard deviation of the points' heights, from 0 to 1.
    pub scale: f64,
    /// Whether each channel has a curve of its own.
    pub per_channel: bool,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomToneCurveSpec {
    fn default() -> Self {
        Self { scale: 0.1, per_channel: false, p: 0.5 }
    }
}

impl OpSettings for RandomToneCurveSpec {
    type Op = RandomToneCurve;

    fn build(&self, _: Size) -> Result<RandomToneCurve, Error> {
        check_probability(self.p)?;
        check_part("scale", self.scale)?;
        Ok(RandomToneCurve { scale: self.scale, per_channel: self.per_channel, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Bends the curve from old to new levels with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomToneCurve {
    scale: f64,
    per_channel: bool,
    p: f64,
}

/// The curve of each channel: a cubic Bézier curve from 0 to 1 with two points between.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToneCurves {
    /// Height of the point that bends dark levels, from 0 to 1.
    pub low_y: [f64; 3],
    /// Height of the point that bends bright levels, from 0 to 1.
    pub high_y: [f64; 3],
}

impl Op for RandomToneCurve {
    /// `None`: rests.
    type Draw = Option<ToneCurves>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<ToneCurves> {
        rng.bernoulli(self.p).then(|| {
            let mut heights = |mean: f64| {
                let mut height = || (mean + self.scale * rng.normal()).clamp(0.0, 1.0);
                let first = height();
                if self.per_channel { [first, height(), height()] } else { [first; 3] }
            };
            ToneCurves { low_y: heights(0.25), high_y: heights(0.75) }
        })
    }

    fn render(&self, mut image: Image8, draw: &Option<ToneCurves>) -> Image8 {
        if let Some(ToneCurves { low_y, high_y }) = *draw {
            let tables = [0, 1, 2].map(|channel| curve(low_y[channel], high_y[channel]));
            if tables[0] == tables[1] && tables[0] == tables[2] {
                look_up(image.pixels_mut(), &tables[0]);
            } else {
                look_up_channels(image.rgb_mut(), &tables);
            }
        }
        image
    }
}

/// The curve as a table.
fn curve(low: f64, high: f64) -> [u8; 256] {
    std::array::from_fn(|level| {
        // `numpy.linspace(0, 1, 256)`.
        let t = if level == 255 { 1.0 } else { level as f64 * (1.0 / 255.0) };
        let rest = 1.0 - t;
        let bent = 3.0 * (rest * rest) * t * low + 3.0 * rest * (t * t) * high + t * t * t;
        level_half_even_f64((bent * 255.0).clamp(0.0, 255.0))
    })
}
