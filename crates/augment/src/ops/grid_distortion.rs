//! Stretches and squeezes the cells of a grid, with probability `p`.
//!
//! # Randomness
//! One draw: whether to act; then one for each of the steps across and down, of which there is one more than
//! `num_steps`. All are uniform.
//!
//! # Parity
//! albumentations' `GridDistortion` 2.0.8 with bilinear interpolation and OpenCV's `remap` of version 5; `render` bit
//! for bit, but where the reference fails: a picture with fewer pixels than steps stays as it is along that axis, and
//! where steps leave over more pixels than one step has, the last step takes them all. The reference shows the first
//! pixel there.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "grid_distortion", num_steps = 5, distort_limit = 0.3 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_fill, check_probability};
use crate::geometry::bent::Grid;
use crate::geometry::bilinear::interpolated;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::factor;
use crate::settings::border_mode::BorderMode;
use crate::settings::fill;
use crate::settings::symmetric_range::SymmetricRange;
use serde::{Deserialize, Serialize};

/// Settings of [`GridDistortion`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GridDistortionSpec {
    /// Cells of the grid along each side, from 1 to 1000.
    pub num_steps: u32,
    /// Smallest and largest change of a cell's size, as a part of it from -1 to 1; `0.3` is `[-0.3, 0.3]`.
    pub distort_limit: SymmetricRange,
    /// Whether the steps of an axis are scaled so that together they are as long as before.
    pub normalized: bool,
    /// What is shown outside of the picture.
    pub border_mode: BorderMode,
    /// The colour that border mode `constant` shows. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill", skip_serializing_if = "fill::is_black")]
    pub fill: [u8; 3],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for GridDistortionSpec {
    fn default() -> Self {
        Self {
            num_steps: 5,
            distort_limit: SymmetricRange::around(0.3),
            normalized: true,
            border_mode: BorderMode::Constant,
            fill: [0; 3],
            p: 0.5,
        }
    }
}

impl OpSettings for GridDistortionSpec {
    type Op = GridDistortion;

    fn build(&self, _: Size) -> Result<GridDistortion, Error> {
        const MUST_BE: &str = "from 0 to 1, or [min, max] with -1 <= min <= max <= 1";
        check((1..=1000).contains(&self.num_steps), "num_steps", "from 1 to 1000", self.num_steps)?;
        check_probability(self.p)?;
        check_fill(self.border_mode == BorderMode::Constant, self.fill)?;
        Ok(GridDistortion {
            steps: self.num_steps,
            limits: self.distort_limit.within([-1.0, 1.0], "distort_limit", MUST_BE)?,
            normalized: self.normalized,
            border_mode: self.border_mode,
            fill: self.fill,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Stretches and squeezes the cells of a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridDistortion {
    steps: u32,
    limits: [f64; 2],
    normalized: bool,
    border_mode: BorderMode,
    fill: [u8; 3],
    p: f64,
}

/// How long the steps of one application are, in parts of their length before. Steps that are not listed keep theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// From left to right.
    pub across: Vec<f64>,
    /// From top to bottom.
    pub down: Vec<f64>,
}

impl GridDistortion {
    /// Where each pixel of an axis comes from.
    fn places(&self, len: u32, steps: &[f64]) -> Vec<f32> {
        let step = len / self.steps;
        if step == 0 {
            return (0..len).map(|at| factor(f64::from(at))).collect();
        }
        let lengths: Vec<u32> = (0..=self.steps)
            .map(|i| if i == self.steps { len - step * self.steps } else { step })
            .collect();
        let drawn = steps.iter().copied().chain(std::iter::repeat(1.0));
        let mut steps: Vec<f64> = lengths.iter().zip(drawn).map(|(_, step)| step).collect();
        let length = f64::from(step);
        if self.normalized {
            if let (Some(last), Some(rest)) = (steps.last_mut(), lengths.last()) {
                *last *= f64::from(*rest) / length;
            }
            let scale = f64::from(len) / length / pairwise_sum(&steps);
            for step in &mut steps {
                *step *= scale;
            }
        }
        let mut places = Vec::with_capacity(len as usize);
        let mut start = 0.0;
        for (pixels, step) in lengths.into_iter().zip(steps) {
            let end = start + length * step;
            places.extend((0..pixels).map(|i| factor(between(start, end, i, pixels))));
            start = end;
        }
        places
    }
}

/// Place `i` of `count` that lead from `start` to `end`, both included: `numpy.linspace`.
fn between(start: f64, end: f64, i: u32, count: u32) -> f64 {
    let step = (end - start) / f64::from(count.saturating_sub(1).max(1));
    if i > 0 && i + 1 == count { end } else { f64::from(i) * step + start }
}

/// `numpy.sum`, which from eight numbers on adds up eight sums.
fn pairwise_sum(numbers: &[f64]) -> f64 {
    let (chunks, rest) = numbers.as_chunks::<8>();
    let Some((first, chunks)) = chunks.split_first() else { return rest.iter().sum() };
    let mut sums = *first;
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, number)| *sum += number);
    }
    let pair = |first: usize| sums[first] + sums[first + 1];
    let sum = (pair(0) + pair(2)) + (pair(4) + pair(6));
    rest.iter().fold(sum, |sum, number| sum + number)
}

impl Op for GridDistortion {
    type Draw = Option<Steps>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<Steps> {
        rng.bernoulli(self.p).then(|| {
            let [low, high] = self.limits;
            let mut axis = || (0..=self.steps).map(|_| 1.0 + rng.uniform(low, high)).collect();
            Steps { across: axis(), down: axis() }
        })
    }

    fn render(&self, image: Image8, draw: &Option<Steps>) -> Image8 {
        let Some(Steps { across, down }) = draw else { return image };
        let Size { width, height } = image.size();
        let grid = Grid::new(self.places(width, across), self.places(height, down));
        interpolated(image, grid, self.border_mode.into(), self.fill)
    }
}
