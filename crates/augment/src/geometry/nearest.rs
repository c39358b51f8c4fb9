//! Resizing without a filter: each pixel is one of the picture.
//!
//! Bit-exact with Pillow, because the source coordinates are summed up in the same order.

use crate::geometry::crop_box::CropBox;
use crate::image::{Channels, Image8};
use crate::round::pixel_at;

/// Fills `resized` with pixels of `part`, which lies inside the picture.
pub(crate) fn nearest(image: &Image8, part: CropBox, resized: &mut Image8) {
    match image.channels() {
        Channels::Gray => fill::<1>(image, part, resized),
        Channels::Rgb => fill::<3>(image, part, resized),
    }
}

fn fill<const C: usize>(image: &Image8, part: CropBox, resized: &mut Image8) {
    let size = resized.size();
    let columns = nearest_sources(part.left, part.width, size.width);
    let rows = nearest_sources(part.top, part.height, size.height);
    let (from, to) = (image.stride(), resized.stride());
    for (target, &row) in resized.pixels_mut().chunks_exact_mut(to).zip(&rows) {
        let (source, _) = image.pixels()[row * from..(row + 1) * from].as_chunks::<C>();
        let (target, _) = target.as_chunks_mut::<C>();
        for (pixel, &column) in target.iter_mut().zip(&columns) {
            *pixel = source[column];
        }
    }
}

/// For each of `to` pixels the one of `from` pixels, starting at `start`, that its centre lies in.
fn nearest_sources(start: u32, from: u32, to: u32) -> Vec<usize> {
    let step = f64::from(from) / f64::from(to);
    // Pillow adds up rather than multiplies, and rounding errors decide between two neighbours.
    let mut centre = step * 0.5;
    (0..to)
        .map(|_| {
            let source = pixel_at(centre).min(from as usize - 1);
            centre += step;
            start as usize + source
        })
        .collect()
}
