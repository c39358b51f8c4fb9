//! Batch normalisation in training, with an optional sum and activation behind it, in one operation.
//!
//! Forward: `y = f(z)`, `z = gamma * (x - mean) / sqrt(var + eps) + beta + residual` with the batch's mean and biased
//! variance of each channel (Ioffe and Szegedy, 2015); the activation `f` and the residual may be missing.
//! Backward, with `d = f'(z) * dy`, `x^ = (x - mean) / sqrt(var + eps)` and means over the batch:
//! `dbeta = sum(d)`, `dgamma = sum(d * x^)`, `dx = gamma / sqrt(var + eps) * (d - mean(d) - x^ * mean(d * x^))`,
//! `dresidual = d`.
//!
//! Cost: forward reads `x` twice (statistics, then result) and writes `y`; backward reads `x` and `dy` twice and writes
//! `dx`. Both passes of it compute `z` anew, for memory is slower than that. Separate operations make about ten passes.
//!
//! Sums are taken over blocks of rows that the shape alone decides, and blocks are added in order in f64: the results
//! do not depend on the number of threads.

use crate::activation::{Activation, Function, with_function};
use crate::passes::{Channels, Formula, pass};
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

/// Floats in a block: as many rows as are taken as one, or several times as many.
fn block(channels: Channels) -> usize {
    (BLOCK / channels.width()).max(1) * channels.width()
}

/// Two sums for each channel.
type Sums = (Vec<f32>, Vec<f32>);

/// Mean and variance of every channel of `[rows, channels]`, from each block's by Chan, Golub and LeVeque's update.
pub(crate) fn statistics(x: &[f32], channels: usize) -> Statistics {
    let arch = Arch::new();
    let layout = Channels::of(channels);
    let blocks: Vec<Sums> = x
        .par_chunks(block(layout))
        .map(|rows| arch.dispatch(BlockStatistics { rows, channels, layout }))
        .collect();
    let mut count = 0.0;
    let mut mean = vec![0.0_f64; channels];
    let mut squares = vec![0.0_f64; channels];
    for (rows, (block_mean, block_squares)) in x.chunks(block(layout)).zip(&blocks) {
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

/// `sum += x`.
#[derive(Clone, Copy)]
struct Sum;

impl Formula<1, 1> for Sum {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, [x]: [S::f32s; 1], [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.add_f32s(sum, x)]
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

/// A map `[rows, channels]` with the statistics of its channels, and what happens to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) statistics: &'a Statistics,
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
    /// A map that is added before the activation.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activation: Activation,
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
    fn layout(&self) -> Channels {
        Channels::of(self.gamma.len())
    }

    /// `1 / sqrt(var + eps)` of each channel.
    fn inverse_deviations(&self) -> Vec<f32> {
        let inverse = |&v: &f32| narrow(1.0 / (f64::from(v) + self.epsilon).sqrt());
        self.statistics.variance.iter().map(inverse).collect()
    }

    /// What `z` is made of, for each channel: `mean`, `gamma / sqrt(var + eps)` and `beta`.
    fn constants(&self) -> [Vec<f32>; 3] {
        let scale = self.gamma.iter().zip(self.inverse_deviations());
        let scale: Vec<f32> = scale.map(|(gamma, inverse)| gamma * inverse).collect();
        [&self.statistics.mean, &scale, self.beta].map(|values| self.layout().widen(values))
    }

    /// `y = f(z)`.
    pub(crate) fn forward(&self, y: &mut [f32]) {
        let arch = Arch::new();
        let layout = self.layout();
        let block = block(layout);
        let constants = &self.constants();
        with_function!(self.activation, function => {
            y.par_chunks_mut(block).zip(self.x.par_chunks(block)).enumerate().for_each(
                |(i, (y, x))| {
                    let residual = self.residual.map(|residual| &residual[i * block..][..x.len()]);
                    arch.dispatch(Normalize { function, x, constants, residual, y });
                },
            );
        });
    }

    /// What the parameters' gradients sum up, with `dy` the gradient of the result.
    pub(crate) fn parameter_gradients(&self, dy: &[f32]) -> ParameterGradients {
        let arch = Arch::new();
        let layout = self.layout();
        let block = block(layout);
        let constants = &self.constants();
        let blocks: Vec<Sums> = with_function!(self.activation, function => {
            let pairs = self.x.par_chunks(block).zip(dy.par_chunks(block)).enumerate();
            pairs.map(|(i, (x, dy))| {
                let residual = self.residual.map(|residual| &residual[i * block..][..x.len()]);
                arch.dispatch(SumGradients { function, x, constants, residual, dy, layout })
            }).collect()
        });
        let total = |part: fn(&Sums) -> &Vec<f32>, c: usize| -> f64 {
            blocks.iter().map(|block| f64::from(part(block)[c])).sum()
        };
        let inverse = self.inverse_deviations();
        let gamma = |(c, &inverse): (usize, &f32)| narrow(total(|b| &b.1, c) * f64::from(inverse));
        ParameterGradients {
            gamma: inverse.iter().enumerate().map(gamma).collect(),
            beta: (0..inverse.len()).map(|c| narrow(total(|b| &b.0, c))).collect(),
        }
    }

    /// `dx` of `dy` and the parameters' gradients, and `dresidual`, which only a norm with a residual has.
    pub(crate) fn input_gradient(
        &self,
        dy: &[f32],
        sums: &ParameterGradients,
        dx: &mut [f32],
        dresidual: Option<&mut [f32]>,
    ) {
        let arch = Arch::new();
        let layout = self.layout();
        let block = block(layout);
        let constants = &self.constants();
        let count = (self.x.len() / self.gamma.len()) as f32;
        let mean_d: Vec<f32> = sums.beta.iter().map(|sum| sum / count).collect();
        let slopes = sums.gamma.iter().zip(self.inverse_deviations());
        let slope: Vec<f32> = slopes.map(|(sum, inverse)| sum / count * inverse).collect();
        let means = &[layout.widen(&mean_d), layout.widen(&slope)];
        let blocks = self.x.par_chunks(block).zip(dy.par_chunks(block)).enumerate();
        let blocks = dx.par_chunks_mut(block).zip(blocks);
        with_function!(self.activation, function => {
            let gradient = |i: usize, x, dy, dx, dresidual| {
                let residual = self.residual.map(|residual| &residual[i * block..]);
                let gradient =
                    InputGradient { function, x, constants, means, residual, dy, dx, dresidual };
                arch.dispatch(gradient);
            };
            match dresidual {
                Some(dresidual) => blocks
                    .zip(dresidual.par_chunks_mut(block))
                    .for_each(|((dx, (i, (x, dy))), d)| gradient(i, x, dy, dx, Some(d))),
                None => blocks.for_each(|(dx, (i, (x, dy)))| gradient(i, x, dy, dx, None)),
            }
        });
    }
}

/// A block of [`Norm::forward`].
struct Normalize<'a, F> {
    function: F,
    x: &'a [f32],
    constants: &'a [Vec<f32>; 3],
    residual: Option<&'a [f32]>,
    y: &'a mut [f32],
}

impl<F: Function> WithSimd for Normalize<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { function, x, constants: [mean, scale, beta], residual, y } = self;
        let width = mean.len();
        for (row, (y, x)) in y.chunks_mut(width).zip(x.chunks(width)).enumerate() {
            let result = Result { function };
            match residual {
                Some(residual) => {
                    pass(simd, result, [x, mean, scale, beta, &residual[row * width..]], [y]);
                }
                None => pass(simd, result, [x, mean, scale, beta], [y]),
            }
        }
    }
}

