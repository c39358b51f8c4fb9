//! Pictures in pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use kiln_augment::{Channels, Image8};

/// A picture as the bytes of a PNG file.
pub fn png(picture: &Image8) -> Vec<u8> {
    let size = picture.size();
    let color = match picture.channels() {
        Channels::Rgb => ExtendedColorType::Rgb8,
        Channels::Gray => ExtendedColorType::L8,
    };
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    // Writing into memory fails only for sizes that no picture has.
    let _ = encoder.write_image(picture.pixels(), size.width, size.height, color);
    bytes
}

/// A picture as an `img` of a page that needs no other file. `alt` is text, not HTML.
pub(crate) fn img(picture: &Image8, alt: &str) -> String {
    let size = picture.size();
    format!(
        "<img alt=\"{}\" width=\"{}\" height=\"{}\" src=\"data:image/png;base64,{}\">",
        crate::html::escape(alt),
        size.width,
        size.height,
        STANDARD.encode(png(picture))
    )
}
