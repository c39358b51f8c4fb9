//! Channels-last maps in Burn's tensors.
//!
//! To Burn a map is `[batch, channels, height, width]` wherever it lies. These operations keep it in memory as
//! `[batch, height, width, channels]` and say so with the tensor's strides, as PyTorch's `channels_last` does: any
//! other operation sees an ordinary, permuted tensor.

use crate::buffers::Buffer;
use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata, ops::FloatTensorOps};
use burn::tensor::{AllocationProperty, Bytes, DType, TensorData};
use rayon::prelude::*;

/// Floats of a square that is turned in the first-level cache.
const SIDE: usize = 16;

/// The sizes of a four-dimensional tensor.
pub(crate) fn dims(tensor: &FlexTensor) -> [usize; 4] {
    tensor.shape().dims()
}

/// A tensor that is `[batch, channels, height, width]` to Burn, from channels-last values.
pub(crate) fn from_buffer(
    values: Buffer,
    [batch, channels, height, width]: [usize; 4],
) -> FlexTensor {
    let bytes = Bytes::from_shared(values.into_bytes(), AllocationProperty::Native);
    let data = TensorData::from_bytes(bytes, [batch, height, width, channels], DType::F32);
    Flex::float_permute(FlexTensor::from_data(data), &[0, 3, 1, 2])
}

/// A vector of values, such as a batch norm's mean.
pub(crate) fn vector(values: Vec<f32>) -> FlexTensor {
    let length = values.len();
    FlexTensor::from_data(TensorData::new(values, [length]))
}

/// A row of values for each picture, such as its channels' means.
pub(crate) fn matrix(values: Vec<f32>, dims: [usize; 2]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, dims))
}

/// The same tensor with its values channels-last in memory; a copy only if they are not already.
pub(crate) fn channels_last(tensor: FlexTensor) -> FlexTensor {
    if is_channels_last(&tensor) {
        return tensor;
    }
    let dims @ [_, channels, height, width] = dims(&tensor);
    let tensor = tensor.to_contiguous();
    let from = slice(&tensor);
    let pixels = height * width;
    let mut values = Buffer::of(from.len());
    values
        .as_mut_slice()
        .par_chunks_mut((pixels * channels).max(1))
        .zip(from.par_chunks((pixels * channels).max(1)))
        .for_each(|(to, from)| turn(from, to, channels, pixels));
    from_buffer(values, dims)
}

/// Transposes `rows` x `columns` values.
fn turn(from: &[f32], to: &mut [f32], rows: usize, columns: usize) {
    for row in (0..rows).step_by(SIDE) {
        for column in (0..columns).step_by(SIDE) {
            for c in column..columns.min(column + SIDE) {
                for r in row..rows.min(row + SIDE) {
                    to[c * rows + r] = from[r * columns + c];
                }
            }
        }
    }
}

fn is_channels_last(tensor: &FlexTensor) -> bool {
    let [_, channels, height, width] = dims(tensor);
    let dense = [height * width * channels, 1, width * channels, channels];
    let layout = tensor.layout();
    let sizes = dims(tensor);
    layout.start_offset() == 0
        && tensor.bytes().len() == size_of::<f32>() * sizes.iter().product::<usize>()
        && sizes
            .iter()
            .zip(layout.strides())
            .zip(dense)
            .all(|((&size, &stride), dense)| size == 1 || usize::try_from(stride) == Ok(dense))
}

/// The values of a tensor that fills its memory, in memory's order.
pub(crate) fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor.storage::<f32>()
}

/// The values of a vector or a weight, in Burn's order.
pub(crate) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    let fills = tensor.is_contiguous()
        && tensor.layout().start_offset() == 0
        && tensor.bytes().len() == size_of::<f32>() * tensor.shape().num_elements();
    if fills { tensor } else { FlexTensor::from_data(tensor.into_data()) }
}
