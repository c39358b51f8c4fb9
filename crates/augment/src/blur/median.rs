//! The median of a square: `cv2.medianBlur`, which repeats the outermost pixels beyond the picture.

use super::border::{BLOCK, Border, Padded, with_border};
use crate::image::Image8;
use pulp::{Arch, Simd, WithSimd};

/// Replaces each pixel by the median of the `size` x `size` pixels around it, each channel by itself; `size` is odd
/// and at most 255.
pub(crate) fn median_blur(image: &mut Image8, size: usize) {
    with_border(image, size / 2, Border::Replicate, |padded, target| {
        let arch = Arch::new();
        match size {
            3 => arch.dispatch(Three { padded, target }),
            // A count of pixels has to fit into the lanes.
            ..=15 => arch.dispatch(Bisection::<u8> { padded, target, size, one: [1] }),
            _ => arch.dispatch(Bisection::<u16> { padded, target, size, one: [1] }),
        }
    });
}

type Lanes = [u8; BLOCK];

#[inline(always)]
fn load(row: &[u8], at: usize) -> Lanes {
    let mut lanes = [0; BLOCK];
    lanes.copy_from_slice(&row[at..at + BLOCK]);
    lanes
}

#[inline(always)]
fn min(a: Lanes, b: Lanes) -> Lanes {
    let mut lanes = [0; BLOCK];
    for i in 0..BLOCK {
        lanes[i] = a[i].min(b[i]);
    }
    lanes
}

#[inline(always)]
fn max(a: Lanes, b: Lanes) -> Lanes {
    let mut lanes = [0; BLOCK];
    for i in 0..BLOCK {
        lanes[i] = a[i].max(b[i]);
    }
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
