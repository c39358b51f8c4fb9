//! Levels of pixels that are normally distributed once they are normalised.
//!
//! A level is what becomes of `255 * (mean + std * n)`, `n` normal, when it is rounded and clipped. So it has 256
//! values of known probability, and a table of 65536 of them, in the order of `n` and each as often as is its due, turns
//! 16 random bits into a level. The probabilities are right within 2^-16.

use super::mixed_bits::splitmix64;
use crate::normalize::Normalize;
use crate::round::level_nearest;

/// One for each value of 16 bits.
const ENTRIES: usize = 1 << 16;

/// The tables of the three channels.
#[derive(Clone, PartialEq)]
pub(crate) struct NormalLevels {
    tables: [Vec<u8>; 3],
}

impl NormalLevels {
    /// The levels that become standard normal numbers with these statistics.
    pub(crate) fn new(normalize: Normalize) -> Self {
        let tables = std::array::from_fn(|channel| {
            let (mean, std) =
                (f64::from(normalize.mean[channel]), f64::from(normalize.std[channel]));
            // Of all numbers, the part that is rounded to `level` or less.
            let up_to = |level: u8| match level {
                255 => 1.0,
                _ => normal_cdf(((f64::from(level) + 0.5) / 255.0 - mean) / std),
            };
            let mut table = vec![0; ENTRIES];
            let (mut level, mut bound) = (0_u8, up_to(0));
            for (entry, place) in table.iter_mut().zip(0_u32..) {
                let part = (f64::from(place) + 0.5) / ENTRIES as f64;
                while part >= bound && level < 255 {
                    level += 1;
                    bound = up_to(level);
                }
                *entry = level;
            }
            table
        });
        Self { tables }
    }

    /// Fills a row with the part of the field that starts at `start`.
    ///
    /// Pixel `i` has the bits `splitmix64(start + i)`; the lowest 16 choose red, the next 16 green, the next 16 blue.
    pub(crate) fn fill(&self, start: u64, row: &mut [[u8; 3]]) {
        let [red, green, blue] = self.tables.each_ref().map(|table| table.first_chunk::<ENTRIES>());
        let (Some(red), Some(green), Some(blue)) = (red, green, blue) else { return };
        for (pixel, place) in row.iter_mut().zip(0_u64..) {
            let bits = splitmix64(start.wrapping_add(place)).to_le_bytes();
            let choose = |first: usize| u16::from_le_bytes([bits[first], bits[first + 1]]);
            *pixel = [
                red[usize::from(choose(0))],
                green[usize::from(choose(2))],
                blue[usize::from(choose(4))],
            ];
        }
    }
}

impl std::fmt::Debug for NormalLevels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NormalLevels").finish_non_exhaustive()
    }
}

/// The level that the number `n` normalises from.
pub(crate) fn level_of(n: f64, mean: f32, std: f32) -> u8 {
    level_nearest(255.0 * (f64::from(mean) + f64::from(std) * n))
}

/// The probability that a standard normal number is below `x`, within 1e-7 (Abramowitz and Stegun, 7.1.26).
fn normal_cdf(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 5] =
        [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let tail = COEFFICIENTS.iter().fold(0.0, |sum, c| sum * t + c) * t * (-z * z).exp() / 2.0;
    if x < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::normal_cdf;

    #[test]
    fn the_normal_distribution_is_that_of_tables() {
        for (x, expect) in [
            (-3.0, 0.001_349_898_0),
            (-1.0, 0.158_655_253_9),
            (0.0, 0.5),
            (0.5, 0.691_462_461_3),
            (1.959_963_985, 0.975),
        ] {
            assert!((normal_cdf(x) - expect).abs() < 1.5e-7, "{x}: {}", normal_cdf(x));
        }
    }
}
