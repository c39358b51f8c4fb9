//! Changes of each level by what levels the picture has, with the arithmetic of `PIL.ImageOps`, channel by channel.

use crate::color::lookup::look_up_channels;
use crate::image::Image8;
use crate::round::level_towards_zero_f64;
use pulp::{Arch, Simd, WithSimd};

/// How often each level occurs in each channel.
pub(crate) fn histograms(pixels: &[[u8; 3]]) -> [[u32; 256]; 3] {
    // Two sets, so that equal neighbours do not wait for each other.
    let mut sets = [[[0_u32; 256]; 3]; 2];
    let (pairs, rest) = pixels.as_chunks::<2>();
    for pair in pairs {
        for (set, pixel) in sets.iter_mut().zip(pair) {
            for (histogram, level) in set.iter_mut().zip(pixel) {
                histogram[usize::from(*level)] += 1;
            }
        }
    }
    for pixel in rest {
        for (histogram, level) in sets[0].iter_mut().zip(pixel) {
            histogram[usize::from(*level)] += 1;
        }
    }
    let [mut sums, others] = sets;
    for (sum, other) in sums.as_flattened_mut().iter_mut().zip(others.as_flattened()) {
        *sum += other;
    }
    sums
}

/// Makes all levels equally frequent: `ImageOps.equalize`.
pub(crate) fn equalize(image: &mut Image8) {
    let pixels = image.rgb_mut();
    let tables = histograms(pixels).map(|histogram| equalizing(&histogram));
    look_up_channels(pixels, &tables);
}

fn equalizing(histogram: &[u32; 256]) -> [u8; 256] {
    let count: u64 = histogram.iter().map(|&count| u64::from(count)).sum();
    let last = histogram.iter().rfind(|&&count| count > 0).map_or(0, |&count| u64::from(count));
    let step = (count - last) / 255;
    if step == 0 {
        return identity();
    }
    let mut below = step / 2;
    histogram.map(|count| {
        let level = below / step;
        below += u64::from(count);
        u8::try_from(level).unwrap_or(u8::MAX)
    })
}

/// Stretches each channel to the whole range: `ImageOps.autocontrast`.
pub(crate) fn autocontrast(image: &mut Image8) {
    let pixels = image.rgb_mut();
    let extremes = Arch::new().dispatch(Extremes { pixels });
    let tables = extremes.map(|(lowest, highest)| {
        if lowest >= highest {
            return identity();
        }
        let scale = 255.0 / f64::from(highest - lowest);
        let offset = -f64::from(lowest) * scale;
        identity().map(|level| level_towards_zero_f64(f64::from(level) * scale + offset))
    });
    look_up_channels(pixels, &tables);
}

fn identity() -> [u8; 256] {
    let mut level = 0_u8;
    [(); 256].map(|()| {
        let own = level;
        level = level.wrapping_add(1);
        own
    })
}

/// The lowest and the highest level of each channel.
struct Extremes<'a> {
    pixels: &'a [[u8; 3]],
}

impl WithSimd for Extremes<'_> {
    type Output = [(u8, u8); 3];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        // Whole pixels and whole vectors.
        const GROUP: usize = 192;
        let (mut lowest, mut highest) = ([u8::MAX; GROUP], [0; GROUP]);
        let (groups, rest) = self.pixels.as_flattened().as_chunks::<GROUP>();
        for group in groups {
            for i in 0..GROUP {
                lowest[i] = lowest[i].min(group[i]);
                highest[i] = highest[i].max(group[i]);
            }
        }
        for (i, &level) in rest.iter().enumerate() {
            lowest[i] = lowest[i].min(level);
            highest[i] = highest[i].max(level);
        }
        let mut extremes = [(u8::MAX, 0); 3];
        for i in 0..GROUP {
            let (low, high) = extremes[i % 3];
            extremes[i % 3] = (low.min(lowest[i]), high.max(highest[i]));
        }
        extremes
    }
}
