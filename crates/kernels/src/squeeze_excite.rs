//! The two passes of a squeeze-excite block (Hu et al., 2018) over its map: the channels' means, and the product with a
//! gate for each picture and channel.
//!
//! Forward: `mean[n, c] = sum over pixels of x[n, p, c] / pixels`; `y[n, p, c] = x[n, p, c] * gate[n, c]`.
//! Backward: `dgate[n, c] = sum over pixels of dy * x`; and, with the gradient of the mean known, in one pass
//! `dx[n, p, c] = dy[n, p, c] * gate[n, c] + dmean[n, c] / pixels`.
//!
//! Cost: forward reads `x` twice and writes `y`; backward reads `dy` twice and `x`, and writes `dx`.
//!
//! Sums are taken over runs of pixels that the shape alone decides, and added in order.

use crate::passes::{Channels, Formula, Sum, pass};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// How a picture's pixels are walked.
#[derive(Debug, Clone, Copy)]
struct Runs {
    layout: Channels,
    channels: usize,
    /// Floats of a picture, and of a run.
    picture: usize,
    run: usize,
}

impl Runs {
    fn of(pixels: usize, channels: usize) -> Self {
        let layout = Channels::of(channels);
        Self { layout, channels, picture: pixels * channels, run: layout.block() }
    }

    /// The sums that `of` gives for the runs of each picture, from where one begins and how long it is.
    fn sums(self, pictures: usize, of: impl Fn(usize, usize) -> Vec<f32> + Sync) -> Vec<f32> {
        let runs = self.picture.div_ceil(self.run);
        let parts: Vec<Vec<f32>> = (0..pictures * runs)
            .into_par_iter()
            .map(|task| {
                let (picture, start) = (task / runs, task % runs * self.run);
                of(picture * self.picture + start, self.run.min(self.picture - start))
            })
            .collect();
        let mut sums = vec![0.0; pictures * self.channels];
        for (sums, parts) in sums.chunks_exact_mut(self.channels).zip(parts.chunks(runs)) {
            for part in parts {
                for (sum, part) in sums.iter_mut().zip(part) {
                    *sum += part;
                }
            }
        }
        sums
    }

    /// Runs `work` on each run of `to`, with where it begins and its picture's number.
    fn for_each(self, to: &mut [f32], work: impl Fn(usize, usize, &mut [f32]) + Sync) {
        to.par_chunks_mut(self.picture).enumerate().for_each(|(picture, to)| {
            to.par_chunks_mut(self.run).enumerate().for_each(|(run, to)| {
                work(picture * self.picture + run * self.run, picture, to);
            });
        });
    }

    /// Each picture's row of values, repeated as its pixels are walked.
    fn widen(self, values: &[f32]) -> Vec<Vec<f32>> {
        values.chunks_exact(self.channels).map(|values| self.layout.widen(values)).collect()
    }
}

/// The mean of every picture's channels, `[picture, channel]`.
pub(crate) fn means(x: &[f32], pictures: usize, pixels: usize, channels: usize) -> Vec<f32> {
    let arch = Arch::new();
    let runs = Runs::of(pixels, channels);
    let mut means = runs.sums(pictures, |start, length| {
        arch.dispatch(SumRun { x: &x[start..][..length], factor: None, layout: runs.layout })
    });
    let scale = 1.0 / pixels as f32;
    for mean in &mut means {
        *mean *= scale;
    }
    means
}

/// `dgate`, for each picture and channel.
pub(crate) fn gate_gradient(
    x: &[f32],
    dy: &[f32],
    pictures: usize,
    pixels: usize,
    channels: usize,
) -> Vec<f32> {
    let arch = Arch::new();
    let runs = Runs::of(pixels, channels);
    runs.sums(pictures, |start, length| {
        let factor = Some(&dy[start..][..length]);
        arch.dispatch(SumRun { x: &x[start..][..length], factor, layout: runs.layout })
    })
}

/// `y = x * gate`, plus a value for each picture and channel, if there is one.
pub(crate) fn scale(
    x: &[f32],
    gate: &[f32],
    added: Option<&[f32]>,
    pixels: usize,
    channels: usize,
    y: &mut [f32],
) {
    let arch = Arch::new();
    let runs = Runs::of(pixels, channels);
    let gates = runs.widen(gate);
    let added = added.map(|added| runs.widen(added));
    runs.for_each(y, |start, picture, y| {
        let added = added.as_ref().map(|added| &*added[picture]);
        arch.dispatch(ScaleRun { x: &x[start..][..y.len()], gate: &gates[picture], added, y });
    });
}

/// `dmean / pixels` is what each pixel's value gets.
pub(crate) fn mean_shares(dmean: &[f32], pixels: usize) -> Vec<f32> {
    let scale = 1.0 / pixels as f32;
    dmean.iter().map(|d| d * scale).collect()
}

/// `dx` of the means alone: every pixel's value gets the same.
pub(crate) fn spread(shares: &[f32], pixels: usize, channels: usize, dx: &mut [f32]) {
    let pictures = dx.par_chunks_exact_mut(pixels * channels).zip(shares.par_chunks(channels));
    pictures.for_each(|(dx, shares)| {
        for pixel in dx.chunks_exact_mut(channels) {
            pixel.copy_from_slice(shares);
        }
    });
}

/// Sums of a run's channels, of products if there is a factor.
struct SumRun<'a> {
    x: &'a [f32],
    factor: Option<&'a [f32]>,
    layout: Channels,
}

impl WithSimd for SumRun<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { x, factor, layout } = self;
        let width = layout.width();
        let mut sums = vec![0.0; width];
        for (row, x) in x.chunks(width).enumerate() {
            let sums = &mut sums[..x.len()];
            match factor {
                Some(factor) => pass(simd, SumOfProducts, [x, &factor[row * width..]], [sums]),
                None => pass(simd, Sum, [x], [sums]),
            }
        }
        layout.fold(&mut sums);
        sums
    }
}

/// `sum += x * factor`.
#[derive(Clone, Copy)]
struct SumOfProducts;

impl Formula<2, 1> for SumOfProducts {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, [x, factor]: [S::f32s; 2], [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_add_e_f32s(x, factor, sum)]
    }
}

/// A run of [`scale`].
struct ScaleRun<'a> {
    x: &'a [f32],
    gate: &'a [f32],
    added: Option<&'a [f32]>,
    y: &'a mut [f32],
}

impl WithSimd for ScaleRun<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, gate, added, y } = self;
        for (y, x) in y.chunks_mut(gate.len()).zip(x.chunks(gate.len())) {
            match added {
                Some(added) => pass(simd, Scale, [x, gate, added], [y]),
                None => pass(simd, Scale, [x, gate], [y]),
            }
        }
    }
}

/// `x * gate`, or `x * gate + added`.
#[derive(Clone, Copy)]
struct Scale;

impl Formula<2, 1> for Scale {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, [x, gate]: [S::f32s; 2], _: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_f32s(x, gate)]
    }
}

impl Formula<3, 1> for Scale {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, [x, gate, added]: [S::f32s; 3], _: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_add_e_f32s(x, gate, added)]
    }
}
