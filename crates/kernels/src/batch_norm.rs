//! Batch normalisation in training, with an optional sum and ReLU behind it, in one operation.
//!
//! Forward: `y = relu(gamma * (x - mean) / sqrt(var + eps) + beta + residual)` with the batch's mean and biased
//! variance of each channel (Ioffe and Szegedy, 2015); ReLU and residual may be missing.
//! Backward, with `d` the gradient behind the ReLU's mask, `x^ = (x - mean) / sqrt(var + eps)` and means over the batch:
//! `dbeta = sum(d)`, `dgamma = sum(d * x^)`, `dx = gamma / sqrt(var + eps) * (d - mean(d) - x^ * mean(d * x^))`,
//! `dresidual = d`.
//!
//! Cost: forward reads `x` twice (statistics, then result) and writes `y`; backward reads `x`, `y` and `dy`
//! and writes `d`, then reads `x` and `d` and writes `dx`. Separate operations make about ten passes.
//!
//! Sums are taken over blocks of rows that the shape alone decides, and blocks are added in order in f64: the results
//! do not depend on the number of threads.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Values of a block of rows: 64 KiB of f32.
const BLOCK: usize = 16 * 1024;

/// Mean and biased variance of each channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) mean: Vec<f32>,
    pub(crate) variance: Vec<f32>,
}

/// Floats in a block: whole rows of `channels`.
fn block(channels: usize) -> usize {
    (BLOCK / channels).max(1) * channels
}

/// Two sums for each channel.
type Sums = (Vec<f32>, Vec<f32>);

/// Mean and variance of every channel of `[rows, channels]`, from each block's by Chan, Golub and LeVeque's update.
pub(crate) fn statistics(x: &[f32], channels: usize) -> Statistics {
    let arch = Arch::new();
    let blocks: Vec<Sums> = x
        .par_chunks(block(channels))
        .map(|rows| {
            let mut mean = vec![0.0; channels];
            let mut squares = vec![0.0; channels];
            let mut rest = vec![0.0; channels];
            let (mean_here, squares_here, rest) = (&mut *mean, &mut *squares, &mut *rest);
            arch.dispatch(BlockStatistics { rows, mean: mean_here, squares: squares_here, rest });
            (mean, squares)
        })
        .collect();
    let mut count = 0.0;
    let mut mean = vec![0.0_f64; channels];
    let mut squares = vec![0.0_f64; channels];
    for (rows, (block_mean, block_squares)) in x.chunks(block(channels)).zip(&blocks) {
        let added = (rows.len() / channels) as f64;
        let total = count + added;
        for c in 0..channels {
            let apart = f64::from(block_mean[c]) - mean[c];
            mean[c] += apart * added / total;
            squares[c] += f64::from(block_squares[c]) + apart * apart * count * added / total;
        }
        count = total;
    }
    Statistics {
        mean: mean.into_iter().map(narrow).collect(),
        variance: squares.into_iter().map(|s| narrow(s / count)).collect(),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "results are f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Mean and sum of squared distances from it of a block's rows. A structure and not a closure, as all passes here, for
/// a closure's body is not compiled for this machine's vectors.
struct BlockStatistics<'a> {
    rows: &'a [f32],
    mean: &'a mut [f32],
    squares: &'a mut [f32],
    /// Sums of distances from the mean.
    rest: &'a mut [f32],
}

impl WithSimd for BlockStatistics<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, mean, squares, rest } = self;
        let channels = mean.len();
        for row in rows.chunks_exact(channels) {
            for (mean, &x) in mean.iter_mut().zip(row) {
                *mean += x;
            }
        }
        let scale = channels as f32 / rows.len() as f32;
        for mean in &mut *mean {
            *mean *= scale;
        }
        // What is left of the mean, for its own sum was rounded: it corrects both (Chan et al., section 3).
        for row in rows.chunks_exact(channels) {
            for (((squares, rest), &mean), &x) in
                squares.iter_mut().zip(&mut *rest).zip(&*mean).zip(row)
            {
                *squares = (x - mean).mul_add(x - mean, *squares);
                *rest += x - mean;
            }
        }
        for ((squares, mean), rest) in squares.iter_mut().zip(mean).zip(rest) {
            *squares -= *rest * *rest * scale;
            *mean += *rest * scale;
        }
    }
}

