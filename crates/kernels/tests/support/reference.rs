//! Convolution and batch norm as plain loops in f64, with their gradients.

use super::maps::Map;
use kiln_kernels::{Activation, NormSettings, Window};

/// A window that is as high as wide.
pub(crate) const fn square(kernel: usize, stride: usize, padding: usize) -> Window {
    Window { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2] }
}

/// The sizes of what a window makes of a map.
pub(crate) fn output_dims(x: [usize; 4], outputs: usize, window: Window) -> [usize; 4] {
    let size = |axis: usize| {
        (x[axis + 2] + 2 * window.padding[axis] - window.kernel[axis]) / window.stride[axis] + 1
    };
    [x[0], outputs, size(0), size(1)]
}

/// The sizes of the weight of a convolution of a map.
pub(crate) fn weight_dims(x: [usize; 4], outputs: usize, window: Window) -> [usize; 4] {
    [outputs, x[1], window.kernel[0], window.kernel[1]]
}

/// Visits every product of a convolution: the indices of its value in `y`, `x` and `weight`.
fn products(x: &Map, weight: &Map, window: Window, mut visit: impl FnMut(usize, usize, usize)) {
    let [outputs, inputs, kernel_height, kernel_width] = weight.dims;
    let dims = output_dims(x.dims, outputs, window);
    let source = |to: usize, tap: usize, axis: usize| {
        let from = (to * window.stride[axis] + tap).checked_sub(window.padding[axis])?;
        (from < x.dims[axis + 2]).then_some(from)
    };
    for picture in 0..dims[0] {
        for (to, from) in (0..outputs).flat_map(|to| (0..inputs).map(move |from| (to, from))) {
            for (down, right) in (0..kernel_height)
                .flat_map(|down| (0..kernel_width).map(move |right| (down, right)))
            {
                let in_weight = weight.index([to, from, down, right]);
                for row in 0..dims[2] {
                    let Some(from_row) = source(row, down, 0) else { continue };
                    for column in 0..dims[3] {
                        let Some(from_column) = source(column, right, 1) else { continue };
                        let in_y = ((picture * outputs + to) * dims[2] + row) * dims[3] + column;
                        let in_x = x.index([picture, from, from_row, from_column]);
                        visit(in_y, in_x, in_weight);
                    }
                }
            }
        }
    }
}

pub(crate) fn conv2d(x: &Map, weight: &Map, window: Window) -> Map {
    let mut y = Map::filled(0.0, output_dims(x.dims, weight.dims[0], window));
    products(x, weight, window, |in_y, in_x, in_weight| {
        y.values[in_y] += x.values[in_x] * weight.values[in_weight];
    });
    y
}

/// The gradients of `x` and `weight`.
pub(crate) fn conv2d_gradients(x: &Map, weight: &Map, window: Window, dy: &Map) -> [Map; 2] {
    let mut dx = Map::filled(0.0, x.dims);
    let mut dw = Map::filled(0.0, weight.dims);
    products(x, weight, window, |in_y, in_x, in_weight| {
        dx.values[in_x] += dy.values[in_y] * weight.values[in_weight];
        dw.values[in_weight] += dy.values[in_y] * x.values[in_x];
    });
    [dx, dw]
}

/// The channel `channel` of a map, as a map.
fn channel_of(map: &Map, channel: usize) -> Map {
    let [pictures, _, height, width] = map.dims;
    let dims = [pictures, 1, height, width];
    let all = map.values.chunks_exact(height * width).enumerate();
    let here = all.filter(|(plane, _)| plane % map.dims[1] == channel);
    Map { dims, values: here.flat_map(|(_, values)| values.to_vec()).collect() }
}

/// Maps of one channel each, as the channels of one map.
fn joined(channels: &[Map]) -> Map {
    let [pictures, _, height, width] = channels[0].dims;
    let plane = height * width;
    let values = (0..pictures)
        .flat_map(|picture| channels.iter().map(move |map| (picture, map)))
        .flat_map(|(picture, map)| map.values[picture * plane..(picture + 1) * plane].to_vec())
        .collect();
    Map { dims: [pictures, channels.len(), height, width], values }
}

/// The filter of one channel.
fn filter_of(weight: &Map, channel: usize) -> Map {
    let [_, _, height, width] = weight.dims;
    let taps = height * width;
    let values = weight.values[channel * taps..(channel + 1) * taps].to_vec();
    Map { dims: [1, 1, height, width], values }
}

/// As a convolution of each channel.
pub(crate) fn depthwise_conv2d(x: &Map, weight: &Map, window: Window) -> Map {
    let channel = |c| conv2d(&channel_of(x, c), &filter_of(weight, c), window);
    joined(&(0..x.dims[1]).map(channel).collect::<Vec<_>>())
}

