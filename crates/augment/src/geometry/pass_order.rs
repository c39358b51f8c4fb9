//! Whether rows or columns are resized first, which shows where a filter overshoots and is clipped in between.

use crate::image::Size;

/// Pillow 13 takes columns first if the height shrinks by over twice as many pixels as the width.
pub(crate) fn columns_first(from: Size, to: Size) -> bool {
    let narrower = i64::from(from.width) - i64::from(to.width);
    let lower = i64::from(from.height) - i64::from(to.height);
    lower > 0 && lower > 2 * narrower
}
