//! A function of every level and of 16 random bits of its own, or of its pixel's.
//!
//! The bits of value `i` are those from `16 (i mod 4)` on of `splitmix64(seed + floor(i / 4))`. Values belong to levels
//! in the order of a picture's bytes, or to pixels.

use crate::erasing::mixed_bits::splitmix64;
use crate::image::{Channels, Image8};
use pulp::{Arch, Simd, WithSimd};

/// What becomes of a level. A trait of its own, because closures are not compiled for the vectors; the functions must
/// be `#[inline(always)]` for the same reason.
pub(crate) trait LevelNoise: Copy {
    /// Replaces random bits by what `of` wants to have.
    #[inline(always)]
    fn prepare(self, _: &mut [u16]) {}

    /// The new level, without branches.
    fn of(self, level: u8, value: u16) -> u8;
}

/// Changes every level. Levels of a pixel share their bits if `shared`; a gray picture becomes an RGB one if not.
pub(crate) fn each_level(image: Image8, seed: u64, shared: bool, noise: impl LevelNoise) -> Image8 {
    let mut image = if shared { image } else { image.into_rgb() };
    let in_threes = shared && image.channels() == Channels::Rgb;
    let levels = image.pixels_mut();
    if in_threes {
        Arch::new().dispatch(EachLevel::<_, 3> { levels, seed, noise });
    } else {
        Arch::new().dispatch(EachLevel::<_, 1> { levels, seed, noise });
    }
    image
}

/// Levels that are changed at once: whole pixels and whole vectors.
const BLOCK: usize = 192;

/// Each value is for `REPEAT` levels.
struct EachLevel<'a, N, const REPEAT: usize> {
    levels: &'a mut [u8],
    seed: u64,
    noise: N,
}

impl<N: LevelNoise, const REPEAT: usize> WithSimd for EachLevel<'_, N, REPEAT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { levels, seed, noise } = self;
        let mut place = seed;
        let (blocks, rest) = levels.as_chunks_mut::<BLOCK>();
        for block in blocks {
            change::<N, REPEAT>(block, place, noise);
            place = place.wrapping_add((BLOCK / REPEAT / 4) as u64);
        }
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        change::<N, REPEAT>(&mut block, place, noise);
        rest.copy_from_slice(&block[..rest.len()]);
    }
}

#[inline(always)]
fn change<N: LevelNoise, const REPEAT: usize>(block: &mut [u8; BLOCK], place: u64, noise: N) {
    let mut values = [0_u16; BLOCK];
    let own = BLOCK / REPEAT;
    random_bits(place, &mut values[..own]);
    noise.prepare(&mut values[..own]);
    if REPEAT > 1 {
        let single = values;
        for (i, levels) in values.chunks_exact_mut(REPEAT).enumerate() {
            levels.fill(single[i]);
        }
    }
    for (level, value) in block.iter_mut().zip(&values) {
        *level = noise.of(*level, *value);
    }
}

/// Fills fours of values with the bits of `place` and what follows.
#[inline(always)]
pub(crate) fn random_bits(place: u64, values: &mut [u16]) {
    for (four, at) in values.as_chunks_mut::<4>().0.iter_mut().zip(0_u64..) {
        let bytes = splitmix64(place.wrapping_add(at)).to_le_bytes();
        *four = std::array::from_fn(|i| u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]));
    }
}