/// The gradients of `x` and `weight`.
pub(crate) fn depthwise_gradients(x: &Map, weight: &Map, window: Window, dy: &Map) -> [Map; 2] {
    let gradients =
        |c| conv2d_gradients(&channel_of(x, c), &filter_of(weight, c), window, &channel_of(dy, c));
    let (dx, dw): (Vec<Map>, Vec<Map>) =
        (0..x.dims[1]).map(gradients).map(|[dx, dw]| (dx, dw)).unzip();
    let values = dw.into_iter().flat_map(|dw| dw.values).collect();
    [joined(&dx), Map { dims: weight.dims, values }]
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// The activation's value.
pub(crate) fn activate(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::None => z,
        Activation::Relu => z.max(0.0),
        Activation::Silu => z * sigmoid(z),
    }
}

/// The activation's slope.
fn slope(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::None => 1.0,
        Activation::Relu => f64::from(u8::from(z > 0.0)),
        Activation::Silu => sigmoid(z) * (1.0 + z * (1.0 - sigmoid(z))),
    }
}

/// A batch norm by the batch's statistics, with what follows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub(crate) x: &'a Map,
    pub(crate) gamma: &'a Map,
    pub(crate) beta: &'a Map,
    pub(crate) residual: Option<&'a Map>,
    pub(crate) settings: NormSettings,
}

impl Norm<'_> {
    /// Values of a channel.
    fn count(&self) -> f64 {
        (self.x.values.len() / self.x.dims[1]) as f64
    }

    /// The sum of each channel of a map as large as `x`.
    fn sums(&self, map: &Map) -> Map {
        let mut sums = Map::filled(0.0, self.gamma.dims);
        for (index, value) in map.values.iter().enumerate() {
            sums.values[map.channel(index)] += value;
        }
        sums
    }

    /// A map as large as `x`, of each index and its channel.
    fn each(&self, value: impl Fn(usize, usize) -> f64) -> Map {
        let values = (0..self.x.values.len()).map(|i| value(i, self.x.channel(i))).collect();
        Map { dims: self.x.dims, values }
    }

    /// Mean and biased variance of each channel.
    pub(crate) fn statistics(&self) -> [Map; 2] {
        let count = self.count();
        let mean = self.sums(self.x).map(|sum| sum / count);
        let apart = self.each(|i, channel| (self.x.values[i] - mean.values[channel]).powi(2));
        let variance = self.sums(&apart).map(|sum| sum / count);
        [mean, variance]
    }

    /// `1 / sqrt(var + eps)` of each channel.
    pub(crate) fn inverse_deviations(&self) -> Map {
        self.statistics()[1].map(|variance| 1.0 / (variance + self.settings.epsilon).sqrt())
    }

    fn normalized(&self) -> Map {
        let [mean, _] = self.statistics();
        let inverse = self.inverse_deviations();
        self.each(|i, channel| (self.x.values[i] - mean.values[channel]) * inverse.values[channel])
    }

    /// What the activation gets.
    pub(crate) fn uncut(&self) -> Map {
        let normalized = self.normalized();
        let y = self.each(|i, channel| {
            normalized.values[i] * self.gamma.values[channel] + self.beta.values[channel]
        });
        self.residual.map_or(y.clone(), |residual| y.zip(residual, |y, residual| y + residual))
    }

    pub(crate) fn forward(&self) -> Map {
        let y = self.uncut();
        y.map(|z| activate(self.settings.activation, z))
    }

    /// The gradients of `x`, `gamma`, `beta` and the residual.
    pub(crate) fn gradients(&self, dy: &Map) -> [Map; 4] {
        let dy = self.uncut().zip(dy, |z, dy| slope(self.settings.activation, z) * dy);
        let normalized = self.normalized();
        let beta = self.sums(&dy);
        let gamma = self.sums(&dy.zip(&normalized, |dy, normalized| dy * normalized));
        let inverse = self.inverse_deviations();
        let count = self.count();
        let x = self.each(|i, channel| {
            let along = normalized.values[i] * gamma.values[channel];
            let apart = dy.values[i] - (beta.values[channel] + along) / count;
            self.gamma.values[channel] * inverse.values[channel] * apart
        });
        [x, gamma, beta, dy]
    }
}

/// The gradient of `f` by central differences.
pub(crate) fn differences(at: &Map, f: impl Fn(&Map) -> f64) -> Map {
    const STEP: f64 = 1e-5;
    let mut gradient = Map::filled(0.0, at.dims);
    for (index, slope) in gradient.values.iter_mut().enumerate() {
        let moved = |step: f64| {
            let mut moved = at.clone();
            moved.values[index] += step;
            f(&moved)
        };
        *slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
    }
    gradient
}

/// What a gradient is the gradient of.
pub(crate) fn weighted_sum(y: &Map, dy: &Map) -> f64 {
    y.values.iter().zip(&dy.values).map(|(y, dy)| y * dy).sum()
}
