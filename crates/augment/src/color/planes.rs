//! A function of every pixel by itself, on sixty-four at a time.
//!
//! Vectors want all reds side by side, then all greens, then all blues. A block of pixels is therefore taken apart,
//! computed, and put together again; the compiler turns each of the three loops into vectors.

use crate::image::Image8;
use pulp::{Arch, Simd, WithSimd};

/// A function of one pixel without branches. A trait of its own, because closures are not compiled for the vectors; `of`
/// must be `#[inline(always)]` for the same reason.
pub(crate) trait PixelFunction: Copy {
    /// The new pixel.
    fn of(self, pixel: [u8; 3]) -> [u8; 3];
}

/// Changes every pixel.
pub(crate) fn each_pixel(image: &mut Image8, function: impl PixelFunction) {
    Arch::new().dispatch(EachPixel { pixels: image.rgb_mut(), function });
}

struct EachPixel<'a, F> {
    pixels: &'a mut [[u8; 3]],
    function: F,
}

const BLOCK: usize = 64;

impl<F: PixelFunction> WithSimd for EachPixel<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (blocks, rest) = self.pixels.as_chunks_mut::<BLOCK>();
        for block in blocks {
            let bytes = block.as_flattened_mut();
            let (mut red, mut green, mut blue) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
            for i in 0..BLOCK {
                red[i] = bytes[3 * i];
                green[i] = bytes[3 * i + 1];
                blue[i] = bytes[3 * i + 2];
            }
            for i in 0..BLOCK {
                [red[i], green[i], blue[i]] = self.function.of([red[i], green[i], blue[i]]);
            }
            for i in 0..BLOCK {
                bytes[3 * i] = red[i];
                bytes[3 * i + 1] = green[i];
                bytes[3 * i + 2] = blue[i];
            }
        }
        for pixel in rest {
            *pixel = self.function.of(*pixel);
        }
    }
}
