//! The whole way from RGB to coefficients and back.
//!
//! On the way there the picture is taken in strips of sixteen rows, that is two strips of blocks of luma and one of each
//! chroma, which fit into the fastest cache. The way back needs the chroma of neighbouring strips, so the decoded
//! planes are complete before the first pixel is.

use super::color::{chroma, level, luma, rgb};
use super::dct;
use super::quantization::Steps;
use super::sampling::{blend_rows, double_width, halve};
use super::transpose::transpose;
use crate::color::planes::{BLOCK as PIXELS, put_together, take_apart};
use crate::image::Image8;
use pulp::bytemuck::cast_slice_mut;
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// Rows of a strip of blocks.
const BLOCK: usize = 8;

#[derive(Default)]
struct Workspace {
    /// Coefficients: two strips of luma and one of each chroma, and two rows of each chroma at full width. In words of
    /// four, which is what blocks are transposed by.
    words: Vec<u64>,
    /// Decoded luma and chroma.
    planes: Vec<u8>,
    /// One row of chroma on its way to full width.
    sums: Vec<u16>,
    /// One row of each chroma at full width.
    wide: Vec<u8>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::default());
}

/// Compresses with a `quality` from 1 to 100 and decompresses again.
pub(crate) fn compress(image: &mut Image8, quality: u32) {
    let (width, height) = (image.size().width as usize, image.size().height as usize);
    let shape = Shape { width, height, stride: width.next_multiple_of(128) };
    let steps = Steps::of_quality(quality);
    let pixels = image.rgb_mut();
    WORKSPACE.with_borrow_mut(|Workspace { words, planes, sums, wide }| {
        // Eight rows each of two strips of luma, and of two of chroma at half the width; four rows at full width.
        words.resize(28 * shape.stride / 4, 0);
        planes.resize(shape.stride * shape.padded_height() * 3 / 2, 0);
        sums.resize(shape.stride / 2 + 2, 0);
        wide.resize(2 * shape.stride, 0);
        Arch::new().dispatch(Compress { shape, steps: &steps, pixels, words, planes, sums, wide });
    });
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    width: usize,
    height: usize,
    /// Samples in a row of luma: a multiple of what is computed at once, also at half the width.
    stride: usize,
}

impl Shape {
    const fn padded_height(self) -> usize {
        self.height.next_multiple_of(2 * BLOCK)
    }

    const fn chroma_width(self) -> usize {
        self.width.div_ceil(2)
    }

    const fn chroma_height(self) -> usize {
        self.height.div_ceil(2)
    }
}

struct Compress<'a> {
    shape: Shape,
    steps: &'a [Steps; 2],
    pixels: &'a mut [[u8; 3]],
    words: &'a mut [u64],
    planes: &'a mut [u8],
    sums: &'a mut [u16],
    wide: &'a mut [u8],
}

impl WithSimd for Compress<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { shape, steps, pixels, words, planes, sums, wide } = self;
        let Shape { width, stride, .. } = shape;
        let (luma, chroma) = planes.split_at_mut(stride * shape.padded_height());
        let (blueness, redness) = chroma.split_at_mut(chroma.len() / 2);

        let lumas = luma.chunks_exact_mut(2 * BLOCK * stride);
        let chromas = blueness
            .chunks_exact_mut(BLOCK * stride / 2)
            .zip(redness.chunks_exact_mut(BLOCK * stride / 2));
        for (strip, (luma, (blueness, redness))) in lumas.zip(chromas).enumerate() {
            to_components(shape, strip, pixels, cast_slice_mut(words));
            let (upper, rest) = words.split_at_mut(2 * stride);
            let (lower, rest) = rest.split_at_mut(2 * stride);
            let (first, rest) = rest.split_at_mut(stride);
            let (second, _) = rest.split_at_mut(stride);
            let (luma_upper, luma_lower) = luma.split_at_mut(BLOCK * stride);
            round_trip(upper, &steps[0], luma_upper);
            round_trip(lower, &steps[0], luma_lower);
            round_trip(first, &steps[1], blueness);
            round_trip(second, &steps[1], redness);
        }

        let (wide_blueness, wide_redness) = wide.split_at_mut(stride);
        for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
            widen(shape, y, blueness, sums, wide_blueness);
            widen(shape, y, redness, sums, wide_redness);
            revert(row, &luma[y * stride..(y + 1) * stride], wide_blueness, wide_redness);
        }
    }
}

