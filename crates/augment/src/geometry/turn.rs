//! Transposing and turning by quarters: pixels change places and nothing is computed.

use crate::image::{Channels, Image8, Size};
use pulp::{Arch, Simd, WithSimd};

/// Rows that are read side by side, so that each cache line is used up before it is evicted.
const BAND: usize = 32;

/// Swaps rows and columns: the mirror at the diagonal from the top left.
pub(crate) fn transposed(image: &Image8) -> Image8 {
    swap_axes(image, false, false)
}

/// `quarters` quarter turns counter-clockwise.
pub(crate) fn turned(image: Image8, quarters: u8) -> Image8 {
    match quarters % 4 {
        1 => swap_axes(&image, true, false),
        2 => half_turned(image),
        3 => swap_axes(&image, false, true),
        _ => image,
    }
}

fn half_turned(mut image: Image8) -> Image8 {
    match image.channels() {
        Channels::Gray => image.pixels_mut().reverse(),
        Channels::Rgb => Arch::new().dispatch(Reverse { pixels: image.rgb_mut() }),
    }
    image
}

/// Reverses pixels. Compiled for vectors, unlike the same loop outside.
struct Reverse<'a> {
    pixels: &'a mut [[u8; 3]],
}

impl WithSimd for Reverse<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.pixels.reverse();
    }
}

/// The picture whose rows are the columns of `image`, from the right one on and from the bottom upwards if told so.
fn swap_axes(image: &Image8, from_right: bool, from_bottom: bool) -> Image8 {
    let Size { width, height } = image.size();
    let mut result = Image8::black(Size::new(height, width), image.channels());
    match image.channels() {
        Channels::Gray => swap::<1>(image, &mut result, from_right, from_bottom),
        Channels::Rgb => swap::<3>(image, &mut result, from_right, from_bottom),
    }
    result
}

fn swap<const C: usize>(image: &Image8, result: &mut Image8, from_right: bool, from_bottom: bool) {
    let (width, height) = (image.size().width as usize, image.size().height as usize);
    let stride = result.stride();
    let source = image.pixels().as_chunks::<C>().0;
    let mut start = 0;
    while start < height {
        let rows = BAND.min(height - start);
        let band = &source[start * width..(start + rows) * width];
        let to = if from_bottom { height - start - rows } else { start };
        for (y, target) in result.pixels_mut().chunks_exact_mut(stride).enumerate() {
            let column = if from_right { width - 1 - y } else { y };
            let target = target.as_chunks_mut::<C>().0[to..to + rows].iter_mut();
            let pixels = band[column..].iter().step_by(width);
            if from_bottom {
                target.rev().zip(pixels).for_each(|(target, pixel)| *target = *pixel);
            } else {
                target.zip(pixels).for_each(|(target, pixel)| *target = *pixel);
            }
        }
        start += rows;
    }
}
