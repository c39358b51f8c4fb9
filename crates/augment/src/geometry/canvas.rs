//! The picture that moved pixels are written to: same channels as the source, filled with a colour.

use crate::image::{Channels, Image8, Size};

/// `image` in a form that can hold `fill`: a gray picture becomes an RGB one if the fill has a colour.
pub(crate) fn fillable(image: Image8, fill: [u8; 3]) -> Image8 {
    let [red, green, blue] = fill;
    if red == green && green == blue { image } else { image.into_rgb() }
}

/// A picture of `size` with the channels of `image`, full of `fill`. For a gray picture the fill is gray.
pub(crate) fn filled_like(image: &Image8, size: Size, fill: [u8; 3]) -> Image8 {
    if image.channels() == Channels::Rgb {
        return Image8::filled(size, fill);
    }
    let mut canvas = Image8::black(size, Channels::Gray);
    if fill[0] != 0 {
        canvas.pixels_mut().fill(fill[0]);
    }
    canvas
}
