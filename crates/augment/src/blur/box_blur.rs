//! The mean of a square: `cv2.blur`.
//!
//! Sums are exact; a mean is rounded to the nearest level, and the odd number of pixels knows no ties.

use super::border::{BLOCK, Border, Padded, with_border};
use crate::image::Image8;
use crate::round::{level_half_even, level_half_even_f64};
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// The largest square whose sum fits into 16 bits.
const NARROW: usize = 15;

#[derive(Default)]
struct Workspace {
    narrow: Vec<u16>,
    wide: Vec<u32>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::default());
}

/// Replaces each pixel by the mean of the `size` x `size` pixels around it; `size` is odd and at most 255.
pub(crate) fn box_blur(image: &mut Image8, size: usize) {
    let radius = size / 2;
    with_border(image, radius, Border::Reflect101, |padded, target| {
        WORKSPACE.with_borrow_mut(|Workspace { narrow, wide }| {
            if size <= NARROW {
                narrow.clear();
                narrow.resize(padded.stride(), 0);
                Arch::new().dispatch(Narrow { padded, target, size, sums: narrow });
            } else {
                wide.clear();
                wide.resize(2 * padded.stride(), 0);
                let (sums, prefix) = wide.split_at_mut(padded.stride());
                Arch::new().dispatch(Wide { padded, target, size, sums, prefix });
            }
        });
    });
}

struct Narrow<'a> {
    padded: &'a Padded<'a>,
    target: &'a mut [u8],
    size: usize,
    /// For each byte of a row the sum of its column over the square's height.
    sums: &'a mut [u16],
}

impl WithSimd for Narrow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { padded, target, size, sums } = self;
        let radius = (size / 2).cast_signed();
        for y in -radius..=radius {
            for (sum, &level) in sums.iter_mut().zip(padded.row(y)) {
                *sum += u16::from(level);
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "at most 225")]
        let share = 1.0 / (size * size) as f32;
        for (y, row) in (0_isize..).zip(target.chunks_exact_mut(padded.len)) {
            for (block, target) in row.chunks_mut(BLOCK).enumerate() {
                let mut acc = [0_u16; BLOCK];
                for column in 0..size {
                    let start = block * BLOCK + column * padded.channels;
                    for (acc, sum) in acc.iter_mut().zip(&sums[start..start + BLOCK]) {
                        *acc += *sum;
                    }
                }
                let mut levels = [0; BLOCK];
                for (level, acc) in levels.iter_mut().zip(acc) {
                    *level = level_half_even(f32::from(acc) * share);
                }
                target.copy_from_slice(&levels[..target.len()]);
            }
            let (next, past) = (padded.row(y + radius + 1), padded.row(y - radius));
            for ((sum, &next), &past) in sums.iter_mut().zip(next).zip(past) {
                *sum = sum.wrapping_add(u16::from(next)).wrapping_sub(u16::from(past));
            }
        }
    }
}

struct Wide<'a> {
    padded: &'a Padded<'a>,
    target: &'a mut [u8],
    size: usize,
    /// For each byte of a row the sum of its column over the square's height.
    sums: &'a mut [u32],
    /// The sums of all columns up to each.
    prefix: &'a mut [u32],
}

impl WithSimd for Wide<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { padded, target, size, sums, prefix } = self;
        let (radius, channels) = ((size / 2).cast_signed(), padded.channels);
        for y in -radius..=radius {
            for (sum, &level) in sums.iter_mut().zip(padded.row(y)) {
                *sum += u32::from(level);
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "at most 255 squared")]
        let share = 1.0 / (size * size) as f64;
        for (y, row) in (0_isize..).zip(target.chunks_exact_mut(padded.len)) {
            prefix[..channels].copy_from_slice(&sums[..channels]);
            for at in channels..prefix.len() {
                prefix[at] = prefix[at - channels].wrapping_add(sums[at]);
            }
            for (at, level) in row.iter_mut().enumerate() {
                let before = if at < channels { 0 } else { prefix[at - channels] };
                let sum = prefix[at + (size - 1) * channels].wrapping_sub(before);
                *level = level_half_even_f64(f64::from(sum) * share);
            }
            let (next, past) = (padded.row(y + radius + 1), padded.row(y - radius));
            for ((sum, &next), &past) in sums.iter_mut().zip(next).zip(past) {
                *sum = sum.wrapping_add(u32::from(next)).wrapping_sub(u32::from(past));
            }
        }
    }
}
