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

/// Pixels that are taken apart at once.
pub(crate) const BLOCK: usize = 64;

impl<F: PixelFunction> WithSimd for EachPixel<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (blocks, rest) = self.pixels.as_chunks_mut::<BLOCK>();
        for block in blocks {
            let [mut red, mut green, mut blue] = take_apart(block);
            for i in 0..BLOCK {
                [red[i], green[i], blue[i]] = self.function.of([red[i], green[i], blue[i]]);
            }
            put_together(block, &[red, green, blue]);
        }
        for pixel in rest {
            *pixel = self.function.of(*pixel);
        }
    }
}

/// All reds, all greens, all blues.
#[inline(always)]
pub(crate) fn take_apart(block: &[[u8; 3]; BLOCK]) -> [[u8; BLOCK]; 3] {
    let (bytes, mut planes) = (block.as_flattened(), [[0; BLOCK]; 3]);
    for i in 0..BLOCK {
        planes[0][i] = bytes[3 * i];
        planes[1][i] = bytes[3 * i + 1];
        planes[2][i] = bytes[3 * i + 2];
    }
    planes
}

/// The way back.
#[inline(always)]
pub(crate) fn put_together(block: &mut [[u8; 3]; BLOCK], planes: &[[u8; BLOCK]; 3]) {
    let bytes = block.as_flattened_mut();
    for i in 0..BLOCK {
        bytes[3 * i] = planes[0][i];
        bytes[3 * i + 1] = planes[1][i];
        bytes[3 * i + 2] = planes[2][i];
    }
}
