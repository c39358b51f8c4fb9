//! Changes of each level by itself, with the arithmetic of `PIL.ImageOps`.

use crate::image::Image8;
use pulp::{Arch, Simd, WithSimd};

/// Every level by a function that the compiler turns into vectors.
struct EachLevel<'a, F> {
    levels: &'a mut [u8],
    function: F,
}

/// A function of one level. A trait of its own, because closures are not compiled for the vectors.
trait LevelFunction: Copy {
    fn of(self, level: u8) -> u8;
}

impl<F: LevelFunction> WithSimd for EachLevel<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for level in self.levels {
            *level = self.function.of(*level);
        }
    }
}

fn each_level(image: &mut Image8, function: impl LevelFunction) {
    Arch::new().dispatch(EachLevel { levels: image.pixels_mut(), function });
}

/// `255 - level`.
#[derive(Clone, Copy)]
struct Invert;

impl LevelFunction for Invert {
    #[inline(always)]
    fn of(self, level: u8) -> u8 {
        !level
    }
}

/// Negative: `ImageOps.invert`.
pub(crate) fn invert(image: &mut Image8) {
    each_level(image, Invert);
}

#[derive(Clone, Copy)]
struct Keep(u8);

impl LevelFunction for Keep {
    #[inline(always)]
    fn of(self, level: u8) -> u8 {
        level & self.0
    }
}

/// Keeps the highest `bits` bits of each level: `ImageOps.posterize`. All of them from 8 on, none for 0.
pub(crate) fn posterize(image: &mut Image8, bits: u32) {
    let dropped = 8_u32.saturating_sub(bits);
    each_level(image, Keep(u8::MAX.checked_shl(dropped).unwrap_or(0)));
}

#[derive(Clone, Copy)]
struct Solarize {
    add: u8,
    /// The last level below the threshold, and whether there is one.
    below: Option<u8>,
    then_invert: bool,
}

impl LevelFunction for Solarize {
    #[inline(always)]
    fn of(self, level: u8) -> u8 {
        let below = match self.below {
            Some(last) => level <= last,
            None => false,
        };
        match (below, self.then_invert) {
            (true, _) => level.saturating_add(self.add),
            (false, true) => !level,
            (false, false) => level,
        }
    }
}

/// The last whole level below `threshold`, if any.
fn last_below(threshold: f64) -> Option<u8> {
    (0..=255_u8).rev().find(|&level| f64::from(level) < threshold)
}

/// Negative from `threshold` on: `ImageOps.solarize`.
pub(crate) fn solarize(image: &mut Image8, threshold: f64) {
    each_level(image, Solarize { add: 0, below: last_below(threshold), then_invert: true });
}

/// Adds `add` to every level below 128, up to 255: `solarize_add` of timm and `TensorFlow`.
pub(crate) fn solarize_add(image: &mut Image8, add: u8) {
    each_level(image, Solarize { add, below: Some(127), then_invert: false });
}
