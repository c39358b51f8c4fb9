//! Adds pixels on the sides.
//!
//! # Randomness
//! None.
//!
//! # Parity
//! torchvision's `Pad` on PIL pictures, bit for bit, for padding of at least 0. A mirror wider than the picture
//! continues with the mirrored picture.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "pad", padding = [4, 2], padding_mode = "reflect" }, { type = "random_crop", size = 32 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check_fill};
use crate::geometry::axis::{Axis, gather};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::fill;
use crate::settings::padding::{Padding, PaddingMode};
use serde::{Deserialize, Serialize};

/// Settings of [`Pad`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PadSpec {
    /// Pixels added on each side.
    pub padding: Padding,
    /// Colour of the added pixels where the mode is `constant`. In configurations a level or `[red, green, blue]`.
    #[serde(default, with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
    /// What the added pixels show.
    #[serde(default)]
    pub padding_mode: PaddingMode,
}

impl OpSettings for PadSpec {
    type Op = Pad;

    fn build(&self, _: Size) -> Result<Pad, Error> {
        self.padding.validate()?;
        check_fill(self.padding_mode == PaddingMode::Constant, self.fill)?;
        Ok(Pad { padding: self.padding, fill: self.fill, mode: self.padding_mode })
    }

    fn example() -> Self {
        let padding = Padding { left: 1, top: 2, right: 3, bottom: 0 };
        Self { padding, fill: [10, 20, 30], padding_mode: PaddingMode::Constant }
    }
}

/// Adds pixels on the sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pad {
    padding: Padding,
    fill: [u8; 3],
    mode: PaddingMode,
}

impl Op for Pad {
    type Draw = ();

    fn draw(&self, _: Size, _: &mut OpRng) {}

    fn render(&self, image: Image8, (): &()) -> Image8 {
        if self.padding == Padding::default() {
            return image;
        }
        let Padding { left, top, right, bottom } = self.padding;
        let columns = Axis::identity(image.size().width).padded(left, right, self.mode);
        let rows = Axis::identity(image.size().height).padded(top, bottom, self.mode);
        gather(image, &columns, &rows, self.fill)
    }

    fn output_size(&self, size: Size) -> Size {
        let Padding { left, top, right, bottom } = self.padding;
        Size::new(size.width + left + right, size.height + top + bottom)
    }
}
