//! Bends the picture as a lens does, with probability `p`.
//!
//! # Randomness
//! Two draws: whether to act, and the strength, uniform.
//!
//! # Parity
//! albumentations' `OpticalDistortion` 2.0.8 with bilinear interpolation and OpenCV's `remap` of version 5. `render`
//! bit for bit in mode `camera`, where the reference moves the picture by half a pixel as well. Mode `fisheye` turns
//! places into angles and back there and is shorter here; places differ by 1e-4 pixels, and few levels are one off.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "optical_distortion", distort_limit = 0.3, mode = "fisheye" }]
//! ```

use super::OpSettings;
use crate::error::{Error, check_fill, check_probability};
use crate::geometry::bent::{Camera, Fisheye};
use crate::geometry::bilinear::interpolated;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::factor;
use crate::settings::border_mode::BorderMode;
use crate::settings::fill;
use crate::settings::symmetric_range::SymmetricRange;
use serde::{Deserialize, Serialize};

/// The model of a lens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lens {
    /// Distances from the middle grow by `1 + k r^2 + k r^4`, `r` in parts of the picture's sides.
    #[default]
    Camera,
    /// Distances from the middle grow by `1 + k r^2`, where `r` is 1 in the corners.
    Fisheye,
}

/// Settings of [`OpticalDistortion`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpticalDistortionSpec {
    /// Smallest and largest strength `k`; `0.05` is `[-0.05, 0.05]`.
    pub distort_limit: SymmetricRange,
    /// The model of the lens.
    pub mode: Lens,
    /// What is shown outside of the picture.
    pub border_mode: BorderMode,
    /// The colour that border mode `constant` shows. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for OpticalDistortionSpec {
    fn default() -> Self {
        Self {
            distort_limit: SymmetricRange::around(0.05),
            mode: Lens::Camera,
            border_mode: BorderMode::Constant,
            fill: [0; 3],
            p: 0.5,
        }
    }
}

impl OpSettings for OpticalDistortionSpec {
    type Op = OpticalDistortion;

    fn build(&self, _: Size) -> Result<OpticalDistortion, Error> {
        const MUST_BE: &str = "from 0 to 100, or [min, max] with -100 <= min <= max <= 100";
        check_probability(self.p)?;
        check_fill(self.border_mode == BorderMode::Constant, self.fill)?;
        Ok(OpticalDistortion {
            strengths: self.distort_limit.within([-100.0, 100.0], "distort_limit", MUST_BE)?,
            mode: self.mode,
            border_mode: self.border_mode,
            fill: self.fill,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { distort_limit: SymmetricRange::around(0.5), p: 1.0, ..Self::default() }
    }
}

/// Bends the picture as a lens does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpticalDistortion {
    strengths: [f64; 2],
    mode: Lens,
    border_mode: BorderMode,
    fill: [u8; 3],
    p: f64,
}

impl Op for OpticalDistortion {
    /// The strength.
    type Draw = Option<f64>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<f64> {
        let acts = rng.bernoulli(self.p);
        let strength = rng.uniform(self.strengths[0], self.strengths[1]);
        acts.then_some(strength)
    }

    fn render(&self, image: Image8, draw: &Option<f64>) -> Image8 {
        let Some(strength) = *draw else { return image };
        let (k, beyond) = (factor(strength), self.border_mode.into());
        let sides = [image.size().width, image.size().height].map(f64::from);
        match self.mode {
            Lens::Camera => interpolated(image, Camera { sides, k }, beyond, self.fill),
            Lens::Fisheye => {
                let places = Fisheye { sides: sides.map(factor), k };
                interpolated(image, places, beyond, self.fill)
            }
        }
    }
}
