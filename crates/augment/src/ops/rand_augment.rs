//! Applies a few actions, all chosen at random and all equally strong.
//!
//! # Randomness
//! For each action: which one and its direction, two draws; the `timm` variant also draws whether to act, the strength
//! if it varies (two), and the filter.
//!
//! # Parity
//! `RandAugment` (Cubuk et al., 2019). The variant `torchvision` is `transforms.RandAugment` on PIL pictures: 14 actions,
//! each acting always, magnitudes from 0 to `num_magnitude_bins - 1`, filter `nearest` by default, black fill. The
//! variant `timm` is `rand-m9-mstd0.5-inc1` and the like: 15 actions of magnitudes from 0 to 10, each acting with
//! probability `prob` of 0.5, filter `bilinear` or `bicubic` at random. `render` is bit-exact for both.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "rand_augment", num_ops = 2, magnitude = 9 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_part};
use crate::geometry::interpolation::Interpolation;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::policy::action::{Action, Step, Variant};
use crate::policy::timm;
use crate::policy::torchvision::{self, Space, pick};
use crate::round::pixels_down;
use crate::settings::fill;
use serde::{Deserialize, Serialize};

/// Settings of [`RandAugment`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandAugmentSpec {
    /// Whose actions and magnitudes: `torchvision` or `timm`.
    pub variant: Variant,
    /// How many actions follow each other.
    pub num_ops: u32,
    /// How strong they are: a whole number below `num_magnitude_bins`, for `timm` any from 0 to 10.
    pub magnitude: f64,
    /// torchvision: how many magnitudes there are, at least 2.
    pub num_magnitude_bins: u32,
    /// timm: standard deviation of the magnitude; 0 for none.
    pub magnitude_std: f64,
    /// timm: whether a higher magnitude is a stronger change for every action.
    pub increasing: bool,
    /// timm: how often each action acts.
    pub prob: f64,
    /// The filter; by default `nearest` for torchvision, for timm one of `bilinear` and `bicubic` each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    /// Colour around a picture that was moved. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
}

impl Default for RandAugmentSpec {
    fn default() -> Self {
        Self {
            variant: Variant::Torchvision,
            num_ops: 2,
            magnitude: 9.0,
            num_magnitude_bins: 31,
            magnitude_std: 0.0,
            increasing: false,
            prob: 0.5,
            interpolation: None,
            fill: [0; 3],
        }
    }
}

impl OpSettings for RandAugmentSpec {
    type Op = RandAugment;

    fn build(&self, _: Size) -> Result<RandAugment, Error> {
        check((1..=64).contains(&self.num_ops), "num_ops", "from 1 to 64", self.num_ops)?;
        let bins = self.num_magnitude_bins;
        check((2..=1000).contains(&bins), "num_magnitude_bins", "from 2 to 1000", bins)?;
        let magnitude = self.magnitude;
        match self.variant {
            Variant::Torchvision => {
                let whole = magnitude.fract() == 0.0;
                let accepted = (0.0..f64::from(bins)).contains(&magnitude) && whole;
                let must_be = "a whole number below num_magnitude_bins";
                check(accepted, "magnitude", must_be, magnitude)?;
                let varies = self.magnitude_std != 0.0 || self.increasing || self.prob != 0.5;
                let must_be = "`timm` for magnitude_std, increasing and prob";
                check(!varies, "variant", must_be, format_args!("torchvision"))?;
            }
            Variant::Timm => {
                check((0.0..=10.0).contains(&magnitude), "magnitude", "from 0 to 10", magnitude)?;
                check(bins == 31, "num_magnitude_bins", "left out for timm", bins)?;
            }
        }
        let std = self.magnitude_std;
        check((0.0..=100.0).contains(&std), "magnitude_std", "from 0 to 100", std)?;
        check_part("prob", self.prob)?;
        self.interpolation.map_or(Ok(()), Interpolation::check_moves)?;
        Ok(RandAugment { spec: self.clone() })
    }

    fn example() -> Self {
        Self { magnitude: 20.0, num_ops: 5, ..Self::default() }
    }
}

/// Applies a few actions, all chosen at random and all equally strong.
#[derive(Debug, Clone, PartialEq)]
pub struct RandAugment {
    spec: RandAugmentSpec,
}

impl RandAugment {
    fn torchvision_step(&self, size: Size, rng: &mut OpRng) -> Option<Step> {
        let space = Space::moderate(self.spec.num_magnitude_bins, size);
        let kind = pick(&torchvision::RANDOM, rng)?;
        let negative = rng.bernoulli(0.5);
        let action = space.action(kind, pixels_down(self.spec.magnitude), negative);
        let interpolation = self.spec.interpolation.unwrap_or(Interpolation::Nearest);
        Some(Step { action, interpolation })
    }

    fn timm_step(&self, size: Size, rng: &mut OpRng) -> Option<Step> {
        let kind = pick(&timm::RANDOM, rng)?;
        let acts = rng.bernoulli(self.spec.prob);
        let level = if self.spec.magnitude_std > 0.0 {
            self.spec.magnitude + self.spec.magnitude_std * rng.normal()
        } else {
            self.spec.magnitude
        };
        let action = kind.action(level.clamp(0.0, 10.0), self.spec.increasing, size, rng);
        let drawn = pick(&[Interpolation::Bilinear, Interpolation::Bicubic], rng)?;
        let interpolation = self.spec.interpolation.unwrap_or(drawn);
        Some(Step { action: if acts { action } else { Action::Identity }, interpolation })
    }
}

impl Op for RandAugment {
    /// The actions in order.
    type Draw = Vec<Step>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Vec<Step> {
        (0..self.spec.num_ops)
            .filter_map(|_| match self.spec.variant {
                Variant::Torchvision => self.torchvision_step(size, rng),
                Variant::Timm => self.timm_step(size, rng),
            })
            .collect()
    }

    fn render(&self, image: Image8, draw: &Vec<Step>) -> Image8 {
        let RandAugmentSpec { variant, fill, .. } = self.spec;
        draw.iter().fold(image, |image, step| step.apply(image, variant, fill))
    }
}
