//! Applies several ops in order, all of them with probability `p` or none.
//!
//! # Randomness
//! One draw, whether to act; then those of the ops, first to last.
//!
//! # Parity
//! torchvision's `RandomApply` around `Compose`, and albumentations' `Sequential` but for its `p`, which is 1 here by
//! default.
//!
//! # Example
//! ```toml
//! [[pipeline]]
//! type = "sequential"
//! p = 0.8
//! ops = [{ type = "color_jitter", brightness = 0.4 }, { type = "random_vertical_flip" }]
//! ```

use super::{CatalogOp, OpDraw, OpSettings, OpSpec};
use crate::children;
use crate::error::{Error, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::ops::random_grayscale::RandomGrayscaleSpec;
use crate::ops::random_vertical_flip::RandomVerticalFlipSpec;
use crate::settings::often::always;
use serde::{Deserialize, Serialize};

/// Settings of [`Sequential`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequentialSpec {
    /// How often to act, from 0 to 1.
    #[serde(default = "always")]
    pub p: f64,
    /// The ops; if `p` is below 1 they must keep the size.
    pub ops: Vec<OpSpec>,
}

impl OpSettings for SequentialSpec {
    type Op = Sequential;

    fn build(&self, default: Size) -> Result<Sequential, Error> {
        check_probability(self.p)?;
        let ops = children::build(&self.ops, default)?;
        if self.p < 1.0 {
            children::check_sizes_kept(&ops)?;
        }
        Ok(Sequential { p: self.p, ops })
    }

    fn example() -> Self {
        Self {
            p: 1.0,
            ops: vec![
                OpSpec::RandomVerticalFlip(RandomVerticalFlipSpec { p: 1.0 }),
                OpSpec::RandomGrayscale(RandomGrayscaleSpec { p: 0.5 }),
            ],
        }
    }
}

/// Applies several ops in order, all of them with probability `p` or none.
#[derive(Debug)]
pub struct Sequential {
    p: f64,
    ops: Vec<CatalogOp>,
}

impl Op for Sequential {
    /// What each op does, first to last; empty if nothing is done.
    type Draw = Vec<OpDraw>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Vec<OpDraw> {
        if !rng.bernoulli(self.p) {
            return Vec::new();
        }
        let mut size = size;
        let draw = |op: &CatalogOp| {
            let draw = op.draw(size, rng);
            size = op.output_size(size);
            draw
        };
        self.ops.iter().map(draw).collect()
    }

    fn render(&self, image: Image8, draw: &Vec<OpDraw>) -> Image8 {
        self.ops.iter().zip(draw).fold(image, |image, (op, draw)| op.render(image, draw))
    }

    fn output_size(&self, size: Size) -> Size {
        children::output_size(&self.ops, size)
    }
}
