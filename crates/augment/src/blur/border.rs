//! A picture with a border on the left and right, from which a filter reads what it wants to replace.

use crate::image::Image8;
use std::cell::RefCell;

/// Levels that the filters compute at once. Rows are readable up to a multiple of it.
pub(crate) const BLOCK: usize = 64;

/// What lies beyond the outermost pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Border {
    /// The picture mirrored at its outermost pixels: OpenCV's `BORDER_REFLECT_101`.
    Reflect101,
    /// The outermost pixel: OpenCV's `BORDER_REPLICATE`.
    Replicate,
}

impl Border {
    /// The place among `len` that stands for `place`.
    #[inline(always)]
    pub(crate) fn inside(self, place: isize, len: usize) -> usize {
        let last = len.cast_signed() - 1;
        let inside = match self {
            // Most places are, and a division takes longer than all the rest.
            _ if (0..=last).contains(&place) => place,
            Self::Replicate => place.clamp(0, last),
            Self::Reflect101 if last == 0 => 0,
            Self::Reflect101 => {
                let phase = place.rem_euclid(2 * last);
                phase.min(2 * last - phase)
            }
        };
        inside.cast_unsigned()
    }
}

/// The rows of a picture, each with `radius` pixels of border on either side.
pub(crate) struct Padded<'a> {
    bytes: &'a [u8],
    stride: usize,
    height: usize,
    border: Border,
    /// Bytes of a row of the picture.
    pub(crate) len: usize,
    /// Bytes of a pixel.
    pub(crate) channels: usize,
}

impl<'a> Padded<'a> {
    /// Row `y`, which may lie beyond the picture, from its border on.
    #[inline(always)]
    pub(crate) fn row(&self, y: isize) -> &'a [u8] {
        let start = self.border.inside(y, self.height) * self.stride;
        &self.bytes[start..start + self.stride]
    }

    /// Bytes that can be read from a row.
    pub(crate) const fn stride(&self) -> usize {
        self.stride
    }
}

thread_local! {
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Copies `image` with borders and lets `filter` write the new rows over the old ones.
pub(crate) fn with_border(
    image: &mut Image8,
    radius: usize,
    border: Border,
    filter: impl FnOnce(&Padded<'_>, &mut [u8]),
) {
    let (len, channels) = (image.stride(), image.channels().count());
    let width = len / channels;
    let (height, side) = (image.size().height as usize, radius * channels);
    let stride = side + len.next_multiple_of(BLOCK) + side;
    BYTES.with_borrow_mut(|bytes| {
        bytes.resize(stride * height, 0);
        let rows = bytes.chunks_exact_mut(stride).zip(image.pixels().chunks_exact(len));
        for (padded, row) in rows {
            padded[side..side + len].copy_from_slice(row);
            let mut copy = |to: usize, from: usize| {
                let from = from * channels;
                padded[to..to + channels].copy_from_slice(&row[from..from + channels]);
            };
            for beyond in 1..=radius {
                let away = beyond.cast_signed();
                copy(side - beyond * channels, border.inside(-away, width));
                let right = border.inside(width.cast_signed() - 1 + away, width);
                copy(side + len + (beyond - 1) * channels, right);
            }
        }
        let padded = Padded { bytes, stride, height, border, len, channels };
        filter(&padded, image.pixels_mut());
    });
}

#[cfg(test)]
mod tests {
    use super::Border;

    #[test]
    fn places_beyond_the_ends_are_mirrored_or_held() {
        let places =
            |border: Border, len| (-5..9).map(|at| border.inside(at, len)).collect::<Vec<_>>();
        assert_eq!(places(Border::Reflect101, 4), [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(places(Border::Replicate, 4), [0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3]);
        assert_eq!(places(Border::Reflect101, 1), [0; 14]);
    }
}
