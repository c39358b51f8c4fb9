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
use serde::{Deserialize, Serialize};

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

fn reverse_rows<const C: usize>(image: &mut Image8) {
    let stride = image.stride();
    for row in image.pixels_mut().chunks_exact_mut(stride) {
        row.as_chunks_mut::<C>().0.reverse();
    }
}
