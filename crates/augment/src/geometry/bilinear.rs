//! Pictures whose every pixel is interpolated between the four around a place.
//!
//! Pixels are made in blocks, in steps that vectorise but for one: reading the neighbours. Where a block has places
//! whose neighbours are not all in the picture, those few pixels are made again, one by one.
//!
//! # Parity
//!
//! In `f32` bit for bit OpenCV's `remap` with `INTER_LINEAR` (of version 5, which no longer rounds places to 1/32), in
//! `f64` bit for bit Pillow's `Image.transform` with `BILINEAR`.

use super::beyond::Beyond;
use super::canvas::fillable;
use crate::image::{Channels, Image8, Size};
use crate::round::{index_of_f32, index_of_f64, level_half_even, whole_i64};
use pulp::{Arch, Simd, WithSimd};
use std::ops::Sub;

/// Pixels made at once.
pub(crate) const BLOCK: usize = 32;

/// Where the pixels of a result come from.
pub(crate) trait Places {
    type Number: Arithmetic;

    /// The places of `BLOCK` pixels of row `y`, the first of them in column `x`.
    fn block(
        &mut self,
        x: u32,
        y: u32,
        across: &mut [Self::Number; BLOCK],
        down: &mut [Self::Number; BLOCK],
    );
}

/// The reference's numbers.
pub(crate) trait Arithmetic: Copy + PartialOrd + Sub<Output = Self> {
    const ZERO: Self;
    const MINUS_ONE: Self;
    /// The place of the centre of the first pixel.
    const CENTRE: Self;
    /// A level or a length.
    fn of(whole: u32) -> Self;
    fn floor(self) -> Self;
    /// A whole number that is not negative.
    fn index(self) -> u32;
    /// Any whole number, as near as possible.
    fn whole(self) -> i64;
    fn between(from: Self, to: Self, part: Self) -> Self;
    /// The level that a number from 0 to 255 becomes.
    fn level(self) -> u32;
}

/// OpenCV's.
impl Arithmetic for f32 {
    const ZERO: Self = 0.0;
    const MINUS_ONE: Self = -1.0;
    const CENTRE: Self = 0.0;

    #[inline(always)]
    #[allow(clippy::cast_precision_loss, reason = "levels and lengths of at most 65535 are exact")]
    fn of(whole: u32) -> Self {
        // Through `i32`, for which processors have a vector instruction.
        whole.cast_signed() as Self
    }

    #[inline(always)]
    fn floor(self) -> Self {
        Self::floor(self)
    }

    #[inline(always)]
    fn index(self) -> u32 {
        index_of_f32(self)
    }

    #[inline(always)]
    fn whole(self) -> i64 {
        whole_i64(f64::from(self))
    }

    #[inline(always)]
    fn between(from: Self, to: Self, part: Self) -> Self {
        (to - from).mul_add(part, from)
    }

    #[inline(always)]
    fn level(self) -> u32 {
        u32::from(level_half_even(self))
    }
}

/// Pillow's.
impl Arithmetic for f64 {
    const ZERO: Self = 0.0;
    const MINUS_ONE: Self = -1.0;
    const CENTRE: Self = 0.5;

    #[inline(always)]
    fn of(whole: u32) -> Self {
        Self::from(whole.cast_signed())
    }

    #[inline(always)]
    fn floor(self) -> Self {
        Self::floor(self)
    }

    #[inline(always)]
    fn index(self) -> u32 {
        index_of_f64(self)
    }

    #[inline(always)]
    fn whole(self) -> i64 {
        whole_i64(self)
    }

    #[inline(always)]
    fn between(from: Self, to: Self, part: Self) -> Self {
        from + (to - from) * part
    }

    /// What lies between levels is one, and needs no clipping.
    #[inline(always)]
    fn level(self) -> u32 {
        index_of_f64(Self::floor(self)) & 255
    }
}

/// The picture of the same size whose pixels come from `places`.
pub(crate) fn interpolated<P: Places>(
    image: Image8,
    places: P,
    beyond: Beyond,
    fill: [u8; 3],
) -> Image8 {
    let image = if beyond.shows_fill() { fillable(image, fill) } else { image };
    let mut result = Image8::black(image.size(), image.channels());
    let (image, target, edge) = (&image, &mut result, Edge { beyond, fill: packed(fill) });
    match image.channels() {
        Channels::Gray => {
            Arch::new().dispatch(Interpolate::<P, 1> { image, places, edge, target });
        }
        Channels::Rgb => {
            Arch::new().dispatch(Interpolate::<P, 3> { image, places, edge, target });
        }
    }
    result
}

/// A pixel in one number, its first channel lowest.
fn packed([first, second, third]: [u8; 3]) -> u32 {
    u32::from_le_bytes([first, second, third, 0])
}

