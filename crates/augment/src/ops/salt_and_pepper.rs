//! Makes some pixels white and some black with probability `p`.
//!
//! # Randomness
//! Four draws: whether to act, the part of pixels that change, the part of these that become white, a seed.
//!
//! # Parity
//! albumentations' `SaltAndPepper` (2.0.8); `render` of given pixels bit for bit. Each pixel changes independently of
//! the others with the drawn probability (right within 2^-17), where albumentations changes exactly that part of all
//! pixels.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "salt_and_pepper", amount = [0.01, 0.06], salt_vs_pepper = [0.4, 0.6], p = 0.3 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::noise::level_field::{LevelNoise, each_level};
use crate::op::Op;
use crate::round::pixels_half_even;
use serde::{Deserialize, Serialize};

/// Settings of [`SaltAndPepper`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SaltAndPepperSpec {
    /// Smallest and largest part of the pixels that change.
    pub amount: [f64; 2],
    /// Smallest and largest part of these that become white; the others become black.
    pub salt_vs_pepper: [f64; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for SaltAndPepperSpec {
    fn default() -> Self {
        Self { amount: [0.01, 0.06], salt_vs_pepper: [0.4, 0.6], p: 0.5 }
    }
}

impl OpSettings for SaltAndPepperSpec {
    type Op = SaltAndPepper;

    fn build(&self, _: Size) -> Result<SaltAndPepper, Error> {
        const MUST_BE: &str = "[min, max] with 0 <= min <= max <= 1";
        check_probability(self.p)?;
        let accepted = |[low, high]: [f64; 2]| 0.0 <= low && low <= high && high <= 1.0;
        check(accepted(self.amount), "amount", MUST_BE, self.amount)?;
        check(accepted(self.salt_vs_pepper), "salt_vs_pepper", MUST_BE, self.salt_vs_pepper)?;
        Ok(SaltAndPepper { amounts: self.amount, salts: self.salt_vs_pepper, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Makes some pixels white and some black.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaltAndPepper {
    amounts: [f64; 2],
    salts: [f64; 2],
    p: f64,
}

/// The white and black pixels of one application.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grains {
    /// The part of the pixels that change.
    pub amount: f64,
    /// The part of these that become white.
    pub salt: f64,
    /// Pixel `i` has the number `n` of the 16 bits from `16 (i mod 4)` on of `splitmix64(seed + floor(i / 4))`. It
    /// becomes white if `n < round(65536 amount salt)`, otherwise black if `n < round(65536 amount)`.
    pub seed: u64,
}

#[derive(Clone, Copy)]
struct Replace {
    /// Numbers below it are white.
    salt: u32,
    /// Numbers below it are white or black.
    any: u32,
}

impl LevelNoise for Replace {
    #[inline(always)]
    fn of(self, level: u8, value: u16) -> u8 {
        let value = u32::from(value);
        let kept = if value < self.any { 0 } else { level };
        if value < self.salt { u8::MAX } else { kept }
    }
}

impl Op for SaltAndPepper {
    /// `None`: rests.
    type Draw = Option<Grains>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<Grains> {
        rng.bernoulli(self.p).then(|| {
            let mut within = |[low, high]: [f64; 2]| rng.uniform(low, high);
            let (amount, salt) = (within(self.amounts), within(self.salts));
            Grains { amount, salt, seed: rng.bits() }
        })
    }

    fn render(&self, image: Image8, draw: &Option<Grains>) -> Image8 {
        let Some(Grains { amount, salt, seed }) = *draw else { return image };
        let below = |part: f64| pixels_half_even(part * 65_536.0);
        each_level(image, seed, true, Replace { salt: below(amount * salt), any: below(amount) })
    }
}
