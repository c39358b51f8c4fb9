//! The median of a square: `cv2.medianBlur`, which repeats the outermost pixels beyond the picture.

use super::border::{BLOCK, Border, Padded, with_border};
use super::sorted::{Lanes, TILE, Tile, max, merge, min, ranked, sort};
use crate::image::Image8;
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// Replaces each pixel by the median of the `size` x `size` pixels around it, each channel by itself; `size` is odd
/// and at most 255.
pub(crate) fn median_blur(image: &mut Image8, size: usize) {
    with_border(image, size / 2, Border::Replicate, |padded, target| {
        let arch = Arch::new();
        match size {
            3 => arch.dispatch(Three { padded, target }),
            5 | 7 => SORTED.with_borrow_mut(|sorted| {
                arch.dispatch(Columns { padded, target, size, sorted });
            }),
            // A count of pixels has to fit into the lanes.
            ..=15 => arch.dispatch(Bisection::<u8> { padded, target, size, one: [1] }),
            _ => arch.dispatch(Bisection::<u16> { padded, target, size, one: [1] }),
        }
    });
}

#[inline(always)]
fn load(row: &[u8], at: usize) -> Lanes {
    let mut lanes = [0; BLOCK];
    lanes.copy_from_slice(&row[at..at + BLOCK]);
    lanes
}

#[inline(always)]
fn median_of_three(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
    max(min(a, b), min(max(a, b), c))
}

/// Three by three: the median of the largest of the columns' minima, the median of their medians and the smallest of
/// their maxima.
struct Three<'a> {
    padded: &'a Padded<'a>,
    target: &'a mut [u8],
}

impl WithSimd for Three<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { padded, target } = self;
        for (y, row) in (0_isize..).zip(target.chunks_exact_mut(padded.len)) {
            let rows = [padded.row(y - 1), padded.row(y), padded.row(y + 1)];
            for (block, target) in row.chunks_mut(BLOCK).enumerate() {
                let [mut low, mut middle, mut high] = [[[0; BLOCK]; 3]; 3];
                for column in 0..3 {
                    let at = block * BLOCK + column * padded.channels;
                    let [a, b, c] = [load(rows[0], at), load(rows[1], at), load(rows[2], at)];
                    let (small, large) = (min(a, b), max(a, b));
                    low[column] = min(small, c);
                    middle[column] = max(small, min(large, c));
                    high[column] = max(large, c);
                }
                let levels = median_of_three(
                    max(max(low[0], low[1]), low[2]),
                    median_of_three(middle[0], middle[1], middle[2]),
                    min(min(high[0], high[1]), high[2]),
                );
                target.copy_from_slice(&levels[..target.len()]);
            }
        }
    }
}

thread_local! {
    static SORTED: RefCell<Sorted> = RefCell::new(Sorted {
        columns: vec![Tile([0; TILE]); 7],
        pairs: vec![Tile([0; TILE]); 14],
        left: vec![Tile([0; TILE]); 28],
        right: vec![Tile([0; TILE]); 21],
    });
}

/// Sorted levels, the smallest first; those of a place and of the places to the right of it that belong together.
struct Sorted {
    /// Of a column.
    columns: Vec<Tile>,
    /// Of two columns.
    pairs: Vec<Tile>,
    /// Of the columns of the square but three.
    left: Vec<Tile>,
    /// Of those three.
    right: Vec<Tile>,
}

/// Five by five and seven by seven: columns are sorted and merged in pairs, each once for all the squares it is in.
struct Columns<'a> {
    padded: &'a Padded<'a>,
    target: &'a mut [u8],
    size: usize,
    sorted: &'a mut Sorted,
}