/// A map `[rows, channels]` with the statistics of its channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) statistics: &'a Statistics,
    /// Added to the variance.
    pub(crate) epsilon: f64,
}

/// `dgamma` and `dbeta`.
#[derive(Debug)]
pub(crate) struct ParameterGradients {
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

impl Norm<'_> {
    /// `1 / sqrt(var + eps)` of each channel.
    fn inverse_deviations(&self) -> Vec<f32> {
        let inverse = |&v: &f32| narrow(1.0 / (f64::from(v) + self.epsilon).sqrt());
        self.statistics.variance.iter().map(inverse).collect()
    }

    /// `gamma / sqrt(var + eps)` of each channel.
    fn scale(&self, gamma: &[f32]) -> Vec<f32> {
        gamma
            .iter()
            .zip(self.inverse_deviations())
            .map(|(gamma, inverse)| gamma * inverse)
            .collect()
    }

    /// `y = relu(gamma * x^ + beta + residual)`.
    pub(crate) fn forward(
        &self,
        [gamma, beta]: [&[f32]; 2],
        residual: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
    ) {
        let arch = Arch::new();
        let block = block(gamma.len());
        let (mean, scale) = (&*self.statistics.mean, &*self.scale(gamma));
        let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
        y.par_chunks_mut(block).zip(self.x.par_chunks(block)).enumerate().for_each(
            |(i, (y, x))| {
                let residual = residual.map(|residual| &residual[i * block..][..x.len()]);
                arch.dispatch(Normalize { x, mean, scale, beta, residual, floor, y });
            },
        );
    }

    /// Masks `dy`, the gradient of the result, where `y` is not positive (if there is a `y`) into `d`, and sums what the
    /// parameters' gradients need.
    pub(crate) fn backward_parameters(
        &self,
        y: Option<&[f32]>,
        dy: &[f32],
        d: &mut [f32],
    ) -> ParameterGradients {
        let arch = Arch::new();
        let mean = &*self.statistics.mean;
        let block = block(mean.len());
        let inputs = self.x.par_chunks(block).zip(dy.par_chunks(block));
        let blocks: Vec<Sums> = d
            .par_chunks_mut(block)
            .zip(inputs)
            .enumerate()
            .map(|(i, (d, (x, dy)))| {
                let mut sums = vec![0.0; mean.len()];
                let mut products = vec![0.0; mean.len()];
                let y = y.map(|y| &y[i * block..][..x.len()]);
                let (sums_here, products_here) = (&mut *sums, &mut *products);
                arch.dispatch(MaskAndSum {
                    x,
                    mean,
                    y,
                    dy,
                    d,
                    sums: sums_here,
                    products: products_here,
                });
                (sums, products)
            })
            .collect();
        let total = |part: fn(&Sums) -> &Vec<f32>, c: usize| -> f64 {
            blocks.iter().map(|block| f64::from(part(block)[c])).sum()
        };
        let inverse = self.inverse_deviations();
        let gamma = |(c, &inverse): (usize, &f32)| narrow(total(|b| &b.1, c) * f64::from(inverse));
        ParameterGradients {
            gamma: inverse.iter().enumerate().map(gamma).collect(),
            beta: (0..mean.len()).map(|c| narrow(total(|b| &b.0, c))).collect(),
        }
    }

