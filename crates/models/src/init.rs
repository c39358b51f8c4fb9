//! Initial values as torchvision's networks have them.

use crate::error::Error;
use crate::state_dict::{NamedTensor, load_state_dict};
use burn::module::Module;
use std::f64::consts::TAU;

/// Uniform numbers in `[0, 1)` for one parameter.
pub type UnitSource = Box<dyn FnMut() -> f64>;

/// How wide a linear layer's initial values are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinearInit {
    /// Weight and bias uniform within `±1 / sqrt(inputs)`: PyTorch's default, in residual networks.
    Inputs,
    /// The weight uniform within `±1 / sqrt(outputs)`, the bias 0: torchvision's EfficientNets.
    Outputs,
}

/// Gives every tensor of `model` its initial value, drawn from the source that `source` makes for its name.
///
/// Values depend on the name and the source alone, not on the backend or on the order of the layers:
/// - convolution weights: normal with standard deviation `sqrt(2 / fan_out)` (He et al., 2015; `fan_out` =
///   output channels x kernel area, whatever the groups); their biases: 0,
/// - linear weights and biases: as `linear` says,
/// - batch norm: weight and running variance 1, bias and running mean 0. With `zero_init_last_gamma` the weight
///   of the last batch norm in every residual block is 0, so that each block starts as the identity (Goyal et
///   al., 2017); torchvision calls this `zero_init_residual`.
///
/// # Parity
/// `torchvision.models.resnet` and `torchvision.models.efficientnet` up to the random numbers.
///
/// # Errors
/// None for a model of this crate; shapes are the model's own.
pub fn initialize<M: Module>(
    model: M,
    linear: LinearInit,
    last_gammas: &[String],
    source: impl Fn(&str) -> UnitSource,
) -> Result<M, Error> {
    // A linear layer's bias follows its weight in the model's order: the weight's name and inputs.
    let mut layer = (String::new(), 1.0);
    load_state_dict(model, |name, shape| {
        let mut unit = source(name);
        let count: usize = shape.iter().product();
        let (module, part) = name.rsplit_once('.').unwrap_or(("", name));
        let values = match (shape, part) {
            ([out, _, height, width], _) => {
                let deviation = (2.0 / (out * height * width) as f64).sqrt();
                normals(count, deviation, &mut unit)
            }
            ([outputs, inputs], _) => {
                layer = (module.to_owned(), *inputs as f64);
                let width = match linear {
                    LinearInit::Inputs => *inputs,
                    LinearInit::Outputs => *outputs,
                };
                uniforms(count, 1.0 / (width as f64).sqrt(), &mut unit)
            }
            (_, "bias") if module == layer.0 && linear == LinearInit::Inputs => {
                uniforms(count, 1.0 / layer.1.sqrt(), &mut unit)
            }
            (_, "weight") if last_gammas.iter().any(|last| last == name) => vec![0.0; count],
            (_, "weight" | "running_var") => vec![1.0; count],
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
