//! Cuts the centre out. A picture that is too small is first padded with black on both sides.
//!
//! # Randomness
//! None.
//!
//! # Parity
//! torchvision's `CenterCrop`, bit for bit. Where the margin is odd, the crop's corner is Python's `round(margin / 2)`,
//! so it leans one pixel to alternate sides; where padding is odd, the extra pixel is right and below.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "resize_short", size = 256 }, { type = "center_crop", size = 224 }]
//! ```

use super::OpSettings;
use crate::error::Error;
use crate::geometry::axis::{Axis, gather};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixels_half_even;
use crate::settings::padding::PaddingMode;
use crate::settings::target_size;
use serde::{Deserialize, Serialize};

/// Settings of [`CenterCrop`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CenterCropSpec {
    /// The result's size; by default the stage's. In configurations a side or `[height, width]`.
    #[serde(default, with = "target_size", skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

impl OpSettings for CenterCropSpec {
    type Op = CenterCrop;

    fn build(&self, default: Size) -> Result<CenterCrop, Error> {
        Ok(CenterCrop { size: target_size::resolve(self.size, default)? })
    }

    fn example() -> Self {
        Self { size: Some(Size::new(10, 4)) }
    }
}

/// Cuts the centre out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CenterCrop {
    size: Size,
}

impl Op for CenterCrop {
    type Draw = ();

    fn draw(&self, _: Size, _: &mut OpRng) {}

    fn render(&self, image: Image8, (): &()) -> Image8 {
        let size = image.size();
        if size == self.size {
            return image;
        }
        let columns = centre(size.width, self.size.width);
        let rows = centre(size.height, self.size.height);
        gather(image, &columns, &rows, [0; 3])
    }

    fn output_size(&self, _: Size) -> Size {
        self.size
    }
}

fn centre(from: u32, to: u32) -> Axis {
    let missing = to.saturating_sub(from);
    if missing > 0 {
        let before = missing / 2;
        return Axis::identity(from).padded(before, missing - before, PaddingMode::Constant);
    }
    Axis::identity(from).window(pixels_half_even(f64::from(from - to) / 2.0), to)
}