    /// `dx` of the masked gradient `d`, or of what is in `dx` already.
    pub(crate) fn backward_input(
        &self,
        gamma: &[f32],
        sums: &ParameterGradients,
        d: Option<&[f32]>,
        dx: &mut [f32],
    ) {
        let arch = Arch::new();
        let block = block(gamma.len());
        let count = (self.x.len() / gamma.len()) as f32;
        let (mean, scale) = (&*self.statistics.mean, &*self.scale(gamma));
        let mean_d = &*sums.beta.iter().map(|sum| sum / count).collect::<Vec<_>>();
        let slopes = sums.gamma.iter().zip(self.inverse_deviations());
        let slope = &*slopes.map(|(sum, inverse)| sum / count * inverse).collect::<Vec<_>>();
        dx.par_chunks_mut(block).zip(self.x.par_chunks(block)).enumerate().for_each(
            |(i, (dx, x))| {
                let d = d.map(|d| &d[i * block..][..x.len()]);
                arch.dispatch(InputGradient { x, mean, scale, mean_d, slope, d, dx });
            },
        );
    }
}

/// A block of [`Norm::forward`].
struct Normalize<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    scale: &'a [f32],
    beta: &'a [f32],
    residual: Option<&'a [f32]>,
    /// Smaller values become this.
    floor: f32,
    y: &'a mut [f32],
}

impl WithSimd for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, mean, scale, beta, residual, floor, y } = self;
        let channels = mean.len();
        // A comparison that NaN fails, so that it stays.
        let cut = |value: f32| if value < floor { floor } else { value };
        for (row, (y, x)) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)).enumerate()
        {
            let constants = mean.iter().zip(scale).zip(beta);
            if let Some(residual) = residual {
                let residual = &residual[row * channels..][..channels];
                for (((y, &x), &residual), ((&mean, &scale), &beta)) in
                    y.iter_mut().zip(x).zip(residual).zip(constants)
                {
                    *y = cut((x - mean).mul_add(scale, beta) + residual);
                }
            } else {
                for ((y, &x), ((&mean, &scale), &beta)) in y.iter_mut().zip(x).zip(constants) {
                    *y = cut((x - mean).mul_add(scale, beta));
                }
            }
        }
    }
}

/// A block of [`Norm::backward_parameters`].
struct MaskAndSum<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    y: Option<&'a [f32]>,
    dy: &'a [f32],
    d: &'a mut [f32],
    sums: &'a mut [f32],
    products: &'a mut [f32],
}

impl WithSimd for MaskAndSum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, mean, y, dy, d, sums, products } = self;
        if let Some(y) = y {
            for ((d, &dy), &y) in d.iter_mut().zip(dy).zip(y) {
                *d = if y <= 0.0 { 0.0 } else { dy };
            }
        } else {
            d.copy_from_slice(dy);
        }
        let channels = mean.len();
        for (d, x) in d.chunks_exact(channels).zip(x.chunks_exact(channels)) {
            for (sum, &d) in sums.iter_mut().zip(d) {
                *sum += d;
            }
            for (((product, &d), &x), &mean) in products.iter_mut().zip(d).zip(x).zip(mean) {
                *product = (x - mean).mul_add(d, *product);
            }
        }
    }
}

/// A block of [`Norm::backward_input`].
struct InputGradient<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    scale: &'a [f32],
    /// Mean of `d`.
    mean_d: &'a [f32],
    /// Mean of `d * x^`, over the deviation.
    slope: &'a [f32],
    d: Option<&'a [f32]>,
    dx: &'a mut [f32],
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, mean, scale, mean_d, slope, d, dx } = self;
        if let Some(d) = d {
            dx.copy_from_slice(d);
        }
        let channels = mean.len();
        for (dx, x) in dx.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            let constants = mean.iter().zip(scale).zip(mean_d.iter().zip(slope));
            for ((dx, &x), ((&mean, &scale), (&mean_d, &slope))) in
                dx.iter_mut().zip(x).zip(constants)
            {
                *dx = scale * (mean - x).mul_add(slope, *dx - mean_d);
            }
        }
    }
}
