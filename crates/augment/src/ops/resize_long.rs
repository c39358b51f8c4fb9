//! Resizes the longer side to a length; the shorter one follows, so that the picture keeps its shape.
//!
//! # Randomness
//! None.
//!
//! # Parity
//! albumentations' `LongestMaxSize` with one number, in sizes: the shorter side is `short * (size / long)`, rounded to
//! the nearest number, the even one of two, and at least 1. Pixels are those of Pillow's `resize` to that size, which
//! antialiases, bit for bit, as in [`resize`](super::resize).
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "resize_long", size = 224 }]
//! ```

use super::OpSettings;
use crate::error::Error;
use crate::geometry::interpolation::Interpolation;
use crate::geometry::pillow_resize::resize_whole;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixels_half_even;
use crate::settings::target_size;
use serde::{Deserialize, Serialize};

/// Settings of [`ResizeLong`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeLongSpec {
    /// Length of the result's longer side, in pixels; by default the longer one of the stage's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// The filter.
    #[serde(default)]
    pub interpolation: Interpolation,
}

impl OpSettings for ResizeLongSpec {
    type Op = ResizeLong;

    fn build(&self, default: Size) -> Result<ResizeLong, Error> {
        let long = self.size.unwrap_or(default.width.max(default.height));
        target_size::check_side(long)?;
        Ok(ResizeLong { long, interpolation: self.interpolation })
    }

    fn example() -> Self {
        Self { size: Some(9), interpolation: Interpolation::Bilinear }
    }
}

/// Resizes the longer side to a length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResizeLong {
    long: u32,
    interpolation: Interpolation,
}

impl Op for ResizeLong {
    type Draw = ();

    fn draw(&self, _: Size, _: &mut OpRng) {}

    fn render(&self, image: Image8, (): &()) -> Image8 {
        let size = self.output_size(image.size());
        resize_whole(image, size, self.interpolation)
    }

    fn output_size(&self, size: Size) -> Size {
        let scale = f64::from(self.long) / f64::from(size.width.max(size.height));
        let side = |len: u32| pixels_half_even(f64::from(len) * scale).max(1);
        Size::new(side(size.width), side(size.height))
    }
}
