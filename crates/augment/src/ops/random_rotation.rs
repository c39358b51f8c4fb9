//! Turns by a random angle.
//!
//! # Randomness
//! One draw: the angle, uniform.
//!
//! # Parity
//! torchvision's `RandomRotation` on PIL pictures, without `expand`; `render` bit for bit. `lanczos` is a filter of
//! resizing only and is refused. The angle is drawn in `f64` where torchvision draws in `f32`.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_rotation", degrees = 15, interpolation = "bilinear" }]
//! ```

use super::OpSettings;
use crate::error::{Error, check};
use crate::geometry::affine::rotation;
use crate::geometry::interpolation::Interpolation;
use crate::geometry::warp::affine;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::policy::action::rotate;
use crate::settings::fill;
use crate::settings::symmetric_range::SymmetricRange;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomRotation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomRotationSpec {
    /// Smallest and largest angle in degrees, counter-clockwise; `15` is `[-15, 15]`.
    pub degrees: SymmetricRange,
    /// `nearest`, `bilinear` or `bicubic`.
    #[serde(default = "nearest")]
    pub interpolation: Interpolation,
    /// What is turned about, `[x, y]` in pixels from the upper left corner; by default the middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<[f64; 2]>,
    /// What is shown outside of the picture. In configurations a level or `[red, green, blue]`.
    #[serde(default, with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
}

/// torchvision's default of ops that turn.
pub(crate) const fn nearest() -> Interpolation {
    Interpolation::Nearest
}

/// Checks a place.
pub(crate) fn check_center(center: Option<[f64; 2]>) -> Result<(), Error> {
    let Some(place) = center else { return Ok(()) };
    let accepted = place.iter().all(|at| at.abs() <= 1e6);
    check(accepted, "center", "[x, y], each up to 1000000 in size", place)
}

impl OpSettings for RandomRotationSpec {
    type Op = RandomRotation;

    fn build(&self, _: Size) -> Result<RandomRotation, Error> {
        self.interpolation.check_moves()?;
        check_center(self.center)?;
        Ok(RandomRotation {
            degrees: self.degrees.angles("degrees")?,
            interpolation: self.interpolation,
            center: self.center,
            fill: self.fill,
        })
    }

    fn example() -> Self {
        Self {
            degrees: SymmetricRange { min: -20.0, max: 40.0 },
            interpolation: Interpolation::Bilinear,
            center: None,
            fill: [9, 8, 7],
        }
    }
}

/// Turns by a random angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomRotation {
    degrees: [f64; 2],
    interpolation: Interpolation,
    center: Option<[f64; 2]>,
    fill: [u8; 3],
}

impl Op for RandomRotation {
    /// The angle in degrees, counter-clockwise.
    type Draw = f64;

    fn draw(&self, _: Size, rng: &mut OpRng) -> f64 {
        let [low, high] = self.degrees;
        rng.uniform(low, high)
    }

    fn render(&self, image: Image8, draw: &f64) -> Image8 {
        match self.center {
            // Pillow turns by right angles without a filter only about the middle.
            None => rotate(image, *draw, self.interpolation, self.fill),
            Some(center) => affine(image, rotation(*draw, center), self.interpolation, self.fill),
        }
    }
}
