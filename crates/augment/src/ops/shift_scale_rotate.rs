//! Moves, scales and turns by random amounts, with probability `p`.
//!
//! # Randomness
//! One draw: whether to act. Then two for the move, two for the factors of width and height, and one for the angle, all
//! uniform. Moves are cut to whole pixels.
//!
//! # Parity
//! albumentations' `ShiftScaleRotate` 2.0.8, which scales width and height each by its own factor, and OpenCV's
//! `warpAffine` of version 5; `render` bit for bit, but for the last columns, fewer than a vector has: OpenCV rounds
//! places otherwise there, and a level in a thousand or so is one off.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "shift_scale_rotate", shift_limit = 0.1, scale_limit = 0.1, rotate_limit = 15, p = 0.7 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_fill, check_probability};
use crate::geometry::interpolation::Interpolation;
use crate::geometry::opencv_affine::OpenCvAffine;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixels_towards_zero;
use crate::settings::border_mode::BorderMode;
use crate::settings::fill;
use crate::settings::symmetric_range::SymmetricRange;
use serde::{Deserialize, Serialize};

/// Settings of [`ShiftScaleRotate`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShiftScaleRotateSpec {
    /// Smallest and largest move, as parts of the picture's sides from -1 to 1; `0.1` is `[-0.1, 0.1]`.
    pub shift_limit: SymmetricRange,
    /// The range of moves to the right, if it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift_limit_x: Option<SymmetricRange>,
    /// The range of moves down, if it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift_limit_y: Option<SymmetricRange>,
    /// Smallest and largest change of the size, above -1; `0.1` makes the picture 0.9 to 1.1 times as large.
    pub scale_limit: SymmetricRange,
    /// Smallest and largest angle in degrees, counter-clockwise; `45` is `[-45, 45]`.
    pub rotate_limit: SymmetricRange,
    /// `nearest` or `bilinear`.
    pub interpolation: Interpolation,
    /// What is shown outside of the picture.
    pub border_mode: BorderMode,
    /// The colour that border mode `constant` shows. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for ShiftScaleRotateSpec {
    fn default() -> Self {
        Self {
            shift_limit: SymmetricRange::around(0.0625),
            shift_limit_x: None,
            shift_limit_y: None,
            scale_limit: SymmetricRange::around(0.1),
            rotate_limit: SymmetricRange::around(45.0),
            interpolation: Interpolation::Bilinear,
            border_mode: BorderMode::Constant,
            fill: [0; 3],
            p: 0.5,
        }
    }
}

impl OpSettings for ShiftScaleRotateSpec {
    type Op = ShiftScaleRotate;

    fn build(&self, _: Size) -> Result<ShiftScaleRotate, Error> {
        const PARTS: &str = "from 0 to 1, or [min, max] with -1 <= min <= max <= 1";
        const CHANGE: &str = "from 0 to below 1, or [min, max] with -1 < min <= max <= 1000";
        check_probability(self.p)?;
        check_fill(self.border_mode == BorderMode::Constant, self.fill)?;
        let nearest = self.interpolation == Interpolation::Nearest;
        let accepted = nearest || self.interpolation == Interpolation::Bilinear;
        check(accepted, "interpolation", "nearest or bilinear", self.interpolation)?;
        let shift = |range: Option<SymmetricRange>, field| match range {
            Some(range) => range.within([-1.0, 1.0], field, PARTS),
            None => self.shift_limit.within([-1.0, 1.0], "shift_limit", PARTS),
        };
        let both = self.shift_limit_x.is_some() && self.shift_limit_y.is_some();
        let used = !both || self.shift_limit == Self::default().shift_limit;
        check(
            used,
            "shift_limit",
            "left out beside shift_limit_x and shift_limit_y",
            self.shift_limit.max,
        )?;
        let scale =
            self.scale_limit.within([(-1.0_f64).next_up(), 1000.0], "scale_limit", CHANGE)?;
        Ok(ShiftScaleRotate {
            shift: [
                shift(self.shift_limit_x, "shift_limit_x")?,
                shift(self.shift_limit_y, "shift_limit_y")?,
            ],
            scale: scale.map(|change| 1.0 + change),
            rotate: self.rotate_limit.angles("rotate_limit")?,
            nearest,
            border_mode: self.border_mode,
            fill: self.fill,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { border_mode: BorderMode::Reflect101, p: 1.0, ..Self::default() }
    }
}

/// Moves, scales and turns by random amounts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftScaleRotate {
    /// Across and down.
    shift: [[f64; 2]; 2],
    scale: [f64; 2],
    rotate: [f64; 2],
    nearest: bool,
    border_mode: BorderMode,
    fill: [u8; 3],
    p: f64,
}

/// Where one application puts the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Movement {
    /// Pixels to the right and down.
    pub shift: [i32; 2],
    /// The factors of width and height.
    pub scale: [f64; 2],
    /// In degrees, counter-clockwise.
    pub angle: f64,
}

impl Movement {
    /// From places in a picture of `size` to those in the result, between the centres of pixels.
    fn matrix(self, size: Size) -> [f64; 6] {
        let [center_x, center_y] = [size.width, size.height].map(|len| f64::from(len) / 2.0 - 0.5);
        let (sin, cos) = self.angle.rem_euclid(360.0).to_radians().sin_cos();
        let [scale_x, scale_y] = self.scale;
        let [right, down] = self.shift.map(f64::from);
        let (across_x, down_x) = (cos * scale_x, sin * scale_y);
        let (across_y, down_y) = (-sin * scale_x, cos * scale_y);
        let at_x = -center_x * across_x - center_y * down_x + (center_x + right);
        let at_y = -center_x * across_y - center_y * down_y + (center_y + down);
        [across_x, down_x, at_x, across_y, down_y, at_y]
    }
}

/// Whether a matrix differs so little from that which changes nothing that albumentations does nothing:
/// `numpy.allclose`.
fn changes_nothing(matrix: [f64; 6]) -> bool {
    let expect = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    matrix.iter().zip(expect).all(|(entry, expect)| (entry - expect).abs() <= 1e-8 + 1e-5 * expect)
}

impl Op for ShiftScaleRotate {
    type Draw = Option<Movement>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Movement> {
        rng.bernoulli(self.p).then(|| {
            let mut within = |[low, high]: [f64; 2]| rng.uniform(low, high);
            let mut moved = |range, len: u32| pixels_towards_zero(within(range) * f64::from(len));
            let shift = [moved(self.shift[0], size.width), moved(self.shift[1], size.height)];
            let scale = [within(self.scale), within(self.scale)];
            Movement { shift, scale, angle: within(self.rotate) }
        })
    }

    fn render(&self, image: Image8, draw: &Option<Movement>) -> Image8 {
        let Some(movement) = draw else { return image };
        let matrix = movement.matrix(image.size());
        if changes_nothing(matrix) {
            return image;
        }
        let (map, beyond) = (OpenCvAffine::inverse_of(matrix), self.border_mode.into());
        if self.nearest {
            map.nearest(image, beyond, self.fill)
        } else {
            map.bilinear(image, beyond, self.fill)
        }
    }
}
