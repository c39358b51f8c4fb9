//! Adjustments of colour with Pillow's arithmetic.
//!
//! `PIL.ImageEnhance` blends a picture with a degenerate one: black, one grey, or its own grey version. Factors are
//! `f32` there, and a blend is one multiplication and one addition, so it is here.

use crate::color::hsv::{hsv_to_rgb, rgb_to_hsv};
use crate::image::Image8;
use crate::round::{level_modulo, level_towards_zero, level_towards_zero_f64};

/// Blends with black: `ImageEnhance.Brightness`.
pub(crate) fn adjust_brightness(image: &mut Image8, factor: f64) {
    blend_with_level(image, 0, factor);
}

/// Blends with the mean grey: `ImageEnhance.Contrast`.
pub(crate) fn adjust_contrast(image: &mut Image8, factor: f64) {
    let sum: u64 = image.rgb_mut().iter().map(|&pixel| u64::from(luma(pixel))).sum();
    let mean = sum as f64 / image.size().area() as f64;
    blend_with_level(image, level_towards_zero_f64(mean + 0.5), factor);
}

/// Blends with the grey version: `ImageEnhance.Color`.
pub(crate) fn adjust_saturation(image: &mut Image8, factor: f64) {
    let factor = as_f32(factor);
    for pixel in image.rgb_mut() {
        let grey = luma(*pixel);
        *pixel = pixel.map(|level| blend(grey, level, factor));
    }
}

/// Turns the colour wheel by `turn` of its circumference: torchvision's `adjust_hue` for PIL pictures.
pub(crate) fn adjust_hue(image: &mut Image8, turn: f64) {
    let shift = level_modulo(turn * 255.0);
    for pixel in image.rgb_mut() {
        let [hue, saturation, value] = rgb_to_hsv(*pixel);
        *pixel = hsv_to_rgb([hue.wrapping_add(shift), saturation, value]);
    }
}

/// Gives all channels the grey level: `Image.convert("L")` three times.
pub(crate) fn to_grayscale(image: &mut Image8) {
    for pixel in image.rgb_mut() {
        *pixel = [luma(*pixel); 3];
    }
}

/// Pillow's grey level: weights of ITU-R 601-2 in 16-bit fixed point.
#[allow(clippy::cast_possible_truncation, reason = "the weights sum to 65536, so at most 255")]
const fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((red as u32 * 19_595 + green as u32 * 38_470 + blue as u32 * 7_471 + 0x8000) >> 16) as u8
}

/// Pillow's `Image.blend` of two levels.
fn blend(degenerate: u8, level: u8, factor: f32) -> u8 {
    let difference = f32::from(i16::from(level) - i16::from(degenerate));
    level_towards_zero(f32::from(degenerate) + factor * difference)
}

fn blend_with_level(image: &mut Image8, degenerate: u8, factor: f64) {
    let factor = as_f32(factor);
    let table: [u8; 256] = std::array::from_fn(|level| {
        #[allow(clippy::cast_possible_truncation, reason = "an index of 256 entries")]
        blend(degenerate, level as u8, factor)
    });
    for level in image.pixels_mut() {
        *level = table[usize::from(*level)];
    }
}

#[allow(clippy::cast_possible_truncation, reason = "Pillow narrows factors in the same way")]
const fn as_f32(factor: f64) -> f32 {
    factor as f32
}
