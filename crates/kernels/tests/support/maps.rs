//! Maps and weights in f64, to and from Burn's tensors, and how they are compared.

use super::generator::uniform;
use burn::tensor::{DType, Device, Tensor, TensorData};

/// Four-dimensional values in Burn's order; a vector of channels is `[1, channels, 1, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    pub(crate) dims: [usize; 4],
    pub(crate) values: Vec<f64>,
}

impl Map {
    /// Uniform in `[-1, 1)`, exact in f32, and the same for the same name.
    pub(crate) fn uniform(name: &str, dims: [usize; 4]) -> Self {
        Self { dims, values: uniform(name, dims.iter().product()) }
    }

    /// Multiples of an eighth in `[-1, 1]`: sums of up to 2^17 of their products are exact in f32, in any order.
    pub(crate) fn eighths(name: &str, dims: [usize; 4]) -> Self {
        Self::uniform(name, dims).map(|value| (value * 8.0).round() / 8.0)
    }

    pub(crate) fn filled(value: f64, dims: [usize; 4]) -> Self {
        Self { dims, values: vec![value; dims.iter().product()] }
    }

    /// One value for each channel, uniform in `[-1, 1)`.
    pub(crate) fn vector(name: &str, channels: usize) -> Self {
        Self::uniform(name, [1, channels, 1, 1])
    }

    pub(crate) fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        Self { dims: self.dims, values: self.values.iter().copied().map(change).collect() }
    }

    pub(crate) fn zip(&self, other: &Self, change: impl Fn(f64, f64) -> f64) -> Self {
        assert_eq!(self.dims, other.dims);
        let pairs = self.values.iter().zip(&other.values);
        Self { dims: self.dims, values: pairs.map(|(&a, &b)| change(a, b)).collect() }
    }

    /// The same with one value replaced.
    pub(crate) fn with(mut self, at: [usize; 4], value: f64) -> Self {
        let index = self.index(at);
        self.values[index] = value;
        self
    }

    pub(crate) fn index(&self, at: [usize; 4]) -> usize {
        at.iter().zip(self.dims).fold(0, |index, (&at, size)| index * size + at)
    }

    /// The channel of a value.
    pub(crate) fn channel(&self, index: usize) -> usize {
        index / (self.dims[2] * self.dims[3]) % self.dims[1]
    }

    pub(crate) fn largest(&self) -> f64 {
        self.values.iter().fold(0.0, |largest, value| value.abs().max(largest))
    }

    #[allow(clippy::cast_possible_truncation, reason = "the values are exact in f32")]
    pub(crate) fn tensor(&self, device: &Device) -> Tensor<4> {
        let values: Vec<f32> = self.values.iter().map(|&value| value as f32).collect();
        Tensor::from_data(TensorData::new(values, self.dims), (device, DType::F32))
    }

    pub(crate) fn of(tensor: &Tensor<4>) -> Self {
        let values = tensor.clone().into_data().iter::<f64>().collect();
        Self { dims: tensor.dims(), values }
    }

    /// All values' bits; every NaN is the same.
    pub(crate) fn bits(&self) -> Vec<u64> {
        let bits = |value: &f64| if value.is_nan() { f64::NAN } else { *value }.to_bits();
        self.values.iter().map(bits).collect()
    }
}

/// A vector of channels to Burn.
pub(crate) fn channels(vector: Tensor<4>) -> Tensor<1> {
    vector.flatten(0, 3)
}

/// `f` of the inputs, and each input's gradient if `dy` comes back.
pub(crate) fn pass<const N: usize>(
    inputs: [&Map; N],
    dy: &Map,
    f: impl FnOnce([Tensor<4>; N]) -> Tensor<4>,
) -> (Map, [Map; N]) {
    let device = Device::flex().autodiff();
    let leaves = inputs.map(|input| input.tensor(&device).require_grad());
    let y = f(leaves.clone());
    assert_eq!(y.dims(), dy.dims);
    let gradients = (y.clone() * dy.tensor(&device)).sum().backward();
    (Map::of(&y), leaves.map(|leaf| Map::of(&leaf.grad(&gradients).unwrap())))
}

/// Fails when `ours` is further from `theirs` than `tolerance` times the largest of `theirs`.
pub(crate) fn assert_close(what: &str, ours: &Map, theirs: &Map, tolerance: f64) {
    assert_within(what, ours, theirs, tolerance * theirs.largest().max(1e-30));
}

/// Fails when `ours` is further from `theirs` than `most`, or is no number.
pub(crate) fn assert_within(what: &str, ours: &Map, theirs: &Map, most: f64) {
    assert_eq!(ours.dims, theirs.dims, "{what}");
    for (index, (a, b)) in ours.values.iter().zip(&theirs.values).enumerate() {
        let apart = (a - b).abs();
        assert!(apart <= most, "{what}[{index}]: {a}, the reference has {b}: {apart} > {most}");
    }
}

/// Fails when a single bit differs.
pub(crate) fn assert_same(what: &str, ours: &Map, theirs: &Map) {
    assert_eq!(ours.dims, theirs.dims, "{what}");
    let differs = ours.bits().iter().zip(theirs.bits()).position(|(a, b)| *a != b);
    if let Some(index) = differs {
        let (a, b) = (ours.values[index], theirs.values[index]);
        panic!("{what}[{index}]: {a}, the reference has {b}");
    }
}
