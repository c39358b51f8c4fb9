//! Turns, moves, scales and shears by random amounts.
//!
//! # Randomness
//! One draw for the angle; with `translate` two, across and down; with `scale` one; with `shear` one, or two if it has
//! a range for each axis. All are uniform; moves are rounded to whole pixels.
//!
//! # Parity
//! torchvision's `RandomAffine` on PIL pictures; `render` bit for bit. `lanczos` is a filter of resizing only and is
//! refused. Numbers are drawn in `f64` where torchvision draws in `f32`.
//!
//! # Example
//! ```toml
//! pipeline = [
//!     { type = "random_affine", degrees = 10, translate = [0.1, 0.1], scale = [0.9, 1.1], interpolation = "bilinear" },
//! ]
//! ```

use super::OpSettings;
use super::random_rotation::{check_center, nearest};
use crate::error::{Error, check};
use crate::geometry::affine::{Placement, middle};
use crate::geometry::interpolation::Interpolation;
use crate::geometry::warp::affine;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::integer_half_even;
use crate::settings::fill;
use crate::settings::one_or_list::OneOrList;
use crate::settings::symmetric_range::SymmetricRange;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomAffine`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomAffineSpec {
    /// Smallest and largest angle in degrees, clockwise; `15` is `[-15, 15]`.
    pub degrees: SymmetricRange,
    /// By how much the picture may move to either side, as parts of its width and its height; by default not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translate: Option<[f64; 2]>,
    /// Smallest and largest factor of the picture's size; by default always 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f64; 2]>,
    /// Smallest and largest angles of shearing in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shear: Option<Shear>,
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

/// Ranges of angles of shearing. In configurations as in torchvision: `10` or `[-10, 10]` along rows, or
/// `[-10, 10, -5, 5]` along rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "OneOrList<f64>", into = "OneOrList<f64>")]
pub struct Shear {
    /// Along rows.
    pub x: SymmetricRange,
    /// Along columns.
    pub y: Option<SymmetricRange>,
}

impl TryFrom<OneOrList<f64>> for Shear {
    type Error = String;

    fn try_from(setting: OneOrList<f64>) -> Result<Self, Self::Error> {
        let numbers = match setting {
            OneOrList::One(degrees) => {
                return Ok(Self { x: SymmetricRange::around(degrees), y: None });
            }
            OneOrList::List(numbers) => numbers,
        };
        let range = |min, max| SymmetricRange { min, max };
        match numbers[..] {
            [min, max] => Ok(Self { x: range(min, max), y: None }),
            [min, max, lowest, highest] => {
                Ok(Self { x: range(min, max), y: Some(range(lowest, highest)) })
            }
            _ => Err(format!("shear takes 1, 2 or 4 numbers, found {}", numbers.len())),
        }
    }
}

impl From<Shear> for OneOrList<f64> {
    fn from(Shear { x, y }: Shear) -> Self {
        match y {
            None => x.into(),
            Some(y) => Self::List(vec![x.min, x.max, y.min, y.max]),
        }
    }
}

impl OpSettings for RandomAffineSpec {
    type Op = RandomAffine;

    fn build(&self, _: Size) -> Result<RandomAffine, Error> {
        const PARTS: &str = "[across, down], each from 0 to 1";
        self.interpolation.check_moves()?;
        check_center(self.center)?;
        if let Some(parts) = self.translate {
            let accepted = parts.iter().all(|part| (0.0..=1.0).contains(part));
            check(accepted, "translate", PARTS, parts)?;
        }
        if let Some([low, high]) = self.scale {
            let accepted = 0.0 < low && low <= high && high < f64::INFINITY;
            check(accepted, "scale", "[min, max] with 0 < min <= max", [low, high])?;
        }
        let shear =
            |range: Option<SymmetricRange>| range.map(|range| range.angles("shear")).transpose();
        Ok(RandomAffine {
            degrees: self.degrees.angles("degrees")?,
            translate: self.translate,
            scale: self.scale,
            shear: [
                shear(self.shear.map(|shear| shear.x))?,
                shear(self.shear.and_then(|shear| shear.y))?,
            ],
            interpolation: self.interpolation,
            center: self.center,
            fill: self.fill,
        })
    }

    fn example() -> Self {
        let range = |min, max| SymmetricRange { min, max };
        Self {
            degrees: SymmetricRange::around(20.0),
            translate: Some([0.1, 0.2]),
            scale: Some([0.7, 1.2]),
            shear: Some(Shear { x: range(-10.0, 20.0), y: Some(range(-5.0, 5.0)) }),
            interpolation: Interpolation::Bilinear,
            center: None,
            fill: [9, 8, 7],
        }
    }
}

/// Turns, moves, scales and shears by random amounts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomAffine {
    degrees: [f64; 2],
    translate: Option<[f64; 2]>,
    scale: Option<[f64; 2]>,
    /// Along rows and along columns.
    shear: [Option<[f64; 2]>; 2],
    interpolation: Interpolation,
    center: Option<[f64; 2]>,
    fill: [u8; 3],
}

/// Where one application puts the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pose {
    /// In degrees, clockwise.
    pub angle: f64,
    /// Pixels to the right and down.
    pub translate: [i32; 2],
    /// The factor of the size.
    pub scale: f64,
    /// In degrees, along rows and along columns.
    pub shear: [f64; 2],
}

impl Op for RandomAffine {
    type Draw = Pose;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Pose {
        let mut within = |[low, high]: [f64; 2]| rng.uniform(low, high);
        let angle = within(self.degrees);
        let mut moved = |part: f64, len: u32| {
            let most = part * f64::from(len);
            integer_half_even(within([-most, most]))
        };
        let translate = self
            .translate
            .map_or([0; 2], |[across, down]| [moved(across, size.width), moved(down, size.height)]);
        let scale = self.scale.map_or(1.0, &mut within);
        let shear = self.shear.map(|range| range.map_or(0.0, &mut within));
        Pose { angle, translate, scale, shear }
    }

    fn render(&self, image: Image8, draw: &Pose) -> Image8 {
        let Pose { angle, translate, scale, shear } = *draw;
        let translate = translate.map(f64::from);
        let center = self.center.unwrap_or_else(|| middle(image.size()));
        let matrix = Placement { angle, translate, scale, shear }.inverse(center);
        affine(image, matrix, self.interpolation, self.fill)
    }
}
