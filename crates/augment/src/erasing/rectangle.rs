//! Rectangles that are filled.

use crate::geometry::crop_box::CropBox;
use crate::image::{Channels, Image8, Size};
use crate::key::OpRng;

/// A level for each channel that normalises to about 0 with the statistics of ImageNet.
pub(crate) const IMAGENET_MEAN: [u8; 3] = [124, 116, 104];

/// A rectangle of `part` anywhere in a picture of `size`, into which it fits; two draws, the row and the column.
pub(crate) fn placed(part: Size, size: Size, rng: &mut OpRng) -> CropBox {
    let top = rng.integer(0, size.height.saturating_sub(part.height));
    let left = rng.integer(0, size.width.saturating_sub(part.width));
    CropBox { left, top, width: part.width, height: part.height }
}

/// The pixels of `part` that lie in `image`, row by row.
pub(crate) fn rows_mut(image: &mut Image8, part: CropBox) -> impl Iterator<Item = &mut [u8]> {
    let (stride, pixel) = (image.stride(), image.channels().count());
    let Size { width, height } = image.size();
    let span = |start: u32, len: u32, end: u32| {
        let start = start.min(end);
        start as usize..start.saturating_add(len).min(end) as usize
    };
    let columns = span(part.left, part.width, width);
    let rows = span(part.top, part.height, height);
    let columns = columns.start * pixel..columns.end * pixel;
    let rows = if columns.is_empty() { 0..0 } else { rows };
    image.pixels_mut()[rows.start * stride..rows.end * stride]
        .chunks_exact_mut(stride)
        .map(move |row| &mut row[columns.clone()])
}

/// Fills what `part` has of the picture. A gray picture takes the first level.
pub(crate) fn fill_rectangle(image: &mut Image8, part: CropBox, color: [u8; 3]) {
    let [red, green, blue] = color;
    if image.channels() == Channels::Gray || (red == green && green == blue) {
        rows_mut(image, part).for_each(|row| row.fill(red));
        return;
    }
    let mut rows = rows_mut(image, part);
    let Some(first) = rows.next() else { return };
    first.as_chunks_mut::<3>().0.fill(color);
    rows.for_each(|row| row.copy_from_slice(first));
}

#[cfg(test)]
mod tests {
    use super::{CropBox, Image8, Size, fill_rectangle};

    #[test]
    fn only_what_lies_inside_is_filled() {
        let check = |[left, top, width, height]: [u32; 4], expect: [u8; 6]| {
            let mut image = Image8::from_gray(Size::new(3, 2), vec![0; 6]).expect("six bytes");
            fill_rectangle(&mut image, CropBox { left, top, width, height }, [1; 3]);
            assert_eq!(image.pixels(), expect, "{left} {top} {width} {height}");
        };
        check([0, 0, 3, 2], [1; 6]);
        check([1, 0, 1, 1], [0, 1, 0, 0, 0, 0]);
        check([2, 1, 9, 9], [0, 0, 0, 0, 0, 1]);
        check([1, 1, u32::MAX, u32::MAX], [0, 0, 0, 0, 1, 1]);
        check([3, 0, 1, 1], [0; 6]);
        check([0, 9, 1, 1], [0; 6]);
        check([0, 0, 0, 2], [0; 6]);
        check([1, 1, 1, 0], [0; 6]);
    }
}
