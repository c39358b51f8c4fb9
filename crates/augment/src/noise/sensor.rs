//! What a camera's sensor adds when it is set to be sensitive: lightness in steps, and hues that tremble.

use super::level_field::random_bits;
use super::normal_quantiles::{NormalQuantiles, UNIT};
use crate::color::opencv_hls::{SIXTHS, from_rgb, to_rgb};
use crate::image::Image8;
use crate::round::{factor, level_half_even, pixels_half_even};
use pulp::{Arch, Simd, WithSimd};

/// Pixels that are changed at once.
const BLOCK: usize = 64;

/// The most steps of lightness that are counted. Of the steepest noise, one pixel among 10^9 has more.
const STEPS: usize = 24;

/// Adds noise to an RGB picture. Pixel `i` has the bits from `32 (i mod 2)` on of `splitmix64(seed + floor(i / 2))`: 16
/// for the hue, 16 for the lightness.
///
/// Hues are turned by a normally distributed part of the circle, whose standard deviation is `turn`. Lightness becomes
/// whiter by `intensity` of what is missing to white, a number of times that has a Poisson distribution; its mean is
/// `intensity` times the standard deviation of the picture's lightness.
pub(crate) fn add(
    image: &mut Image8,
    quantiles: NormalQuantiles,
    seed: u64,
    turn: f64,
    intensity: f64,
) {
    let pixels = image.rgb_mut();
    let steps = PoissonBounds::new(intensity * spread(pixels));
    let turn = factor(turn * f64::from(SIXTHS) / UNIT);
    let intensity = factor(intensity);
    Arch::new().dispatch(Add {
        pixels,
        quantiles,
        seed,
        turn,
        intensity,
        steps: &steps.bounds[..steps.len],
    });
}

/// The standard deviation of the lightness, as a part of white.
fn spread(pixels: &[[u8; 3]]) -> f64 {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    // Sums of at most 2^14 pixels fit into 32 bits.
    for pixels in pixels.chunks(1 << 14) {
        let [part, part_squares] = Arch::new().dispatch(Sums(pixels));
        sum += u64::from(part);
        squares += u64::from(part_squares);
    }
    let count = pixels.len() as f64;
    let mean = sum as f64 / count;
    (squares as f64 / count - mean * mean).max(0.0).sqrt() / 510.0
}

struct Sums<'a>(&'a [[u8; 3]]);

impl WithSimd for Sums<'_> {
    /// Of doubled lightness and of its square.
    type Output = [u32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [u32; 2] {
        let (mut sum, mut squares) = (0_u32, 0_u32);
        for [red, green, blue] in self.0 {
            let most = *red.max(green).max(blue);
            let least = *red.min(green).min(blue);
            let doubled = u32::from(most) + u32::from(least);
            sum += doubled;
            squares += doubled * doubled;
        }
        [sum, squares]
    }
}

/// A number of 16 bits counts as many steps as there are bounds at or below it.
struct PoissonBounds {
    bounds: [u16; STEPS],
    len: usize,
}

impl PoissonBounds {
    fn new(mean: f64) -> Self {
        let mut found = Self { bounds: [0; STEPS], len: 0 };
        let mut probability = (-mean).exp();
        let mut up_to = probability;
        for (bound, count) in found.bounds.iter_mut().zip(1_u32..) {
            let Ok(next) = u16::try_from(pixels_half_even(up_to * 65_536.0)) else { break };
            *bound = next;
            found.len += 1;
            probability *= mean / f64::from(count);
            up_to += probability;
        }
        found
    }
}

struct Add<'a> {
    pixels: &'a mut [[u8; 3]],
    quantiles: NormalQuantiles,
    seed: u64,
    turn: f32,
    intensity: f32,
    steps: &'a [u16],
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { pixels, quantiles, seed, turn, intensity, steps } = self;
        let mut place = seed;
        for pixels in pixels.chunks_mut(BLOCK) {
            let mut bits = [0; 2 * BLOCK];
            random_bits(place, &mut bits);
            place = place.wrapping_add((BLOCK / 2) as u64);
            let (mut hues, mut whiter) = ([0_u16; BLOCK], [0_u16; BLOCK]);
            for i in 0..BLOCK {
                hues[i] = bits[2 * i];
                whiter[i] = bits[2 * i + 1];
            }
            quantiles.look_up(&mut hues);
            let mut counts = [0_u16; BLOCK];
            for &bound in steps {
                for (count, whiter) in counts.iter_mut().zip(&whiter) {
                    *count += u16::from(*whiter >= bound);
                }
            }
            let mut block = [[0; 3]; BLOCK];
            block[..pixels.len()].copy_from_slice(pixels);
            let noise = Noise { turn, intensity };
            change(&mut block, &hues, &counts, noise);
            pixels.copy_from_slice(&block[..pixels.len()]);
        }
    }
}

#[derive(Clone, Copy)]
struct Noise {
    turn: f32,
    intensity: f32,
}

impl Noise {
    #[inline(always)]
    fn of(self, pixel: [u8; 3], hue: u16, count: u16) -> [u8; 3] {
        let [from, lightness, saturation] =
            from_rgb(pixel.map(|level| f32::from(level) * (1.0 / 255.0)));
        let hue = from * (1.0 / 60.0) + f32::from(hue.cast_signed()) * self.turn;
        let hue = hue - SIXTHS * (hue * (1.0 / SIXTHS)).floor();
        let lightness = lightness + f32::from(count) * self.intensity * (1.0 - lightness);
        to_rgb([hue, lightness, saturation])
            .map(|part| level_half_even((part * 255.0).clamp(0.0, 255.0)))
    }
}

/// As `color::planes`: channels side by side, so that the compiler finds vectors.
#[inline(always)]
fn change(block: &mut [[u8; 3]; BLOCK], hues: &[u16; BLOCK], counts: &[u16; BLOCK], noise: Noise) {
    let (mut red, mut green, mut blue) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
    for i in 0..BLOCK {
        [red[i], green[i], blue[i]] = block[i];
    }
    for i in 0..BLOCK {
        [red[i], green[i], blue[i]] = noise.of([red[i], green[i], blue[i]], hues[i], counts[i]);
    }
    for i in 0..BLOCK {
        block[i] = [red[i], green[i], blue[i]];
    }
}
