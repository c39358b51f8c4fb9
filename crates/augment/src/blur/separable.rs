//! One symmetric row of weights for rows and columns: `cv2.sepFilter2D` with weights in `f32`.
//!
//! Each row is filtered once and kept, in `f32`, until no row below it needs it; a new row is the weighted sum of those
//! kept around it. Two new rows are made at once, because they are sums of the same rows but for two.

use super::border::Border;
use crate::image::Image8;
use crate::round::level_half_even;
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// Levels computed at once: as many sums as stay in registers.
const BLOCK: usize = 64;
/// No picture of 8 bits is filtered with more weights than this on either side.
const MOST: usize = 128;

#[derive(Default)]
struct Scratch {
    /// A row with its borders.
    padded: Vec<f32>,
    /// The filtered rows around the current one, row `y` at `y` modulo their number.
    kept: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Filters with `weights`: that of the centre, then those of the pixels beside it, which are positive and sum to 1
/// when both sides are counted. More than 128 on a side are cut off.
pub(crate) fn filter_symmetric(image: &mut Image8, weights: &[f32]) {
    let weights = &weights[..weights.len().min(MOST + 1)];
    if weights.len() < 2 {
        return;
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let (len, channels) = (image.stride(), image.channels().count());
        let (radius, blocks) = (weights.len() - 1, len.next_multiple_of(BLOCK));
        scratch.padded.resize(blocks + 2 * radius * channels, 0.0);
        scratch.kept.resize(blocks * (2 * radius + 2), 0.0);
        let height = image.size().height as usize;
        let pixels = image.pixels_mut();
        Arch::new().dispatch(Filter { pixels, len, channels, height, weights, scratch });
    });
}

struct Filter<'a> {
    pixels: &'a mut [u8],
    /// Bytes of a row.
    len: usize,
    channels: usize,
    height: usize,
    weights: &'a [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { pixels, len, channels, height, weights, scratch: Scratch { padded, kept } } =
            self;
        let (radius, blocks) = (weights.len() - 1, len.next_multiple_of(BLOCK));
        let start_of = |y: usize| y % (2 * radius + 2) * blocks;
        let mut ready = 0;
        for y in (0..height).step_by(2) {
            while ready < height.min(y + radius + 2) {
                pad(&pixels[ready * len..][..len], channels, radius, padded);
                let row = &mut kept[start_of(ready)..][..blocks];
                filter_row(padded, channels, weights, row);
                ready += 1;
            }
            let mut starts = [0; 2 * MOST + 2];
            for (start, y) in starts.iter_mut().zip(y.cast_signed() - radius.cast_signed()..) {
                *start = start_of(Border::Reflect101.inside(y, height));
            }
            let starts = &starts[..2 * radius + 2];
            let rows = &mut pixels[y * len..];
            let (first, rest) = rows.split_at_mut(len);
            let second = rest.get_mut(..len).unwrap_or_default();
            filter_columns(kept, starts, weights, first, second);
        }
    }
}

/// Copies a row and mirrors its ends.
#[inline(always)]
fn pad(row: &[u8], channels: usize, radius: usize, padded: &mut [f32]) {
    let (width, side) = (row.len() / channels, radius * channels);
    for (padded, &level) in padded[side..].iter_mut().zip(row) {
        *padded = f32::from(level);
    }
    for beyond in 1..=radius {
        let away = beyond.cast_signed();
        let left = Border::Reflect101.inside(-away, width);
        let right = Border::Reflect101.inside(width.cast_signed() - 1 + away, width);
        for channel in 0..channels {
            padded[side - beyond * channels + channel] = f32::from(row[left * channels + channel]);
            padded[side + row.len() + (beyond - 1) * channels + channel] =
                f32::from(row[right * channels + channel]);
        }
    }
}

/// The weighted sums along a row.
#[inline(always)]
fn filter_row(padded: &[f32], channels: usize, weights: &[f32], row: &mut [f32]) {
    let (rest, centre) = (&weights[1..], (weights.len() - 1) * channels);
    for (sums, at) in row.as_chunks_mut::<BLOCK>().0.iter_mut().zip((centre..).step_by(BLOCK)) {
        let Some(middle) = padded[at..].first_chunk() else { return };
        let mut acc = weighted(middle, weights[0]);
        for (&weight, away) in rest.iter().zip((channels..).step_by(channels)) {
            let left = padded[at - away..].first_chunk();
            let right = padded[at + away..].first_chunk();
            let (Some(left), Some(right)) = (left, right) else { return };
            acc = with_pair(acc, left, right, weight);
        }
        *sums = acc;
    }
}

/// The levels of two rows, the second of which may be missing: weighted sums of the rows kept at `starts`.
#[inline(always)]
fn filter_columns(
    kept: &[f32],
    starts: &[usize],
    weights: &[f32],
    first: &mut [u8],
    second: &mut [u8],
) {
    let (upper, lower) = starts.split_at(starts.len() / 2);
    let (Some((&upper, above)), Some((&lower, below))) = (upper.split_last(), lower.split_first())
    else {
        return;
    };
    let mut seconds = second.chunks_mut(BLOCK);
    for (first, at) in first.chunks_mut(BLOCK).zip((0..).step_by(BLOCK)) {
        let row = |start: usize| kept[start + at..].first_chunk();
        let (Some(mut nearer), Some(mut under)) = (row(upper), row(lower)) else { return };
        let (mut acc, mut next) = (weighted(nearer, weights[0]), weighted(under, weights[0]));
        for ((&above, &below), &weight) in above.iter().rev().zip(below).zip(&weights[1..]) {
            let (Some(above), Some(below)) = (row(above), row(below)) else { return };
            acc = with_pair(acc, above, under, weight);
            next = with_pair(next, nearer, below, weight);
            (nearer, under) = (above, below);
        }
        let levels = acc.map(level_half_even);
        first.copy_from_slice(&levels[..first.len()]);
        if let Some(second) = seconds.next() {
            let levels = next.map(level_half_even);
            second.copy_from_slice(&levels[..second.len()]);
        }
    }
}

#[inline(always)]
fn weighted(middle: &[f32; BLOCK], weight: f32) -> [f32; BLOCK] {
    std::array::from_fn(|i| middle[i] * weight)
}

#[inline(always)]
fn with_pair(
    acc: [f32; BLOCK],
    one: &[f32; BLOCK],
    other: &[f32; BLOCK],
    weight: f32,
) -> [f32; BLOCK] {
    std::array::from_fn(|i| (one[i] + other[i]).mul_add(weight, acc[i]))
}
