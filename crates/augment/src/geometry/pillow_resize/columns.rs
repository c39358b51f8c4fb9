//! The pass along columns.

use super::rows::level_of;
use super::weights::{HALF, Weights};
use pulp::{Simd, WithSimd};

/// Bytes of a row that are summed at once: as many sums as stay in registers.
const BLOCK: usize = 64;

/// Makes each row of `to` from some of `from`.
pub(super) struct Columns<'a> {
    pub(super) from: &'a [u8],
    pub(super) to: &'a mut [u8],
    /// Bytes of a row.
    pub(super) len: usize,
    pub(super) weights: &'a Weights,
}

impl WithSimd for Columns<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { from, to, len, weights } = self;
        for (row, taps) in to.chunks_exact_mut(len).zip(weights.taps()) {
            let near = &from[taps.start * len..];
            let whole = len / BLOCK * BLOCK;
            let (blocks, rest) = row.split_at_mut(whole);
            for (block, at) in
                blocks.as_chunks_mut::<BLOCK>().0.iter_mut().zip((0..).step_by(BLOCK))
            {
                let mut sums = [HALF; BLOCK];
                for (above, &weight) in (0..).map(|tap| tap * len + at).zip(taps.weights) {
                    add(&mut sums, &near[above..][..BLOCK], weight);
                }
                round(block, &sums);
            }
            let mut sums = [HALF; BLOCK];
            for (above, &weight) in (0..).map(|tap| tap * len + whole).zip(taps.weights) {
                add(&mut sums, &near[above..][..rest.len()], weight);
            }
            round(rest, &sums);
        }
    }
}

#[inline(always)]
fn add(sums: &mut [i32; BLOCK], levels: &[u8], weight: i32) {
    for (sum, &level) in sums.iter_mut().zip(levels) {
        *sum += i32::from(level) * weight;
    }
}

#[inline(always)]
fn round(levels: &mut [u8], sums: &[i32; BLOCK]) {
    for (level, &sum) in levels.iter_mut().zip(sums) {
        *level = level_of(sum);
    }
}
