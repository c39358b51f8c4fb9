//! Blurs with a disk, as a lens does that is out of focus.
//!
//! # Randomness
//! One draw: whether to act; then one for the radius and one for the blur of the disk's edge.
//!
//! # Parity
//! albumentations' `Defocus`: its kernel, and OpenCV's `filter2D`. OpenCV filters such kernels in the frequency domain; a
//! sum that lies between two levels may be rounded to the other one: about one level in 20,000, by 1.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "defocus", radius = [3, 6], p = 0.2 }]
//! ```

use super::OpSettings;
use crate::blur::disk::defocus;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// The largest radius.
const LARGEST: u32 = 100;
/// The largest standard deviation.
const WIDEST: f64 = 30.0;

/// Settings of [`Defocus`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DefocusSpec {
    /// Smallest and largest radius of the disk in pixels, from 1 to 100.
    pub radius: [u32; 2],
    /// Smallest and largest standard deviation of the blur of the disk itself, above 0 and at most 30.
    pub alias_blur: [f64; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for DefocusSpec {
    fn default() -> Self {
        Self { radius: [3, 10], alias_blur: [0.1, 0.5], p: 0.5 }
    }
}

impl OpSettings for DefocusSpec {
    type Op = Defocus;

    fn build(&self, _: Size) -> Result<Defocus, Error> {
        check_probability(self.p)?;
        let [low, high] = self.radius;
        check(
            1 <= low && low <= high && high <= LARGEST,
            "radius",
            "[min, max] with 1 <= min <= max <= 100",
            self.radius,
        )?;
        let [low, high] = self.alias_blur;
        check(
            0.0 < low && low <= high && high <= WIDEST,
            "alias_blur",
            "[min, max] with 0 < min <= max <= 30",
            self.alias_blur,
        )?;
        Ok(Defocus { radii: self.radius, alias_blurs: self.alias_blur, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Blurs with a disk, as a lens does that is out of focus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Defocus {
    radii: [u32; 2],
    alias_blurs: [f64; 2],
    p: f64,
}

/// The disk of one application.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// In pixels.
    pub radius: u32,
    /// Standard deviation of the blur of its edge.
    pub alias_blur: f64,
}

impl Op for Defocus {
    /// `None`: rests.
    type Draw = Option<Disk>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<Disk> {
        rng.bernoulli(self.p).then(|| {
            let [low, high] = self.radii;
            let radius = rng.integer(low, high);
            let [low, high] = self.alias_blurs;
            Disk { radius, alias_blur: rng.uniform(low, high) }
        })
    }

    fn render(&self, mut image: Image8, draw: &Option<Disk>) -> Image8 {
        if let Some(Disk { radius, alias_blur }) = *draw {
            let radius = radius.clamp(1, LARGEST) as usize;
            let alias_blur = alias_blur.clamp(1e-3, WIDEST);
            defocus(radius, alias_blur).filter(&mut image);
        }
        image
    }
}
