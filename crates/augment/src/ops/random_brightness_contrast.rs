//! Changes contrast and brightness with probability `p`.
//!
//! # Randomness
//! Three draws: whether to act, contrast, brightness.
//!
//! # Parity
//! albumentations' `RandomBrightnessContrast` (2.0.8): `level * contrast + brightness` in `f32`, cut to a whole level;
//! `render` bit for bit. Brightness is a part of 255, or of the mean of all levels with `brightness_by_max = false`.
//! `ensure_safe_range` is left out.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_brightness_contrast", brightness_limit = 0.2, contrast_limit = 0.2 }]
//! ```

use super::OpSettings;
use crate::color::lookup::look_up;
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::{factor, level_towards_zero};
use crate::settings::symmetric_range::SymmetricRange;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomBrightnessContrast`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomBrightnessContrastSpec {
    /// How much brighter or darker, as a part of the highest level or of the mean.
    pub brightness_limit: SymmetricRange,
    /// How much the factor of all levels differs from 1.
    pub contrast_limit: SymmetricRange,
    /// Whether brightness is a part of the highest level rather than of the mean.
    pub brightness_by_max: bool,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomBrightnessContrastSpec {
    fn default() -> Self {
        let limit = SymmetricRange::around(0.2);
        Self { brightness_limit: limit, contrast_limit: limit, brightness_by_max: true, p: 0.5 }
    }
}

impl OpSettings for RandomBrightnessContrastSpec {
    type Op = RandomBrightnessContrast;

    fn build(&self, _: Size) -> Result<RandomBrightnessContrast, Error> {
        const MUST_BE: &str = "from 0 to 1, or [min, max] with -1 <= min <= max <= 1";
        check_probability(self.p)?;
        Ok(RandomBrightnessContrast {
            brightness: self.brightness_limit.within([-1.0, 1.0], "brightness_limit", MUST_BE)?,
            contrast: self.contrast_limit.within([-1.0, 1.0], "contrast_limit", MUST_BE)?,
            by_max: self.brightness_by_max,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Changes contrast and brightness with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomBrightnessContrast {
    brightness: [f64; 2],
    contrast: [f64; 2],
    by_max: bool,
    p: f64,
}

/// What is done to each level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrightnessContrast {
    /// Its factor.
    pub contrast: f64,
    /// What is added then, as a part of 255 or of the mean.
    pub brightness: f64,
}

impl Op for RandomBrightnessContrast {
    type Draw = Option<BrightnessContrast>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<BrightnessContrast> {
        let acts = rng.bernoulli(self.p);
        let contrast = 1.0 + rng.uniform(self.contrast[0], self.contrast[1]);
        let brightness = rng.uniform(self.brightness[0], self.brightness[1]);
        acts.then_some(BrightnessContrast { contrast, brightness })
    }

    fn render(&self, mut image: Image8, draw: &Option<BrightnessContrast>) -> Image8 {
        let Some(BrightnessContrast { contrast, brightness }) = *draw else { return image };
        let unit = if self.by_max {
            255.0
        } else {
            // The mean over equal channels is that over one, so a gray picture may stay as it is.
            let sum: u64 = image.pixels().iter().map(|&level| u64::from(level)).sum();
            sum as f64 / image.pixels().len() as f64
        };
        let (contrast, added) = (factor(contrast), factor(brightness * unit));
        let mut level = 0.0;
        let table = [(); 256].map(|()| {
            let changed = level_towards_zero(level * contrast + added);
            level += 1.0;
            changed
        });
        look_up(image.pixels_mut(), &table);
        image
    }
}
