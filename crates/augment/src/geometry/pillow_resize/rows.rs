//! The pass along rows.

use super::panel::{self, Place, ROWS};
use super::weights::{HALF, PRECISION, Weights};
use pulp::{Simd, WithSimd};

/// Resizes each row of `from`.
pub(super) struct Rows<'a, const C: usize> {
    pub(super) from: &'a [u8],
    /// In pixels.
    pub(super) from_width: usize,
    pub(super) to: &'a mut [u8],
    /// In pixels.
    pub(super) to_width: usize,
    pub(super) weights: &'a Weights,
    pub(super) scratch: &'a mut Scratch,
}

/// A panel of rows before and after.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    from: Vec<Place>,
    to: Vec<Place>,
}

impl<const C: usize> WithSimd for Rows<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { from, from_width, to, to_width, weights, scratch } = self;
        let (from_len, to_len) = (from_width * C, to_width * C);
        scratch.from.resize(from_len, [0; ROWS]);
        scratch.to.resize(to_len, [0; ROWS]);
        for (from, to) in from.chunks(ROWS * from_len).zip(to.chunks_mut(ROWS * to_len)) {
            panel::from_rows(from, &mut scratch.from);
            let (pixels, _) = scratch.from.as_chunks::<C>();
            let (resized, _) = scratch.to.as_chunks_mut::<C>();
            for (pixel, taps) in resized.iter_mut().zip(weights.taps()) {
                let near = &pixels[taps.start..][..taps.weights.len()];
                *pixel = weighted_sum(near, taps.weights);
            }
            panel::to_rows(&scratch.to, to);
        }
    }
}

#[inline(always)]
fn weighted_sum<const C: usize>(pixels: &[[Place; C]], weights: &[i32]) -> [Place; C] {
    let mut sums = [[HALF; ROWS]; C];
    for (pixel, &weight) in pixels.iter().zip(weights) {
        for (sums, levels) in sums.iter_mut().zip(pixel) {
            for (sum, &level) in sums.iter_mut().zip(levels) {
                *sum += i32::from(level) * weight;
            }
        }
    }
    sums.map(|sums| sums.map(level_of))
}

/// The level of a sum.
#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::inline_always,
    reason = "clamped to 8 bits; a call would end vectorised loops"
)]
pub(super) fn level_of(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}
