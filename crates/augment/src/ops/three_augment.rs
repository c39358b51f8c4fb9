//! Takes the colour away, solarizes or blurs, then changes brightness, contrast and saturation.
//!
//! # Randomness
//! Two draws, which of the three and the blur's radius; then those of `color_jitter`.
//!
//! # Parity
//! 3-Augment of `DeiT` III (Touvron et al., 2022) in its authors' code, which uses PIL: solarizing from level 128, a
//! Gaussian blur, torchvision's `ColorJitter`; `render` bit for bit. The crop and the flip that the paper counts to it
//! are ops of their own.
//!
//! # Example
//! ```toml
//! pipeline = [
//!     { type = "random_resized_crop" },
//!     { type = "random_horizontal_flip" },
//!     { type = "three_augment", color_jitter = 0.3 },
//! ]
//! ```

use super::OpSettings;
use super::color_jitter::{Adjustments, ColorJitter, ColorJitterSpec};
use crate::blur::pillow::gaussian_blur_of_pillow;
use crate::color::adjust::to_grayscale;
use crate::color::levels::solarize;
use crate::error::{Error, check};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::factor;
use crate::settings::strength::Strength;
use serde::{Deserialize, Serialize};

/// Settings of [`ThreeAugment`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThreeAugmentSpec {
    /// How far brightness, contrast and saturation may go from 1; at least 0.
    pub color_jitter: f64,
    /// Smallest and largest radius of the blur in pixels, from 0 to 100.
    pub radius: [f64; 2],
}

impl Default for ThreeAugmentSpec {
    fn default() -> Self {
        Self { color_jitter: 0.3, radius: [0.1, 2.0] }
    }
}

impl OpSettings for ThreeAugmentSpec {
    type Op = ThreeAugment;

    fn build(&self, default: Size) -> Result<ThreeAugment, Error> {
        let amount = self.color_jitter;
        let accepted = (0.0..f64::INFINITY).contains(&amount);
        check(accepted, "color_jitter", "at least 0", amount)?;
        let [low, high] = self.radius;
        check(
            0.0 <= low && low <= high && high <= 100.0,
            "radius",
            "[min, max] with 0 <= min <= max <= 100",
            self.radius,
        )?;
        let strength = Strength::Around(amount);
        let jitter = ColorJitterSpec {
            brightness: strength,
            contrast: strength,
            saturation: strength,
            ..Default::default()
        };
        Ok(ThreeAugment { radius: self.radius, jitter: jitter.build(default)? })
    }

    fn example() -> Self {
        Self::default()
    }
}

/// Takes the colour away, solarizes or blurs, then changes brightness, contrast and saturation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThreeAugment {
    radius: [f64; 2],
    jitter: ColorJitter,
}

/// One of the three.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alteration {
    /// Gives all channels the grey level.
    Grayscale,
    /// Makes the negative of levels from 128 on.
    Solarize,
    /// Blurs with this radius in pixels.
    GaussianBlur(f64),
}

/// What one application does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Altered {
    /// First.
    pub alteration: Alteration,
    /// Then.
    pub jitter: Adjustments,
}

impl Op for ThreeAugment {
    type Draw = Altered;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Altered {
        let choice = rng.below(3);
        let [low, high] = self.radius;
        let radius = rng.uniform(low, high);
        let alteration = match choice {
            0 => Alteration::Grayscale,
            1 => Alteration::Solarize,
            _ => Alteration::GaussianBlur(radius),
        };
        Altered { alteration, jitter: self.jitter.draw(size, rng) }
    }

    fn render(&self, mut image: Image8, draw: &Altered) -> Image8 {
        match draw.alteration {
            Alteration::Grayscale => to_grayscale(&mut image),
            Alteration::Solarize => solarize(&mut image, 128.0),
            Alteration::GaussianBlur(radius) => gaussian_blur_of_pillow(&mut image, factor(radius)),
        }
        self.jitter.render(image, &draw.jitter)
    }
}