/// The samples of sixteen rows, around 0. What is missing on the right and below repeats the outermost ones.
#[inline(always)]
fn to_components(shape: Shape, strip: usize, pixels: &[[u8; 3]], samples: &mut [i16]) {
    let Shape { width, height, stride } = shape;
    let (lumas, rest) = samples.split_at_mut(2 * BLOCK * stride);
    let (half, full) = rest.split_at_mut(BLOCK * stride);
    let (half_blueness, half_redness) = half.split_at_mut(BLOCK * stride / 2);
    let (blueness, redness) = full.split_at_mut(2 * stride);
    let halves =
        half_blueness.chunks_exact_mut(stride / 2).zip(half_redness.chunks_exact_mut(stride / 2));
    for (pair, (lumas, halves)) in lumas.chunks_exact_mut(2 * stride).zip(halves).enumerate() {
        let y = strip * 2 * BLOCK + 2 * pair;
        for (below, luma) in lumas.chunks_exact_mut(stride).enumerate() {
            let row = (y + below).min(height - 1) * width;
            let blueness = &mut blueness[below * stride..(below + 1) * stride];
            let redness = &mut redness[below * stride..(below + 1) * stride];
            convert(&pixels[row..row + width], luma, blueness, redness);
        }
        let (half_blueness, half_redness) = halves;
        let (upper, lower) = blueness.split_at(stride);
        halve(upper, lower, half_blueness);
        let (upper, lower) = redness.split_at(stride);
        halve(upper, lower, half_redness);
    }
    // Below the picture halved chroma is repeated: it is not what halving repeated rows gives.
    let real = shape.chroma_height().saturating_sub(strip * BLOCK).clamp(1, BLOCK);
    for half in [half_blueness, half_redness] {
        let (rows, missing) = half.split_at_mut(real * stride / 2);
        let last = &rows[(real - 1) * stride / 2..];
        for row in missing.chunks_exact_mut(stride / 2) {
            row.copy_from_slice(last);
        }
    }
}

/// A row of pixels to its components, around 0. What is missing on the right repeats the last one.
#[inline(always)]
fn convert(row: &[[u8; 3]], lumas: &mut [i16], blueness: &mut [i16], redness: &mut [i16]) {
    let width = row.len();
    let (blocks, rest) = row.as_chunks::<PIXELS>();
    for (i, block) in blocks.iter().enumerate() {
        convert_block(block, i * PIXELS, lumas, blueness, redness);
    }
    // Rows of components end in whole blocks.
    let mut last = [[0; 3]; PIXELS];
    last[..rest.len()].copy_from_slice(rest);
    if !rest.is_empty() {
        convert_block(&last, width - rest.len(), lumas, blueness, redness);
    }
    for samples in [lumas, blueness, redness] {
        let last = samples[width - 1];
        samples[width..].fill(last);
    }
}

#[allow(clippy::cast_possible_truncation, reason = "levels around 0")]
#[inline(always)]
fn convert_block(
    block: &[[u8; 3]; PIXELS],
    at: usize,
    lumas: &mut [i16],
    blueness: &mut [i16],
    redness: &mut [i16],
) {
    let [reds, greens, blues] = take_apart(block);
    let (lumas, blueness) = (&mut lumas[at..at + PIXELS], &mut blueness[at..at + PIXELS]);
    let redness = &mut redness[at..at + PIXELS];
    for i in 0..PIXELS {
        let pixel = [reds[i], greens[i], blues[i]].map(i32::from);
        let [blue, red] = chroma(pixel);
        lumas[i] = (luma(pixel) - 128) as i16;
        blueness[i] = (blue - 128) as i16;
        redness[i] = (red - 128) as i16;
    }
}

/// A row of components to its pixels.
#[inline(always)]
fn revert(row: &mut [[u8; 3]], lumas: &[u8], blueness: &[u8], redness: &[u8]) {
    for (i, pixels) in row.chunks_mut(PIXELS).enumerate() {
        let part = |samples: &[u8]| samples[i * PIXELS..].first_chunk::<PIXELS>().copied();
        let (Some(lumas), Some(blueness), Some(redness)) =
            (part(lumas), part(blueness), part(redness))
        else {
            return;
        };
        let [mut reds, mut greens, mut blues] = [[0; PIXELS]; 3];
        for i in 0..PIXELS {
            [reds[i], greens[i], blues[i]] = rgb(lumas[i], blueness[i], redness[i]);
        }
        let mut block = [[0; 3]; PIXELS];
        put_together(&mut block, &[reds, greens, blues]);
        pixels.copy_from_slice(&block[..pixels.len()]);
    }
}

/// A strip of blocks to coefficients, rounded, and back.
#[inline(always)]
fn round_trip(words: &mut [u64], steps: &Steps, levels: &mut [u8]) {
    let (stride, row) = (words.len() * 4 / BLOCK, words.len() / BLOCK);
    transpose(words, row);
    dct::forward_first(cast_slice_mut(words), stride);
    transpose(words, row);
    dct::forward_second(cast_slice_mut(words), stride);
    steps.quantize(cast_slice_mut(words), stride);
    dct::inverse_first(cast_slice_mut(words), stride);
    transpose(words, row);
    dct::inverse_second(cast_slice_mut(words), stride);
    transpose(words, row);
    let samples: &[i16] = cast_slice_mut(words);
    for (to, &sample) in levels.iter_mut().zip(samples) {
        *to = level(i32::from(sample) + 128);
    }
}

/// The row of chroma that belongs to row `y` of the picture.
#[inline(always)]
fn widen(shape: Shape, y: usize, plane: &[u8], sums: &mut [u16], wide: &mut [u8]) {
    let (stride, width) = (shape.stride / 2, shape.chroma_width());
    let row = |row: usize| &plane[row * stride..row * stride + width];
    let near = y / 2;
    if width <= 2 {
        // As narrow as this, libjpeg repeats samples.
        for (pair, &sample) in wide.as_chunks_mut::<2>().0.iter_mut().zip(row(near)) {
            *pair = [sample; 2];
        }
        return;
    }
    let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { near + 1 };
    blend_rows(row(near), row(far.min(shape.chroma_height() - 1)), &mut sums[1..=width]);
    double_width(sums, &mut wide[..2 * width]);
}
