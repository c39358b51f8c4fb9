//! A map laid over its picture.

use super::color::color;
use super::heat_map::HeatMap;
use kiln_augment::{Image8, Size};

/// Pixels between the picture and the colour bar.
const GAP: u32 = 4;
/// Width of the colour bar in pixels.
const BAR: u32 = 10;

/// The picture with a map of values from 0 to 1 over it, half and half, and at its right edge the scale from 0 (below) to
/// 1 (above).
pub fn overlay(picture: &Image8, map: &HeatMap) -> Image8 {
    let size = picture.size();
    let map = map.resized(size.width as usize, size.height as usize);
    let width = size.width + GAP + BAR;
    let mut pixels = Vec::with_capacity(3 * width as usize * size.height as usize);
    let picture = picture.clone().into_rgb();
    for y in 0..size.height {
        let values = &map.values[(y * size.width) as usize..][..size.width as usize];
        for (pixel, value) in picture.row(y).as_chunks::<3>().0.iter().zip(values) {
            let over = color(*value);
            pixels.extend(
                (0..3)
                    .map(|channel| level(f32::midpoint(f32::from(pixel[channel]), over[channel]))),
            );
        }
        pixels.extend([255; 3].repeat(GAP as usize));
        let height = 1.0 - (y as f32 + 0.5) / size.height as f32;
        pixels.extend(color(height).map(level).repeat(BAR as usize));
    }
    let size = Size { width, height: size.height };
    Image8::from_rgb(size, pixels).unwrap_or(picture)
}

/// The picture beside its overlay, on white.
pub fn panel(picture: &Image8, overlay: &Image8) -> Image8 {
    let (left, right) = (picture.clone().into_rgb(), overlay.clone().into_rgb());
    let height = left.size().height.min(right.size().height);
    let mut pixels = Vec::with_capacity(left.pixels().len() + right.pixels().len());
    for y in 0..height {
        pixels.extend_from_slice(left.row(y));
        pixels.extend([255; 3].repeat(GAP as usize));
        pixels.extend_from_slice(right.row(y));
    }
    let size = Size { width: left.size().width + GAP + right.size().width, height };
    Image8::from_rgb(size, pixels).unwrap_or(right)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 255")]
fn level(value: f32) -> u8 {
    value.round() as u8
}
