//! `PIL.ImageFilter.GaussianBlur`: three passes of an extended box blur along each axis, in 24-bit fixed point.
//!
//! An extended box has a fractional length: its two outermost pixels count less (Gwosdek et al., "Theoretical
//! foundations of Gaussian convolution by extended box filtering", 2011).

use super::border::{Border, Padded, with_border};
use crate::image::Image8;
use crate::round::{pixel_at, share_of_24_bits};
use pulp::{Arch, Simd, WithSimd};

/// Levels computed at once.
const BLOCK: usize = 32;
const PASSES: f32 = 3.0;

/// Blurs as `ImageFilter.GaussianBlur(radius)`, whose radius is the standard deviation. A radius that is not positive
/// does nothing.
pub(crate) fn gaussian_blur_of_pillow(image: &mut Image8, radius: f32) {
    // The upper end keeps the sums in range.
    let radius = radius.clamp(0.0, 100.0);
    if radius.is_nan() || radius == 0.0 {
        return;
    }
    let length = Length::of_box(extended_radius(radius));
    for along_rows in [true, true, true, false, false, false] {
        with_border(image, length.whole + 1, Border::Replicate, |padded, target| {
            Arch::new().dispatch(Pass { padded, target, length, along_rows });
        });
    }
}

/// The radius of the box whose threefold use has the standard deviation `sigma`, with Pillow's types.
fn extended_radius(sigma: f32) -> f32 {
    let variance = sigma * sigma / PASSES;
    #[allow(clippy::cast_possible_truncation, reason = "C rounds to its float here")]
    let length = (12.0 * f64::from(variance) + 1.0).sqrt() as f32;
    let whole = ((length - 1.0) / 2.0).floor();
    let part = (2.0 * whole + 1.0) * (whole * (whole + 1.0) - 3.0 * variance);
    whole + part / (6.0 * (variance - (whole + 1.0) * (whole + 1.0)))
}

/// How a box weighs its pixels, in 2^-24.
#[derive(Debug, Clone, Copy)]
struct Length {
    /// Pixels on either side of the centre that count as much as it.
    whole: usize,
    /// Their weight.
    near: u32,
    /// The weight of the next ones.
    far: u32,
}

impl Length {
    fn of_box(radius: f32) -> Self {
        let whole = pixel_at(f64::from(radius));
        let near = share_of_24_bits(radius * 2.0 + 1.0);
        let pixels = u32::try_from(2 * whole + 1).unwrap_or(u32::MAX);
        let far = (1_u32 << 24).saturating_sub(pixels.saturating_mul(near)) / 2;
        Self { whole, near, far }
    }
}

struct Pass<'a> {
    padded: &'a Padded<'a>,
    target: &'a mut [u8],
    length: Length,
    along_rows: bool,
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { padded, target, length: Length { whole, near, far }, along_rows } = self;
        let side = whole + 1;
        for (y, row) in (0_isize..).zip(target.chunks_exact_mut(padded.len)) {
            for (block, target) in row.chunks_mut(BLOCK).enumerate() {
                let start = block * BLOCK;
                let pixels = |away: usize| {
                    let (row, column) = if along_rows {
                        (y, away * padded.channels)
                    } else {
                        (y + away.cast_signed() - side.cast_signed(), side * padded.channels)
                    };
                    &padded.row(row)[start + column..start + column + BLOCK]
                };
                let mut sums = [0_u32; BLOCK];
                for away in 1..2 * side {
                    for (sum, &level) in sums.iter_mut().zip(pixels(away)) {
                        *sum += u32::from(level);
                    }
                }
                let (first, last) = (pixels(0), pixels(2 * side));
                let mut levels = [0; BLOCK];
                for i in 0..BLOCK {
                    let ends = u32::from(first[i]) + u32::from(last[i]);
                    let level = sums[i].wrapping_mul(near).wrapping_add(ends.wrapping_mul(far));
                    levels[i] = level.wrapping_add(1 << 23).to_be_bytes()[0];
                }
                target.copy_from_slice(&levels[..target.len()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::gaussian_blur_of_pillow;
    use crate::image::{Image8, Size};

    /// Sums that Pillow 13 gives: each level times its place, for a picture of the same formula.
    #[test]
    fn results_equal_those_of_pillow() {
        let size = Size::new(23, 17);
        let pixels: Vec<u8> =
            (0..size.area() * 3).map(|i| (i * i * 97 % 251).to_le_bytes()[0]).collect();
        for (radius, expect) in [
            (0.0, 90_481_184),
            (0.1, 90_500_798),
            (0.37, 90_607_940),
            (0.8, 90_705_667),
            (1.0, 90_077_254),
            (1.7, 90_457_291),
            (2.0, 90_574_571),
            (3.3, 90_223_295),
            (9.0, 89_460_664),
            (40.0, 85_945_145),
        ] {
            let mut image = Image8::from_rgb(size, pixels.clone()).unwrap();
            gaussian_blur_of_pillow(&mut image, radius);
            let sum: u64 =
                (1..).zip(image.pixels()).map(|(place, &level)| place * u64::from(level)).sum();
            assert_eq!(sum, expect, "radius {radius}");
        }
    }
}
