//! Blurs along a line, as a camera does that moves.
//!
//! # Randomness
//! One draw: whether to act; then one each for the size of the kernel, the angle and the direction, and, with
//! `allow_shifted`, two for the shift, across and down.
//!
//! # Parity
//! albumentations' `MotionBlur`, which is OpenCV's `filter2D`; `render` bit for bit for kernels of up to 11 pixels, but for
//! the last 15 bytes of a row where 6 or 10 pixels are averaged and the mean lies between two levels. OpenCV filters
//! larger kernels in the frequency domain, and rounds a mean that lies between two levels by chance: one level off.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "motion_blur", blur_limit = [3, 9], angle_range = [0.0, 180.0], p = 0.3 }]
//! ```

use super::OpSettings;
use crate::blur::kernel_size;
use crate::blur::taps::{Place, Taps};
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixels_half_even;
use serde::{Deserialize, Serialize};

/// Settings of [`MotionBlur`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MotionBlurSpec {
    /// Smallest and largest side of the kernel in pixels, from 3 to 255; an even one is made odd by adding 1.
    pub blur_limit: [u32; 2],
    /// Smallest and largest angle of the line in degrees, from 0 to 360: 0 is along rows, 90 along columns.
    pub angle_range: [f64; 2],
    /// Smallest and largest part of the line that lies on one side, from -1 to 1: 0 is centred.
    pub direction_range: [f64; 2],
    /// Whether the line may lie beside the pixel, by up to a quarter of the kernel.
    pub allow_shifted: bool,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for MotionBlurSpec {
    fn default() -> Self {
        Self {
            blur_limit: [3, 7],
            angle_range: [0.0, 360.0],
            direction_range: [-1.0, 1.0],
            allow_shifted: true,
            p: 0.5,
        }
    }
}

impl OpSettings for MotionBlurSpec {
    type Op = MotionBlur;

    fn build(&self, _: Size) -> Result<MotionBlur, Error> {
        check_probability(self.p)?;
        let in_order = |[low, high]: [f64; 2], first: f64, last: f64| {
            first <= low && low <= high && high <= last
        };
        check(
            in_order(self.angle_range, 0.0, 360.0),
            "angle_range",
            "[min, max] with 0 <= min <= max <= 360",
            self.angle_range,
        )?;
        check(
            in_order(self.direction_range, -1.0, 1.0),
            "direction_range",
            "[min, max] with -1 <= min <= max <= 1",
            self.direction_range,
        )?;
        Ok(MotionBlur {
            sizes: kernel_size::odd_range(self.blur_limit)?,
            angles: self.angle_range,
            directions: self.direction_range,
            allow_shifted: self.allow_shifted,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { blur_limit: [5, 7], allow_shifted: false, p: 1.0, ..Self::default() }
    }
}

/// Blurs along a line, as a camera does that moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionBlur {
    sizes: [u32; 2],
    angles: [f64; 2],
    directions: [f64; 2],
    allow_shifted: bool,
    p: f64,
}

/// The line of one application.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The side of the kernel in pixels.
    pub size: u32,
    /// In degrees.
    pub angle: f64,
    /// From -1 to 1.
    pub direction: f64,
    /// Across and down, as parts of a quarter of the kernel, from -1 to 1.
    pub shift: [f64; 2],
}

impl Op for MotionBlur {
    /// `None`: rests.
    type Draw = Option<Line>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<Line> {
        rng.bernoulli(self.p).then(|| {
            let size = kernel_size::draw(self.sizes, rng);
            let mut within = |[low, high]: [f64; 2]| rng.uniform(low, high);
            let (angle, direction) = (within(self.angles), within(self.directions));
            let mut shift = || if self.allow_shifted { within([-1.0, 1.0]) } else { 0.0 };
            Line { size, angle, direction, shift: [shift(), shift()] }
        })
    }

    fn render(&self, mut image: Image8, draw: &Option<Line>) -> Image8 {
        if let Some(Line { size, angle, direction, shift }) = *draw {
            let size = kernel_size::usable(size);
            Taps::mean(size / 2, line(size, angle, direction, shift)).filter(&mut image);
        }
        image
    }
}

/// The places that a line through a kernel visits, sorted by rows.
fn line(size: usize, angle: f64, direction: f64, shift: [f64; 2]) -> Vec<Place> {
    let half = (size / 2) as f64;
    let direction = direction.clamp(-1.0, 1.0);
    let start = -half * (1.0 - direction.max(0.0));
    let end = half * (1.0 + direction.min(0.0));
    let step = (end - start) / (size - 1).max(1) as f64;
    let (down, across) = angle.to_radians().sin_cos();
    let place = |along: f64, shift: f64| {
        let place = half + along + shift * half / 2.0;
        (pixels_half_even(place) as usize).min(size - 1)
    };
    let mut places: Vec<Place> = (0..size)
        .map(|point| {
            let along = if point + 1 == size { end } else { point as f64 * step + start };
            Place { row: place(down * along, shift[1]), column: place(across * along, shift[0]) }
        })
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}