impl WithSimd for Columns<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { padded, target, size, sorted } = self;
        let columns = &mut sorted.columns[..size];
        let pairs = &mut sorted.pairs[..2 * size];
        let left = &mut sorted.left[..(size - 3) * size];
        let right = &mut sorted.right[..3 * size];
        let (top, channels) = ((size / 2).cast_signed(), padded.channels);
        for (y, row) in (0_isize..).zip(target.chunks_exact_mut(padded.len)) {
            // A block less, into which the squares reach.
            for (part, target) in row.chunks_mut(TILE - BLOCK).enumerate() {
                let at = part * (TILE - BLOCK);
                let len = target.len().next_multiple_of(BLOCK);
                for (y, column) in (y - top..).zip(columns.iter_mut()) {
                    let row = &padded.row(y)[at..];
                    let readable = row.len().min(TILE);
                    column.0[..readable].copy_from_slice(&row[..readable]);
                }
                sort(columns, len + BLOCK);
                // The last block of pairs is half of one: the right pair lies less than that away.
                copy(columns, 0, &mut pairs[..size], len + BLOCK / 2);
                copy(columns, channels, &mut pairs[size..], len + BLOCK / 2);
                merge(pairs, size, len + BLOCK);
                copy(pairs, (size - 3) * channels, &mut right[..2 * size], len);
                copy(columns, (size - 1) * channels, &mut right[2 * size..], len);
                merge(right, 2 * size, len);
                let middle = size * size / 2;
                let levels = if size == 5 {
                    ranked(middle, right, pairs, len)
                } else {
                    copy(pairs, 0, &mut left[..2 * size], len);
                    copy(pairs, 2 * channels, &mut left[2 * size..], len);
                    merge(left, 2 * size, len);
                    ranked(middle, left, right, len)
                };
                target.copy_from_slice(&levels.0[..target.len()]);
            }
        }
    }
}

/// Copies levels, from `start` on, to the first `len` places.
#[inline(always)]
fn copy(from: &[Tile], start: usize, to: &mut [Tile], len: usize) {
    for (from, to) in from.iter().zip(to) {
        to.0[..len].copy_from_slice(&from.0[start..start + len]);
    }
}

/// Any size: the median's bits from the highest on, each by counting the pixels that reach it.
struct Bisection<'a, T> {
    padded: &'a Padded<'a>,
    target: &'a mut [u8],
    size: usize,
    one: [T; 1],
}

macro_rules! bisection {
    ($count:ident) => {
        impl WithSimd for Bisection<'_, $count> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) {
                let Self { padded, target, size, one: [one] } = self;
                let radius = (size / 2).cast_signed();
                // The median is at least a level if over half of the pixels are.
                let half = $count::try_from(size * size / 2).unwrap_or($count::MAX);
                for (y, row) in (0_isize..).zip(target.chunks_exact_mut(padded.len)) {
                    for (block, target) in row.chunks_mut(BLOCK).enumerate() {
                        let mut levels = [0_u8; BLOCK];
                        for bit in [128, 64, 32, 16, 8, 4, 2, 1] {
                            let mut reaching = [0 as $count; BLOCK];
                            let tries = levels.map(|level| level | bit);
                            for line in y - radius..=y + radius {
                                let line = &padded.row(line)[block * BLOCK..];
                                for column in 0..size {
                                    let start = column * padded.channels;
                                    let lanes = &line[start..start + BLOCK];
                                    for i in 0..BLOCK {
                                        reaching[i] += if lanes[i] >= tries[i] { one } else { 0 };
                                    }
                                }
                            }
                            for i in 0..BLOCK {
                                levels[i] = if reaching[i] > half { tries[i] } else { levels[i] };
                            }
                        }
                        target.copy_from_slice(&levels[..target.len()]);
                    }
                }
            }
        }
    };
}

bisection!(u8);
bisection!(u16);

#[cfg(test)]
mod tests {
    use super::{Bisection, median_blur};
    use crate::blur::border::{Border, with_border};
    use crate::erasing::mixed_bits::splitmix64;
    use crate::image::{Image8, Size};
    use pulp::Arch;

    #[test]
    fn columns_agree_with_the_bisection() {
        for (width, height, size) in [(97, 23, 5), (97, 23, 7), (1, 9, 7), (9, 1, 5), (22, 2, 7)] {
            let area = Size::new(width, height);
            let levels = (0..area.area() * 3).map(|i| splitmix64(i as u64).to_le_bytes()[0]);
            let mut image = Image8::from_rgb(area, levels.collect()).unwrap();
            let mut expect = image.clone();
            median_blur(&mut image, size);
            with_border(&mut expect, size / 2, Border::Replicate, |padded, target| {
                Arch::new().dispatch(Bisection::<u8> { padded, target, size, one: [1] });
            });
            assert_eq!(image, expect, "{width}x{height}, {size}");
        }
    }
}
