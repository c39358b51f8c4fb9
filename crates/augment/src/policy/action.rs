//! One action of a policy with its magnitude, and how it is carried out.

use crate::color::adjust::{adjust_brightness, adjust_contrast, adjust_saturation};
use crate::color::histogram::{autocontrast, equalize};
use crate::color::levels::{invert, posterize, solarize, solarize_add};
use crate::color::sharpness::adjust_sharpness;
use crate::geometry::affine::{Placement, middle, rotation};
use crate::geometry::interpolation::Interpolation;
use crate::geometry::turn::turned;
use crate::geometry::warp::affine;
use crate::image::Image8;
use serde::{Deserialize, Serialize};

/// One action, its magnitude in the units of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    Identity,
    /// Columns of a row moved by this many rows' distance to the top.
    ShearX(f64),
    /// Rows of a column moved by this many columns' distance to the left.
    ShearY(f64),
    /// Moved by pixels, cut to whole ones by torchvision: to the right there, to the left in timm.
    TranslateX(f64),
    /// Moved by pixels, cut to whole ones by torchvision: down there, up in timm.
    TranslateY(f64),
    /// Turned by degrees, counter-clockwise.
    Rotate(f64),
    /// Brightness factor, 1 is neutral.
    Brightness(f64),
    /// Saturation factor, 1 is neutral.
    Color(f64),
    /// Contrast factor, 1 is neutral.
    Contrast(f64),
    /// Sharpness factor, 1 is neutral.
    Sharpness(f64),
    /// Keeps this many bits of each level.
    Posterize(u32),
    /// Inverts levels from this one on.
    Solarize(f64),
    /// Adds to levels below 128.
    SolarizeAdd(u8),
    /// Stretches each channel to the whole range.
    AutoContrast,
    /// Makes all levels equally frequent.
    Equalize,
    /// The negative.
    Invert,
}

/// An action and the filter of its geometry.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// The filter, if pixels move.
    pub interpolation: Interpolation,
}

/// Whose convention the magnitudes follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// torchvision's `transforms.autoaugment`.
    #[default]
    Torchvision,
    /// `timm.data.auto_augment`.
    Timm,
}

impl Step {
    /// Carries the action out on a picture.
    pub(crate) fn apply(self, mut image: Image8, variant: Variant, fill: [u8; 3]) -> Image8 {
        match self.action {
            Action::Identity => {}
            Action::ShearX(_)
            | Action::ShearY(_)
            | Action::TranslateX(_)
            | Action::TranslateY(_) => {
                let matrix = match variant {
                    Variant::Torchvision => self.placement().inverse([0.0; 2]),
                    Variant::Timm => self.offsets(),
                };
                return affine(image, matrix, self.interpolation, fill);
            }
            Action::Rotate(degrees) => {
                return rotate(image, degrees, self.interpolation, fill);
            }
            Action::Brightness(factor) => adjust_brightness(&mut image, factor),
            Action::Color(factor) => adjust_saturation(&mut image, factor),
            Action::Contrast(factor) => adjust_contrast(&mut image, factor),
            Action::Sharpness(factor) => adjust_sharpness(&mut image, factor),
            Action::Posterize(bits) => posterize(&mut image, bits),
            Action::Solarize(threshold) => solarize(&mut image, threshold),
            Action::SolarizeAdd(add) => solarize_add(&mut image, add),
            Action::AutoContrast => autocontrast(&mut image),
            Action::Equalize => equalize(&mut image),
            Action::Invert => invert(&mut image),
        }
        image
    }

    /// torchvision turns a shear into degrees first and whole pixels of a translation.
    fn placement(self) -> Placement {
        let none = Placement::IDENTITY;
        match self.action {
            Action::ShearX(shear) => Placement { shear: [shear.atan().to_degrees(), 0.0], ..none },
            Action::ShearY(shear) => Placement { shear: [0.0, shear.atan().to_degrees()], ..none },
            Action::TranslateX(pixels) => Placement { translate: [pixels.trunc(), 0.0], ..none },
            Action::TranslateY(pixels) => Placement { translate: [0.0, pixels.trunc()], ..none },
            _ => none,
        }
    }

    /// timm writes the matrix down.
    fn offsets(self) -> [f64; 6] {
        match self.action {
            Action::ShearX(shear) => [1.0, shear, 0.0, 0.0, 1.0, 0.0],
            Action::ShearY(shear) => [1.0, 0.0, 0.0, shear, 1.0, 0.0],
            Action::TranslateX(pixels) => [1.0, 0.0, pixels, 0.0, 1.0, 0.0],
            Action::TranslateY(pixels) => [1.0, 0.0, 0.0, 0.0, 1.0, pixels],
            _ => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        }
    }
}

/// Pillow's `Image.rotate` about the middle without enlarging, which turns by right angles without a filter where the
/// size allows it.
pub(crate) fn rotate(
    image: Image8,
    degrees: f64,
    interpolation: Interpolation,
    fill: [u8; 3],
) -> Image8 {
    let size = image.size();
    let square = size.width == size.height;
    let angle = degrees.rem_euclid(360.0);
    if angle == 0.0 {
        image
    } else if angle == 180.0 {
        turned(image, 2)
    } else if angle == 90.0 && square {
        turned(image, 1)
    } else if angle == 270.0 && square {
        turned(image, 3)
    } else {
        affine(image, rotation(degrees, middle(size)), interpolation, fill)
    }
}
