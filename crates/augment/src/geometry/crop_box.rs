//! A rectangle inside a picture.

use crate::image::Size;
use serde::{Deserialize, Serialize};

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropBox {
    /// Columns to the left of the rectangle.
    pub left: u32,
    /// Rows above the rectangle.
    pub top: u32,
    /// Columns in the rectangle.
    pub width: u32,
    /// Rows in the rectangle.
    pub height: u32,
}

impl CropBox {
    /// All of a picture of `size`.
    pub const fn whole(size: Size) -> Self {
        Self { left: 0, top: 0, width: size.width, height: size.height }
    }

    /// Width and height.
    pub const fn size(self) -> Size {
        Size::new(self.width, self.height)
    }

    /// Whether it has pixels and all of them lie in a picture of `size`.
    pub const fn is_inside(self, size: Size) -> bool {
        let (right, bottom) =
            (self.left as u64 + self.width as u64, self.top as u64 + self.height as u64);
        self.width > 0
            && self.height > 0
            && right <= size.width as u64
            && bottom <= size.height as u64
    }

    /// The nearest box that [is inside](Self::is_inside) a picture of `size`; itself if it already is.
    pub(crate) fn clamped(self, size: Size) -> Self {
        let left = self.left.min(size.width - 1);
        let top = self.top.min(size.height - 1);
        Self {
            left,
            top,
            width: self.width.clamp(1, size.width - left),
            height: self.height.clamp(1, size.height - top),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CropBox;
    use crate::image::Size;

    #[test]
    fn clamping_yields_boxes_inside() {
        let size = Size::new(7, 5);
        let check = |[left, top, width, height]: [u32; 4], expect: [u32; 4]| {
            let clamped = CropBox { left, top, width, height }.clamped(size);
            let CropBox { left, top, width, height } = clamped;
            assert_eq!([left, top, width, height], expect);
            assert!(clamped.is_inside(size));
        };
        check([0, 0, 7, 5], [0, 0, 7, 5]);
        check([3, 1, 2, 4], [3, 1, 2, 4]);
        check([3, 1, 9, 9], [3, 1, 4, 4]);
        check([7, 5, 1, 1], [6, 4, 1, 1]);
        check([0, 0, 0, 0], [0, 0, 1, 1]);
        check([u32::MAX; 4], [6, 4, 1, 1]);
    }
}
