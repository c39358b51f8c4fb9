//! The gradients of parameters, input and residual.

use super::norm::{Norm, affine};
use super::sums::{Sums, narrow};
use crate::activation::{Function, with_function};
use crate::passes::{Channels, Formula, pass};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// `dgamma` and `dbeta`.
#[derive(Debug)]
pub(crate) struct ParameterGradients {
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

impl Norm<'_> {
    /// What the parameters' gradients sum up, with `dy` the gradient of the result.
    pub(crate) fn parameter_gradients(&self, dy: &[f32]) -> ParameterGradients {
        let arch = Arch::new();
        let layout = self.layout();
        let block = layout.block();
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

    /// `dx` of `dy` and the parameters' gradients, summed over the `count` values of each channel that the statistics are of,
    /// and `dresidual`, which only a norm with a residual has.
    pub(crate) fn input_gradient(
        &self,
        dy: &[f32],
        (sums, count): (&ParameterGradients, usize),
        dx: &mut [f32],
        dresidual: Option<&mut [f32]>,
    ) {
        let arch = Arch::new();
        let layout = self.layout();
        let block = layout.block();
        let constants = &self.constants();
        let count = count as f32;
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
