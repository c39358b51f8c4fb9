//! Puts the channels into random order with probability `p`.
//!
//! # Randomness
//! One draw, whether to act, and two for the order.
//!
//! # Parity
//! albumentations' `ChannelShuffle`; `render` bit for bit. Every order is equally likely, the old one included.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "channel_shuffle", p = 0.5 }]
//! ```

use super::OpSettings;
use crate::color::planes::{PixelFunction, each_pixel};
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`ChannelShuffle`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelShuffleSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for ChannelShuffleSpec {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl OpSettings for ChannelShuffleSpec {
    type Op = ChannelShuffle;

    fn build(&self, _: Size) -> Result<ChannelShuffle, Error> {
        check_probability(self.p)?;
        Ok(ChannelShuffle { p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0 }
    }
}

/// Puts the channels into random order with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelShuffle {
    p: f64,
}

#[derive(Clone, Copy)]
struct Reorder([u8; 3]);

impl PixelFunction for Reorder {
    #[inline(always)]
    fn of(self, [red, green, blue]: [u8; 3]) -> [u8; 3] {
        self.0.map(|source| match source {
            0 => red,
            1 => green,
            _ => blue,
        })
    }
}

impl Op for ChannelShuffle {
    /// Where red, green and blue come from: 0 for red, 1 for green, 2 for blue.
    type Draw = Option<[u8; 3]>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<[u8; 3]> {
        let acts = rng.bernoulli(self.p);
        let mut order = [0, 1, 2];
        rng.shuffle(&mut order);
        acts.then_some(order)
    }

    fn render(&self, mut image: Image8, draw: &Option<[u8; 3]>) -> Image8 {
        if let Some(order) = draw {
            each_pixel(&mut image, Reorder(*order));
        }
        image
    }
}
