//! Multiplies levels by random factors with probability `p`.
//!
//! # Randomness
//! One draw: whether to act. Then a factor, or three with `per_channel`; with `elementwise` a seed instead.
//!
//! # Parity
//! albumentations' `MultiplicativeNoise` (2.0.8): products in `f32` are cut to whole levels; `render` of given factors
//! bit for bit. Factors of single pixels have the same distribution and other numbers.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "multiplicative_noise", multiplier = [0.9, 1.1], elementwise = true, p = 0.3 }]
//! ```

use super::OpSettings;
use crate::color::lookup::{look_up, look_up_channels};
use crate::error::{Error, check, check_probability};
use crate::image::{Channels, Image8, Size};
use crate::key::OpRng;
use crate::noise::level_field::{LevelNoise, each_level};
use crate::op::Op;
use crate::round::{factor, level_towards_zero};
use serde::{Deserialize, Serialize};

/// Settings of [`MultiplicativeNoise`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultiplicativeNoiseSpec {
    /// Smallest and largest factor.
    pub multiplier: [f64; 2],
    /// Whether each channel has a factor of its own.
    pub per_channel: bool,
    /// Whether each pixel has a factor of its own.
    pub elementwise: bool,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for MultiplicativeNoiseSpec {
    fn default() -> Self {
        Self { multiplier: [0.9, 1.1], per_channel: false, elementwise: false, p: 0.5 }
    }
}

impl OpSettings for MultiplicativeNoiseSpec {
    type Op = MultiplicativeNoise;

    fn build(&self, _: Size) -> Result<MultiplicativeNoise, Error> {
        check_probability(self.p)?;
        let [low, high] = self.multiplier;
        let accepted = 0.0 <= low && low <= high && high <= 255.0;
        check(accepted, "multiplier", "[min, max] with 0 <= min <= max <= 255", self.multiplier)?;
        Ok(MultiplicativeNoise {
            factors: self.multiplier,
            per_channel: self.per_channel,
            elementwise: self.elementwise,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { per_channel: true, elementwise: true, p: 1.0, ..Self::default() }
    }
}

/// Multiplies levels by random factors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiplicativeNoise {
    factors: [f64; 2],
    per_channel: bool,
    elementwise: bool,
    p: f64,
}

/// The factors of one application.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Multipliers {
    /// Of red, green and blue.
    Channels([f64; 3]),
    /// The seed of a field. Level `i` of the picture, or pixel `i` if channels share factors, has the number `n` of the
    /// 16 bits from `16 (i mod 4)` on of `splitmix64(seed + floor(i / 4))`, and the factor `min + n ((max - min) /
    /// 65536)` of the setting `multiplier`.
    Field(u64),
}

#[derive(Clone, Copy)]
struct Multiply {
    low: f32,
    step: f32,
}

impl LevelNoise for Multiply {
    #[inline(always)]
    fn of(self, level: u8, value: u16) -> u8 {
        level_towards_zero(f32::from(level) * (self.low + f32::from(value) * self.step))
    }
}

impl Op for MultiplicativeNoise {
    /// `None`: rests.
    type Draw = Option<Multipliers>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<Multipliers> {
        rng.bernoulli(self.p).then(|| {
            if self.elementwise {
                return Multipliers::Field(rng.bits());
            }
            let mut factor = || rng.uniform(self.factors[0], self.factors[1]);
            let first = factor();
            Multipliers::Channels(if self.per_channel {
                [first, factor(), factor()]
            } else {
                [first; 3]
            })
        })
    }

    fn render(&self, mut image: Image8, draw: &Option<Multipliers>) -> Image8 {
        match *draw {
            None => image,
            Some(Multipliers::Field(seed)) => {
                let [low, high] = self.factors;
                let noise = Multiply { low: factor(low), step: factor((high - low) / 65_536.0) };
                each_level(image, seed, !self.per_channel, noise)
            }
            Some(Multipliers::Channels(factors)) => {
                let tables = factors.map(table);
                if image.channels() == Channels::Gray
                    && tables[0] == tables[1]
                    && tables[0] == tables[2]
                {
                    look_up(image.pixels_mut(), &tables[0]);
                } else {
                    look_up_channels(image.rgb_mut(), &tables);
                }
                image
            }
        }
    }
}

/// Every level multiplied.
fn table(multiplier: f64) -> [u8; 256] {
    let mut levels = 0..=u8::MAX;
    let multiplier = factor(multiplier);
    std::array::from_fn(|_| {
        level_towards_zero(f32::from(levels.next().unwrap_or(u8::MAX)) * multiplier)
    })
}