struct Interpolate<'a, P, const C: usize> {
    image: &'a Image8,
    places: P,
    edge: Edge,
    target: &'a mut Image8,
}

/// Of each pixel of a block, what is between the neighbours.
struct Block<N> {
    across: [N; BLOCK],
    down: [N; BLOCK],
    /// Where the upper left neighbour is, in bytes.
    at: [usize; BLOCK],
    /// 1 where a neighbour is missing.
    missing: [u32; BLOCK],
    right: [N; BLOCK],
    below: [N; BLOCK],
    /// The neighbours: upper left and right, lower left and right.
    corners: [[u32; BLOCK]; 4],
    pixels: [u32; BLOCK],
}

impl<P: Places, const C: usize> WithSimd for Interpolate<'_, P, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { image, mut places, edge, target } = self;
        let source = Source::<C>::new(image);
        let zero = P::Number::ZERO;
        let mut block = Block {
            across: [zero; BLOCK],
            down: [zero; BLOCK],
            at: [0; BLOCK],
            missing: [0; BLOCK],
            right: [zero; BLOCK],
            below: [zero; BLOCK],
            corners: [[0; BLOCK]; 4],
            pixels: [0; BLOCK],
        };
        // The last pixel is written with a byte too many.
        let mut bytes = [0_u8; BLOCK * 3 + 1];
        for (y, row) in (0..).zip(target.pixels_mut().chunks_exact_mut(source.stride)) {
            for (x, part) in (0..).step_by(BLOCK).zip(row.chunks_mut(BLOCK * C)) {
                places.block(x, y, &mut block.across, &mut block.down);
                let missing = block.locate(&source);
                if missing == BLOCK && block.is_beyond(&source, edge.beyond) {
                    block.pixels = [edge.fill; BLOCK];
                } else {
                    if missing < BLOCK {
                        block.read(&source);
                    }
                    if missing > 0 {
                        block.mend(&source, edge, part.len() / C);
                    }
                    block.mix::<C>();
                }
                for (i, pixel) in block.pixels.iter().enumerate() {
                    bytes[i * C..i * C + 4].copy_from_slice(&pixel.to_le_bytes());
                }
                part.copy_from_slice(&bytes[..part.len()]);
            }
        }
    }
}

impl<N: Arithmetic> Block<N> {
    /// Finds the neighbours, and how many pixels lack one.
    #[inline(always)]
    fn locate<const C: usize>(&mut self, source: &Source<'_, C>) -> usize {
        let [last_column, last_row] = source.last.map(|last| last.map_or(N::MINUS_ONE, N::of));
        let (pixel, stride) = (Source::<C>::PIXEL, source.size.width * Source::<C>::PIXEL);
        let mut count = 0_u32;
        for i in 0..BLOCK {
            let (x, y) = (self.across[i] - N::CENTRE, self.down[i] - N::CENTRE);
            let (column, row) = (x.floor(), y.floor());
            self.right[i] = x - column;
            self.below[i] = y - row;
            // Counted, as short cuts would end vectors.
            let met = u32::from(column >= N::ZERO)
                + u32::from(column <= last_column)
                + u32::from(row >= N::ZERO)
                + u32::from(row <= last_row);
            self.missing[i] = u32::from(met != 4);
            count += u32::from(met != 4);
            // Comparisons that a number that is none fails, so that it becomes 0.
            let column = if column > N::ZERO { column } else { N::ZERO };
            let column = if column < last_column { column } else { last_column };
            let row = if row > N::ZERO { row } else { N::ZERO };
            let row = if row < last_row { row } else { last_row };
            let at =
                row.index().wrapping_mul(stride).wrapping_add(column.index().wrapping_mul(pixel));
            self.at[i] = at as usize;
        }
        count as usize
    }

    /// Whether only the fill is visible from all places.
    #[inline(always)]
    fn is_beyond<const C: usize>(&self, source: &Source<'_, C>, beyond: Beyond) -> bool {
        let first = if beyond == Beyond::Cut { N::ZERO } else { N::MINUS_ONE };
        let (width, height) = (N::of(source.size.width), N::of(source.size.height));
        let mut seen = 0_u32;
        for i in 0..BLOCK {
            let (x, y) = (self.across[i], self.down[i]);
            let met = u32::from(x >= first)
                + u32::from(x < width)
                + u32::from(y >= first)
                + u32::from(y < height);
            seen += u32::from(met == 4);
        }
        beyond.shows_fill() && seen == 0
    }

    #[inline(always)]
    fn read<const C: usize>(&mut self, source: &Source<'_, C>) {
        let [upper_left, upper_right, lower_left, lower_right] = &mut self.corners;
        for i in 0..BLOCK {
            let at = self.at[i];
            [upper_left[i], upper_right[i]] = source.pair(at);
            [lower_left[i], lower_right[i]] = source.pair(at.wrapping_add(source.stride));
        }
    }

