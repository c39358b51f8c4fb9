//! Adds one colour to all pixels, drawn along the principal components of ImageNet's colours, with probability `p`.
//!
//! # Randomness
//! Whether to act, one draw; then a normal variate, two draws, for the amount of each component.
//!
//! # Parity
//! `AlexNet`'s noise of colours (Krizhevsky et al., 2012) with the components and deviations of ImageNet that training
//! scripts of PyTorch call `Lighting`; they add it to a picture of floats. Here the sum is rounded to the nearest
//! level, the even one when two are equally near; `render` is bit-exact against that.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "lighting", alphastd = 0.1, p = 1.0 }]
//! ```

use super::OpSettings;
use crate::color::lookup::look_up_channels;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::level_half_even_f64;
use serde::{Deserialize, Serialize};

/// How much ImageNet's colours vary along each component; levels are from 0 to 1.
const DEVIATIONS: [f64; 3] = [0.2175, 0.0188, 0.0045];
/// Red, green and blue of the components: one row for each channel.
const COMPONENTS: [[f64; 3]; 3] =
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]];

/// Settings of [`Lighting`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LightingSpec {
    /// Standard deviation of the amounts, from 0 to 100.
    pub alphastd: f64,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

/// Always acts, as the reference does.
impl Default for LightingSpec {
    fn default() -> Self {
        Self { alphastd: 0.1, p: 1.0 }
    }
}

impl OpSettings for LightingSpec {
    type Op = Lighting;

    fn build(&self, _: Size) -> Result<Lighting, Error> {
        check_probability(self.p)?;
        check((0.0..=100.0).contains(&self.alphastd), "alphastd", "from 0 to 100", self.alphastd)?;
        Ok(Lighting { alphastd: self.alphastd, p: self.p })
    }

    fn example() -> Self {
        Self { alphastd: 0.5, p: 1.0 }
    }
}

/// Adds one colour to all pixels, drawn along the principal components of ImageNet's colours, with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lighting {
    alphastd: f64,
    p: f64,
}

impl Op for Lighting {
    /// The amount of each component, that of the largest variance first; `None`: rests.
    type Draw = Option<[f64; 3]>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<[f64; 3]> {
        rng.bernoulli(self.p).then(|| [(); 3].map(|()| self.alphastd * rng.normal()))
    }

    fn render(&self, mut image: Image8, draw: &Option<[f64; 3]>) -> Image8 {
        if let Some(amounts) = draw {
            let tables = COMPONENTS.map(|row| {
                let parts = row.iter().zip(DEVIATIONS).zip(amounts);
                let shift: f64 = parts.map(|((part, deviation), a)| part * deviation * a).sum();
                std::array::from_fn(|level| {
                    level_half_even_f64((level as f64 + shift * 255.0).clamp(0.0, 255.0))
                })
            });
            look_up_channels(image.rgb_mut(), &tables);
        }
        image
    }
}
