//! The batch's mean and variance of each channel.

use super::sums::{Sums, narrow};
use crate::passes::{Channels, Formula, Sum, pass};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Mean and biased variance of each channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) mean: Vec<f32>,
    pub(crate) variance: Vec<f32>,
}

/// Mean and variance of every channel of `[rows, channels]`, from each block's by Chan, Golub and LeVeque's update.
pub(crate) fn statistics(x: &[f32], channels: usize) -> Statistics {
    let arch = Arch::new();
    let layout = Channels::of(channels);
    let blocks: Vec<Sums> = x
        .par_chunks(layout.block())
        .map(|rows| arch.dispatch(BlockStatistics { rows, channels, layout }))
        .collect();
    let mut pooled = Pooled::new(channels);
    for (rows, (mean, squares)) in x.chunks(layout.block()).zip(&blocks) {
        pooled.add((rows.len() / channels) as f64, mean, |c| f64::from(squares[c]));
    }
    pooled.statistics()
}

/// The statistics of several parts of a batch, by Chan, Golub and LeVeque's update in the order of the parts.
#[derive(Debug)]
pub(super) struct Pooled {
    count: f64,
    mean: Vec<f64>,
    /// Sums of squared distances from the means.
    squares: Vec<f64>,
}

impl Pooled {
    pub(super) fn new(channels: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    /// Takes a part in, of so many values in each channel, at least one, with their mean and sum of squared distances from it.
    pub(super) fn add(&mut self, added: f64, mean: &[f32], squares: impl Fn(usize) -> f64) {
        let Self { count, mean: all_mean, squares: all_squares } = self;
        let total = *count + added;
        for c in 0..all_mean.len() {
            let apart = f64::from(mean[c]) - all_mean[c];
            all_mean[c] += apart * added / total;
            all_squares[c] += squares(c) + apart * apart * *count * added / total;
        }
        *count = total;
    }

    pub(super) fn statistics(self) -> Statistics {
        let Self { count, mean, squares } = self;
        Statistics {
            mean: mean.into_iter().map(narrow).collect(),
            variance: squares.into_iter().map(|s| narrow(s / count)).collect(),
        }
    }
}

/// Mean and sum of squared distances from it of a block's rows. A structure and not a closure, as all passes here, for
/// a closure's body is not compiled for this machine's vectors.
struct BlockStatistics<'a> {
    rows: &'a [f32],
    channels: usize,
    layout: Channels,
}

impl WithSimd for BlockStatistics<'_> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let Self { rows, channels, layout } = self;
        let width = layout.width();
        let mut mean = vec![0.0; width];
        for row in rows.chunks(width) {
            pass(simd, Sum, [row], [&mut mean[..row.len()]]);
        }
        layout.fold(&mut mean);
        let scale = channels as f32 / rows.len() as f32;
        for mean in &mut mean {
            *mean *= scale;
        }
        // What is left of the mean, for its own sum was rounded: it corrects both (Chan et al., section 3).
        let wide_mean = layout.widen(&mean);
        let (mut squares, mut rest) = (vec![0.0; width], vec![0.0; width]);
        for row in rows.chunks(width) {
            let sums = [&mut squares[..row.len()], &mut rest[..row.len()]];
            pass(simd, SumOfSquares, [row, &wide_mean[..row.len()]], sums);
        }
        layout.fold(&mut squares);
        layout.fold(&mut rest);
        for ((squares, mean), rest) in squares.iter_mut().zip(&mut mean).zip(rest) {
            *squares -= rest * rest * scale;
            *mean += rest * scale;
        }
        (mean, squares)
    }
}

/// `squares += (x - mean)^2` and `rest += x - mean`.
#[derive(Clone, Copy)]
struct SumOfSquares;

impl Formula<2, 2> for SumOfSquares {
    #[inline(always)]
    fn at<S: Simd>(
        self,
        simd: S,
        [x, mean]: [S::f32s; 2],
        [squares, rest]: [S::f32s; 2],
    ) -> [S::f32s; 2] {
        let apart = simd.sub_f32s(x, mean);
        [simd.mul_add_e_f32s(apart, apart, squares), simd.add_f32s(rest, apart)]
    }
}
