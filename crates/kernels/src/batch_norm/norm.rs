//! The normalised map.

use super::statistics::Statistics;
use super::sums::narrow;
use crate::activation::{Activation, Function, with_function};
use crate::passes::{Channels, Formula, pass};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

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

impl Norm<'_> {
    pub(super) fn layout(&self) -> Channels {
        Channels::of(self.gamma.len())
    }

    /// `1 / sqrt(var + eps)` of each channel.
    pub(super) fn inverse_deviations(&self) -> Vec<f32> {
        let inverse = |&v: &f32| narrow(1.0 / (f64::from(v) + self.epsilon).sqrt());
        self.statistics.variance.iter().map(inverse).collect()
    }

    /// What `z` is made of, for each channel: `mean`, `gamma / sqrt(var + eps)` and `beta`.
    pub(super) fn constants(&self) -> [Vec<f32>; 3] {
        let scale = self.gamma.iter().zip(self.inverse_deviations());
        let scale: Vec<f32> = scale.map(|(gamma, inverse)| gamma * inverse).collect();
        [&self.statistics.mean, &scale, self.beta].map(|values| self.layout().widen(values))
    }

    /// `y = f(z)`.
    pub(crate) fn forward(&self, y: &mut [f32]) {
        let arch = Arch::new();
        let layout = self.layout();
        let block = layout.block();
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
pub(super) fn affine<S: Simd>(simd: S, [x, mean, scale, beta]: [S::f32s; 4]) -> S::f32s {
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
