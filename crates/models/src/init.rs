//! Initial values as torchvision's networks have them.

use crate::error::Error;
use crate::state_dict::{NamedTensor, load_state_dict};
use burn::module::Module;
use std::f64::consts::TAU;

/// Uniform numbers in `[0, 1)` for one parameter.
pub type UnitSource = Box<dyn FnMut() -> f64>;

/// Gives every tensor of `model` its initial value, drawn from the source that `source` makes for its name.
///
/// Values depend on the name and the source alone, not on the backend or on the order of the layers:
/// - convolution weights: normal with standard deviation `sqrt(2 / fan_out)` (He et al., 2015; `fan_out` =
///   output channels x kernel area),
/// - linear weights and biases: uniform within `±1 / sqrt(inputs)`,
/// - batch norm: weight and running variance 1, bias and running mean 0. With `zero_init_last_gamma` the weight
///   of the last batch norm in every residual block is 0, so that each block starts as the identity (Goyal et
///   al., 2017); torchvision calls this `zero_init_residual`.
///
/// # Parity
/// `torchvision.models.resnet` up to the random numbers.
///
/// # Errors
/// None for a model of this crate; shapes are the model's own.
pub fn initialize<M: Module>(
    model: M,
    last_gammas: &[String],
    source: impl Fn(&str) -> UnitSource,
) -> Result<M, Error> {
    let mut linear_inputs = 1.0;
    load_state_dict(model, |name, shape| {
        let mut unit = source(name);
        let count: usize = shape.iter().product();
        let values = match (shape, name.rsplit('.').next()) {
            ([out, _, height, width], _) => {
                let deviation = (2.0 / (out * height * width) as f64).sqrt();
                normals(count, deviation, &mut unit)
            }
            // A linear layer's bias is drawn with its weight's bound, and follows it in the model's order.
            ([_, inputs], _) => {
                linear_inputs = *inputs as f64;
                uniforms(count, 1.0 / linear_inputs.sqrt(), &mut unit)
            }
            (_, Some("bias")) if name == "fc.bias" => {
                uniforms(count, 1.0 / linear_inputs.sqrt(), &mut unit)
            }
            (_, Some("weight")) if last_gammas.iter().any(|last| last == name) => vec![0.0; count],
            (_, Some("weight" | "running_var")) => vec![1.0; count],
            _ => vec![0.0; count],
        };
        Some(NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values })
    })
}

#[allow(clippy::cast_possible_truncation, reason = "initial values are stored in f32")]
fn uniforms(count: usize, bound: f64, unit: &mut UnitSource) -> Vec<f32> {
    (0..count).map(|_| ((2.0 * unit() - 1.0) * bound) as f32).collect()
}

/// Normal numbers in pairs (Box and Muller, 1958): both halves of a pair are used, at half the cost.
#[allow(clippy::cast_possible_truncation, reason = "initial values are stored in f32")]
fn normals(count: usize, deviation: f64, unit: &mut UnitSource) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let radius = deviation * (-2.0 * (1.0 - unit()).ln()).sqrt();
        let (sin, cos) = (TAU * unit()).sin_cos();
        values.push((radius * cos) as f32);
        values.push((radius * sin) as f32);
    }
    values.truncate(count);
    values
}
