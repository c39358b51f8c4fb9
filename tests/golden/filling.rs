//! The weights of networks in goldens, as `filling.py` makes them.
//!
//! Included by golden tests with `#[path]`, beside `generator.rs`.

use super::generator::uniform;
use burn::tensor::Device;
use kiln_models::{ModelSpec, NamedTensor, Network, load_state_dict, parameter_names};

/// Whether a batch norm's weight closes a residual branch; `last_norm` names it in networks that have layers.
fn closes(name: &str, last_norm: &str) -> bool {
    if name.starts_with("features.") {
        return name.contains(".block.2.1.") || name.contains(".block.3.1.");
    }
    name.starts_with("layer") && !name.contains("downsample") && name.ends_with(last_norm)
}

/// The values that `filling.py` gives the tensor `name`.
#[allow(clippy::cast_possible_truncation, reason = "the reference rounds to f32 here too")]
#[allow(dead_code, reason = "not every test that includes this file fills single tensors")]
pub(crate) fn fill(name: &str, shape: &[usize], last_norm: &str) -> NamedTensor {
    let inputs: usize = shape.iter().skip(1).product();
    let value = |u: f64| match (shape.len(), name.rsplit('.').next().unwrap()) {
        (4, _) => u * (6.0 / inputs as f64).sqrt(),
        (2, _) => u * (3.0 / inputs as f64).sqrt(),
        (_, "weight") => {
            if closes(name, last_norm) {
                0.2 + 0.1 * u
            } else {
                1.0 + 0.1 * u
            }
        }
        (_, "running_var") => 1.0 + 0.1 * u,
        _ => 0.1 * u,
    };
    let values = uniform(name, shape.iter().product()).into_iter().map(|u| value(u) as f32);
    NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values: values.collect() }
}

/// A network of 10 classes with the values of `filling.py`.
pub(crate) fn filled(spec: &ModelSpec, device: &Device) -> Network {
    let network = spec.build(10, device);
    let names = parameter_names(&network);
    let bottlenecks = names.iter().any(|named| named.name == "layer1.0.bn3.weight");
    let last_norm = if bottlenecks { "bn3.weight" } else { "bn2.weight" };
    load_state_dict(network, |tensor, shape| Some(fill(tensor, shape, last_norm))).unwrap()
}
