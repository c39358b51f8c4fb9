//! Cuts a rectangle of fixed size out at a random place, after optional padding.
//!
//! # Randomness
//! Two draws: the row and the column of the rectangle's corner, each uniform over all that fit.
//!
//! # Parity
//! torchvision's `RandomCrop` on PIL pictures; `render` bit for bit. Where a picture is still too small and
//! `pad_if_needed` is off, torchvision raises an error; here the result is as large as the picture allows.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_crop", size = 32, padding = 4 }, { type = "random_horizontal_flip" }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_fill};
use crate::geometry::axis::{Axis, gather};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::settings::fill;
use crate::settings::padding::{Padding, PaddingMode};
use crate::settings::target_size;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomCrop`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomCropSpec {
    /// The result's size; by default the stage's. In configurations a side or `[height, width]`.
    #[serde(default, with = "target_size", skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Pixels added on each side before the crop.
    #[serde(default)]
    pub padding: Padding,
    /// Whether a picture that is smaller than the result is padded, on both sides, by all that is missing.
    #[serde(default)]
    pub pad_if_needed: bool,
    /// Colour of the added pixels where the mode is `constant`. In configurations a level or `[red, green, blue]`.
    #[serde(default, with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
    /// What the added pixels show.
    #[serde(default)]
    pub padding_mode: PaddingMode,
}

impl OpSettings for RandomCropSpec {
    type Op = RandomCrop;

    fn build(&self, default: Size) -> Result<RandomCrop, Error> {
        self.padding.validate()?;
        check_fill(self.padding_mode == PaddingMode::Constant, self.fill)?;
        Ok(RandomCrop {
            size: target_size::resolve(self.size, default)?,
            padding: self.padding,
            pad_if_needed: self.pad_if_needed,
            fill: self.fill,
            mode: self.padding_mode,
        })
    }

    fn example() -> Self {
        Self {
            size: Some(Size::new(6, 8)),
            padding: Padding::all(2),
            pad_if_needed: true,
            padding_mode: PaddingMode::Reflect,
            ..Self::default()
        }
    }
}

/// Cuts a rectangle of fixed size out at a random place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomCrop {
    size: Size,
    padding: Padding,
    pad_if_needed: bool,
    fill: [u8; 3],
    mode: PaddingMode,
}

/// The corner of the rectangle in the padded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corner {
    /// Columns of the padded picture to the left of the rectangle.
    pub left: u32,
    /// Rows of the padded picture above the rectangle.
    pub top: u32,
}

impl RandomCrop {
    /// Pixels added before and after an axis that is too short even with the fixed padding.
    fn missing(&self, padded: u32, wanted: u32) -> u32 {
        if self.pad_if_needed { wanted.saturating_sub(padded) } else { 0 }
    }

    fn padded_size(&self, size: Size) -> Size {
        let Padding { left, top, right, bottom } = self.padding;
        let (width, height) = (size.width + left + right, size.height + top + bottom);
        Size::new(
            width + 2 * self.missing(width, self.size.width),
            height + 2 * self.missing(height, self.size.height),
        )
    }

    fn sources(&self, from: u32, [before, after]: [u32; 2], start: u32, wanted: u32) -> Axis {
        let padded = Axis::identity(from).padded(before, after, self.mode);
        // In two steps, as in torchvision: the second one may mirror what the first one has mirrored.
        let missing = self.missing(padded.len(), wanted);
        padded.padded(missing, missing, self.mode).window(start, wanted)
    }
}

impl Op for RandomCrop {
    type Draw = Corner;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Corner {
        let padded = self.padded_size(size);
        let mut start = |padded: u32, wanted: u32| {
            let places = u64::from(padded.saturating_sub(wanted)) + 1;
            u32::try_from(rng.below(places)).unwrap_or(u32::MAX)
        };
        let top = start(padded.height, self.size.height);
        let left = start(padded.width, self.size.width);
        Corner { left, top }
    }

    fn render(&self, image: Image8, draw: &Corner) -> Image8 {
        let Padding { left, top, right, bottom } = self.padding;
        let Size { width, height } = image.size();
        let columns = self.sources(width, [left, right], draw.left, self.size.width);
        let rows = self.sources(height, [top, bottom], draw.top, self.size.height);
        gather(image, &columns, &rows, self.fill)
    }

    fn check_input(&self, size: Size) -> Result<(), Error> {
        let (Size { width, height }, padded) = (self.size, self.padded_size(size));
        check(
            width <= padded.width && height <= padded.height,
            "size",
            "at most that of the pictures, or pad_if_needed = true",
            format_args!("{} for pictures of {size}", self.size),
        )
    }

    fn output_size(&self, size: Size) -> Size {
        let padded = self.padded_size(size);
        Size::new(self.size.width.min(padded.width), self.size.height.min(padded.height))
    }
}
