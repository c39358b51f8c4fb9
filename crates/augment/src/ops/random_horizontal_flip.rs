//! Swaps left and right with probability `p`.
//!
//! # Randomness
//! One draw: whether to act.
//!
//! # Parity
//! torchvision's `RandomHorizontalFlip`; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_horizontal_flip", p = 0.5 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check_probability};
use crate::image::{Channels, Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// Settings of [`RandomHorizontalFlip`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomHorizontalFlipSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomHorizontalFlipSpec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for RandomHorizontalFlipSpec {
    type Op = RandomHorizontalFlip;

    fn build(&self, _: Size) -> Result<RandomHorizontalFlip, Error> {
        check_probability(self.p)?;
        Ok(RandomHorizontalFlip { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Swaps left and right with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomHorizontalFlip {
    p: f64,
}

impl Op for RandomHorizontalFlip {
    /// Whether to act.
    type Draw = bool;

    fn draw(&self, _: Size, rng: &mut OpRng) -> bool {
        rng.bernoulli(self.p)
    }

    fn render(&self, mut image: Image8, acts: &bool) -> Image8 {
        if *acts {
            match image.channels() {
                Channels::Gray => reverse_rows::<1>(&mut image),
                Channels::Rgb => reverse_rows::<3>(&mut image),
            }
        }
        image
    }
}

thread_local! {
    /// One row, kept from picture to picture.
    static REVERSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn reverse_rows<const C: usize>(image: &mut Image8) {
    let stride = image.stride();
    REVERSED.with_borrow_mut(|reversed| {
        reversed.resize(stride + 4, 0);
        Arch::new().dispatch(ReverseRows::<C> { rows: image.pixels_mut(), stride, reversed });
    });
}

/// Reverses the order of pixels in each row.
struct ReverseRows<'a, const C: usize> {
    rows: &'a mut [u8],
    stride: usize,
    /// A row and two bytes on either side.
    reversed: &'a mut [u8],
}

impl<const C: usize> WithSimd for ReverseRows<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.rows.chunks_exact_mut(self.stride) {
            for (to, from) in self.reversed[2..].iter_mut().zip(row.iter().rev()) {
                *to = *from;
            }
            if C == 1 {
                row.copy_from_slice(&self.reversed[2..2 + row.len()]);
            } else {
                restore_channels(self.reversed, row);
            }
        }
    }
}

/// Bytes whose channels are chosen at once: whole pixels and whole vectors.
const GROUP: usize = 192;

/// Puts the channels of each pixel back into their order, after all bytes of the row were reversed. Choosing by masks
/// among three shifted copies needs no shuffle, for which the compiler has no vectors in groups of three.
#[inline(always)]
fn restore_channels(reversed: &[u8], row: &mut [u8]) {
    const fn mask(channel: usize) -> [u8; GROUP] {
        let mut mask = [0; GROUP];
        let mut i = channel;
        while i < GROUP {
            mask[i] = 255;
            i += 3;
        }
        mask
    }
    const FIRST: [u8; GROUP] = mask(0);
    const MIDDLE: [u8; GROUP] = mask(1);
    const LAST: [u8; GROUP] = mask(2);
    let (groups, rest) = row.as_chunks_mut::<GROUP>();
    let rest_at = groups.len() * GROUP;
    for (to, from) in groups.iter_mut().zip(reversed.windows(GROUP + 4).step_by(GROUP)) {
        for i in 0..GROUP {
            to[i] = from[i + 4] & FIRST[i] | from[i + 2] & MIDDLE[i] | from[i] & LAST[i];
        }
    }
    let pixels = reversed[rest_at + 2..].as_chunks::<3>().0;
    for (to, &[blue, green, red]) in rest.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
        *to = [red, green, blue];
    }
}
