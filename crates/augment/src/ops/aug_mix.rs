//! Blends a picture with several of its versions, each made by a short chain of mild actions.
//!
//! # Randomness
//! One draw for how much of the picture itself remains, one for the weight of each chain, and for each chain its length
//! and for each of its actions three: which one, its magnitude, its direction. (Beta and Dirichlet variates take more.)
//!
//! # Parity
//! torchvision's `AugMix` (Hendrycks et al., 2019), whose actions run on PIL pictures here, as in the paper's code, and
//! on tensors there. The blend is summed in `f32` and cut to whole levels as in torchvision; `render` is bit-exact
//! against torchvision's sum over the same versions.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "aug_mix", severity = 3 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check};
use crate::geometry::interpolation::Interpolation;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::policy::action::{Step, Variant};
use crate::policy::torchvision::{Kind, MIXED, Space, pick};
use crate::round::{factor, level_towards_zero};
use crate::settings::fill;
use serde::{Deserialize, Serialize};

/// Actions that torchvision leaves out without `all_ops`, at the end of its list.
const ENHANCEMENTS: usize = 4;

/// Settings of [`AugMix`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugMixSpec {
    /// The number of magnitudes to choose from, of ten.
    pub severity: u32,
    /// The number of chains.
    pub mixture_width: u32,
    /// Actions in a chain; 0 for one to three at random.
    pub chain_depth: u32,
    /// Concentration of the weights: the higher, the more equal they are.
    pub alpha: f64,
    /// Whether brightness, contrast, colour and sharpness are among the actions.
    pub all_ops: bool,
    /// The filter.
    pub interpolation: Interpolation,
    /// Colour around a picture that was moved. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
}

impl Default for AugMixSpec {
    fn default() -> Self {
        Self {
            severity: 3,
            mixture_width: 3,
            chain_depth: 0,
            alpha: 1.0,
            all_ops: true,
            interpolation: Interpolation::Bilinear,
            fill: [0; 3],
        }
    }
}

impl OpSettings for AugMixSpec {
    type Op = AugMix;

    fn build(&self, _: Size) -> Result<AugMix, Error> {
        check((1..=10).contains(&self.severity), "severity", "from 1 to 10", self.severity)?;
        let (width, depth) = (self.mixture_width, self.chain_depth);
        check((1..=64).contains(&width), "mixture_width", "from 1 to 64", width)?;
        check(depth <= 64, "chain_depth", "from 0 to 64", depth)?;
        let accepted = self.alpha > 0.0 && self.alpha <= 1000.0;
        check(accepted, "alpha", "above 0 and at most 1000", self.alpha)?;
        self.interpolation.check_moves()?;
        Ok(AugMix { spec: self.clone() })
    }

    fn example() -> Self {
        Self { severity: 10, ..Self::default() }
    }
}

/// Blends a picture with several of its versions, each made by a short chain of mild actions.
#[derive(Debug, Clone, PartialEq)]
pub struct AugMix {
    spec: AugMixSpec,
}

/// A version of the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// Its part of the result, from 0 to 1.
    pub weight: f64,
    /// How it is made.
    pub steps: Vec<Step>,
}

/// What is blended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixture {
    /// The part of the picture itself, from 0 to 1.
    pub original: f64,
    /// Its versions.
    pub chains: Vec<Chain>,
}

impl Op for AugMix {
    type Draw = Mixture;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Mixture {
        let space = Space::mixed(size);
        let kinds: &[Kind] =
            if self.spec.all_ops { &MIXED } else { &MIXED[..MIXED.len() - ENHANCEMENTS] };
        let original = rng.beta(self.spec.alpha);
        let weights = rng.dirichlet(self.spec.alpha, self.spec.mixture_width);
        let chains = weights.into_iter().map(|weight| {
            let drawn = 1 + rng.below(3);
            let depth = match self.spec.chain_depth {
                0 => drawn,
                depth => u64::from(depth),
            };
            let mut step = || {
                let kind = pick(kinds, rng)?;
                let bin = u32::try_from(rng.below(u64::from(self.spec.severity))).unwrap_or(0);
                let action = space.action(kind, bin, rng.bernoulli(0.5));
                Some(Step { action, interpolation: self.spec.interpolation })
            };
            let steps = (0..depth).filter_map(|_| step()).collect();
            Chain { weight: weight * (1.0 - original), steps }
        });
        Mixture { original, chains: chains.collect() }
    }

    fn render(&self, image: Image8, draw: &Mixture) -> Image8 {
        let image = image.into_rgb();
        let weight = factor(draw.original);
        let mut sums: Vec<f32> =
            image.pixels().iter().map(|&level| weight * f32::from(level)).collect();
        for chain in &draw.chains {
            let version = chain.steps.iter().fold(image.clone(), |image, step| {
                step.apply(image, Variant::Torchvision, self.spec.fill)
            });
            let weight = factor(chain.weight);
            for (sum, &level) in sums.iter_mut().zip(version.pixels()) {
                *sum += weight * f32::from(level);
            }
        }
        let mut result = image;
        for (level, sum) in result.pixels_mut().iter_mut().zip(sums) {
            *level = level_towards_zero(sum);
        }
        result
    }
}
