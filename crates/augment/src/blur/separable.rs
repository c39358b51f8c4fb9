//! One symmetric row of weights for rows and columns: `cv2.sepFilter2D` with weights in `f32`.
//!
//! Columns are summed first, from the levels themselves; OpenCV takes rows first. Only the last bits of the sums differ.

use super::border::{Border, Padded, with_border};
use crate::image::Image8;
use crate::round::level_half_even;
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// Levels computed at once. Half a block of the border's, because `f32` lanes are wide.
const BLOCK: usize = 32;

thread_local! {
    static COLUMNS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Filters with `weights`: that of the centre, then those of the pixels beside it, which are positive and sum to 1
/// when both sides are counted.
pub(crate) fn filter_symmetric(image: &mut Image8, weights: &[f32]) {
    let radius = weights.len().saturating_sub(1);
    if radius == 0 {
        return;
    }
    with_border(image, radius, Border::Reflect101, |padded, target| {
        COLUMNS.with_borrow_mut(|columns| {
            // Padding of the row's end lets the columns be summed by whole blocks.
            columns.resize(padded.stride().next_multiple_of(BLOCK), 0.0);
            Arch::new().dispatch(Filter { padded, target, weights, columns });
        });
    });
}

struct Filter<'a> {
    padded: &'a Padded<'a>,
    target: &'a mut [u8],
    weights: &'a [f32],
    columns: &'a mut [f32],
}

impl WithSimd for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { padded, target, weights, columns } = self;
        let radius = weights.len() - 1;
        for (y, row) in (0_isize..).zip(target.chunks_exact_mut(padded.len)) {
            sum_columns(padded, y, weights, columns);
            for (block, target) in row.chunks_mut(BLOCK).enumerate() {
                let centre = block * BLOCK + radius * padded.channels;
                let mut acc = [0.0_f32; BLOCK];
                for (acc, column) in acc.iter_mut().zip(&columns[centre..centre + BLOCK]) {
                    *acc = *column * weights[0];
                }
                for (away, &weight) in weights.iter().enumerate().skip(1) {
                    let away = away * padded.channels;
                    let left = &columns[centre - away..centre - away + BLOCK];
                    let right = &columns[centre + away..centre + away + BLOCK];
                    for i in 0..BLOCK {
                        acc[i] = (left[i] + right[i]).mul_add(weight, acc[i]);
                    }
                }
                let mut levels = [0; BLOCK];
                for (level, acc) in levels.iter_mut().zip(acc) {
                    *level = level_half_even(acc);
                }
                target.copy_from_slice(&levels[..target.len()]);
            }
        }
    }
}

/// The weighted sum of each column around row `y`, border included.
#[inline(always)]
fn sum_columns(padded: &Padded<'_>, y: isize, weights: &[f32], columns: &mut [f32]) {
    let end = padded.stride();
    let centre = padded.row(y);
    let mut at = 0;
    // The last block overlaps the one before it rather than end in single levels.
    while at < end {
        let start = at.min(end - BLOCK);
        let mut acc = [0.0_f32; BLOCK];
        for (acc, &level) in acc.iter_mut().zip(&centre[start..start + BLOCK]) {
            *acc = f32::from(level) * weights[0];
        }
        for (away, &weight) in (1_isize..).zip(&weights[1..]) {
            let above = &padded.row(y - away)[start..start + BLOCK];
            let below = &padded.row(y + away)[start..start + BLOCK];
            for i in 0..BLOCK {
                let pair = u16::from(above[i]) + u16::from(below[i]);
                acc[i] = f32::from(pair).mul_add(weight, acc[i]);
            }
        }
        columns[start..start + BLOCK].copy_from_slice(&acc);
        at += BLOCK;
    }
}
