//! Applies some of several ops, in the order of the list, with probability `p`.
//!
//! # Randomness
//! One draw, whether to act; two for the number of ops and one for each choice; then those of the chosen ops.
//!
//! # Parity
//! albumentations' `SomeOf` with `replace = False`: a uniform choice of `n` ops without repetition, applied in the
//! order of the list, each with its own probability. `n` may also be a range here, `[min, max]`, drawn uniformly. The
//! default `p` is 1.
//!
//! # Example
//! ```toml
//! [[pipeline]]
//! type = "some_of"
//! n = [1, 2]
//! ops = [
//!     { type = "random_vertical_flip", p = 1.0 },
//!     { type = "random_horizontal_flip", p = 1.0 },
//!     { type = "random_grayscale", p = 1.0 },
//! ]
//! ```

use super::one_of::Chosen;
use super::{CatalogOp, OpSettings, OpSpec};
use crate::children;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::ops::random_grayscale::RandomGrayscaleSpec;
use crate::ops::random_horizontal_flip::RandomHorizontalFlipSpec;
use crate::ops::random_vertical_flip::RandomVerticalFlipSpec;
use crate::settings::count::Count;
use crate::settings::often::always;
use serde::{Deserialize, Serialize};

/// Settings of [`SomeOf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SomeOfSpec {
    /// How many ops to apply: a number, or `[min, max]`.
    pub n: Count,
    /// How often to act, from 0 to 1.
    #[serde(default = "always")]
    pub p: f64,
    /// The ops, which must keep the size.
    pub ops: Vec<OpSpec>,
}

impl OpSettings for SomeOfSpec {
    type Op = SomeOf;

    fn build(&self, default: Size) -> Result<SomeOf, Error> {
        check_probability(self.p)?;
        let ops = children::build(&self.ops, default)?;
        children::check_sizes_kept(&ops)?;
        let Count { min, max } = self.n;
        let accepted = min <= max && max as usize <= ops.len();
        check(accepted, "n", "[min, max] with min <= max <= the number of ops", [min, max])?;
        Ok(SomeOf { n: self.n, p: self.p, ops })
    }

    fn example() -> Self {
        Self {
            n: Count { min: 2, max: 2 },
            p: 1.0,
            ops: vec![
                OpSpec::RandomVerticalFlip(RandomVerticalFlipSpec { p: 1.0 }),
                OpSpec::RandomHorizontalFlip(RandomHorizontalFlipSpec { p: 1.0 }),
                OpSpec::RandomGrayscale(RandomGrayscaleSpec { p: 1.0 }),
            ],
        }
    }
}

/// Applies some of several ops, in the order of the list, with probability `p`.
#[derive(Debug)]
pub struct SomeOf {
    n: Count,
    p: f64,
    ops: Vec<CatalogOp>,
}

impl Op for SomeOf {
    /// The chosen ops in the order of the list.
    type Draw = Vec<Chosen>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Vec<Chosen> {
        if !rng.bernoulli(self.p) {
            return Vec::new();
        }
        let mut missing = self.n.draw(rng);
        let mut drawn = Vec::new();
        // Each op in turn is taken with the probability that a uniform choice of what is missing, among those that
        // are left, has it (Knuth, "The Art of Computer Programming" 2, algorithm S).
        for (position, op) in self.ops.iter().enumerate() {
            let left = (self.ops.len() - position) as u64;
            if rng.below(left) < u64::from(missing) {
                missing -= 1;
                drawn.push(Chosen { position, draw: Box::new(op.draw(size, rng)) });
            }
        }
        drawn
    }

    fn render(&self, image: Image8, draw: &Vec<Chosen>) -> Image8 {
        draw.iter().fold(image, |image, chosen| match self.ops.get(chosen.position) {
            Some(op) => op.render(image, &chosen.draw),
            None => image,
        })
    }
}
