//! Shifts hue, saturation and value with probability `p`.
//!
//! # Randomness
//! Four draws: whether to act, and the three shifts.
//!
//! # Parity
//! albumentations' `HueSaturationValue` (2.0.8) with `OpenCV`'s conversions in 8 bits; `render` bit for bit, and within one level in
//! the last pixels of a row, which `OpenCV` computes in another way than the others. Shifts of
//! saturation and value are cut to whole levels; gray pixels stay gray.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "hue_saturation_value", hue_shift_limit = 20, sat_shift_limit = 30, val_shift_limit = 20 }]
//! ```

use super::OpSettings;
use crate::color::opencv_hsv::{hsv_to_rgb, rgb_to_hsv};
use crate::color::planes::{PixelFunction, each_pixel};
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::{level_towards_zero_f64, shift_towards_zero, shifted_level};
use crate::settings::symmetric_range::SymmetricRange;
use serde::{Deserialize, Serialize};

/// Settings of [`HueSaturationValue`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HueSaturationValueSpec {
    /// Turn of the colour wheel in steps of two degrees: up to this many, or from `[min, max]`.
    pub hue_shift_limit: SymmetricRange,
    /// Levels of saturation.
    pub sat_shift_limit: SymmetricRange,
    /// Levels of value.
    pub val_shift_limit: SymmetricRange,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for HueSaturationValueSpec {
    fn default() -> Self {
        Self {
            hue_shift_limit: SymmetricRange::around(20.0),
            sat_shift_limit: SymmetricRange::around(30.0),
            val_shift_limit: SymmetricRange::around(20.0),
            p: 0.5,
        }
    }
}

impl OpSettings for HueSaturationValueSpec {
    type Op = HueSaturationValue;

    fn build(&self, _: Size) -> Result<HueSaturationValue, Error> {
        const HUE: &str = "from 0 to 180, or [min, max] with -180 <= min <= max <= 180";
        const LEVELS: &str = "from 0 to 255, or [min, max] with -255 <= min <= max <= 255";
        check_probability(self.p)?;
        Ok(HueSaturationValue {
            hue: self.hue_shift_limit.within([-180.0, 180.0], "hue_shift_limit", HUE)?,
            saturation: self.sat_shift_limit.within([-255.0, 255.0], "sat_shift_limit", LEVELS)?,
            value: self.val_shift_limit.within([-255.0, 255.0], "val_shift_limit", LEVELS)?,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Shifts hue, saturation and value with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HueSaturationValue {
    hue: [f64; 2],
    saturation: [f64; 2],
    value: [f64; 2],
    p: f64,
}

/// What is added to hue (modulo 180), saturation and value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HsvShift {
    /// In steps of two degrees.
    pub hue: f64,
    /// In levels; gray pixels stay gray.
    pub saturation: f64,
    /// In levels.
    pub value: f64,
}

#[derive(Clone, Copy)]
struct Shift<'a> {
    hues: &'a [u8; 256],
    saturation: i16,
    value: i16,
}

impl PixelFunction for Shift<'_> {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        let [hue, saturation, value] = rgb_to_hsv(pixel);
        let shifted = shifted_level(saturation, self.saturation);
        let saturation = if saturation == 0 { 0 } else { shifted };
        let value = shifted_level(value, self.value);
        hsv_to_rgb([self.hues[usize::from(hue)], saturation, value])
    }
}

impl Op for HueSaturationValue {
    type Draw = Option<HsvShift>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<HsvShift> {
        let acts = rng.bernoulli(self.p);
        let mut uniform = |[low, high]: [f64; 2]| rng.uniform(low, high);
        let (hue, saturation) = (uniform(self.hue), uniform(self.saturation));
        let value = uniform(self.value);
        acts.then_some(HsvShift { hue, saturation, value })
    }

    fn render(&self, mut image: Image8, draw: &Option<HsvShift>) -> Image8 {
        if let Some(shift) = draw {
            let mut hue = 0.0;
            let hues = [(); 256].map(|()| {
                let turned = level_towards_zero_f64((hue + shift.hue).rem_euclid(180.0));
                hue += 1.0;
                turned
            });
            let whole = |amount: f64| shift_towards_zero(amount.clamp(-255.0, 255.0));
            let (saturation, value) = (whole(shift.saturation), whole(shift.value));
            each_pixel(&mut image, Shift { hues: &hues, saturation, value });
        }
        image
    }
}
