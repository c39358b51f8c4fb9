//! Applies one action, chosen at random, of random strength.
//!
//! # Randomness
//! Three draws: the action, its magnitude, its direction.
//!
//! # Parity
//! torchvision's `TrivialAugmentWide` on PIL pictures (Müller and Hutter, 2021): 14 actions, the wide space of
//! magnitudes; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "trivial_augment_wide" }]
//! ```

use super::OpSettings;
use crate::error::{Error, check};
use crate::geometry::interpolation::Interpolation;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::policy::action::{Step, Variant};
use crate::policy::torchvision::{RANDOM, Space, pick};
use crate::settings::fill;
use serde::{Deserialize, Serialize};

/// Settings of [`TrivialAugmentWide`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrivialAugmentWideSpec {
    /// How many magnitudes there are, at least 2.
    pub num_magnitude_bins: u32,
    /// The filter.
    pub interpolation: Interpolation,
    /// Colour around a picture that was moved. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
}

impl Default for TrivialAugmentWideSpec {
    fn default() -> Self {
        Self { num_magnitude_bins: 31, interpolation: Interpolation::Nearest, fill: [0; 3] }
    }
}

impl OpSettings for TrivialAugmentWideSpec {
    type Op = TrivialAugmentWide;

    fn build(&self, _: Size) -> Result<TrivialAugmentWide, Error> {
        self.interpolation.check_moves()?;
        let Self { num_magnitude_bins: bins, interpolation, fill } = *self;
        check((2..=1000).contains(&bins), "num_magnitude_bins", "from 2 to 1000", bins)?;
        Ok(TrivialAugmentWide { bins, interpolation, fill })
    }

    fn example() -> Self {
        Self { fill: [9, 8, 7], ..Self::default() }
    }
}

/// Applies one action, chosen at random, of random strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrivialAugmentWide {
    bins: u32,
    interpolation: Interpolation,
    fill: [u8; 3],
}

impl Op for TrivialAugmentWide {
    /// The action.
    type Draw = Option<Step>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<Step> {
        let kind = pick(&RANDOM, rng)?;
        let bin = u32::try_from(rng.below(u64::from(self.bins))).unwrap_or(0);
        let action = Space::wide(self.bins).action(kind, bin, rng.bernoulli(0.5));
        Some(Step { action, interpolation: self.interpolation })
    }

    fn render(&self, image: Image8, draw: &Option<Step>) -> Image8 {
        match draw {
            Some(step) => step.apply(image, Variant::Torchvision, self.fill),
            None => image,
        }
    }
}