/// `f(z)`.
#[derive(Clone, Copy)]
struct Result<F> {
    function: F,
}

/// `(x - mean) * scale + beta`.
#[inline(always)]
fn affine<S: Simd>(simd: S, [x, mean, scale, beta]: [S::f32s; 4]) -> S::f32s {
    simd.mul_add_e_f32s(simd.sub_f32s(x, mean), scale, beta)
}

impl<F: Function> Formula<4, 1> for Result<F> {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, read: [S::f32s; 4], _: [S::f32s; 1]) -> [S::f32s; 1] {
        [self.function.apply(simd, affine(simd, read))]
    }
}

impl<F: Function> Formula<5, 1> for Result<F> {
    #[inline(always)]
    fn at<S: Simd>(
        self,
        simd: S,
        [x, mean, scale, beta, residual]: [S::f32s; 5],
        _: [S::f32s; 1],
    ) -> [S::f32s; 1] {
        let z = simd.add_f32s(affine(simd, [x, mean, scale, beta]), residual);
        [self.function.apply(simd, z)]
    }
}

/// A block of [`Norm::parameter_gradients`].
struct SumGradients<'a, F> {
    function: F,
    x: &'a [f32],
    constants: &'a [Vec<f32>; 3],
    residual: Option<&'a [f32]>,
    dy: &'a [f32],
    layout: Channels,
}

impl<F: Function> WithSimd for SumGradients<'_, F> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let Self { function, x, constants: [mean, scale, beta], residual, dy, layout } = self;
        let width = mean.len();
        let (mut sums, mut products) = (vec![0.0; width], vec![0.0; width]);
        for (row, (dy, x)) in dy.chunks(width).zip(x.chunks(width)).enumerate() {
            let totals = [&mut sums[..x.len()], &mut products[..x.len()]];
            let formula = GradientSums { function };
            match residual {
                Some(residual) => {
                    let residual = &residual[row * width..];
                    pass(simd, formula, [dy, x, mean, scale, beta, residual], totals);
                }
                None => pass(simd, formula, [dy, x, mean, scale, beta], totals),
            }
        }
        layout.fold(&mut sums);
        layout.fold(&mut products);
        (sums, products)
    }
}

