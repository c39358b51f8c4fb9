//! Halving a map without aliasing.

use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{DType, Tensor, TensorData};

/// Smooths a map with the binomial filter `[1, 2, 1] / 4` in both directions and takes every second pixel (Zhang, "Making
/// Convolutional Networks Shift-Invariant Again", 2019).
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, channels, ceil(height / 2), ceil(width / 2)]`.
///
/// # Parity
/// timm's `BlurPool2d(filt_size=3, stride=2)`, which reflects the map at its borders and refuses a side of one pixel; here
/// such a pixel is its own neighbour.
pub fn blur_pool(map: Tensor<4>) -> Tensor<4> {
    let [_, channels, height, width] = map.dims();
    let mode = |side: usize| if side == 1 { PadMode::Edge } else { PadMode::Reflect };
    let row = [0.25, 0.5, 0.25_f32];
    let filter = row.iter().flat_map(|down| row.iter().map(move |right| down * right));
    let filter: Vec<f32> = filter.collect::<Vec<_>>().repeat(channels);
    let data = TensorData::new(filter, [channels, 1, 3, 3]);
    let filter = Tensor::<4>::from_data(data, (&map.device(), DType::F32)).cast(map.dtype());
    let padded = map.pad([(1, 1), (0, 0)], mode(height)).pad([(0, 0), (1, 1)], mode(width));
    conv2d(padded, filter, None, ConvOptions::new([2, 2], [0, 0], [1, 1], channels))
}
