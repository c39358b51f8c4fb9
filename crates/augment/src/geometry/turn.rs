//! Transposing and turning by quarters: pixels change places and nothing is computed.

use crate::image::{Channels, Image8, Size};
use pulp::{Arch, Simd, WithSimd};

/// Rows that are read side by side, so that each cache line is used up before it is evicted.
const BAND: usize = 16;

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
    Arch::new().dispatch(Swap::<C> { image, result, from_right, from_bottom });
}

struct Swap<'a, const C: usize> {
    image: &'a Image8,
    result: &'a mut Image8,
    from_right: bool,
    from_bottom: bool,
}

impl<const C: usize> WithSimd for Swap<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (width, height) = (self.image.size().width as usize, self.image.size().height as usize);
        let (stride, target_stride) = (self.image.stride(), self.result.stride());
        let mut start = 0;
        while start < height {
            let rows = BAND.min(height - start);
            let band = &self.image.pixels()[start * stride..][..rows * stride];
            let to = if self.from_bottom { height - start - rows } else { start };
            let targets = self.result.pixels_mut().chunks_exact_mut(target_stride);
            for (y, target) in targets.enumerate() {
                let column = if self.from_right { width - 1 - y } else { y };
                let target = &mut target[to * C..][..rows * C];
                gather::<C>(&band[column * C..], stride, target);
                if self.from_bottom {
                    target.as_chunks_mut::<C>().0.reverse();
                }
            }
            start += rows;
        }
    }
}

/// Puts the pixels at the start of each row side by side; rows are `stride` bytes apart.
#[inline(always)]
fn gather<const C: usize>(rows: &[u8], stride: usize, target: &mut [u8]) {
    let mut target = target;
    for row in rows.chunks(stride) {
        // A pixel of three bytes is moved with the byte behind it, which is one load and one store; the next pixel
        // overwrites that byte.
        if C == 3
            && let (Some(four), Some(to)) = (row.first_chunk::<4>(), target.first_chunk_mut::<4>())
        {
            *to = *four;
        } else {
            target[..C].copy_from_slice(&row[..C]);
        }
        target = &mut target[C..];
    }
}
