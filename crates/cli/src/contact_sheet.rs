//! Pictures side by side.

use anyhow::Context as _;
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use kiln_augment::Image8;

/// Pictures in a row.
const COLUMNS: usize = 8;
/// Pixels between two pictures.
const GAP: usize = 2;

/// A PNG of pictures of one size, row by row, on white.
pub(crate) fn contact_sheet(pictures: &[Image8]) -> anyhow::Result<Vec<u8>> {
    let size = pictures.first().context("no picture to show")?.size();
    let (width, height) = (size.width as usize, size.height as usize);
    let columns = pictures.len().min(COLUMNS);
    let rows = pictures.len().div_ceil(columns);
    let sheet_width = columns * (width + GAP) - GAP;
    let sheet_height = rows * (height + GAP) - GAP;
    let mut sheet = vec![255; 3 * sheet_width * sheet_height];
    for (number, picture) in pictures.iter().enumerate() {
        let (left, top) = (number % columns * (width + GAP), number / columns * (height + GAP));
        for (y, row) in picture.pixels().chunks_exact(3 * width).enumerate() {
            let start = 3 * ((top + y) * sheet_width + left);
            sheet[start..start + row.len()].copy_from_slice(row);
        }
    }
    let mut png = Vec::new();
    let (width, height) = (u32::try_from(sheet_width)?, u32::try_from(sheet_height)?);
    PngEncoder::new(&mut png).write_image(&sheet, width, height, ExtendedColorType::Rgb8)?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::contact_sheet;
    use kiln_augment::{Image8, Size};

    #[test]
    fn pictures_stand_in_rows_of_eight() {
        let pictures: Vec<Image8> =
            (0..9).map(|level| Image8::filled(Size { width: 4, height: 3 }, [level; 3])).collect();
        let sheet =
            image::load_from_memory(&contact_sheet(&pictures).unwrap()).unwrap().into_rgb8();
        assert_eq!(sheet.dimensions(), (8 * 4 + 7 * 2, 2 * 3 + 2));
        let at = |x, y| sheet.get_pixel(x, y).0;
        assert_eq!([at(0, 0), at(6, 2), at(0, 5), at(4, 0)], [[0; 3], [1; 3], [8; 3], [255; 3]]);
    }
}
