//! Cuts a rectangle of random size and shape out and resizes it.
//!
//! # Randomness
//! Two draws for each try, the part of the area and the shape, and at most ten tries; then two for the place. The shape
//! is uniform on a logarithmic scale. If no try fits, the centre is taken and nothing more is drawn.
//!
//! # Parity
//! torchvision's `RandomResizedCrop` on PIL pictures: the same distribution of rectangles, drawn in `f64` where
//! torchvision draws in `f32`. `render` with filter `nearest` is bit-exact, with `bilinear` within one
//! level, with `bicubic` and `lanczos` within two: a faster resizer than that of [`resize`](super::resize), with
//! weights of fewer bits, because this op runs on every training picture. torchvision fails where rounding
//! leaves no pixel; here a rectangle has at least one.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_resized_crop", scale = [0.25, 1.0] }, { type = "random_horizontal_flip" }]
//! ```

use super::OpSettings;
use crate::error::{Error, check};
use crate::geometry::crop_box::CropBox;
use crate::geometry::interpolation::Interpolation;
use crate::geometry::resample::resize_part;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::pixels_half_even;
use crate::settings::target_size;
use serde::{Deserialize, Serialize};

const TRIES: u32 = 10;

/// Settings of [`RandomResizedCrop`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomResizedCropSpec {
    /// The result's size; by default the stage's. In configurations a side or `[height, width]`.
    #[serde(with = "target_size", skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Smallest and largest part of the picture's area, above 0 and at most 1.
    pub scale: [f64; 2],
    /// Smallest and largest ratio of width to height, before resizing.
    pub ratio: [f64; 2],
    /// The filter.
    pub interpolation: Interpolation,
}

impl Default for RandomResizedCropSpec {
    fn default() -> Self {
        Self {
            size: None,
            scale: [0.08, 1.0],
            ratio: [3.0 / 4.0, 4.0 / 3.0],
            interpolation: Interpolation::Bilinear,
        }
    }
}

impl OpSettings for RandomResizedCropSpec {
    type Op = RandomResizedCrop;

    fn build(&self, default: Size) -> Result<RandomResizedCrop, Error> {
        let [low, high] = self.scale;
        let accepted = 0.0 < low && low <= high && high <= 1.0;
        check(accepted, "scale", "[min, max] with 0 < min <= max <= 1", self.scale)?;
        let [low, high] = self.ratio;
        let accepted = 0.0 < low && low <= high && high < f64::INFINITY;
        check(accepted, "ratio", "[min, max] with 0 < min <= max", self.ratio)?;
        Ok(RandomResizedCrop {
            size: target_size::resolve(self.size, default)?,
            scale: self.scale,
            ratio: self.ratio,
            interpolation: self.interpolation,
        })
    }

    fn example() -> Self {
        Self { size: Some(Size::new(7, 5)), ..Self::default() }
    }
}

/// Cuts a rectangle of random size and shape out and resizes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomResizedCrop {
    size: Size,
    scale: [f64; 2],
    ratio: [f64; 2],
    interpolation: Interpolation,
}

impl RandomResizedCrop {
    /// As much of the centre as the range of shapes allows.
    fn centre(&self, size: Size) -> CropBox {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let [narrowest, widest] = self.ratio;
        let shape = width / height;
        let part = if shape < narrowest {
            Size::new(size.width, pixels_half_even(width / narrowest).max(1))
        } else if shape > widest {
            Size::new(pixels_half_even(height * widest).max(1), size.height)
        } else {
            size
        };
        CropBox {
            left: (size.width - part.width) / 2,
            top: (size.height - part.height) / 2,
            width: part.width,
            height: part.height,
        }
    }
}

impl Op for RandomResizedCrop {
    type Draw = CropBox;

    fn draw(&self, size: Size, rng: &mut OpRng) -> CropBox {
        let area = size.area() as f64;
        let [narrowest, widest] = self.ratio.map(f64::ln);
        for _ in 0..TRIES {
            let part = area * rng.uniform(self.scale[0], self.scale[1]);
            let shape = rng.uniform(narrowest, widest).exp();
            let width = pixels_half_even((part * shape).sqrt());
            let height = pixels_half_even((part / shape).sqrt());
            if (1..=size.width).contains(&width) && (1..=size.height).contains(&height) {
                let mut start =
                    |places: u32| u32::try_from(rng.below(u64::from(places))).unwrap_or(u32::MAX);
                let top = start(size.height - height + 1);
                let left = start(size.width - width + 1);
                return CropBox { left, top, width, height };
            }
        }
        self.centre(size)
    }

    fn render(&self, image: Image8, draw: &CropBox) -> Image8 {
        resize_part(image, *draw, self.size, self.interpolation)
    }

    fn output_size(&self, _: Size) -> Size {
        self.size
    }
}
