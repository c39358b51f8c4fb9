//! Shows the picture as if seen from elsewhere, with probability `p`.
//!
//! # Randomness
//! One draw: whether to act; then two for each corner, how far it moves inwards, in whole pixels.
//!
//! # Parity
//! torchvision's `RandomPerspective` on PIL pictures; `render` bit for bit, but for corners that stay: there the solver
//! of torchvision is off by 1e-15, which may cut a level to the one below. A picture of one row or column, for which
//! there is no perspective, stays as it is. `lanczos` is a filter of resizing only and is refused.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_perspective", distortion_scale = 0.3 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check_part, check_probability};
use crate::geometry::interpolation::Interpolation;
use crate::geometry::perspective::Perspective;
use crate::geometry::warp::mapped;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixels_down;
use crate::settings::fill;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomPerspective`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomPerspectiveSpec {
    /// How far corners may move, as a part of half of the picture's sides, from 0 to 1.
    pub distortion_scale: f64,
    /// How often to act, from 0 to 1.
    pub p: f64,
    /// `nearest`, `bilinear` or `bicubic`.
    pub interpolation: Interpolation,
    /// What is shown outside of the picture. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
}

impl Default for RandomPerspectiveSpec {
    fn default() -> Self {
        Self { distortion_scale: 0.5, p: 0.5, interpolation: Interpolation::Bilinear, fill: [0; 3] }
    }
}

impl OpSettings for RandomPerspectiveSpec {
    type Op = RandomPerspective;

    fn build(&self, _: Size) -> Result<RandomPerspective, Error> {
        let scale = self.distortion_scale;
        check_part("distortion_scale", scale)?;
        check_probability(self.p)?;
        self.interpolation.check_moves()?;
        Ok(RandomPerspective {
            scale,
            p: self.p,
            interpolation: self.interpolation,
            fill: self.fill,
        })
    }

    fn example() -> Self {
        Self { p: 1.0, fill: [9, 8, 7], ..Self::default() }
    }
}

/// Shows the picture as if seen from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomPerspective {
    scale: f64,
    p: f64,
    interpolation: Interpolation,
    fill: [u8; 3],
}

impl Op for RandomPerspective {
    /// Where the corners go, `[x, y]` each: upper left, upper right, lower right, lower left.
    type Draw = Option<[[u32; 2]; 4]>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<[[u32; 2]; 4]> {
        rng.bernoulli(self.p).then(|| {
            let mut inwards =
                |len: u32| rng.integer(0, pixels_down(self.scale * f64::from(len / 2)));
            let sides = [[false, false], [true, false], [true, true], [false, true]];
            sides.map(|[right, bottom]| {
                let mut place = |far: bool, len: u32| {
                    let inwards = inwards(len);
                    if far { len - 1 - inwards } else { inwards }
                };
                [place(right, size.width), place(bottom, size.height)]
            })
        })
    }

    fn render(&self, image: Image8, draw: &Option<[[u32; 2]; 4]>) -> Image8 {
        let Some(corners) = draw else { return image };
        let [right, bottom] =
            [image.size().width, image.size().height].map(|len| f64::from(len - 1));
        let from = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
        match Perspective::between(from, corners.map(|corner| corner.map(f64::from))) {
            Some(perspective) => mapped(image, perspective, self.interpolation, self.fill),
            None => image,
        }
    }
}
