//! Raises all levels to a power with probability `p`.
//!
//! # Randomness
//! Two draws: whether to act, and the power.
//!
//! # Parity
//! albumentations' `RandomGamma` (2.0.8): `(level / 255) ^ gamma * 255` in `f64`, cut to a whole level; `render` bit for
//! bit but where the two libraries' powers differ in the last digit beside a whole level.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_gamma", gamma_limit = [80, 120] }]
//! ```

use super::OpSettings;
use crate::color::lookup::look_up;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::level_towards_zero_f64;
use serde::{Deserialize, Serialize};

/// Settings of [`RandomGamma`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomGammaSpec {
    /// Smallest and largest power, in hundredths: below 100 is brighter.
    pub gamma_limit: [f64; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomGammaSpec {
    fn default() -> Self {
        Self { gamma_limit: [80.0, 120.0], p: 0.5 }
    }
}

impl OpSettings for RandomGammaSpec {
    type Op = RandomGamma;

    fn build(&self, _: Size) -> Result<RandomGamma, Error> {
        let [low, high] = self.gamma_limit;
        let accepted = 1.0 <= low && low <= high && high <= 10_000.0;
        let must_be = "[min, max] with 1 <= min <= max <= 10000";
        check(accepted, "gamma_limit", must_be, self.gamma_limit)?;
        check_probability(self.p)?;
        Ok(RandomGamma { limit: self.gamma_limit, p: self.p })
    }

    fn example() -> Self {
        Self { gamma_limit: [50.0, 60.0], p: 1.0 }
    }
}

/// Raises all levels to a power with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomGamma {
    limit: [f64; 2],
    p: f64,
}

impl Op for RandomGamma {
    /// The power; 1 is neutral.
    type Draw = Option<f64>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<f64> {
        let acts = rng.bernoulli(self.p);
        let gamma = rng.uniform(self.limit[0], self.limit[1]) / 100.0;
        acts.then_some(gamma)
    }

    fn render(&self, mut image: Image8, draw: &Option<f64>) -> Image8 {
        if let Some(gamma) = draw {
            let mut level = 0.0;
            let table = [(); 256].map(|()| {
                // In steps of a rounded 1 / 255, as NumPy's `arange`.
                let raised = (level * (1.0 / 255.0_f64)).powf(*gamma) * 255.0;
                level += 1.0;
                level_towards_zero_f64(raised)
            });
            look_up(image.pixels_mut(), &table);
        }
        image
    }
}