/// `sum += d` and `product += d * (x - mean)`.
#[derive(Clone, Copy)]
struct GradientSums<F> {
    function: F,
}

impl<F: Function> Formula<5, 2> for GradientSums<F> {
    #[inline(always)]
    fn at<S: Simd>(
        self,
        simd: S,
        [dy, x, mean, scale, beta]: [S::f32s; 5],
        totals: [S::f32s; 2],
    ) -> [S::f32s; 2] {
        let d = self.function.slope(simd, affine(simd, [x, mean, scale, beta]), dy);
        add_gradients(simd, d, simd.sub_f32s(x, mean), totals)
    }
}

impl<F: Function> Formula<6, 2> for GradientSums<F> {
    #[inline(always)]
    fn at<S: Simd>(
        self,
        simd: S,
        [dy, x, mean, scale, beta, residual]: [S::f32s; 6],
        totals: [S::f32s; 2],
    ) -> [S::f32s; 2] {
        let z = simd.add_f32s(affine(simd, [x, mean, scale, beta]), residual);
        let d = self.function.slope(simd, z, dy);
        add_gradients(simd, d, simd.sub_f32s(x, mean), totals)
    }
}

#[inline(always)]
fn add_gradients<S: Simd>(
    simd: S,
    d: S::f32s,
    apart: S::f32s,
    [sum, product]: [S::f32s; 2],
) -> [S::f32s; 2] {
    [simd.add_f32s(sum, d), simd.mul_add_e_f32s(apart, d, product)]
}

/// A block of [`Norm::input_gradient`].
struct InputGradient<'a, F> {
    function: F,
    x: &'a [f32],
    constants: &'a [Vec<f32>; 3],
    /// For each channel the mean of `d`, and the mean of `d * x^` over the deviation.
    means: &'a [Vec<f32>; 2],
    residual: Option<&'a [f32]>,
    dy: &'a [f32],
    dx: &'a mut [f32],
    dresidual: Option<&'a mut [f32]>,
}

impl<F: Function> WithSimd for InputGradient<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { function, x, constants, means, residual, dy, dx, mut dresidual } = self;
        let ([mean, scale, beta], [mean_d, slope]) = (constants, means);
        let width = mean.len();
        let gradient = Gradient { function };
        for (row, (dx, (dy, x))) in
            dx.chunks_mut(width).zip(dy.chunks(width).zip(x.chunks(width))).enumerate()
        {
            let read = [dy, x, mean, scale, beta, mean_d, slope];
            let Some(residual) = residual else {
                pass(simd, gradient, read, [dx]);
                continue;
            };
            let [dy, x, mean, scale, beta, mean_d, slope] = read;
            let read = [dy, x, mean, scale, beta, mean_d, slope, &residual[row * width..]];
            match &mut dresidual {
                Some(d) => {
                    let d = &mut d[row * width..][..x.len()];
                    pass(simd, gradient, read, [dx, d]);
                }
                None => pass(simd, gradient, read, [dx]),
            }
        }
    }
}

/// `dx`, and `d` with a residual.
#[derive(Clone, Copy)]
struct Gradient<F> {
    function: F,
}

impl<F: Function> Gradient<F> {
    /// `scale * (d - mean(d) - (x - mean) * slope)`.
    #[inline(always)]
    fn of<S: Simd>(simd: S, d: S::f32s, [x, mean, scale, mean_d, slope]: [S::f32s; 5]) -> S::f32s {
        let apart = simd.sub_f32s(mean, x);
        simd.mul_f32s(scale, simd.mul_add_e_f32s(apart, slope, simd.sub_f32s(d, mean_d)))
    }
}

impl<F: Function> Formula<7, 1> for Gradient<F> {
    #[inline(always)]
    fn at<S: Simd>(
        self,
        simd: S,
        [dy, x, mean, scale, beta, mean_d, slope]: [S::f32s; 7],
        _: [S::f32s; 1],
    ) -> [S::f32s; 1] {
        let d = self.function.slope(simd, affine(simd, [x, mean, scale, beta]), dy);
        [Self::of(simd, d, [x, mean, scale, mean_d, slope])]
    }
}

impl<F: Function> Formula<8, 2> for Gradient<F> {
    #[inline(always)]
    fn at<S: Simd>(
        self,
        simd: S,
        [dy, x, mean, scale, beta, mean_d, slope, residual]: [S::f32s; 8],
        _: [S::f32s; 2],
    ) -> [S::f32s; 2] {
        let z = simd.add_f32s(affine(simd, [x, mean, scale, beta]), residual);
        let d = self.function.slope(simd, z, dy);
        [Self::of(simd, d, [x, mean, scale, mean_d, slope]), d]
    }
}

impl<F: Function> Formula<8, 1> for Gradient<F> {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, read: [S::f32s; 8], [dx]: [S::f32s; 1]) -> [S::f32s; 1] {
        let [dx, _] = Formula::<8, 2>::at(self, simd, read, [dx; 2]);
        [dx]
    }
}
