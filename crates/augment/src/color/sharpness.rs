//! Sharpness with the arithmetic of `PIL.ImageEnhance.Sharpness`: a blend with the smoothed picture.

use crate::color::adjust::blend_levels;
use crate::image::Image8;
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

thread_local! {
    /// The row above as it was, the own row as it was, and the smoothed own row; kept from picture to picture.
    static ROWS: RefCell<[Vec<u8>; 3]> = const { RefCell::new([const { Vec::new() }; 3]) };
}

/// Blends with the smoothed picture: 0 is that one, 1 the picture itself, more is sharper. The outermost pixels, which
/// Pillow does not smooth, stay as they are.
pub(crate) fn adjust_sharpness(image: &mut Image8, factor: f64) {
    let _ = image.rgb_mut();
    let (stride, height) = (image.stride(), image.size().height as usize);
    if height < 3 || stride < 9 {
        return;
    }
    ROWS.with_borrow_mut(|[above, own, smooth]| {
        for row in [&mut *above, &mut *own, &mut *smooth] {
            row.resize(stride, 0);
        }
        above.copy_from_slice(&image.pixels()[..stride]);
        for y in 1..height - 1 {
            let (done, below) = image.pixels_mut().split_at_mut((y + 1) * stride);
            let row = &mut done[y * stride..];
            own.copy_from_slice(row);
            Arch::new().dispatch(Smooth { above, own, below: &below[..stride], result: smooth });
            blend_levels(&smooth[3..stride - 3], &mut row[3..stride - 3], factor);
            std::mem::swap(above, own);
        }
    });
}

/// `ImageFilter.SMOOTH` of one row but for its first and last pixel: the sum of all nine and four times the middle, by
/// 13. Rounded to the nearest, for which an odd divisor leaves no tie.
struct Smooth<'a> {
    above: &'a [u8],
    own: &'a [u8],
    below: &'a [u8],
    result: &'a mut [u8],
}

impl WithSimd for Smooth<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let len = self.own.len() - 6;
        let (above, own, below) = (self.above, self.own, self.below);
        let rows = [
            &above[..len],
            &above[3..3 + len],
            &above[6..6 + len],
            &own[..len],
            &own[3..3 + len],
            &own[6..6 + len],
            &below[..len],
            &below[3..3 + len],
            &below[6..6 + len],
        ];
        let smooth = &mut self.result[3..3 + len];
        for i in 0..len {
            let mut sum = 6 + 4 * u16::from(rows[4][i]);
            for row in rows {
                sum += u16::from(row[i]);
            }
            // Multiplying by 5042 / 65536 instead of dividing by 13 is exact up to 3321, the largest sum.
            #[allow(clippy::cast_possible_truncation, reason = "3321 / 13 is 255")]
            {
                smooth[i] = ((u32::from(sum) * 5042) >> 16) as u8;
            }
        }
    }
}
