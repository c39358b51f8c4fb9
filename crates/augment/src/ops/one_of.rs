//! Applies one of several ops with probability `p`.
//!
//! # Randomness
//! Two draws, whether to act and which op; then those of the chosen op.
//!
//! # Parity
//! torchvision's `RandomChoice`: `weights` are its `p`, and the chosen op still acts with its own probability. In
//! albumentations' `OneOf` the ops' probabilities are the weights instead and the chosen one always acts; its own `p`
//! is the `p` here, though 1 by default.
//!
//! # Example
//! ```toml
//! [[pipeline]]
//! type = "one_of"
//! p = 0.3
//! weights = [2, 1]
//! ops = [{ type = "random_vertical_flip", p = 1.0 }, { type = "random_grayscale", p = 1.0 }]
//! ```

use super::{CatalogOp, OpDraw, OpSettings, OpSpec};
use crate::children;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::ops::random_grayscale::RandomGrayscaleSpec;
use crate::ops::random_vertical_flip::RandomVerticalFlipSpec;
use crate::settings::often::always;
use serde::{Deserialize, Serialize};

/// Settings of [`OneOf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneOfSpec {
    /// How often to act, from 0 to 1.
    #[serde(default = "always")]
    pub p: f64,
    /// How often each op is chosen, in any unit; all equally often by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
    /// The ops, which must yield the same size, and keep it if `p` is below 1.
    pub ops: Vec<OpSpec>,
}

impl OpSettings for OneOfSpec {
    type Op = OneOf;

    fn build(&self, default: Size) -> Result<OneOf, Error> {
        check_probability(self.p)?;
        let ops = children::build(&self.ops, default)?;
        if self.p < 1.0 {
            children::check_sizes_kept(&ops)?;
        }
        children::check_sizes_agree(&ops)?;
        let weights = self.weights.clone().unwrap_or_else(|| vec![1.0; ops.len()]);
        let total: f64 = weights.iter().sum();
        let accepted = weights.len() == ops.len()
            && weights.iter().all(|&weight| weight >= 0.0)
            && total > 0.0
            && total.is_finite();
        check(accepted, "weights", "one number of at least 0 for each op, not all 0", &weights)?;
        let shares = weights.iter().map(|weight| weight / total).collect();
        Ok(OneOf { p: self.p, shares, ops })
    }

    fn example() -> Self {
        Self {
            p: 1.0,
            weights: Some(vec![2.0, 1.0]),
            ops: vec![
                OpSpec::RandomVerticalFlip(RandomVerticalFlipSpec { p: 1.0 }),
                OpSpec::RandomGrayscale(RandomGrayscaleSpec { p: 1.0 }),
            ],
        }
    }
}

/// Applies one of several ops with probability `p`.
#[derive(Debug)]
pub struct OneOf {
    p: f64,
    shares: Vec<f64>,
    ops: Vec<CatalogOp>,
}

/// The op that was chosen, and what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Its place in the list, from 0.
    pub position: usize,
    /// What it does.
    pub draw: Box<OpDraw>,
}

impl Op for OneOf {
    /// `None` if nothing is done.
    type Draw = Option<Chosen>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Chosen> {
        let (acts, place) = (rng.bernoulli(self.p), rng.unit());
        let mut rest = place;
        // Rounding of the shares may leave a little beyond the last one.
        let chosen = self.shares.iter().position(|share| {
            rest -= share;
            rest < 0.0
        });
        let last = self.shares.iter().rposition(|&share| share > 0.0);
        let position = chosen.or(last).filter(|_| acts)?;
        Some(Chosen { position, draw: Box::new(self.ops[position].draw(size, rng)) })
    }

    fn render(&self, image: Image8, draw: &Option<Chosen>) -> Image8 {
        let chosen = draw
            .as_ref()
            .and_then(|chosen| self.ops.get(chosen.position).map(|op| (op, &chosen.draw)));
        match chosen {
            Some((op, draw)) => op.render(image, draw),
            None => image,
        }
    }

    fn output_size(&self, size: Size) -> Size {
        // All ops yield the same.
        children::output_size(&self.ops[..1], size)
    }
}
