//! Pictures in pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use kiln_augment::{Channels, Image8, Size};

/// Pictures in a row.
const COLUMNS: u32 = 8;
/// Pixels between two pictures.
const GAP: u32 = 2;

/// Pictures of one size side by side, row by row, on white; `None` without any.
pub fn contact_sheet(pictures: &[Image8]) -> Option<Image8> {
    let Size { width, height } = pictures.first()?.size();
    let count = u32::try_from(pictures.len()).unwrap_or(u32::MAX);
    let columns = count.min(COLUMNS);
    let size = Size {
        width: columns * (width + GAP) - GAP,
        height: count.div_ceil(columns) * (height + GAP) - GAP,
    };
    let mut sheet = Image8::filled(size, [255; 3]);
    let stride = sheet.stride();
    for (number, picture) in (0..).zip(pictures) {
        let (left, top) = (number % columns * (width + GAP), number / columns * (height + GAP));
        for (y, row) in picture.pixels().chunks_exact(3 * width as usize).enumerate() {
            let start = (top as usize + y) * stride + 3 * left as usize;
            sheet.pixels_mut()[start..start + row.len()].copy_from_slice(row);
        }
    }
    Some(sheet)
}

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

#[cfg(test)]
mod tests {
    use super::{contact_sheet, png};
    use kiln_augment::{Image8, Size};

    #[test]
    fn pictures_stand_in_rows_of_eight() {
        let pictures: Vec<Image8> =
            (0..9).map(|level| Image8::filled(Size { width: 4, height: 3 }, [level; 3])).collect();
        let sheet = png(&contact_sheet(&pictures).unwrap());
        let sheet = image::load_from_memory(&sheet).unwrap().into_rgb8();
        assert_eq!(sheet.dimensions(), (8 * 4 + 7 * 2, 2 * 3 + 2));
        let at = |x, y| sheet.get_pixel(x, y).0;
        assert_eq!([at(0, 0), at(6, 2), at(0, 5), at(4, 0)], [[0; 3], [1; 3], [8; 3], [255; 3]]);
        assert_eq!(contact_sheet(&[]), None);
    }
}
