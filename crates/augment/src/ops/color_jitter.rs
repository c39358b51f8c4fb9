//! Changes brightness, contrast, saturation and hue, in random order.
//!
//! # Randomness
//! Three draws for the order and one for each of the four adjustments that has a range, in the order brightness,
//! contrast, saturation, hue.
//!
//! # Parity
//! torchvision's `ColorJitter` on PIL pictures, that is Pillow's `ImageEnhance` and its conversion to HSV and back;
//! `render` bit for bit. (On tensors torchvision computes in floating point and gets other levels.) Factors are drawn
//! in `f64` where torchvision draws in `f32`.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "color_jitter", brightness = 0.4, contrast = [0.8, 1.5], hue = 0.1 }]
//! ```

use super::OpSettings;
use crate::color::adjust::{adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation};
use crate::error::Error;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::strength::Strength;
use serde::{Deserialize, Serialize};

/// Settings of [`ColorJitter`]. All adjustments are off by default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColorJitterSpec {
    /// Factor of all levels; 0 is black.
    #[serde(skip_serializing_if = "Strength::is_none")]
    pub brightness: Strength,
    /// Factor of the distance to the mean grey.
    #[serde(skip_serializing_if = "Strength::is_none")]
    pub contrast: Strength,
    /// Factor of the distance to each pixel's own grey.
    #[serde(skip_serializing_if = "Strength::is_none")]
    pub saturation: Strength,
    /// Turn of the colour wheel, as a part of its circumference.
    #[serde(skip_serializing_if = "Strength::is_none")]
    pub hue: Strength,
}

impl OpSettings for ColorJitterSpec {
    type Op = ColorJitter;

    fn build(&self, _: Size) -> Result<ColorJitter, Error> {
        Ok(ColorJitter {
            brightness: self.brightness.of_factor("brightness")?,
            contrast: self.contrast.of_factor("contrast")?,
            saturation: self.saturation.of_factor("saturation")?,
            hue: self.hue.of_hue()?,
        })
    }

    fn example() -> Self {
        Self {
            brightness: Strength::Around(0.4),
            contrast: Strength::Between(0.8, 1.5),
            saturation: Strength::Around(0.4),
            hue: Strength::Around(0.1),
        }
    }
}

/// Changes brightness, contrast, saturation and hue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColorJitter {
    brightness: Option<[f64; 2]>,
    contrast: Option<[f64; 2]>,
    saturation: Option<[f64; 2]>,
    hue: Option<[f64; 2]>,
}

/// One of the four adjustments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// Blends with black.
    Brightness,
    /// Blends with the mean grey.
    Contrast,
    /// Blends with the grey version.
    Saturation,
    /// Turns the colour wheel.
    Hue,
}

impl Adjustment {
    /// All four, in torchvision's numbering.
    pub const ALL: [Self; 4] = [Self::Brightness, Self::Contrast, Self::Saturation, Self::Hue];
}

/// What one application does. An adjustment without a factor is left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustments {
    /// The order in which to adjust.
    pub order: [Adjustment; 4],
    /// Neutral at 1.
    pub brightness: Option<f64>,
    /// Neutral at 1.
    pub contrast: Option<f64>,
    /// Neutral at 1.
    pub saturation: Option<f64>,
    /// From -0.5 to 0.5.
    pub hue: Option<f64>,
}

impl Op for ColorJitter {
    type Draw = Adjustments;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Adjustments {
        let mut order = Adjustment::ALL;
        rng.shuffle(&mut order);
        let mut factor = |range: Option<[f64; 2]>| range.map(|[low, high]| rng.uniform(low, high));
        Adjustments {
            order,
            brightness: factor(self.brightness),
            contrast: factor(self.contrast),
            saturation: factor(self.saturation),
            hue: factor(self.hue),
        }
    }

    fn render(&self, mut image: Image8, draw: &Adjustments) -> Image8 {
        for adjustment in draw.order {
            let (adjust, factor): (fn(&mut Image8, f64), _) = match adjustment {
                Adjustment::Brightness => (adjust_brightness, draw.brightness),
                Adjustment::Contrast => (adjust_contrast, draw.contrast),
                Adjustment::Saturation => (adjust_saturation, draw.saturation),
                Adjustment::Hue => (adjust_hue, draw.hue),
            };
            if let Some(factor) = factor {
                adjust(&mut image, factor);
            }
        }
        image
    }
}
