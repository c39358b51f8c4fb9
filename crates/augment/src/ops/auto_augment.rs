//! Applies one of 25 pairs of actions that were found to help on a data set.
//!
//! # Randomness
//! Five draws: the pair, and for each of its two actions whether it acts and its direction.
//!
//! # Parity
//! torchvision's `AutoAugment` on PIL pictures (Cubuk et al., 2018), policies and magnitudes; `render` bit for bit.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "auto_augment", policy = "imagenet" }]
//! ```

use super::OpSettings;
use crate::error::Error;
use crate::geometry::interpolation::Interpolation;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::policy::action::{Step, Variant};
use crate::policy::learnt::LearntPolicy;
use crate::policy::torchvision::{Space, pick};
use crate::settings::fill;
use serde::{Deserialize, Serialize};

/// Settings of [`AutoAugment`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoAugmentSpec {
    /// The data set that the pairs were found on: `imagenet`, `cifar10` or `svhn`.
    pub policy: LearntPolicy,
    /// The filter.
    pub interpolation: Interpolation,
    /// Colour around a picture that was moved. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
}

impl Default for AutoAugmentSpec {
    fn default() -> Self {
        let policy = LearntPolicy::Imagenet;
        Self { policy, interpolation: Interpolation::Nearest, fill: [0; 3] }
    }
}

impl OpSettings for AutoAugmentSpec {
    type Op = AutoAugment;

    fn build(&self, _: Size) -> Result<AutoAugment, Error> {
        self.interpolation.check_moves()?;
        let Self { policy, interpolation, fill } = *self;
        Ok(AutoAugment { policy, interpolation, fill })
    }

    fn example() -> Self {
        Self { policy: LearntPolicy::Svhn, ..Self::default() }
    }
}

/// Applies one of 25 pairs of actions that were found to help on a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AutoAugment {
    policy: LearntPolicy,
    interpolation: Interpolation,
    fill: [u8; 3],
}

impl Op for AutoAugment {
    /// The actions that act, in order.
    type Draw = Vec<Step>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Vec<Step> {
        let space = Space::moderate(10, size);
        let pair = pick(self.policy.pairs(), rng);
        let mut steps = Vec::new();
        for (kind, p, bin) in pair.into_iter().flatten() {
            let (acts, negative) = (rng.bernoulli(p), rng.bernoulli(0.5));
            if acts {
                let action = space.action(kind, bin, negative);
                steps.push(Step { action, interpolation: self.interpolation });
            }
        }
        steps
    }

    fn render(&self, image: Image8, draw: &Vec<Step>) -> Image8 {
        draw.iter().fold(image, |image, step| step.apply(image, Variant::Torchvision, self.fill))
    }
}
