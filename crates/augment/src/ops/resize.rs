//! Resizes to an exact size, whatever the picture's shape.
//!
//! # Randomness
//! None.
//!
//! # Parity
//! torchvision's `Resize((height, width))` on PIL pictures, bit for bit: the same weights of 22 bits, and the same
//! order of rows and columns, between which Pillow (13) rounds to 8 bits.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "resize", size = [192, 256], interpolation = "bicubic" }]
//! ```

use super::OpSettings;
use crate::error::Error;
use crate::geometry::interpolation::Interpolation;
use crate::geometry::pillow_resize::resize_whole;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::target_size;
use serde::{Deserialize, Serialize};

/// Settings of [`Resize`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeSpec {
    /// The result's size; by default the stage's. In configurations a side or `[height, width]`.
    #[serde(default, with = "target_size", skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The filter.
    #[serde(default)]
    pub interpolation: Interpolation,
}

impl OpSettings for ResizeSpec {
    type Op = Resize;

    fn build(&self, default: Size) -> Result<Resize, Error> {
        let size = target_size::resolve(self.size, default)?;
        Ok(Resize { size, interpolation: self.interpolation })
    }

    fn example() -> Self {
        Self { size: Some(Size::new(9, 6)), interpolation: Interpolation::Bicubic }
    }
}

/// Resizes to an exact size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resize {
    size: Size,
    interpolation: Interpolation,
}

impl Op for Resize {
    type Draw = ();

    fn draw(&self, _: Size, _: &mut OpRng) {}

    fn render(&self, image: Image8, (): &()) -> Image8 {
        resize_whole(image, self.size, self.interpolation)
    }

    fn output_size(&self, _: Size) -> Size {
        self.size
    }
}