    #[inline(always)]
    fn mix<const C: usize>(&mut self) {
        self.pixels = [0; BLOCK];
        for shift in [0, 8, 16].into_iter().take(C) {
            for i in 0..BLOCK {
                let corners = self.corners.each_ref().map(|corner| corner[i]);
                self.pixels[i] |= mixed(corners, shift, self.right[i], self.below[i]);
            }
        }
    }

    /// Finds what stands for neighbours that are missing, of the first `len` pixels.
    #[inline(always)]
    fn mend<const C: usize>(&mut self, source: &Source<'_, C>, edge: Edge, len: usize) {
        for i in 0..len {
            if self.missing[i] == 0 {
                continue;
            }
            let corners = edge.corners(source, self.across[i], self.down[i]);
            if corners.is_none() {
                (self.right[i], self.below[i]) = (N::ZERO, N::ZERO);
            }
            for (place, corner) in self.corners.iter_mut().zip(corners.unwrap_or([edge.fill; 4])) {
                place[i] = corner;
            }
        }
    }
}

/// The level of the channel that lies `shift` bits up, still there.
#[inline(always)]
fn mixed<N: Arithmetic>(corners: [u32; 4], shift: u32, right: N, below: N) -> u32 {
    let [upper_left, upper_right, lower_left, lower_right] =
        corners.map(|corner| N::of(corner >> shift & 255));
    let upper = N::between(upper_left, upper_right, right);
    let lower = N::between(lower_left, lower_right, right);
    N::between(upper, lower, below).level() << shift
}

/// The picture to read.
struct Source<'a, const C: usize> {
    pixels: &'a [u8],
    size: Size,
    stride: usize,
    /// The last column and row that have one beside them, if any.
    last: [Option<u32>; 2],
}

impl<'a, const C: usize> Source<'a, C> {
    /// Bytes of a pixel.
    const PIXEL: u32 = if C == 1 { 1 } else { 3 };

    fn new(image: &'a Image8) -> Self {
        let size = image.size();
        let countable = u32::try_from(image.pixels().len()).is_ok();
        let last =
            [size.width, size.height].map(|len| if countable { len.checked_sub(2) } else { None });
        Self { pixels: image.pixels(), size, stride: image.stride(), last }
    }

    /// The pixel at a byte and the one on its right.
    #[inline(always)]
    fn pair(&self, at: usize) -> [u32; 2] {
        let rest = self.pixels.get(at..).unwrap_or_default();
        let Some(bytes) = rest.first_chunk::<8>() else { return self.last_pair(at) };
        #[allow(clippy::cast_possible_truncation, reason = "what is above belongs to others")]
        let take = |bytes: u64| bytes as u32;
        let bytes = u64::from_le_bytes(*bytes);
        [take(bytes), take(bytes >> (8 * C))]
    }

    /// [`pair`](Self::pair) where no eight bytes are left.
    #[cold]
    fn last_pair(&self, at: usize) -> [u32; 2] {
        [self.pixel(at), self.pixel(at + C)]
    }

    /// The pixel at a byte, with anything above it.
    #[inline(always)]
    fn pixel(&self, at: usize) -> u32 {
        let rest = self.pixels.get(at..).unwrap_or_default();
        match rest.first_chunk::<4>() {
            Some(bytes) => u32::from_le_bytes(*bytes),
            None => Self::last_pixel(rest),
        }
    }

    /// [`pixel`](Self::pixel) where no four bytes are left.
    #[cold]
    fn last_pixel(rest: &[u8]) -> u32 {
        let mut bytes = [0; 4];
        for (byte, level) in bytes.iter_mut().zip(rest) {
            *byte = *level;
        }
        u32::from_le_bytes(bytes)
    }
}

/// What is shown where a neighbour is missing.
#[derive(Clone, Copy)]
struct Edge {
    beyond: Beyond,
    fill: u32,
}

impl Edge {
    /// The neighbours of a place; `None` if all have the fill.
    #[inline(always)]
    fn corners<N: Arithmetic, const C: usize>(
        self,
        source: &Source<'_, C>,
        x: N,
        y: N,
    ) -> Option<[u32; 4]> {
        let Size { width, height } = source.size;
        if self.beyond.leaves(x, width) || self.beyond.leaves(y, height) {
            return None;
        }
        let (column, row) = ((x - N::CENTRE).floor().whole(), (y - N::CENTRE).floor().whole());
        let columns = [column, column + 1].map(|column| self.beyond.inside(column, width));
        let rows = [row, row + 1].map(|row| self.beyond.inside(row, height));
        let corner = |row: usize, column: usize| match (rows[row], columns[column]) {
            (Some(row), Some(column)) => source.pixel(row * source.stride + column * C),
            _ => self.fill,
        };
        Some([corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)])
    }
}
