//! Resizes the shorter side to a length; the longer one follows, so that the picture keeps its shape.
//!
//! # Randomness
//! None.
//!
//! # Parity
//! torchvision's `Resize(size)` with one number, on PIL pictures: the longer side is `size * long / short`, rounded
//! down. Pixels are bit-exact, as in [`resize`](super::resize).
//!
//! One deviation: the longer side ends at 65535 pixels, and a picture that would pass it is squeezed. torchvision has
//! no bound, so that a picture of 1 by 65000 pixels, a file of a few hundred bytes, takes gigabytes there.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "resize_short", size = 256 }, { type = "center_crop", size = 224 }]
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

/// Settings of [`ResizeShort`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeShortSpec {
    /// Length of the result's shorter side, in pixels; by default the shorter one of the stage's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// The filter.
    #[serde(default)]
    pub interpolation: Interpolation,
}

impl OpSettings for ResizeShortSpec {
    type Op = ResizeShort;

    fn build(&self, default: Size) -> Result<ResizeShort, Error> {
        let short = self.size.unwrap_or(default.width.min(default.height));
        target_size::check_side(short)?;
        Ok(ResizeShort { short, interpolation: self.interpolation })
    }

    fn example() -> Self {
        Self { size: Some(5), interpolation: Interpolation::Bilinear }
    }
}

/// Resizes the shorter side to a length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResizeShort {
    short: u32,
    interpolation: Interpolation,
}

impl Op for ResizeShort {
    type Draw = ();

    fn draw(&self, _: Size, _: &mut OpRng) {}

    fn render(&self, image: Image8, (): &()) -> Image8 {
        let size = self.output_size(image.size());
        resize_whole(image, size, self.interpolation)
    }

    fn output_size(&self, size: Size) -> Size {
        let long = |long: u32, short: u32| {
            let exact = u64::from(self.short) * u64::from(long) / u64::from(short);
            u32::try_from(exact)
                .map_or(target_size::LONGEST, |exact| exact.min(target_size::LONGEST))
        };
        if size.width <= size.height {
            Size::new(self.short, long(size.height, size.width))
        } else {
            Size::new(long(size.width, size.height), self.short)
        }
    }
}
