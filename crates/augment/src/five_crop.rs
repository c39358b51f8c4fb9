//! Several cuts of one picture, for prediction.

use crate::error::{Error, check};
use crate::geometry::axis::{Axis, gather};
use crate::image::{Image8, Size};
use crate::round::pixels_half_even;

/// The four corners and the centre, each of `size`: upper left, upper right, lower left, lower right, centre.
///
/// torchvision's `five_crop`, bit for bit: the centre's margins are rounded to the nearest number, the even one of two.
///
/// # Errors
/// [`Error::OutOfRange`] when `size` has no pixels or does not fit into the picture.
pub fn five_crop(image: &Image8, size: Size) -> Result<[Image8; 5], Error> {
    let whole = image.size();
    let fits = size.area() > 0 && size.width <= whole.width && size.height <= whole.height;
    let found = format_args!("{size} for a picture of {whole}");
    check(fits, "size", "at least 1x1 and at most the picture's size", found)?;
    let (right, bottom) = (whole.width - size.width, whole.height - size.height);
    let middle = |margin: u32| pixels_half_even(f64::from(margin) / 2.0);
    let cut = |left: u32, top: u32| {
        let columns = Axis::identity(whole.width).window(left, size.width);
        let rows = Axis::identity(whole.height).window(top, size.height);
        gather(image.clone(), &columns, &rows, [0; 3])
    };
    Ok([
        cut(0, 0),
        cut(right, 0),
        cut(0, bottom),
        cut(right, bottom),
        cut(middle(right), middle(bottom)),
    ])
}
