//! Adjustments of colour with Pillow's arithmetic.
//!
//! `PIL.ImageEnhance` blends a picture with a degenerate one: black, one grey, or its own grey version. Factors are
//! `f32` there, and a blend is one multiplication and one addition, so it is here.

use crate::color::hsv::{hsv_to_rgb, rgb_to_hsv};
use crate::color::lookup::look_up;
use crate::color::planes::{PixelFunction, each_pixel};
use crate::image::Image8;
use crate::round::{level_modulo, level_towards_zero, level_towards_zero_f64};
use pulp::{Arch, Simd, WithSimd};

/// Blends with black: `ImageEnhance.Brightness`.
pub(crate) fn adjust_brightness(image: &mut Image8, factor: f64) {
    blend_with_level(image, 0, factor);
}

/// Blends with the mean grey: `ImageEnhance.Contrast`.
pub(crate) fn adjust_contrast(image: &mut Image8, factor: f64) {
    let sum = Arch::new().dispatch(SumOfLuma { pixels: image.rgb_mut() });
    let mean = sum as f64 / image.size().area() as f64;
    blend_with_level(image, level_towards_zero_f64(mean + 0.5), factor);
}

/// Blends with the grey version: `ImageEnhance.Color`.
pub(crate) fn adjust_saturation(image: &mut Image8, factor: f64) {
    each_pixel(image, Saturation { factor: as_f32(factor) });
}

/// Turns the colour wheel by `turn` of its circumference: torchvision's `adjust_hue` for PIL pictures.
pub(crate) fn adjust_hue(image: &mut Image8, turn: f64) {
    each_pixel(image, Hue { shift: level_modulo(turn * 255.0) });
}

/// Gives all channels the grey level: `Image.convert("L")` three times.
pub(crate) fn to_grayscale(image: &mut Image8) {
    each_pixel(image, Grayscale);
}

#[derive(Clone, Copy)]
struct Saturation {
    factor: f32,
}

impl PixelFunction for Saturation {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        let [red, green, blue] = pixel;
        let grey = luma(pixel);
        [
            blend(grey, red, self.factor),
            blend(grey, green, self.factor),
            blend(grey, blue, self.factor),
        ]
    }
}

#[derive(Clone, Copy)]
struct Hue {
    shift: u8,
}

impl PixelFunction for Hue {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        let [hue, saturation, value] = rgb_to_hsv(pixel);
        hsv_to_rgb([hue.wrapping_add(self.shift), saturation, value])
    }
}

#[derive(Clone, Copy)]
struct Grayscale;

impl PixelFunction for Grayscale {
    #[inline(always)]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        [luma(pixel); 3]
    }
}

/// The sum of all grey levels.
struct SumOfLuma<'a> {
    pixels: &'a [[u8; 3]],
}

impl WithSimd for SumOfLuma<'_> {
    type Output = u64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> u64 {
        // Short enough for the sum of a run to fit into 32 bits, which vectors add faster.
        let runs = self.pixels.chunks(1 << 12);
        runs.map(|run| u64::from(run.iter().map(|&pixel| u32::from(luma(pixel))).sum::<u32>()))
            .sum()
    }
}

/// Pillow's grey level: weights of ITU-R 601-2 in 16-bit fixed point.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "the weights sum to 65536, so at most 255")]
pub(crate) const fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((red as u32 * 19_595 + green as u32 * 38_470 + blue as u32 * 7_471 + 0x8000) >> 16) as u8
}

/// Pillow's `Image.blend` of two levels.
#[inline(always)]
pub(crate) fn blend(degenerate: u8, level: u8, factor: f32) -> u8 {
    let difference = f32::from(i16::from(level) - i16::from(degenerate));
    level_towards_zero(f32::from(degenerate) + factor * difference)
}

fn blend_with_level(image: &mut Image8, degenerate: u8, factor: f64) {
    let factor = as_f32(factor);
    let table: [u8; 256] = std::array::from_fn(|level| {
        #[allow(clippy::cast_possible_truncation, reason = "an index of 256 entries")]
        blend(degenerate, level as u8, factor)
    });
    look_up(image.pixels_mut(), &table);
}

#[allow(clippy::cast_possible_truncation, reason = "Pillow narrows factors in the same way")]
const fn as_f32(factor: f64) -> f32 {
    factor as f32
}
