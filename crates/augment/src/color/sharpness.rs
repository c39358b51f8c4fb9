//! Sharpness with the arithmetic of `PIL.ImageEnhance.Sharpness`: a blend with the smoothed picture.

use crate::color::adjust::blend;
use crate::image::Image8;
use crate::round::factor;
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// Levels computed at once.
const BLOCK: usize = 64;
/// Levels that a block is computed from: a pixel more on either side.
const WIDE: usize = BLOCK + 6;

thread_local! {
    /// Three rows as they were before, each readable to the end of its last block; kept from picture to picture.
    static ROWS: RefCell<[Vec<u8>; 3]> = const { RefCell::new([const { Vec::new() }; 3]) };
}

/// Blends with the smoothed picture: 0 is that one, 1 the picture itself, more is sharper. The outermost pixels, which
/// Pillow does not smooth, stay as they are.
pub(crate) fn adjust_sharpness(image: &mut Image8, amount: f64) {
    let _ = image.rgb_mut();
    let (stride, height) = (image.stride(), image.size().height as usize);
    if height < 3 || stride < 9 {
        return;
    }
    ROWS.with_borrow_mut(|rows| {
        for (row, own) in rows.iter_mut().zip(image.pixels().chunks_exact(stride)) {
            row.resize(stride + WIDE, 0);
            row[..stride].copy_from_slice(own);
        }
        for y in 1..height - 1 {
            let (done, below) = image.pixels_mut().split_at_mut((y + 1) * stride);
            rows[2][..stride].copy_from_slice(&below[..stride]);
            let inner = &mut done[y * stride + 3..(y + 1) * stride - 3];
            Arch::new().dispatch(Sharpen { rows: &*rows, inner, factor: factor(amount) });
            rows.rotate_left(1);
        }
    });
}

/// One row but for its first and last pixel.
struct Sharpen<'a> {
    /// Above, own and below.
    rows: &'a [Vec<u8>; 3],
    inner: &'a mut [u8],
    factor: f32,
}

impl WithSimd for Sharpen<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (block, inner) in self.inner.chunks_mut(BLOCK).enumerate() {
            let [Some(above), Some(own), Some(below)] =
                self.rows.each_ref().map(|row| row[block * BLOCK..].first_chunk::<WIDE>())
            else {
                return;
            };
            let mut levels = [0; BLOCK];
            for i in 0..BLOCK {
                let column =
                    |at: usize| u16::from(above[at]) + u16::from(own[at]) + u16::from(below[at]);
                let level = own[i + 3];
                let sum = column(i) + column(i + 3) + column(i + 6) + 4 * u16::from(level);
                levels[i] = blend(smooth(sum), level, self.factor);
            }
            inner.copy_from_slice(&levels[..inner.len()]);
        }
    }
}

/// `ImageFilter.SMOOTH`: the sum of all nine and four times the middle, by 13. Rounded to the nearest, for which an odd
/// divisor leaves no tie.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "(3315 + 6) / 13 is 255")]
const fn smooth(sum: u16) -> u8 {
    // Multiplying by 5042 / 65536 instead of dividing by 13 is exact up to 3321, the largest sum.
    (((sum + 6) as u32 * 5042) >> 16) as u8
}
